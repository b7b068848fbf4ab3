//! The clients' and workers' calls as columns.
use super::scale::Scale;
use super::{LEFT, RIGHT, WIDTH, round};
use crate::Run;
use crate::campaign::outcome_index;
use crate::words::moment;
use serde::Serialize;

const HEIGHT: f64 = 54.0;
const COLUMNS: usize = 140;

#[derive(Debug, Serialize)]
pub(crate) struct Calls {
    pub top: f64,
    pub base: f64,
    /// Calls in the highest column.
    pub most: u64,
    pub columns: Vec<Column>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Column {
    pub x: f64,
    pub width: f64,
    pub ok: f64,
    pub failed: f64,
    pub unknown: f64,
    pub title: String,
}

/// By the moment they began, in columns of equal width; none of a run that made no calls.
pub(super) fn calls(run: &Run, scale: &Scale, top: f64) -> Option<Calls> {
    if run.artifact.operations.is_empty() {
        return None;
    }
    let width = (WIDTH - RIGHT - LEFT) / COLUMNS as f64;
    let mut counts = vec![[0u64; 3]; COLUMNS];
    for operation in &run.artifact.operations {
        let index = ((scale.x(operation.invoked_ms) - LEFT) / width) as usize;
        counts[index.min(COLUMNS - 1)][outcome_index(&operation.outcome)] += 1;
    }
    let most = counts.iter().map(|column| column.iter().sum::<u64>()).max().unwrap_or(0).max(1);
    let height = |count: u64| round(count as f64 / most as f64 * (HEIGHT - 4.0));
    let columns = counts
        .iter()
        .enumerate()
        .filter(|(_, [ok, failed, unknown])| ok + failed + unknown > 0)
        .map(|(index, [ok, failed, unknown])| {
            let x = LEFT + index as f64 * width;
            Column {
                x: round(x),
                width: round(width - 1.0),
                ok: height(*ok),
                failed: height(*failed),
                unknown: height(*unknown),
                title: format!("from {}: {ok} ok, {failed} failed, {unknown} unknown", moment(scale.ms(x))),
            }
        })
        .collect();
    Some(Calls { top, base: round(top + HEIGHT), most, columns })
}
