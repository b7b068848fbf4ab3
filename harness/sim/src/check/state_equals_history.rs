//! `state-equals-history`: what a stored state says of its events is what its events say.
use super::{Commit, Invariant, Observations, RunObserved, Violation, events};
use tempest_core::MutableState;

pub const INVARIANT: Invariant = Invariant::StateEqualsHistory;
pub const HOLDS_WHEN: &str = "every state that a commit stored can be read back, and at the end the durable projection of \
                              each equals the fold of its history";

pub fn judge(observations: &Observations) -> Vec<Violation> {
    let applied = observations.commits.iter().filter(|commit| observations.was_applied(commit));
    let unreadable = applied.flat_map(unreadable);
    unreadable.chain(observations.runs.values().filter_map(differs)).collect()
}

/// The row of a state and the rows of its parts, as one commit after the other leaves them, make a state.
fn unreadable(commit: &Commit) -> impl Iterator<Item = Violation> {
    commit.unreadable_states().map(|(run, why)| {
        let what = format!("{} / {}: its state cannot be read back: {why}", run.workflow_id, run.run_id);
        Violation::new(INVARIANT, what).because(commit.line())
    })
}

fn differs(run: &RunObserved) -> Option<Violation> {
    let state = run.state.as_ref()?;
    let wrong = |what: String| {
        let violation = Violation::new(INVARIANT, format!("{}: {what}", run.name()));
        Some(violation.about(run))
    };
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

#[cfg(test)]
mod tests {
    use crate::check::{Observations, samples};
    use crate::observe::StoredState;
    use tempest_api::proto::history::v1::HistoryEvent;
    use tempest_core::MutableState;

    fn check(change: impl FnOnce(&mut Observations), expect: &[&str]) {
        samples::check(super::judge, change, expect);
    }

    /// The stored state is that of another history.
    fn state_of(events: &[HistoryEvent]) -> impl FnOnce(&mut Observations) {
        let state = MutableState::rebuild(samples::key(samples::RUN), events).expect("these can follow each other");
        move |observations| {
            observations.runs.get_mut(samples::RUN).expect("the sample has it").state = Some(state);
        }
    }

    #[test]
    fn a_sound_state_is_the_fold_of_its_history() {
        check(|_| {}, &[]);
    }

    #[test]
    fn a_state_that_was_stored_can_be_read_back() {
        let events = samples::events(samples::RUN);
        let state =
            MutableState::rebuild(samples::key(samples::RUN), &events[..6]).expect("these can follow each other");
        let store =
            |stored: StoredState| move |observations: &mut Observations| observations.commits[2].states = vec![stored];
        check(store(StoredState::of(&state)), &[]);
        check(
            store(StoredState::of(&state).damaged()),
            &["order-1 / run-1: its state cannot be read back: stored data is damaged: a run's state is empty"],
        );
    }

    #[test]
    fn a_state_counts_its_events() {
        let events = samples::events(samples::RUN);
        check(state_of(&events[..16]), &["order-1 / run-1: its next event is 17, its last one 17"]);
    }

    #[test]
    fn a_state_knows_whether_it_is_open() {
        let mut events = samples::events(samples::RUN);
        events[16] = samples::event(17, samples::signaled("late"));
        check(state_of(&events), &["order-1 / run-1: its state says open: true, its history says otherwise"]);
    }

    #[test]
    fn a_state_differs_in_what_an_event_said() {
        let mut events = samples::events(samples::RUN);
        events[9] = samples::event(10, samples::signaled("signal-17"));
        check(state_of(&events), &["order-1 / run-1: its state differs from the fold of its history"]);
        let mut observations = samples::sound();
        state_of(&events)(&mut observations);
        let evidence = super::judge(&observations).remove(0).evidence.join("\n");
        assert!(evidence.contains("- ") && evidence.contains("+ ") && evidence.contains("size"), "{evidence}");
    }

    #[test]
    fn a_history_that_nothing_can_follow_from_has_no_state() {
        check(
            |observations| samples::replace(observations, 8, samples::signaled("signal-2")),
            &["order-1 / run-1: its state differs from the fold of its history"],
        );
        check(
            |observations| samples::alter!(observations, 13, TimerFiredEventAttributes, |a| a.started_event_id = 5),
            &["order-1 / run-1: its state cannot be rebuilt from its history: event 13 \
               (EVENT_TYPE_TIMER_FIRED): no timer 5 is running"],
        );
    }
}
