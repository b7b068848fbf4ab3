//! The operation log: every call that clients and workers made, and how it ended for the caller. What was acknowledged
//! here is what the server has promised.
use crate::observe::RpcKind;
use bytes::Bytes;
use prost::Message;
use std::sync::{Arc, Mutex};
use tempest_artifact::Evidence;

/// How a call ended for its caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// No answer so far: the caller gave up, died, or the run ended. It may or may not have been executed.
    Pending,
    /// Acknowledged.
    Ok(Bytes),
    /// Refused for a reason that says that nothing was done.
    Failed { code: tonic::Code, message: String },
    /// An error that leaves open whether it was done.
    Unknown { code: tonic::Code, message: String },
}

impl Outcome {
    /// A refusal is certain only where the server says that it looked at the request and did not do it.
    pub fn of_status(status: &tonic::Status) -> Outcome {
        use tonic::Code;
        let (code, message) = (status.code(), status.message().to_owned());
        match code {
            Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::FailedPrecondition
            | Code::OutOfRange
            | Code::Unimplemented
            | Code::Unauthenticated => Outcome::Failed { code, message },
            _ => Outcome::Unknown { code, message },
        }
    }

    pub fn is_ok(&self) -> bool {
        matches!(self, Outcome::Ok(_))
    }

    fn label(&self) -> String {
        match self {
            Outcome::Pending => "pending".to_owned(),
            Outcome::Ok(_) => "ok".to_owned(),
            Outcome::Failed { code, message } => format!("failed {code:?}: {message}"),
            Outcome::Unknown { code, message } => format!("unknown {code:?}: {message}"),
        }
    }

    fn left_behind(&self) -> tempest_artifact::Outcome {
        use tempest_artifact::Outcome as Left;
        let status = |code: &tonic::Code, message: &String| (format!("{code:?}"), message.clone());
        match self {
            Outcome::Pending => Left::Pending,
            Outcome::Ok(_) => Left::Ok,
            Outcome::Failed { code, message } => {
                let (code, message) = status(code, message);
                Left::Failed { code, message }
            }
            Outcome::Unknown { code, message } => {
                let (code, message) = status(code, message);
                Left::Unknown { code, message }
            }
        }
    }
}

/// One call.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Position in the log: the order of invocation.
    pub id: u64,
    /// Who called: a host, by name.
    pub caller: String,
    pub rpc: RpcKind,
    /// Virtual time of the call, in nanoseconds since the run began.
    pub invoked_ns: u64,
    /// Virtual time of the answer.
    pub completed_ns: Option<u64>,
    pub request: Bytes,
    /// Whether the server may get it once more, at any time: the network delivers it again, or the caller sent it twice and
    /// took the first answer.
    pub duplicated: bool,
    pub outcome: Outcome,
}

impl Operation {
    /// The request, if it is of that type.
    pub fn request<M: Message + Default>(&self) -> Option<M> {
        M::decode(self.request.as_ref()).ok()
    }

    /// The answer, if it was acknowledged.
    pub fn response<M: Message + Default>(&self) -> Option<M> {
        match &self.outcome {
            Outcome::Ok(bytes) => M::decode(bytes.as_ref()).ok(),
            _ => None,
        }
    }

    /// `#17 client StartWorkflowExecution at 1.250 s: ok`.
    pub fn line(&self) -> Evidence {
        let text = format!(
            "#{} {} {} at {}: {}",
            self.id,
            self.caller,
            self.rpc,
            super::seconds(self.invoked_ns),
            self.outcome.label()
        );
        let about = super::named_workflow::about(self).into_iter().collect();
        Evidence { text, at_ms: Some(self.invoked_ns / 1_000_000), about }
    }
}

/// An operation as artifacts hold it.
impl From<&Operation> for tempest_artifact::Operation {
    fn from(operation: &Operation) -> tempest_artifact::Operation {
        tempest_artifact::Operation {
            id: operation.id,
            caller: operation.caller.clone(),
            rpc: operation.rpc.to_string(),
            invoked_ms: operation.invoked_ns / 1_000_000,
            completed_ms: operation.completed_ns.map(|at| at / 1_000_000),
            outcome: operation.outcome.left_behind(),
        }
    }
}

/// Written by all hosts of a world. No lock is held across a call that could give a turn away: a crash freezes threads
/// wherever they stand.
#[derive(Clone, Debug, Default)]
pub struct OperationLog(Arc<Mutex<Vec<Operation>>>);

impl OperationLog {
    fn with<T>(&self, body: impl FnOnce(&mut Vec<Operation>) -> T) -> T {
        body(&mut self.0.lock().expect("no holder of this lock panics"))
    }

    /// Notes a call before it is made; returns its id.
    pub fn invoke(&self, caller: &str, rpc: &str, at_ns: u64, request: Bytes) -> u64 {
        let (caller, rpc) = (caller.to_owned(), RpcKind::from(rpc));
        self.with(|log| {
            let id = log.len() as u64;
            let outcome = Outcome::Pending;
            let (invoked_ns, completed_ns, duplicated) = (at_ns, None, false);
            log.push(Operation { id, caller, rpc, invoked_ns, completed_ns, request, duplicated, outcome });
            id
        })
    }

    /// Notes that it will be delivered once more.
    pub fn duplicated(&self, id: u64) {
        self.of(id, |operation| operation.duplicated = true);
    }

    fn of(&self, id: u64, change: impl FnOnce(&mut Operation)) {
        self.with(|log| change(&mut log[usize::try_from(id).expect("an id is a position")]));
    }

    /// Notes how it ended.
    pub fn complete(&self, id: u64, at_ns: u64, outcome: Outcome) {
        self.of(id, |operation| {
            operation.completed_ns = Some(at_ns);
            operation.outcome = outcome;
        });
    }

    /// How many calls were made so far.
    pub fn len(&self) -> usize {
        self.with(|log| log.len())
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Everything so far.
    pub fn snapshot(&self) -> Vec<Operation> {
        self.with(|log| log.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic::{Code, Status};

    #[test]
    fn only_a_refusal_that_names_its_reason_is_certain() {
        let refused = [
            Code::InvalidArgument,
            Code::NotFound,
            Code::AlreadyExists,
            Code::PermissionDenied,
            Code::FailedPrecondition,
            Code::OutOfRange,
            Code::Unimplemented,
            Code::Unauthenticated,
        ];
        // From 1: zero is no error.
        for code in (1..17).map(Code::from) {
            let outcome = Outcome::of_status(&Status::new(code, "because"));
            assert_eq!(matches!(outcome, Outcome::Failed { .. }), refused.contains(&code), "{code:?}");
            assert!(!outcome.is_ok());
        }
    }

    #[test]
    fn a_call_is_pending_until_it_has_ended_and_answers_only_if_acknowledged() {
        let log = OperationLog::default();
        let id = log.invoke("client", "StartWorkflowExecution", 1_250_000_000, Bytes::from_static(&[8, 7]));
        let operation = log.snapshot().remove(0);
        assert_eq!(operation.line().text, "#0 client StartWorkflowExecution at 1.250 s: pending");
        assert_eq!(operation.response::<prost_wkt_types::Duration>(), None);
        assert_eq!(operation.request::<prost_wkt_types::Duration>().map(|request| request.seconds), Some(7));
        log.complete(id, 2_000_000_000, Outcome::Ok(Bytes::from_static(&[8, 9])));
        let operation = log.snapshot().remove(0);
        assert_eq!(operation.completed_ns, Some(2_000_000_000));
        assert_eq!(operation.response::<prost_wkt_types::Duration>().map(|response| response.seconds), Some(9));
        assert_eq!((log.len(), log.is_empty()), (1, false));
    }
}
