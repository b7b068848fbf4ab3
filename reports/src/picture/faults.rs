//! The faults as bars with their names.
use super::round;
use super::rows::{Rows, shorten};
use super::scale::Scale;
use crate::Run;
use crate::run::Happened;
use crate::words::{duration, moment};
use serde::Serialize;
use tempest_artifact::Family;

const ROW: f64 = 17.0;
/// Beyond this many, faults that find no free row are drawn without a label.
const ROWS_MAX: usize = 14;
/// An instant is drawn this wide.
const BAR_WIDTH_MIN: f64 = 3.0;

#[derive(Debug, Serialize)]
pub(crate) struct FaultBar {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub family: Family,
    pub label: String,
    pub label_x: f64,
    pub anchor: &'static str,
    pub title: String,
}

/// Faults in the order of their time, each in the first row where bar and label find room, and how high all rows are.
pub(super) fn fault_bars(run: &Run, scale: &Scale, top: f64) -> (Vec<FaultBar>, f64) {
    let mut rows = Rows::default();
    let bar = |happened: &Happened| {
        let x = scale.x(happened.at_ms);
        let end = scale.x(happened.until_ms.unwrap_or(happened.at_ms)).max(x + BAR_WIDTH_MIN);
        let label = label(happened);
        let place = rows.place(x, end, &label, ROWS_MAX);
        let (row, label) = match place.row {
            Some(row) => (row, label),
            None => (rows.place_bare(x, end, ROWS_MAX), String::new()),
        };
        FaultBar {
            x,
            y: round(top + row as f64 * ROW),
            width: round(end - x),
            family: happened.fault.family(),
            label,
            label_x: round(place.label_x),
            anchor: place.anchor,
            title: title(happened),
        }
    };
    let bars = run.happened().iter().map(bar).collect();
    (bars, rows.count() as f64 * ROW)
}

fn label(happened: &Happened) -> String {
    shorten(&format!("{} {}", happened.fault.name(), happened.place()), 42)
}

fn title(happened: &Happened) -> String {
    let mut title = format!("{} {}\n{}", happened.fault.name(), happened.place(), moment(happened.at_ms));
    if let (Some(until), Some(lasted)) = (happened.until_ms, happened.lasted_ms()) {
        title += &format!(" to {} ({})", moment(until), duration(lasted));
    }
    let detail = happened.detail();
    if !detail.is_empty() {
        title += &format!("\n{detail}");
    }
    title + &format!("\n{}", happened.fault.about())
}

#[cfg(test)]
mod tests {
    use super::super::picture;
    use super::super::rows::width_of;
    use super::*;
    use tempest_artifact::fault::Partition;
    use tempest_artifact::{Artifact, Event, Fault, FaultPlan, Host, PlannedFault, TimelineEntry};

    #[test]
    fn labels_never_overlap_in_a_row() {
        let fault = Fault::Partition(Partition {
            one_side: vec![Host("server-1".into())],
            other_side: vec![Host("server-2".into())],
            for_ms: 250,
        });
        let at = |index: u64| index * 100;
        let plan = (0..40).map(|index| PlannedFault { at_ms: at(index), fault: fault.clone() }).collect();
        let began = |index: usize| TimelineEntry { at_ms: at(index as u64), event: Event::FaultBegan { fault: index } };
        let ended =
            |index: usize| TimelineEntry { at_ms: at(index as u64) + 250, event: Event::FaultEnded { fault: index } };
        let mut timeline: Vec<TimelineEntry> = (0..40).flat_map(|index| [began(index), ended(index)]).collect();
        timeline.sort_by_key(|entry| entry.at_ms);
        let run: Run = Artifact { plan: FaultPlan(plan), timeline, ..Artifact::default() }.into();
        let picture = picture(&run);
        assert_eq!(picture.faults.len(), 40);
        for (index, a) in picture.faults.iter().enumerate() {
            for b in &picture.faults[index + 1..] {
                if a.y != b.y || a.label.is_empty() || b.label.is_empty() {
                    continue;
                }
                let extent = |bar: &FaultBar| {
                    let needed = width_of(&bar.label);
                    if bar.anchor == "start" { (bar.x, bar.label_x + needed) } else { (bar.label_x - needed, bar.x) }
                };
                let ((a_from, a_to), (b_from, b_to)) = (extent(a), extent(b));
                assert!(a_to <= b_from || b_to <= a_from, "{a:?} {b:?}");
            }
        }
    }
}
