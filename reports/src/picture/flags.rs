//! Violations as numbered lines through the whole picture.
use super::scale::Scale;
use super::{WIDTH, round};
use crate::Run;
use crate::campaign::kinds_of_violations;
use crate::words::moment;
use serde::Serialize;

const FLAGS_MAX: usize = 20;
/// From one flag to the next, so that both are seen.
const STEP: f64 = 17.0;

#[derive(Debug, Serialize)]
pub(crate) struct Flag {
    pub x: f64,
    pub number: usize,
    /// Flags at nearly the same moment are drawn side by side.
    pub flag_x: f64,
    pub title: String,
}

/// One of each kind of violation: hundreds of lines would hide the picture.
pub(super) fn flags(run: &Run, scale: &Scale) -> Vec<Flag> {
    let of_kind = |alike: Vec<usize>| {
        let violation = &run.artifact.violations[alike[0]];
        let at_ms = violation.at_ms?;
        let title = format!("{} at {}\n{}", violation.invariant, moment(at_ms), violation.what);
        Some(Flag { x: scale.x(at_ms), number: alike[0] + 1, flag_x: 0.0, title })
    };
    let mut flags: Vec<Flag> = kinds_of_violations(run).into_iter().take(FLAGS_MAX).filter_map(of_kind).collect();
    flags.sort_by(|a, b| a.x.total_cmp(&b.x));
    let mut free = f64::MIN;
    for flag in &mut flags {
        flag.flag_x = round(flag.x.max(free));
        free = flag.flag_x + STEP;
    }
    // What does not fit at the right moves left again.
    let mut limit = WIDTH - 16.0;
    for flag in flags.iter_mut().rev() {
        flag.flag_x = round(flag.flag_x.min(limit));
        limit = flag.flag_x - STEP;
    }
    flags
}
