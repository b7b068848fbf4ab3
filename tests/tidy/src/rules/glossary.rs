//! One word for one thing: what the glossary's column "not" lists is not written, neither in prose nor in names.

use std::collections::BTreeMap;

use super::phrases::{count, normal};
use crate::{File, Finding, Tree};

pub const PATH: &str = "server-sim/GLOSSARY.md";

/// How often each word that the glossary replaces is in the tree; keys are the words. Also terms without a meaning.
pub fn findings(tree: &Tree) -> Vec<Finding> {
    let Some(glossary) = tree.get(PATH) else { return vec![Finding::new(PATH, 1, "there is no glossary")] };
    let replacements = replacements(&glossary.text);
    if replacements.is_empty() {
        return vec![Finding::new(PATH, 1, "holds no table with the columns term, is and not")];
    }
    let judged = tree.files.iter().filter(|file| is_judged(file));
    let texts: Vec<(&File, String)> = judged.map(|file| (file, normal(&file.text))).collect();
    let finding = |(word, terms): (&str, Vec<&str>)| {
        let times = texts.iter().map(|(file, text)| (count(text, word), file)).filter(|(times, _)| *times > 0);
        let times: Vec<_> = times.collect();
        let size = times.iter().map(|(times, _)| times).sum();
        let (most, file) = times.iter().max_by_key(|(times, _)| *times)?;
        let says = format!("the word is {}; most are in {} ({most})", terms.join(" or "), file.path);
        Some(Finding::new(word, size, says))
    };
    replacements.into_iter().filter_map(finding).collect()
}

/// Kept artifacts repeat words of the past; the glossary, and the table of old names, have to name what they replace.
fn is_judged(file: &File) -> bool {
    let rules = ["tests/tidy/", "scenarios/catalog/regression/", "harness/artifact/src/old_names.rs"];
    (file.is_rust() || file.is_markdown() || file.path.ends_with(".toml"))
        && file.path != PATH
        && !rules.iter().any(|folder| file.path.starts_with(folder))
}

/// The words that are replaced, with the terms to write instead: what the tables with the columns term, is, not say. In
/// the last column words are separated by commas; what is in brackets behind a word explains it, and words in italics are
/// left to readers.
fn replacements(text: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut replacements: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut inside = false;
    for line in text.lines() {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        match cells.as_slice() {
            ["term", _, "not"] => inside = true,
            [_, _, rule] if rule.starts_with("---") => {}
            [term, _, not] if inside && line.starts_with('|') => {
                let words = not.split(',').map(|word| word.split('(').next().unwrap_or_default().trim());
                for word in words.filter(|word| !word.is_empty() && !word.starts_with('*')) {
                    replacements.entry(word).or_default().push(term);
                }
            }
            _ => inside = false,
        }
    }
    replacements
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaced_words_are_counted_in_names_and_prose() {
        let glossary = "| term | is | not |\n|---|---|---|\n| call | a call | errand, late copy (of a call), *call* |\n| x | y | |\n";
        let tree = Tree::of(vec![
            File::new(PATH, glossary),
            File::new("a/x.rs", "/// An errand.\nstruct ErrandMemory; // a late copy"),
        ]);
        let found: Vec<_> = findings(&tree).into_iter().map(|finding| (finding.key, finding.size)).collect();
        assert_eq!(found, [("errand".to_owned(), 2), ("late copy".to_owned(), 1)]);
    }
}
