//! A comment names its actor, and so does a log, an error and every other text that people read. These words make a
//! riddle where a part of the system is meant: the shard, the caller, the new owner, the database.

use std::collections::BTreeMap;

use super::markdown_width::lines_of_prose;
use super::phrases::{count, normal};
use crate::test_code::without_tests;
use crate::{File, Finding, Tree, lexer};

const BANNED: [&str; 5] = ["whoever", "somebody", "anybody", "nobody", "what was told"];

/// How often each word is in the comments, texts and documents of each top folder; keys are `folder word`.
pub fn findings(tree: &Tree) -> Vec<Finding> {
    let mut found: BTreeMap<String, Vec<(usize, &str)>> = BTreeMap::new();
    for file in &tree.files {
        let Some(prose) = prose(tree, file) else { continue };
        let prose = normal(&prose);
        for word in BANNED {
            let times = count(&prose, word);
            if times > 0 {
                found.entry(format!("{} {word}", file.top())).or_default().push((times, &file.path));
            }
        }
    }
    let finding = |(key, mut files): (String, Vec<(usize, &str)>)| {
        files.sort_by_key(|(times, path)| (std::cmp::Reverse(*times), *path));
        let size = files.iter().map(|(times, _)| times).sum();
        let most: Vec<_> = files.iter().take(5).map(|(times, path)| format!("{path} {times}")).collect();
        Finding::new(key, size, format!("name the actor instead; most are in {}", most.join(", ")))
    };
    found.into_iter().map(finding).collect()
}

/// What people read: the comments of code, its string literals but for those of tests, and documents. The glossary has
/// to name the words, as have these rules.
fn prose(tree: &Tree, file: &File) -> Option<String> {
    if file.name() == "GLOSSARY.md" || file.path.starts_with("tests/tidy/") {
        None
    } else if file.is_rust() {
        let texts = if tree.is_for_tests(file) { String::new() } else { without_tests(&file.text) };
        Some(lexer::parts(&file.text).comments + "\n" + &lexer::parts(&texts).literals)
    } else if file.is_markdown() {
        Some(lines_of_prose(&file.text).map(|(_, line)| format!("{line}\n")).collect())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_count_in_prose_and_texts_and_not_in_code() {
        let say = "/// Whoever asks.\nfn nobody() { say(\"by\\nanybody\") } // nobody\n\
                   #[cfg(test)] mod t { const A: &str = \"nobody\"; }";
        let tree = Tree::of(vec![
            File::new("a/x.rs", say),
            File::new("a/tests/y.rs", "fn y() { say(\"nobody\") }"),
            File::new("a/X.md", "Nobody.\n```\nnobody\n```\n"),
        ]);
        let found: Vec<_> = findings(&tree).into_iter().map(|finding| (finding.key, finding.size)).collect();
        assert_eq!(found, [("a anybody".to_owned(), 1), ("a nobody".to_owned(), 2), ("a whoever".to_owned(), 1)]);
    }
}
