//! Calls of a node to its own history, as a simulation has them: made again, heard late, without an answer. They take no
//! network, so that none of it can happen to them for real, and yet they must bear it: which node owns a shard is chance,
//! and only where all calls are repeated does a storm show what a repeat does.
use async_trait::async_trait;
use std::sync::Arc;
use tempest_api::{HistoryService, Read, Refused, Reply, ServiceError, ServiceResult, Target, View};
use tempest_core::Input;
use tempest_rt::time::{Duration, sleep};

/// Between a call and its late duplicate.
const DUPLICATE_DELAY: Duration = Duration::from_secs(3);
/// By then a shard may have been elsewhere and come back.
const LATE_DELAY: Duration = Duration::from_secs(20);

/// Outside a simulation: what it wraps.
pub(crate) struct Repeated(pub Arc<dyn HistoryService>);

#[async_trait]
impl HistoryService for Repeated {
    async fn call(&self, to: Target, input: Input) -> ServiceResult<Reply> {
        self.offer(to, input).await.map_err(|refused| refused.error)
    }

    async fn read(&self, to: Target, read: Read) -> ServiceResult<View> {
        self.0.read(to, read).await
    }

    async fn offer(&self, to: Target, input: Input) -> Result<Reply, Refused<(Target, Input)>> {
        if is_between_workflows(&input) {
            if tempest_rt::buggify!("own-call-delivered-late-again") {
                self.repeat(to.clone(), input.clone(), DUPLICATE_DELAY);
            }
            if tempest_rt::buggify!("own-call-comes-late") {
                self.repeat(to, input, LATE_DELAY);
                return Err(no_answer().into());
            }
        }
        // What a shard has begun to write when it loses its ownership is not given back: what was kept is asked
        // elsewhere.
        let kept = tempest_rt::buggify!("own-call-kept").then(|| Box::new((to.clone(), input.clone())));
        let answer = self.0.offer(to, input).await;
        answer.map_err(|Refused { error, ask }| Refused { error, ask: ask.or(kept) })
    }
}

impl Repeated {
    /// Makes a duplicate of a call, whose answer no caller hears.
    fn repeat(&self, to: Target, input: Input, after: Duration) {
        let history = self.0.clone();
        tempest_rt::task::spawn(async move {
            sleep(after).await;
            let _ = history.call(to, input).await;
        });
    }
}

fn no_answer() -> ServiceError {
    ServiceError::OutcomeUnknown("no answer of this node's own history".to_owned())
}

/// Whether no client waits for it. A client whose call was made twice would hear what became of the second: that is for the
/// faults of its own connection, which its log of operations tells.
fn is_between_workflows(input: &Input) -> bool {
    match input {
        Input::StartChild(_)
        | Input::BeginChild(_)
        | Input::SignalByWorkflow(..)
        | Input::RequestCancelByWorkflow(..)
        | Input::TerminateByWorkflow(..)
        | Input::CrossCallEnded(_)
        | Input::ChildClosed(_) => true,
        Input::Start(_)
        | Input::SignalWithStart(_)
        | Input::Signal(_)
        | Input::RequestCancel(_)
        | Input::Terminate(_)
        | Input::RecordWorkflowTaskStarted(_)
        | Input::CompleteWorkflowTask(..)
        | Input::FailWorkflowTask(..)
        | Input::RecordActivityTaskStarted(_)
        | Input::HeartbeatActivity(..)
        | Input::CompleteActivity(..)
        | Input::FailActivity(..)
        | Input::CancelActivity(..)
        | Input::FireTimer(_)
        | Input::ResetStickiness => false,
    }
}
