//! A document that shows a file shows it as it is: the block of code below `<!-- file: path -->`.

use crate::{File, Finding, Tree};

/// Blocks that differ from their file; keys are `document path`.
pub fn findings(tree: &Tree) -> Vec<Finding> {
    tree.markdown()
        .flat_map(|document| quotes(document).into_iter().filter_map(|quote| judge(tree, document, quote)))
        .collect()
}

struct Quote<'a> {
    path: &'a str,
    text: String,
}

fn quotes(document: &File) -> Vec<Quote<'_>> {
    let mut quotes = Vec::new();
    let mut lines = document.text.lines();
    while let Some(line) = lines.next() {
        let Some(path) = line.strip_prefix("<!-- file: ").and_then(|rest| rest.strip_suffix(" -->")) else { continue };
        let block = lines.by_ref().skip(1).take_while(|line| *line != "```");
        quotes.push(Quote { path, text: block.map(|line| format!("{line}\n")).collect() });
    }
    quotes
}

fn judge(tree: &Tree, document: &File, quote: Quote<'_>) -> Option<Finding> {
    let file = tree.get(quote.path);
    let says = "shows a file other than it is: copy it again";
    let is_same = file.is_some_and(|file| file.text == quote.text);
    (!is_same).then(|| Finding::new(format!("{} {}", document.path, quote.path), 1, says))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_shown_as_it_is() {
        let document = "See\n\n<!-- file: a.rs -->\n```rust\nfn a() {}\n```\n";
        let of = |text: &str| findings(&Tree::of(vec![File::new("A.md", document), File::new("a.rs", text)])).len();
        assert_eq!((of("fn a() {}\n"), of("fn b() {}\n")), (0, 1));
    }
}
