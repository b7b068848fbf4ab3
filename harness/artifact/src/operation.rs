use serde::{Deserialize, Serialize};

/// One call of a client or worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Its place in the log: the order of invocation.
    pub id: u64,
    /// A host, by name.
    pub caller: String,
    /// Name of the RPC, without its service.
    pub rpc: String,
    pub invoked_ms: u64,
    pub completed_ms: Option<u64>,
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// How a call ended for its caller. *Unknown* is never folded into *failed*: the call may have been executed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// No answer came: the caller gave up, died, or the run ended.
    Pending,
    Ok,
    /// Refused for a reason that says that nothing was done.
    Failed {
        code: String,
        message: String,
    },
    /// An error that leaves open whether it was done.
    Unknown {
        code: String,
        message: String,
    },
}

impl Outcome {
    /// The gRPC status, where there was one that is not OK.
    pub fn code(&self) -> Option<&str> {
        match self {
            Outcome::Pending | Outcome::Ok => None,
            Outcome::Failed { code, .. } | Outcome::Unknown { code, .. } => Some(code),
        }
    }
}
