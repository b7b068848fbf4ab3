//! What a document names exists: paths of the repository between backticks, and targets of relative links.

use super::markdown_width::lines_of_prose;
use crate::{File, Finding, Tree};

const TOPS: [&str; 7] = ["server-sim", "harness", "scenarios", "reports", "tests", ".ci", ".github"];

/// Paths that do not exist; keys are `document path`.
pub fn findings(tree: &Tree) -> Vec<Finding> {
    tree.markdown().flat_map(|file| missing(tree, file)).collect()
}

fn missing(tree: &Tree, file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    for (number, line) in lines_of_prose(&file.text) {
        let named = named(line).filter(|path| !tree.has(path)).map(str::to_owned);
        let linked = links(line).map(|target| resolve(folder, target)).filter(|path| !tree.has(path));
        for path in named.chain(linked) {
            findings.push(Finding::new(
                format!("{} {path}", file.path),
                1,
                format!("line {number} names what is not there"),
            ));
        }
    }
    findings
}

/// What stands between backticks and begins with a top folder of the repository.
fn named(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2).filter(|text| {
        let top = text.split('/').next().unwrap_or_default();
        text.contains('/') && TOPS.contains(&top) && !text.contains(['*', '<', '{', ' ', '\u{2026}'])
    })
}

/// Targets of Markdown links within the repository, without their fragment.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let target = rest.split(')').next()?.split('#').next()?;
        (!target.is_empty() && !target.contains("://") && !target.starts_with("mailto:")).then_some(target)
    })
}

fn resolve(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_paths_and_links_are_found() {
        let text = "See `harness/a.rs`, `harness/b.rs`, [there](../C.md#x), [gone](d/../D.md), `server/x`,\n\
                    [out](https://x.y/z), `harness/<name>.rs`.\n";
        let tree =
            Tree::of(vec![File::new("harness/A.md", text), File::new("harness/a.rs", ""), File::new("C.md", "")]);
        let found: Vec<_> = findings(&tree).into_iter().map(|finding| finding.key).collect();
        assert_eq!(found, ["harness/A.md harness/b.rs", "harness/A.md harness/D.md"]);
    }
}
