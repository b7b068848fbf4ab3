//! Indented lines as a tree.
use super::words::Words;

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct Misread {
    /// Counts from 1.
    pub line: usize,
    pub problem: String,
}

/// A line and what is below it.
#[derive(Debug)]
pub(super) struct Line<'a> {
    pub words: Words<'a>,
    pub below: Vec<Line<'a>>,
}

/// Deeper programs are refused: they are read, executed and judged by functions that call themselves.
const DEPTH_MAX: usize = 64;

/// Splits a text. Empty lines and what follows a `#` say nothing.
pub(super) fn lines(text: &str) -> Result<Vec<Line<'_>>, Misread> {
    let mut flat = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let said = line.split('#').next().unwrap_or_default().trim_end();
        let indent = said.len() - said.trim_start().len();
        if said.trim().is_empty() {
            continue;
        }
        if said[..indent].contains('\t') || indent % 2 != 0 {
            return Err(Misread { line: number, problem: "a level is two spaces, no tabs".to_owned() });
        }
        if indent / 2 > DEPTH_MAX {
            return Err(Misread { line: number, problem: format!("more than {DEPTH_MAX} levels") });
        }
        flat.push((indent / 2, Words::new(number, said.trim_start())?));
    }
    let mut flat = flat.into_iter().peekable();
    let tree = level(&mut flat, 0)?;
    Ok(tree)
}

type Flat<'a> = std::iter::Peekable<std::vec::IntoIter<(usize, Words<'a>)>>;

fn level<'a>(flat: &mut Flat<'a>, depth: usize) -> Result<Vec<Line<'a>>, Misread> {
    let mut found: Vec<Line<'a>> = Vec::new();
    while let Some((indent, words)) = flat.next_if(|(indent, _)| *indent >= depth) {
        if indent > depth {
            return Err(words.misread("this is deeper than one level below the line above it"));
        }
        let below = level(flat, depth + 1)?;
        found.push(Line { words, below });
    }
    Ok(found)
}
