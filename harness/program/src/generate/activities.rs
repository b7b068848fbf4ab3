//! Activities of each kind: those that simply work, those whose tries are used up, those that each of the four timeouts ends.
use super::{backoff, short};
use crate::plan::{Activity, Attempt, Backoff, CancelType, End};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// Longer than any attempt that is not to time out.
const LONG_MS: u64 = 10_000;

pub(super) fn activity() -> impl Strategy<Value = Activity> {
    let cancel = prop_oneof![2 => Just(CancelType::Try), 2 => Just(CancelType::Wait), 1 => Just(CancelType::Abandon)];
    (kind(), backoff(), cancel).prop_map(|(activity, backoff, cancel)| Activity { backoff, cancel, ..activity })
}

fn kind() -> impl Strategy<Value = Activity> {
    prop_oneof![
        4 => simple(),
        4 => retried(),
        2 => beating(),
        1 => silent(),
        1 => heartbeat_missed(),
        1 => unattended(),
        1 => whole_time_up(),
    ]
}

fn plain(attempts: Vec<Attempt>, attempts_max: u32) -> Activity {
    Activity {
        attempts,
        attempts_max,
        backoff: Backoff { initial_ms: 0, coefficient: 1, max_ms: 0 },
        start_to_close_ms: LONG_MS,
        schedule_to_close_ms: None,
        schedule_to_start_ms: None,
        heartbeat_ms: None,
        cancel: CancelType::Try,
        unattended: false,
    }
}

fn attempt(end: End) -> impl Strategy<Value = Attempt> {
    short().prop_map(move |after_ms| Attempt { after_ms, end, ..Attempt::SIMPLE })
}

fn simple() -> impl Strategy<Value = Activity> {
    attempt(End::Succeeds).prop_map(|attempt| plain(vec![attempt], 0))
}

/// Fails some times, and then succeeds, fails for good, or has no try left.
fn retried() -> impl Strategy<Value = Activity> {
    let last = prop_oneof![3 => Just(End::Succeeds), 1 => Just(End::FailsForGood), 1 => Just(End::Fails)];
    (vec(attempt(End::Fails), 1..4), last.prop_flat_map(attempt), 2..6_u32).prop_map(
        |(mut attempts, last, attempts_max)| {
            attempts.push(last);
            plain(attempts, attempts_max)
        },
    )
}

/// Tells how far it is, fails on the way, and goes on from there.
fn beating() -> impl Strategy<Value = Activity> {
    let end = prop_oneof![Just(End::Fails), Just(End::Silent), Just(End::Succeeds)];
    let attempt = (1..5_u32, 20..300_u64, short(), end);
    vec(attempt, 1..4).prop_map(|drawn| {
        let mut beats = 0;
        let script = drawn.into_iter().map(|(more, every_ms, after_ms, end)| {
            beats += more;
            Attempt { beats, every_ms, after_ms, end }
        });
        let mut attempts: Vec<Attempt> = script.collect();
        attempts.push(Attempt { beats, every_ms: 50, after_ms: 0, end: End::Succeeds });
        Activity { heartbeat_ms: Some(2_500), start_to_close_ms: 6_000, ..plain(attempts, 8) }
    })
}

/// Ended by its start-to-close timeout, again and again or once.
fn silent() -> impl Strategy<Value = Activity> {
    let first = Attempt { end: End::Silent, ..Attempt::SIMPLE };
    (option::of(attempt(End::Succeeds)), 1..3_u32, 300..2_000_u64).prop_map(
        move |(then, attempts_max, start_to_close_ms)| {
            let attempts = std::iter::once(first).chain(then).collect();
            Activity { start_to_close_ms, ..plain(attempts, attempts_max) }
        },
    )
}

/// Ended by the timeout between heartbeats.
fn heartbeat_missed() -> impl Strategy<Value = Activity> {
    (1..3_u32, 1..3_u32, 400..1_500_u64).prop_map(|(beats, attempts_max, heartbeat_ms)| {
        let attempt = Attempt { beats, every_ms: 50, after_ms: 0, end: End::Silent };
        Activity { heartbeat_ms: Some(heartbeat_ms), ..plain(vec![attempt], attempts_max) }
    })
}

/// Never started: ended by one of the timeouts that do not need it.
fn unattended() -> impl Strategy<Value = Activity> {
    (any::<bool>(), 200..2_000_u64).prop_map(|(to_start, ms)| {
        let activity = Activity { unattended: true, ..plain(vec![Attempt::SIMPLE], 2) };
        if to_start {
            Activity { schedule_to_start_ms: Some(ms), ..activity }
        } else {
            Activity { schedule_to_close_ms: Some(ms), ..activity }
        }
    })
}

/// Tried again without a bound until all its time is up.
fn whole_time_up() -> impl Strategy<Value = Activity> {
    (attempt(End::Fails), 500..4_000_u64)
        .prop_map(|(attempt, ms)| Activity { schedule_to_close_ms: Some(ms), ..plain(vec![attempt], 0) })
}
