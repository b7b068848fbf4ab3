//! Programs that are drawn.
//!
//! What is drawn ends by itself, whatever its clients and its workers do: each wait and each activity has a bound.
mod activities;
mod numbered;

use crate::plan::{
    Act, Action, Backoff, Body, ById, Child, ClientAction, ClosePolicy, Conflict, Program, Retry, Reuse, Start, Target,
    Workflow,
};
use activities::activity;
use numbered::{number, without_abandoned, without_versions};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::ops::RangeInclusive;

/// Names of signals.
const SIGNALS: [&str; 2] = ["go", "more"];
/// Workflows of a program at most: each a letter.
pub const WORKFLOWS_MAX: usize = 26;
/// Actions within actions.
const DEPTH_MAX: u32 = 3;
/// Actions of a body at most, and of a workflow: what is beyond is cut.
const BODY_MAX: usize = 4;
const ACTIONS_MAX: u32 = 24;

/// The program of a seed, of so many workflows (1 to [`WORKFLOWS_MAX`]). `on_sdk`: without what workers on the official SDK do
/// in another way than others.
///
/// On either kind of worker, the SDK's replayer judges all histories, and two things make the SDK (1.1.1) fail every later
/// workflow task of a run: an abandoned activity that fails or times out, since its machine for activities knows of abandoned
/// ones only that they may complete, and the cancellation of a child that was terminated, which its machine for children does
/// not expect. So no activity is abandoned, and no client terminates a child.
///
/// # Panics
/// Never: no value is filtered out.
pub fn drawn(seed: u64, workflows: usize, on_sdk: bool) -> Program {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let workflows = workflows.clamp(1, WORKFLOWS_MAX);
    let mut program = program(workflows..=workflows).new_tree(&mut runner).expect("no value is filtered out").current();
    without_abandoned(&mut program);
    if on_sdk {
        without_versions(&mut program);
    }
    program
}

/// Any program of so many workflows.
pub fn program(workflows: RangeInclusive<usize>) -> impl Strategy<Value = Program> {
    vec(workflow(), workflows).prop_map(|workflows| {
        let mut program = Program { workflows };
        number(&mut program);
        program
    })
}

fn workflow() -> impl Strategy<Value = Workflow> {
    (start(), whole(DEPTH_MAX), vec(act(), 0..6)).prop_map(|(start, body, clients)| Workflow {
        id: String::new(),
        start,
        body,
        clients,
    })
}

/// Times as they matter to a workflow that lives some seconds.
fn short() -> impl Strategy<Value = u64> {
    prop_oneof![3 => 0..50_u64, 4 => 50..500_u64, 2 => 500..3_000_u64]
}

fn patience() -> impl Strategy<Value = u64> {
    prop_oneof![2 => 100..1_000_u64, 3 => 1_000..8_000_u64]
}

fn backoff() -> impl Strategy<Value = Backoff> {
    (10..400_u64, 1..=3_u32, 400..2_000_u64).prop_map(|(initial_ms, coefficient, max_ms)| Backoff {
        initial_ms,
        coefficient,
        max_ms,
    })
}

fn retry() -> impl Strategy<Value = Retry> {
    (1..=4_u32, backoff()).prop_map(|(attempts_max, backoff)| Retry { attempts_max, backoff })
}

fn start() -> impl Strategy<Value = Start> {
    (
        0..8_000_u64,
        prop_oneof![6 => Just(Reuse::Allow), 1 => Just(Reuse::FailedOnly), 1 => Just(Reuse::Reject)],
        prop_oneof![
            6 => Just(Conflict::Fail),
            1 => Just(Conflict::UseExisting),
            1 => Just(Conflict::TerminateExisting)
        ],
        option::weighted(0.3, retry()),
        option::weighted(0.15, 200..20_000_u64),
        option::weighted(0.1, 500..30_000_u64),
        prop_oneof![4 => Just(0), 1 => 100..3_000_u64],
        proptest::bool::weighted(0.2),
    )
        .prop_map(|(after_ms, reuse, conflict, retry, run_ms, execution_ms, delay_ms, annotated)| Start {
            after_ms,
            reuse,
            conflict,
            retry,
            run_ms,
            execution_ms,
            delay_ms,
            annotated,
        })
}

fn signal() -> impl Strategy<Value = String> {
    proptest::sample::select(&SIGNALS[..]).prop_map(str::to_owned)
}

/// Which one is meant is settled by [`number`].
fn target() -> impl Strategy<Value = Target> {
    prop_oneof![
        (0..WORKFLOWS_MAX).prop_map(|number| Target::Workflow(number.to_string())),
        (0..BODY_MAX).prop_map(|number| Target::Child(number.to_string())),
    ]
}

/// What a run does from its beginning to its end.
fn whole(depth: u32) -> BoxedStrategy<Body> {
    let end = if depth == 0 {
        prop_oneof![Just(Vec::new()), any::<bool>().prop_map(fail)].boxed()
    } else {
        prop_oneof![
            6 => Just(Vec::new()),
            2 => any::<bool>().prop_map(fail),
            2 => whole(depth - 1).prop_map(|body| vec![Action::ContinueAsNew(body)]),
        ]
        .boxed()
    };
    (vec(action(depth), 0..=BODY_MAX), end)
        .prop_map(|(mut body, end)| {
            body.extend(end);
            body
        })
        .boxed()
}

fn fail(for_good: bool) -> Body {
    vec![Action::Fail { for_good }]
}

fn action(depth: u32) -> BoxedStrategy<Action> {
    let leaf = prop_oneof![
        6 => activity().prop_map(Action::Activity),
        3 => short().prop_map(Action::Timer),
        3 => (signal(), patience()).prop_map(|(signal, at_most_ms)| Action::Wait { signal, at_most_ms }),
        2 => (target(), signal()).prop_map(|(to, signal)| Action::Signal { to, signal }),
        1 => target().prop_map(Action::Cancel),
        1 => (0..3_u64, any::<u16>()).prop_map(|(key, value)| Action::Memo { key: format!("k{key}"), value: value.into() }),
        1 => any::<u16>().prop_map(|value| Action::Attribute(value.into())),
        1 => (0..2_u64).prop_map(|change| Action::Version(format!("change-{change}"))),
    ];
    if depth == 0 {
        return leaf.boxed();
    }
    let child = child(depth - 1).prop_map(Action::Child);
    let branches = move || vec(body(depth - 1), 1..=3);
    let scope =
        (patience(), body(depth - 1)).prop_map(|(cancel_after_ms, body)| Action::Scope { cancel_after_ms, body });
    prop_oneof![
        10 => leaf,
        3 => child,
        2 => scope,
        2 => branches().prop_map(Action::Race),
        2 => branches().prop_map(Action::Parallel),
    ]
    .boxed()
}

fn body(depth: u32) -> BoxedStrategy<Body> {
    vec(action(depth), 0..=3).boxed()
}

fn child(depth: u32) -> impl Strategy<Value = Child> {
    let policy = prop_oneof![Just(ClosePolicy::Terminate), Just(ClosePolicy::Cancel), Just(ClosePolicy::Abandon)];
    (policy, option::weighted(0.3, retry()), option::weighted(0.2, 100..8_000_u64), any::<bool>(), whole(depth))
        .prop_map(|(policy, retry, run_ms, awaited, body)| Child {
            id: String::new(),
            policy,
            retry,
            run_ms,
            awaited,
            body,
        })
}

/// Of which activity is settled by [`number`].
fn by_id() -> impl Strategy<Value = ById> {
    proptest::sample::select(&[ById::Completes, ById::Fails, ById::Cancelled, ById::Beats][..])
}

fn act() -> impl Strategy<Value = Act> {
    let action = prop_oneof![
        5 => signal().prop_map(ClientAction::Signal),
        1 => (signal(), 2..12_u32).prop_map(|(signal, times)| ClientAction::Burst { signal, times }),
        1 => signal().prop_map(ClientAction::SignalWithStart),
        1 => Just(ClientAction::Start),
        1 => Just(ClientAction::Cancel),
        1 => Just(ClientAction::Terminate),
        2 => (by_id(), any::<u16>()).prop_map(|(says, number)| ClientAction::ById { says, path: number.to_string() }),
        1 => Just(ClientAction::ResetSticky),
        1 => Just(ClientAction::LookAround),
        1 => Just(ClientAction::Describe),
        1 => (1..8_u32).prop_map(ClientAction::Pages),
        1 => (1..8_u32).prop_map(ClientAction::PagesReversed),
        2 => Just(ClientAction::Follow),
    ];
    (prop_oneof![3 => 0..1_000_u64, 2 => 1_000..8_000_u64], action)
        .prop_map(|(after_ms, action)| Act { after_ms, action })
}
