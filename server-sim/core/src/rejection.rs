//! Why an input is refused; nothing changed. Messages are those users of Temporal know.
use crate::RunId;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Fix the request.
    #[error("{0}")]
    InvalidArgument(String),
    /// No such run, or not open any more, or a token that names nothing pending.
    #[error("{0}")]
    NotFound(String),
    /// `message` says whether the run is open or what its reuse policy forbids.
    #[error("{message}")]
    AlreadyStarted {
        message: String,
        workflow_id: String,
        run_id: RunId,
        start_request_id: String,
        first_execution_run_id: RunId,
    },
    #[error("{0}")]
    FailedPrecondition(String),
    /// Another poll has it: matching drops the task.
    #[error("Workflow task or activity already started.")]
    TaskAlreadyStarted,
    /// The matching task is older than the state: matching drops it.
    #[error("matching task is obsolete")]
    ObsoleteTask,
    /// Retry later: the run is closing and must first see what it has not seen.
    #[error("{0}")]
    BusyWorkflow(String),
}
