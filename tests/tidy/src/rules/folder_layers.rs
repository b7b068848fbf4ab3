//! Layers inside a crate: a module at the top of `src` may name those that its row lists.

use crate::{File, Finding, Tree, lexer};

/// A crate whose top modules are layers.
pub struct Layers {
    pub source: &'static str,
    /// From the lowest to the highest: each may use those before it.
    pub order: &'static [&'static str],
    /// Modules that every layer may use.
    pub shared: &'static [&'static str],
}

/// The crates with layers. Modules at the top of `src` that are in neither list may use every layer, and no layer may
/// use them.
pub const LAYERED: &[Layers] = &[];

/// Uses of a higher layer; keys are `file layer`.
pub fn findings(tree: &Tree) -> Vec<Finding> {
    LAYERED.iter().flat_map(|layers| judge(tree, layers)).collect()
}

fn judge(tree: &Tree, layers: &Layers) -> Vec<Finding> {
    let missing = layers.order.iter().filter(|layer| module_of_layer(tree, layers, layer).is_none());
    let mut findings: Vec<_> = missing
        .map(|layer| Finding::new(format!("{}/{layer}", layers.source), 1, "is a layer without files"))
        .collect();
    for file in tree.rust().filter(|file| file.path.starts_with(layers.source) && !tree.is_test(file)) {
        let Some(own) = place(layers, module(layers, file)) else { continue };
        for used in top_modules_used(file) {
            let fine = layers.shared.contains(&used.as_str()) || place(layers, &used).is_some_and(|place| place <= own);
            if !fine && is_module(tree, layers, &used) {
                findings.push(Finding::new(format!("{} {used}", file.path), 1, "uses a layer above its own"));
            }
        }
    }
    findings.sort();
    findings.dedup();
    findings
}

fn module_of_layer<'a>(tree: &'a Tree, layers: &Layers, layer: &str) -> Option<&'a File> {
    tree.rust().find(|file| file.path.starts_with(layers.source) && module(layers, file) == layer)
}

fn is_module(tree: &Tree, layers: &Layers, name: &str) -> bool {
    module_of_layer(tree, layers, name).is_some()
}

/// The module at the top of `src` that a file belongs to.
fn module<'a>(layers: &Layers, file: &'a File) -> &'a str {
    let inside = file.path[layers.source.len()..].trim_start_matches('/');
    let first = inside.split('/').next().expect("split yields at least one part");
    first.strip_suffix(".rs").unwrap_or(first)
}

fn place(layers: &Layers, module: &str) -> Option<usize> {
    layers.order.iter().position(|layer| *layer == module)
}

/// The names that follow `crate::`, also inside braces: `crate::{draw::Seed, world}`.
fn top_modules_used(file: &File) -> Vec<String> {
    let code = lexer::parts(&file.text).code;
    let mut used = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|char| char.is_alphanumeric() || char == '_' || char == '$') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => used.extend(firsts_of_group(group)),
            None => used.push(first_word(rest)),
        }
    }
    used
}

fn first_word(text: &str) -> String {
    text.trim_start().chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect()
}

/// The first word of each element of a group of paths that has just been opened.
fn firsts_of_group(text: &str) -> Vec<String> {
    let mut firsts = vec![first_word(text)];
    let mut depth = 0_usize;
    for (at, char) in text.char_indices() {
        match char {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => firsts.push(first_word(&text[at + 1..])),
            _ => {}
        }
    }
    firsts
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYERS: Layers = Layers { source: "a/src", order: &["draw", "world", "run"], shared: &["error"] };

    fn check(path: &str, text: &str, expected: &[&str]) {
        let mut files: Vec<_> = ["draw/seed", "world", "run", "error", "top"]
            .iter()
            .map(|name| File::new(format!("a/src/{name}.rs"), ""))
            .collect();
        files.retain(|file| file.path != path);
        files.push(File::new(path, text));
        let found: Vec<_> = judge(&Tree::of(files), &LAYERS).into_iter().map(|finding| finding.key).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn lower_layers_know_nothing_of_higher_ones() {
        check("a/src/world.rs", "use crate::draw::Seed; use crate::error::Error;", &[]);
        check("a/src/world.rs", "use crate::run::Run;", &["a/src/world.rs run"]);
        check("a/src/world.rs", "use crate::{draw::{Seed, Site}, run};", &["a/src/world.rs run"]);
        check("a/src/world.rs", "// crate::run\nfn f() { crate::run::go() }", &["a/src/world.rs run"]);
        check("a/src/draw/seed.rs", "use crate::top::X;", &["a/src/draw/seed.rs top"]);
        check("a/src/top.rs", "use crate::run::Run;", &[]);
        check("a/src/world.rs", "use crate::Reexported;", &[]);
    }

    #[test]
    fn a_layer_without_files_is_a_finding() {
        let found = judge(&Tree::of(vec![File::new("a/src/draw.rs", "")]), &LAYERS);
        assert_eq!(found.len(), 2);
    }
}
