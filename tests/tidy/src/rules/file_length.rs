//! A source file is a few hundred lines, at most [`LINES_MAX`], tests aside.

use crate::{Finding, Tree};

pub const LINES_MAX: usize = 600;

/// The files that are longer; keys are paths.
pub fn findings(tree: &Tree) -> Vec<Finding> {
    let sources = tree.rust().filter(|file| !tree.is_test(file));
    let measured = sources.map(|file| (file, file.text.lines().count()));
    let long = measured.filter(|(_, lines)| *lines > LINES_MAX);
    long.map(|(file, lines)| {
        Finding::new(&file.path, lines, format!("{lines} lines are more than {LINES_MAX}: it is two files"))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::File;

    #[test]
    fn a_long_file_is_found() {
        let of = |lines: usize| Tree::of(vec![File::new("a/src/x.rs", "\n".repeat(lines))]);
        assert!(findings(&of(LINES_MAX)).is_empty());
        assert_eq!(findings(&of(LINES_MAX + 1))[0].size, LINES_MAX + 1);
    }
}
