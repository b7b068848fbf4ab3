//! Cross-workflow calls that may be copies of what was done before this node had the shard. Each is a call that may have
//! been made long ago: it was tried again meanwhile and done, and the run that it was meant for is over, so that nothing in
//! the state of its workflow tells of it any more. Its sender knows: it is done only if the sender still waits for it.
//!
//! That holds as long as a copy may be on its way that the ownership before this one could have met. What was done since is
//! remembered (`cross_call_memory.rs`).
use super::cross_call_memory::CrossCall;
use super::cross_calls::COPY_LATE_MAX;
use super::events::Event;
use super::owned::Owned;
use super::request::{Ask, Request};
use std::collections::BTreeMap;
use tempest_api::{ServiceError, ServiceResult, WorkflowKey};
use tempest_core::Input;
use tempest_rt::time::{Duration, Instant, timeout};
use tempest_store::RangeId;

/// How long a sender may take to say whether it waits: about as long as its own call does.
const ASK_PATIENCE: Duration = Duration::from_secs(10);

/// Requests that wait until their senders have said whether they wait for them, by question.
#[derive(Default)]
pub(crate) struct PossibleDuplicates {
    questions: u64,
    requests: BTreeMap<u64, Request>,
}

impl PossibleDuplicates {
    pub fn into_all(self) -> impl Iterator<Item = Request> {
        self.requests.into_values()
    }
}

impl Owned {
    /// The cross-workflow call that this input is, if it may have been done before without anybody here knowing.
    pub(super) fn possible_duplicate(
        &self,
        workflow: &WorkflowKey,
        input: &Input,
        confirmed: Option<RangeId>,
    ) -> Option<CrossCall> {
        if confirmed == Some(self.range) || Instant::now() >= self.taken_at + COPY_LATE_MAX {
            return None;
        }
        let cross_call = CrossCall::of(self.range.timeline(), workflow, input)?;
        let is_possible =
            self.end_of(&cross_call).is_none() && !tempest_rt::planted!(crate::plants::LATE_CROSS_CALL_DONE_UNASKED);
        is_possible.then_some(cross_call)
    }

    /// Lets the request wait for its sender's word. Such requests have a bound of their own, above which they are refused: a
    /// shard that took nothing on because of them could not answer for its own cross-workflow calls either.
    pub(super) fn ask_sender(&mut self, cross_call: &CrossCall, request: Request) {
        if self.possible_duplicates.requests.len() >= self.node.config.requests_waiting_max {
            tempest_rt::probe!("history-too-many-possible-duplicates");
            return request
                .refuse(ServiceError::Unavailable("too many cross-workflow calls are being asked about".into()));
        }
        let question = self.possible_duplicates.questions;
        self.possible_duplicates.questions += 1;
        self.possible_duplicates.requests.insert(question, request);
        let peers = self.node.peers.clone();
        let (sender, task) = cross_call.sent_by();
        self.work.push(Box::pin(async move {
            let awaited = match peers.upgrade() {
                Some(peers) => match timeout(ASK_PATIENCE, peers.awaits_outbound_call(&sender, task)).await {
                    Ok(awaited) => awaited,
                    Err(_) => Err(ServiceError::Unavailable(format!("no answer within {ASK_PATIENCE:?}"))),
                },
                None => Err(ServiceError::Unavailable("the node is stopping".into())),
            };
            Event::SenderAsked(question, awaited)
        }));
    }

    pub(super) fn sender_asked(&mut self, question: u64, awaited: ServiceResult<bool>) {
        let request = self.possible_duplicates.requests.remove(&question).expect("a question is answered once");
        let Request { target, ask: Ask::Decide(input, _, reply) } = request else {
            unreachable!("only inputs are cross-workflow calls");
        };
        let request = Request { target, ask: Ask::Decide(input, Some(self.range), reply) };
        match awaited {
            Ok(true) => self.handle(request),
            Ok(false) | Err(ServiceError::NotFound(_) | ServiceError::NamespaceNotFound(_)) => {
                tempest_rt::probe!("history-cross-call-nobody-waits-for");
                request
                    .refuse(ServiceError::Unavailable("whoever asked for this does not wait for it any more".into()));
            }
            Err(error) => {
                let why = format!("whoever asked for this cannot be asked whether it still waits for it: {error}");
                request.refuse(ServiceError::Unavailable(why));
            }
        }
    }
}
