//! What a worker does with a program: written once, against [`Surroundings`], and executed by two kinds of workers.
//!
//! Everything is deterministic: branches are polled in their order, each time all of them. A timer is cancelled by the scopes
//! of its program, but not with the workflow: a history may hold a cancel request and then, before any workflow task could
//! answer it, the firing of the timer, and the official SDK (1.1.1) fails such a task forever, having dropped the timer.
mod branches;
mod surroundings;

use crate::plan::{Action, Body, Target};
use branches::{all, first};
use futures::future::{FutureExt, LocalBoxFuture};
use serde::{Deserialize, Serialize};
pub use surroundings::{ActivityEnd, ActivityOrder, Asked, ChildEnd, ChildOrder, Surroundings, Timeout};

/// The input of a run: what is left to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunInput {
    /// Leads every path in this run, so that no two runs of a chain have one in common.
    pub path: String,
    pub body: Body,
    /// What earlier runs of the chain saw.
    pub seen: Vec<String>,
}

/// How a run ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunEnd {
    /// With what the workflow saw: a line for each action.
    Completed(Vec<String>),
    Cancelled,
    Failed {
        for_good: bool,
        seen: Vec<String>,
    },
    ContinuedAsNew(RunInput),
}

/// Why a body did not come to its end.
#[derive(Clone, Debug)]
enum Stop {
    Cancelled,
    Failed { for_good: bool },
    ContinueAsNew { path: String, body: Body },
}

/// What a body saw, and why it stopped if it did.
#[derive(Default)]
struct Outcome {
    seen: Vec<String>,
    stop: Option<Stop>,
}

/// A body's outcome, some time later.
type Running = LocalBoxFuture<'static, Outcome>;

/// Executes one run.
pub async fn interpret<S: Surroundings>(surroundings: S, input: RunInput) -> RunEnd {
    let root = surroundings.root();
    let outcome = body(surroundings, root, input.path, input.body).await;
    let seen: Vec<String> = input.seen.into_iter().chain(outcome.seen).collect();
    match outcome.stop {
        None => RunEnd::Completed(seen),
        Some(Stop::Cancelled) => RunEnd::Cancelled,
        Some(Stop::Failed { for_good }) => RunEnd::Failed { for_good, seen },
        Some(Stop::ContinueAsNew { path, body }) => RunEnd::ContinuedAsNew(RunInput { path, body, seen }),
    }
}

/// One action after the other, until one stops them.
fn body<S: Surroundings>(surroundings: S, scope: S::Scope, path: String, actions: Body) -> Running {
    async move {
        let mut outcome = Outcome::default();
        for (index, next) in actions.into_iter().enumerate() {
            if surroundings.is_cancelled(&scope) {
                outcome.stop = Some(Stop::Cancelled);
                break;
            }
            let path = if path.is_empty() { index.to_string() } else { format!("{path}.{index}") };
            let done = action(surroundings.clone(), scope.clone(), path, next).await;
            outcome.seen.extend(done.seen);
            outcome.stop = done.stop;
            if outcome.stop.is_some() {
                break;
            }
        }
        outcome
    }
    .boxed_local()
}

async fn action<S: Surroundings>(surroundings: S, scope: S::Scope, path: String, action: Action) -> Outcome {
    let saw = |what: String| Outcome { seen: vec![format!("{path} {what}")], stop: None };
    match action {
        Action::Activity(activity) => {
            let order = ActivityOrder { path: path.clone(), activity };
            saw(surroundings.activity(&scope, order).await.to_string())
        }
        Action::Timer(ms) => match surroundings.timer(&scope, ms).await {
            true => saw("fired".to_owned()),
            false => saw("timer cancelled".to_owned()),
        },
        Action::Wait { signal, at_most_ms } => wait(&surroundings, &scope, &path, signal, at_most_ms).await,
        Action::Signal { to, signal } => {
            let id = address(&surroundings, &to);
            saw(format!("signal {}", surroundings.signal(id, signal).await))
        }
        Action::Cancel(to) => {
            let id = address(&surroundings, &to);
            saw(format!("cancel {}", surroundings.request_cancel(id).await))
        }
        Action::Child(child) => {
            let workflow_id = address(&surroundings, &Target::Child(child.id.clone()));
            let order =
                ChildOrder { workflow_id, input: RunInput { body: child.body.clone(), ..RunInput::default() }, child };
            saw(format!("child {}", surroundings.child(&scope, order).await))
        }
        Action::Memo { key, value } => {
            surroundings.memo(&key, value);
            Outcome::default()
        }
        Action::Attribute(value) => {
            surroundings.attribute(value);
            Outcome::default()
        }
        Action::Version(change) => saw(if surroundings.version(&change) { "newer" } else { "older" }.to_owned()),
        Action::Scope { cancel_after_ms, body } => bounded(&surroundings, &scope, path, cancel_after_ms, body).await,
        Action::Race(branches) => race(&surroundings, &scope, &path, branches).await,
        Action::Parallel(branches) => {
            let branches = branches.into_iter().enumerate();
            let started =
                |(number, branch)| body(surroundings.clone(), scope.clone(), format!("{path}.{number}"), branch);
            in_order(all(branches.map(started).collect()).await)
        }
        Action::ContinueAsNew(body) => Outcome { seen: Vec::new(), stop: Some(Stop::ContinueAsNew { path, body }) },
        Action::Fail { for_good } => Outcome { seen: Vec::new(), stop: Some(Stop::Failed { for_good }) },
    }
}

/// The workflow id of a target.
fn address<S: Surroundings>(surroundings: &S, target: &Target) -> String {
    let own = surroundings.workflow_id();
    match target {
        Target::Child(id) => format!("{own}.{id}"),
        // Children are named after their parents, and all workflows of a program have a name before the first slash.
        Target::Workflow(id) => match own.split_once('/') {
            Some((program, _)) => format!("{program}/{id}"),
            None => id.clone(),
        },
    }
}

async fn wait<S: Surroundings>(
    surroundings: &S,
    scope: &S::Scope,
    path: &str,
    signal: String,
    at_most_ms: u64,
) -> Outcome {
    let patience = surroundings.scope_below(scope);
    let received = surroundings.received(scope, signal).map(|received| (received, false)).boxed_local();
    let ran_out = surroundings.timer(&patience, at_most_ms).map(|fired| (false, fired)).boxed_local();
    let (_, (received, ran_out), _other) = first(vec![received, ran_out]).await;
    surroundings.cancel(&patience);
    let what = match (received, ran_out) {
        (true, _) => "received",
        (_, true) => "not received",
        _ => "wait cancelled",
    };
    Outcome { seen: vec![format!("{path} {what}")], stop: None }
}

/// A body that is cancelled after a time, and waited for.
async fn bounded<S: Surroundings>(
    surroundings: &S,
    scope: &S::Scope,
    path: String,
    cancel_after_ms: u64,
    actions: Body,
) -> Outcome {
    let (inner, patience) = (surroundings.scope_below(scope), surroundings.scope_below(scope));
    let running = body(surroundings.clone(), inner.clone(), path.clone(), actions);
    let ran_out = surroundings.timer(&patience, cancel_after_ms).map(|_| Outcome::default()).boxed_local();
    let (which, outcome, mut others) = first(vec![running, ran_out]).await;
    if which == 0 {
        surroundings.cancel(&patience);
        return outcome;
    }
    surroundings.cancel(&inner);
    let running = others.remove(0);
    let mut outcome = running.await;
    // That its own scope was cancelled does not concern what follows it.
    if matches!(outcome.stop, Some(Stop::Cancelled)) && !surroundings.is_cancelled(scope) {
        outcome.stop = None;
    }
    outcome.seen.push(format!("{path} ran out"));
    outcome
}

/// The first branch that ends cancels the others.
async fn race<S: Surroundings>(surroundings: &S, scope: &S::Scope, path: &str, branches: Vec<Body>) -> Outcome {
    let scopes: Vec<S::Scope> = branches.iter().map(|_| surroundings.scope_below(scope)).collect();
    let started = branches
        .into_iter()
        .enumerate()
        .map(|(number, branch)| body(surroundings.clone(), scopes[number].clone(), format!("{path}.{number}"), branch));
    let (winner, mut outcome, others) = first(started.collect()).await;
    for (number, loser) in scopes.iter().enumerate() {
        if number != winner {
            surroundings.cancel(loser);
        }
    }
    // What the others still see is seen: a child that completed although it was to be cancelled, say.
    for other in all(others).await {
        outcome.seen.extend(other.seen);
    }
    outcome.seen.push(format!("{path} won by {winner}"));
    outcome
}

/// What all saw, and why the first of them stopped that did.
fn in_order(outcomes: Vec<Outcome>) -> Outcome {
    let mut together = Outcome::default();
    for outcome in outcomes {
        together.seen.extend(outcome.seen);
        together.stop = together.stop.or(outcome.stop);
    }
    together
}
