//! A comment names its actor. These words make a riddle where a part of the system is meant: the shard, the caller, the
//! new owner, the database.

use std::collections::BTreeMap;

use super::markdown_width::lines_of_prose;
use super::phrases::{count, normal};
use crate::{File, Finding, Tree, lexer};

const BANNED: [&str; 4] = ["whoever", "somebody", "nobody", "what was told"];

/// How often each word is in the comments and documents of each top folder; keys are `folder word`.
pub fn findings(tree: &Tree) -> Vec<Finding> {
    let mut found: BTreeMap<String, Vec<(usize, &str)>> = BTreeMap::new();
    for file in &tree.files {
        let Some(prose) = prose(file) else { continue };
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

/// What people read: the comments of code, and documents. The glossary has to name the words, as have these rules.
fn prose(file: &File) -> Option<String> {
    if file.name() == "GLOSSARY.md" || file.path.starts_with("tests/tidy/") {
        None
    } else if file.is_rust() {
        Some(lexer::parts(&file.text).comments)
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
    fn words_count_in_prose_and_not_in_code() {
        let tree = Tree::of(vec![
            File::new("a/x.rs", "/// Whoever asks.\nfn nobody() { say(\"somebody\") } // nobody"),
            File::new("a/X.md", "Nobody.\n```\nnobody\n```\n"),
        ]);
        let found: Vec<_> = findings(&tree).into_iter().map(|finding| (finding.key, finding.size)).collect();
        assert_eq!(found, [("a nobody".to_owned(), 2), ("a whoever".to_owned(), 1)]);
    }
}
