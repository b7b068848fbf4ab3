//! What a shard is asked, and the answers that wait until they may be given.
use super::late_duplicates::{CallId, CallOutcome};
use tempest_api::{Read, Refused, ServiceError, Target, View};
use tempest_core::{BranchRef, HistoryTask, Input, RunKey};
use tempest_store::{RangeId, TaskKey};
use tokio::sync::oneshot;

/// Where an answer goes.
pub(crate) type ReplyTo<T, E = ServiceError> = oneshot::Sender<Result<T, E>>;

/// Where the answer to an input goes. One that is refused before it was decided is given back.
pub(crate) type Caller = ReplyTo<Decided, Refused<(Target, Input)>>;

/// One thing asked of one workflow.
pub(crate) struct Request {
    pub target: Target,
    pub ask: Ask,
}

pub(crate) enum Ask {
    /// A caller's input. If it is a cross-workflow call whose sender has confirmed that it waits for it: the range under
    /// which the sender was asked.
    Decide(Box<Input>, Option<RangeId>, Caller),
    Read(Read, ReplyTo<View>),
    /// The timer queue's own: fire what is due.
    FireTimer(TaskKey, HistoryTask),
    /// The transfer queue's own: send what is still wanted.
    SendTransfer(i64, HistoryTask),
}

impl Ask {
    /// Whether a caller outside the shard waits for it; the queues' own asks are read again from the store.
    pub fn has_caller(&self) -> bool {
        !matches!(self, Self::FireTimer(..) | Self::SendTransfer(..))
    }

    /// Whether the caller has gone away: what was not begun need not be done.
    pub fn is_abandoned(&self) -> bool {
        match self {
            Self::Decide(_, _, reply) => reply.is_closed(),
            Self::Read(_, reply) => reply.is_closed(),
            Self::FireTimer(..) | Self::SendTransfer(..) => false,
        }
    }
}

impl Request {
    /// Answers the caller with an error that needs no proof: nothing was done.
    pub fn refuse(self, error: ServiceError) {
        match self.ask {
            Ask::Decide(input, _, reply) => {
                let ask = Some(Box::new((self.target, *input)));
                drop(reply.send(Err(Refused { error, ask })));
            }
            Ask::Read(_, reply) => drop(reply.send(Err(error))),
            Ask::FireTimer(..) | Ask::SendTransfer(..) => {}
        }
    }
}

/// What came of an input.
#[derive(Clone, Debug)]
pub(crate) struct Decided {
    pub run: RunKey,
    pub branch: BranchRef,
    pub reply: tempest_core::Reply,
}

/// An answer that may be given once what it rests on is durable (and, where nothing was written, once ownership is
/// proven); until then it may not be seen.
pub(crate) struct Answer {
    tell: Box<dyn FnOnce(Result<(), ServiceError>) + Send>,
    /// Calls whose outcomes its callers hear: from then on these bind the next ownership as well.
    outcomes: Vec<(CallId, CallOutcome)>,
}

impl Answer {
    pub fn new<T, E>(to: ReplyTo<T, E>, result: Result<T, E>) -> Self
    where
        T: Send + 'static,
        E: From<ServiceError> + Send + 'static,
    {
        // A caller that has gone away needs no answer.
        let tell =
            Box::new(move |grounds: Result<(), ServiceError>| drop(to.send(grounds.map_err(E::from).and(result))));
        Self { tell, outcomes: Vec::new() }
    }

    /// Both, or neither.
    pub fn and(mut self, mut other: Self) -> Self {
        self.outcomes.append(&mut other.outcomes);
        let (first, second) = (self.tell, other.tell);
        let tell = Box::new(move |grounds: Result<(), ServiceError>| {
            first(grounds.clone());
            second(grounds);
        });
        Self { tell, outcomes: self.outcomes }
    }

    /// The same, which tells how this call ended.
    pub fn with_outcome(mut self, call: CallId, outcome: CallOutcome) -> Self {
        self.outcomes.push((call, outcome));
        self
    }

    /// The outcomes that its callers are about to hear.
    pub fn take_outcomes(&mut self) -> Vec<(CallId, CallOutcome)> {
        std::mem::take(&mut self.outcomes)
    }

    pub fn give(self) {
        (self.tell)(Ok(()));
    }

    /// What it rested on did not come to be.
    pub fn withdraw(self, error: ServiceError) {
        (self.tell)(Err(error));
    }
}
