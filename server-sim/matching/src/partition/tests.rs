use super::*;
use proptest::prelude::*;

const ROW: fn(i64) -> TaskId = TaskId::Row;

fn at(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn partition() -> TaskQueuePartition {
    TaskQueuePartition::new(3)
}

fn dispatch(task: TaskId, poll: u64) -> Action {
    Action::Dispatch { task, poll: PollId(poll) }
}

#[test]
fn tasks_and_polls_meet_in_the_order_they_came() {
    let mut p = partition();
    assert_eq!(p.add(at(0), ROW(2), None), []);
    assert_eq!(p.add(at(0), ROW(1), None), []);
    assert_eq!(p.poll(at(1), PollId(1), "w"), [dispatch(ROW(1), 1)]);
    assert_eq!(p.poll(at(1), PollId(2), "w"), [dispatch(ROW(2), 2)]);
    assert_eq!(p.poll(at(1), PollId(3), "w"), []);
    assert_eq!(p.poll(at(1), PollId(4), "w"), []);
    assert_eq!(p.add(at(2), ROW(3), None), [dispatch(ROW(3), 3)]);
}

#[test]
fn a_sync_match_needs_a_waiting_poll() {
    let mut p = partition();
    assert_eq!(p.offer(at(0), TaskId::Memory(1), None), None);
    assert!(!p.holds(TaskId::Memory(1)));
    p.poll(at(0), PollId(1), "w");
    assert_eq!(p.offer(at(0), TaskId::Memory(1), None), Some(dispatch(TaskId::Memory(1), 1)));
}

#[test]
fn a_dropped_task_leaves_its_poll_first_in_line() {
    let mut p = partition();
    p.poll(at(0), PollId(1), "w");
    p.poll(at(0), PollId(2), "w");
    p.add(at(0), ROW(1), None);
    assert_eq!(p.dispatch_ended(at(1), ROW(1), PollId(1), DispatchEnd::Dropped), []);
    assert_eq!(p.add(at(1), ROW(2), None), [dispatch(ROW(2), 1)]);
}

#[test]
fn a_kept_task_pauses_and_then_goes_on() {
    let mut p = partition();
    p.poll(at(0), PollId(1), "w");
    p.add(at(0), ROW(1), None);
    assert_eq!(p.dispatch_ended(at(10), ROW(1), PollId(1), DispatchEnd::Kept { pause: at(50) }), []);
    assert_eq!(p.next_tick(), Some(at(60)));
    assert_eq!(p.tick(at(59)), []);
    assert_eq!(
        p.offer(at(59), TaskId::Memory(1), None),
        Some(dispatch(TaskId::Memory(1), 1)),
        "it pauses: others pass"
    );
    p.dispatch_ended(at(59), TaskId::Memory(1), PollId(1), DispatchEnd::Dropped);
    assert_eq!(p.tick(at(60)), [dispatch(ROW(1), 1)]);
}

#[test]
fn a_poll_that_goes_away_in_the_middle_gives_its_task_back() {
    let mut p = partition();
    p.poll(at(0), PollId(1), "w");
    p.add(at(0), ROW(1), None);
    assert!(p.poll_gone(at(1), PollId(1)), "a dispatch is under way");
    assert_eq!(p.dispatch_ended(at(2), ROW(1), PollId(1), DispatchEnd::Kept { pause: at(0) }), []);
    assert_eq!(p.polls_waiting(), 0);
    assert_eq!(p.poll(at(3), PollId(2), "w"), [dispatch(ROW(1), 2)]);
}

#[test]
fn a_withdrawn_poll_gets_nothing() {
    let mut p = partition();
    p.poll(at(0), PollId(1), "w");
    assert!(!p.poll_gone(at(1), PollId(1)));
    assert_eq!(p.add(at(2), ROW(1), None), []);
}

#[test]
fn an_expired_task_is_not_dispatched() {
    let mut p = partition();
    p.add(at(0), ROW(1), Some(at(100)));
    assert_eq!(p.next_tick(), Some(at(100)));
    assert_eq!(p.poll(at(100), PollId(1), "w"), [Action::Expired { task: ROW(1) }]);
}

#[test]
fn pollers_are_remembered_for_a_while_and_counted() {
    let mut p = partition();
    assert!(!p.polled_within(at(0), at(10_000)));
    p.poll(at(0), PollId(1), "a");
    assert!(p.polled_within(at(60_000), at(10_000)), "it still waits");
    p.poll_gone(at(60_000), PollId(1));
    assert!(p.polled_within(at(69_999), at(10_000)));
    assert!(!p.polled_within(at(70_000), at(10_000)));
    assert_eq!(p.pollers(at(61_000), at(300_000)), [("a".to_owned(), at(1000))]);
    for (n, name) in ["b", "c", "d"].into_iter().enumerate() {
        p.poll(at(62_000), PollId(10 + n as u64), name);
    }
    assert_eq!(p.pollers(at(62_000), at(300_000)).len(), 3, "the one unseen for longest is forgotten");
}

#[derive(Clone, Debug)]
enum Step {
    Poll,
    Gone(usize),
    Add,
    Offer,
    End(usize, u8),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Poll),
        (0_usize..8).prop_map(Step::Gone),
        Just(Step::Add),
        Just(Step::Offer),
        (0_usize..8, 0_u8..4).prop_map(|(n, end)| Step::End(n, end)),
        (0_u64..100).prop_map(Step::Pass),
    ]
}

proptest! {
    /// Whatever happens, no task is lost, none is handed to two polls at once, and no poll waits beside a ready task.
    #[test]
    fn no_task_is_lost(steps in proptest::collection::vec(step(), 1..80)) {
        let mut p = partition();
        let (mut now, mut next) = (at(0), 0_u64);
        let mut polls: Vec<PollId> = Vec::new();
        let mut alive: Vec<TaskId> = Vec::new();
        let mut under_way: Vec<(TaskId, PollId)> = Vec::new();
        for step in steps {
            next += 1;
            let actions = match step {
                Step::Poll => { polls.push(PollId(next)); p.poll(now, PollId(next), "w") }
                Step::Gone(n) => {
                    if !polls.is_empty() { let poll = polls.remove(n % polls.len()); p.poll_gone(now, poll); }
                    Vec::new()
                }
                Step::Add => { alive.push(ROW(next as i64)); p.add(now, ROW(next as i64), None) }
                Step::Offer => {
                    let action = p.offer(now, TaskId::Memory(next), None);
                    if action.is_some() { alive.push(TaskId::Memory(next)); }
                    action.into_iter().collect()
                }
                Step::End(n, end) => {
                    if under_way.is_empty() { continue; }
                    let (task, poll) = under_way.remove(n % under_way.len());
                    let end = match end {
                        0 => DispatchEnd::Started, 1 => DispatchEnd::Dropped, 2 => DispatchEnd::Spooled,
                        _ => DispatchEnd::Kept { pause: at(10) },
                    };
                    if !matches!(end, DispatchEnd::Kept { .. }) { alive.retain(|a| *a != task); }
                    if end == DispatchEnd::Started { polls.retain(|p| *p != poll); }
                    p.dispatch_ended(now, task, poll, end)
                }
                Step::Pass(ms) => { now += at(ms); p.tick(now) }
            };
            for action in actions {
                let Action::Dispatch { task, poll } = action else { panic!("nothing expires here") };
                prop_assert!(!under_way.iter().any(|(t, q)| *t == task || *q == poll));
                prop_assert!(polls.contains(&poll), "a poll that went away is given nothing");
                under_way.push((task, poll));
            }
            for task in &alive {
                prop_assert!(p.holds(*task));
            }
            prop_assert_eq!(p.tasks_waiting() + p.dispatches_under_way(), alive.len());
            prop_assert!(p.polls_waiting() == 0 || p.tick(now).is_empty());
        }
    }
}
