//! For the tests of commands.
use super::{BadCommand, RunFacts};
use crate::{Context, Flags, KnownEvents, Limits, NamespaceId, RunId, Time};
use std::time::Duration;
use temporalio_protos::temporal::api::enums::v1::WorkflowTaskFailedCause as Cause;

/// The run that commands: no timeouts but the workflow task's.
pub(crate) fn run() -> RunFacts<'static> {
    RunFacts {
        namespace: "shop",
        workflow_type: "OrderSaga",
        task_queue: "orders",
        execution_timeout: Duration::ZERO,
        run_timeout: Duration::ZERO,
        workflow_task_timeout: Duration::from_secs(10),
    }
}

pub(crate) fn context() -> Context {
    let (limits, flags) = (Limits::default(), Flags::default());
    Context {
        now: Time(1),
        namespace_id: NamespaceId::default(),
        new_run_id: RunId::default(),
        timeline: 0,
        events: KnownEvents::default(),
        limits,
        flags,
    }
}

/// Expects that validation succeeds, or fails with this cause and message.
pub(crate) fn check(cause: Cause, result: Result<(), BadCommand>, expect: Result<(), &str>) {
    assert_eq!(result, expect.map_err(|message| BadCommand::new(cause, message)));
}
