//! Layers inside a crate: the modules of a folder may name those that their row lists.

use crate::{File, Finding, Tree, lexer};

/// A folder whose modules are layers.
pub struct Layers {
    /// `src` of a crate, or a module's folder below it.
    pub folder: &'static str,
    pub rule: Rule,
    /// Modules of the folder that every layer may use.
    pub shared: &'static [&'static str],
}

pub enum Rule {
    /// From the lowest to the highest: each may use those before it.
    Order(&'static [&'static str]),
    /// Each with those that it may use.
    Table(&'static [(&'static str, &'static [&'static str])]),
}

/// The folders with layers. Modules in them that are neither a layer nor shared may use every layer, and no layer may use
/// them.
pub const LAYERED: &[Layers] = &[Layers {
    folder: "harness/sim/src",
    rule: Rule::Order(&["draw", "observe", "world", "fault", "worker", "check", "scenario", "run", "campaign"]),
    shared: &[],
}];

/// Uses of a layer that has no leave; keys are `file layer`.
pub fn findings(tree: &Tree) -> Vec<Finding> {
    LAYERED.iter().flat_map(|layers| judge(tree, layers)).collect()
}

fn judge(tree: &Tree, layers: &Layers) -> Vec<Finding> {
    let missing = layers.names().filter(|layer| !layers.has_files(tree, layer));
    let mut findings: Vec<_> = missing
        .map(|layer| Finding::new(format!("{}/{layer}", layers.folder), 1, "is a layer without files"))
        .collect();
    for file in tree.rust().filter(|file| !tree.is_test(file)) {
        let Some(own) = layers.module(file).filter(|own| layers.names().any(|layer| layer == *own)) else { continue };
        for used in layers.used_by(file) {
            let fine = used == own || layers.shared.contains(&used.as_str()) || layers.allows(own, &used);
            if !fine && layers.has_files(tree, &used) {
                findings.push(Finding::new(format!("{} {used}", file.path), 1, "uses a layer that it may not use"));
            }
        }
    }
    findings.sort();
    findings.dedup();
    findings
}

impl Layers {
    fn names(&self) -> impl Iterator<Item = &'static str> {
        let (order, table): (&[&str], &[(&str, &[&str])]) = match self.rule {
            Rule::Order(order) => (order, &[]),
            Rule::Table(table) => (&[], table),
        };
        order.iter().copied().chain(table.iter().map(|(layer, _)| *layer))
    }

    fn allows(&self, own: &str, used: &str) -> bool {
        match self.rule {
            Rule::Order(order) => {
                let place = |layer: &str| order.iter().position(|name| *name == layer);
                place(used).is_some_and(|used| Some(used) <= place(own))
            }
            Rule::Table(table) => table.iter().any(|(layer, may_use)| *layer == own && may_use.contains(&used)),
        }
    }

    fn has_files(&self, tree: &Tree, module: &str) -> bool {
        tree.rust().any(|file| self.module(file) == Some(module))
    }

    /// The module of the folder that a file belongs to.
    fn module<'a>(&self, file: &'a File) -> Option<&'a str> {
        let inside = file.path.strip_prefix(self.folder)?.strip_prefix('/')?;
        let first = inside.split('/').next().expect("split yields at least one part");
        Some(first.strip_suffix(".rs").unwrap_or(first))
    }

    /// The modules of the folder that a file of it names.
    fn used_by(&self, file: &File) -> Vec<String> {
        let folder = module_path(&format!("{}/mod.rs", self.folder));
        let inside = |path: Vec<String>| path.strip_prefix(folder.as_slice()).and_then(|rest| rest.first().cloned());
        paths_used(file).into_iter().filter_map(inside).collect()
    }
}

/// `x/src/a/b.rs` is `[a, b]`, `x/src/a/mod.rs` is `[a]`.
fn module_path(path: &str) -> Vec<String> {
    let inside = path.rsplit_once("src/").map_or(path, |(_, inside)| inside);
    let mut parts: Vec<String> = inside.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    parts.pop_if(|last| ["mod", "lib", "main"].contains(&last.as_str()));
    parts
}

/// The paths within the crate that a file names, from the crate's root: those that begin with `crate::` or `super::`.
fn paths_used(file: &File) -> Vec<Vec<String>> {
    let code = lexer::parts(&file.text).code;
    // Tests at the end of a file may show what it is for by those that use it.
    let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let own = module_path(&file.path);
    let mut used = Vec::new();
    for (at, start) in code.match_indices("crate::").chain(code.match_indices("super::")) {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|char| is_word(char) || matches!(char, '$' | ':')) {
            continue;
        }
        let mut base = if start == "crate::" { Vec::new() } else { own.clone() };
        let mut rest = &code[at..];
        if start == "crate::" {
            rest = &rest[start.len()..];
        }
        while let Some(outer) = rest.strip_prefix("super::") {
            base.pop();
            rest = outer;
        }
        used.extend(first_words(rest).into_iter().map(|path| [base.clone(), path].concat()));
    }
    used
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// The paths that a use or an expression goes on with: one, or one for each element of a group.
fn first_words(text: &str) -> Vec<Vec<String>> {
    match text.strip_prefix('{') {
        Some(group) => elements(group).into_iter().map(path).collect(),
        None => vec![path(text)],
    }
}

/// `a::b::C` as a list; it ends before a group or anything else that is no word.
fn path(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    loop {
        let word: String = rest.chars().take_while(|char| is_word(*char)).collect();
        if word.is_empty() {
            return words;
        }
        rest = &rest[word.len()..];
        words.push(word);
        let Some(next) = rest.strip_prefix("::") else { return words };
        rest = next;
    }
}

/// The elements of a group that has just been opened.
fn elements(text: &str) -> Vec<&str> {
    let (mut elements, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (at, char) in text.char_indices() {
        match char {
            '{' => depth += 1,
            '}' if depth == 0 => {
                elements.push(&text[start..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                elements.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    elements
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: Layers = Layers { folder: "a/src", rule: Rule::Order(&["draw", "world", "run"]), shared: &["error"] };
    const TABLE: Layers = Layers {
        folder: "a/src/parts",
        rule: Rule::Table(&[("timer", &[]), ("child", &["timer"]), ("close", &["timer", "child"])]),
        shared: &[],
    };

    fn check(layers: &Layers, path: &str, text: &str, expected: &[&str]) {
        let names =
            ["draw/seed", "world", "run", "error", "top", "parts/timer", "parts/child/mod", "parts/close/state"];
        let mut files: Vec<_> = names.iter().map(|name| File::new(format!("a/src/{name}.rs"), "")).collect();
        files.retain(|file| file.path != path);
        files.push(File::new(path, text));
        let found: Vec<_> = judge(&Tree::of(files), layers).into_iter().map(|finding| finding.key).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn lower_layers_know_nothing_of_higher_ones() {
        check(&ORDER, "a/src/world.rs", "use crate::draw::Seed; use crate::error::Error;", &[]);
        check(&ORDER, "a/src/world.rs", "use crate::run::Run;", &["a/src/world.rs run"]);
        check(&ORDER, "a/src/world.rs", "use crate::{draw::{Seed, Site}, run};", &["a/src/world.rs run"]);
        check(&ORDER, "a/src/world.rs", "// crate::run\nfn f() { crate::run::go() }", &["a/src/world.rs run"]);
        check(&ORDER, "a/src/draw/seed.rs", "use crate::top::X;", &["a/src/draw/seed.rs top"]);
        check(&ORDER, "a/src/draw/seed.rs", "use super::super::world::X;", &["a/src/draw/seed.rs world"]);
        check(&ORDER, "a/src/top.rs", "use crate::run::Run;", &[]);
        check(&ORDER, "a/src/world.rs", "use crate::Reexported; use super::draw;", &[]);
        check(&ORDER, "a/src/world.rs", "fn f() {}\n\n#[cfg(test)]\nmod tests {\n    use crate::run::Run;\n}", &[]);
    }

    #[test]
    fn a_part_uses_what_its_row_lists() {
        check(&TABLE, "a/src/parts/child/mod.rs", "use super::timer::Timer; use crate::world::World;", &[]);
        check(&TABLE, "a/src/parts/child/mod.rs", "use super::{close, timer};", &["a/src/parts/child/mod.rs close"]);
        check(&TABLE, "a/src/parts/timer.rs", "use crate::parts::child::Child;", &["a/src/parts/timer.rs child"]);
        check(&TABLE, "a/src/parts/close/state.rs", "use super::super::child; use super::commands;", &[]);
    }

    #[test]
    fn a_layer_without_files_is_a_finding() {
        let found = judge(&Tree::of(vec![File::new("a/src/draw.rs", "")]), &ORDER);
        assert_eq!(found.len(), 2);
    }
}
