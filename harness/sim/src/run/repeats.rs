//! Which user code the run has executed more than once: a storm in which none was proves nothing of it.
use crate::observe::{Observations, RpcKind};
use std::collections::BTreeMap;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_artifact::Repeats;

/// By type, types that were never repeated included.
pub(super) fn repeats(observations: &Observations) -> Repeats {
    let mut repeats = Repeats::default();
    let mut given: BTreeMap<(String, String), u64> = BTreeMap::new();
    for operation in &observations.operations {
        match operation.rpc {
            RpcKind::PollActivityTaskQueue => {
                let Some(task) = operation.response::<api::PollActivityTaskQueueResponse>() else { continue };
                let Some(kind) = task.activity_type else { continue };
                let run = task.workflow_execution.map(|execution| execution.run_id).unwrap_or_default();
                let times = given.entry((run, task.activity_id)).or_default();
                *times += 1;
                *repeats.executed_again.entry(kind.name).or_default() += u64::from(*times > 1);
            }
            RpcKind::PollWorkflowTaskQueue => {
                let Some(task) = operation.response::<api::PollWorkflowTaskQueueResponse>() else { continue };
                let Some(kind) = task.workflow_type else { continue };
                let first = task.history.iter().flat_map(|history| &history.events).next();
                let is_whole = first.is_some_and(|event| event.event_id == 1);
                let is_replay = is_whole && task.previous_started_event_id > 0;
                *repeats.replayed.entry(kind.name).or_default() += u64::from(is_replay);
            }
            _ => {}
        }
    }
    repeats
}
