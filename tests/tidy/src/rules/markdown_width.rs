//! Markdown is wrapped at [`WIDTH_MAX`] columns, so that diffs can be read. Rows of tables cannot be wrapped and are
//! not measured, nor are blocks of code: those are as a program prints them.

use crate::{File, Finding, Tree};

pub const WIDTH_MAX: usize = 120;

/// Lines that are wider; keys are paths.
pub fn findings(tree: &Tree) -> Vec<Finding> {
    tree.markdown().filter_map(wide_lines).collect()
}

fn wide_lines(file: &File) -> Option<Finding> {
    let wide: Vec<usize> = lines_of_prose(&file.text)
        .filter(|(_, line)| !line.starts_with('|') && line.chars().count() > WIDTH_MAX)
        .map(|(number, _)| number)
        .collect();
    let says = format!("lines {wide:?} are wider than {WIDTH_MAX} columns");
    (!wide.is_empty()).then(|| Finding::new(&file.path, wide.len(), says))
}

/// The lines of a Markdown text that are not inside a block of code, with their numbers.
pub(super) fn lines_of_prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut inside = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let fence = line.trim_start().starts_with("```");
        inside ^= fence;
        (!inside && !fence).then_some((index + 1, line))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_measured_and_samples_are_not() {
        let wide = "word ".repeat(30);
        let of = |text: String| findings(&Tree::of(vec![File::new("A.md", text)]));
        assert_eq!(of(format!("a\n{wide}\n"))[0].says, "lines [2] are wider than 120 columns");
        assert!(of(format!("```\n{wide}\n```\n| {wide} |\n")).is_empty());
    }
}
