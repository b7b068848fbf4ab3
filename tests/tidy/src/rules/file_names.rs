//! A name tells what lives in a file or folder; these tell nothing.

use crate::{Finding, Tree};

const EMPTY_NAMES: [&str; 6] = ["utils", "util", "helpers", "manager", "common", "misc"];

/// Rust files, and folders with Rust files, of such a name; keys are paths.
pub fn findings(tree: &Tree) -> Vec<Finding> {
    let named = |path: &str| {
        let stem = path.strip_suffix(".rs").unwrap_or(path);
        stem.split('/').any(|part| part.split(['_', '-']).any(|word| EMPTY_NAMES.contains(&word)))
    };
    let found = tree.rust().filter(|file| named(&file.path));
    found.map(|file| Finding::new(&file.path, 1, "its name does not tell what lives there")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::File;

    #[test]
    fn empty_names_are_found_as_whole_words() {
        let paths = ["a/src/task_manager.rs", "a/src/utils/x.rs", "a/src/utility_bill.rs", "a/src/commons.rs"];
        let tree = Tree::of(paths.iter().map(|path| File::new(*path, "")).collect());
        let found: Vec<_> = findings(&tree).into_iter().map(|finding| finding.key).collect();
        assert_eq!(found, paths[..2]);
    }
}
