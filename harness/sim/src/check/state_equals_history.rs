//! `state-equals-history`: what a stored state says of its events is what its events say.
use super::{Invariant, Observations, RunObserved, Violation, events};
use tempest_core::MutableState;

pub const INVARIANT: Invariant = Invariant {
    name: "state-equals-history",
    holds_when: "the durable projection of every stored state equals the fold of its history",
};

pub fn judge(observations: &Observations) -> Vec<Violation> {
    observations.runs.values().filter_map(differs).collect()
}

fn differs(run: &RunObserved) -> Option<Violation> {
    let state = run.state.as_ref()?;
    let wrong = |what: String| Some(Violation::new(INVARIANT.name, format!("{}: {what}", run.name())));
    let last = run.stored.last().map_or(0, |event| event.event_id);
    if state.next_event_id() != last + 1 {
        return wrong(format!("its next event is {}, its last one {last}", state.next_event_id()));
    }
    if state.is_open() == events::is_closed(&run.stored) {
        return wrong(format!("its state says open: {}, its history says otherwise", state.is_open()));
    }
    let rebuilt = match MutableState::rebuild(run.key.clone(), &run.stored) {
        Ok(rebuilt) => rebuilt,
        Err(why) => return wrong(format!("its state cannot be rebuilt from its history: {why}")),
    };
    let (stored, rebuilt) = (state.durable_projection(), rebuilt.durable_projection());
    if stored == rebuilt {
        return None;
    }
    wrong("its state differs from the fold of its history".to_owned())
        .map(|violation| violation.because(difference(&stored, &rebuilt)))
}

/// The lines that differ.
fn difference(stored: &str, rebuilt: &str) -> String {
    let only = |one: &str, other: &str, mark: char| -> String {
        let other: Vec<&str> = other.lines().collect();
        one.lines().filter(|line| !other.contains(line)).map(|line| format!("{mark} {line}\n")).collect()
    };
    only(stored, rebuilt, '-') + &only(rebuilt, stored, '+')
}
