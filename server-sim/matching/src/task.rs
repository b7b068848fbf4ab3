//! What waits in a queue, and how it is stored.
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tempest_api::{AddActivityTask, AddWorkflowTask};
use tempest_core::{RunKey, Time};

/// A matching task of either type: a hint that history knows of something to start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum QueuedTask {
    Workflow(AddWorkflowTask),
    Activity(AddActivityTask),
}

impl QueuedTask {
    pub(crate) fn run(&self) -> &RunKey {
        match self {
            Self::Workflow(task) => &task.run,
            Self::Activity(task) => &task.run,
        }
    }

    /// The task is worthless this long after it was added; zero and absent mean never.
    pub(crate) fn lifetime(&self) -> Option<Duration> {
        match self {
            Self::Workflow(task) => task.schedule_to_start_timeout,
            Self::Activity(task) => task.schedule_to_start_timeout,
        }
        .filter(|timeout| !timeout.is_zero())
    }
}

/// The body of a backlog row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredTask {
    pub(crate) task: QueuedTask,
    /// When it came to the queue, by the wall clock of the node that wrote the row: for people only.
    pub(crate) added_at: Time,
}

impl StoredTask {
    pub(crate) fn encode(&self) -> Bytes {
        rmp_serde::to_vec_named(self).expect("a task of strings and numbers always encodes").into()
    }

    pub(crate) fn decode(body: &[u8]) -> Result<Self, rmp_serde::decode::Error> {
        rmp_serde::from_slice(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_task_survives_its_row(
            id in 1_i64..1000, stamp: u64, attempt in 1_i32..100, queue in ".{0,20}", ms in proptest::option::of(0_u64..100_000),
        ) {
            let run = RunKey { namespace_id: "n".into(), workflow_id: queue.as_str().into(), run_id: "r".into() };
            let timeout = ms.map(Duration::from_millis);
            let workflow = QueuedTask::Workflow(AddWorkflowTask {
                run: run.clone(), scheduled_event_id: id, stamp, task_queue: queue.clone(), sticky_for: None,
                schedule_to_start_timeout: timeout,
            });
            let activity = QueuedTask::Activity(AddActivityTask {
                run, scheduled_event_id: id, attempt, task_queue: queue, schedule_to_start_timeout: timeout,
            });
            for task in [workflow, activity] {
                let stored = StoredTask { task, added_at: Time(id) };
                prop_assert_eq!(StoredTask::decode(&stored.encode()).expect("it decodes"), stored);
            }
        }
    }
}
