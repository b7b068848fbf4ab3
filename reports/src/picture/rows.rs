//! Labels in rows, so that none is written over another.
use super::{LETTER, WIDTH};

/// Rows of bars with labels; each row remembers up to where it is taken.
#[derive(Default)]
pub(super) struct Rows {
    ends: Vec<f64>,
}

/// Where a label stands.
pub(super) struct Place {
    /// None where there is no row left for it.
    pub row: Option<usize>,
    pub label_x: f64,
    pub anchor: &'static str,
}

impl Rows {
    pub fn count(&self) -> usize {
        self.ends.len()
    }

    /// A place for a bar from `x` to `end` and its label: behind it, or before it where the picture ends.
    pub fn place(&mut self, x: f64, end: f64, label: &str, rows_max: usize) -> Place {
        let needed = width_of(label);
        let behind = end + 5.0 + needed <= WIDTH - 2.0;
        let (from, to) = if behind { (x, end + 5.0 + needed) } else { (x - 5.0 - needed, end) };
        let row = self.free(from, rows_max);
        if let Some(row) = row {
            self.ends[row] = to;
        }
        let (label_x, anchor) = if behind { (end + 5.0, "start") } else { (x - 5.0, "end") };
        Place { row, label_x, anchor }
    }

    /// A place for a bar without a label: the row that ends first, and none is in its way there if that can be.
    pub fn place_bare(&mut self, x: f64, end: f64, rows_max: usize) -> usize {
        let row = self.free(x, rows_max).unwrap_or_else(|| {
            let earliest = (0..self.ends.len()).min_by(|a, b| self.ends[*a].total_cmp(&self.ends[*b]));
            earliest.expect("there are rows when the last one is taken")
        });
        self.ends[row] = self.ends[row].max(end);
        row
    }

    /// The first row that is free from there on, or a new one if there may be more.
    fn free(&mut self, from: f64, rows_max: usize) -> Option<usize> {
        let free = self.ends.iter().position(|end| *end + 8.0 <= from);
        if free.is_none() && self.ends.len() < rows_max {
            self.ends.push(0.0);
            return Some(self.ends.len() - 1);
        }
        free
    }
}

pub(super) fn width_of(label: &str) -> f64 {
    label.chars().count() as f64 * LETTER
}

pub(super) fn shorten(text: &str, letters_max: usize) -> String {
    if text.chars().count() <= letters_max {
        return text.to_string();
    }
    text.chars().take(letters_max - 1).chain(['…']).collect()
}
