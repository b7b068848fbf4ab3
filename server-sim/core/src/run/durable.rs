//! What follows from a run's events alone. This one type says which parts those are: rebuilding and checking use it
//! and keep no list of their own. A buffered event has no place in history yet, so nothing here knows of it.
use crate::{
    Activity, Child, Closed, CopyOnWrite, EventId, ExternalCancel, ExternalSignal, Parts, RunId, Time, UserTimer,
    WorkflowTask, rules::durations, wire,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};
use temporalio_protos::temporal::api::{
    common::v1::Payload, history::v1::WorkflowExecutionStartedEventAttributes, sdk::v1::UserMetadata,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DurableProjection {
    pub next_event_id: EventId,
    /// Encoded bytes of all events, task ids aside: these are stamped later.
    #[serde(default)]
    pub history_size_bytes: i64,
    /// Objects stored elsewhere that payloads of the events refer to, and their bytes.
    #[serde(default)]
    pub external_payload_count: i64,
    #[serde(default)]
    pub external_payload_bytes: i64,
    /// Without input, header, memo, search attributes and results of before: those that are read are read from the event.
    #[serde(with = "wire::shared")]
    pub started: Arc<WorkflowExecutionStartedEventAttributes>,
    pub first_execution_run_id: RunId,
    pub start_time: Time,
    #[serde(default, with = "wire::shared::option")]
    pub user_metadata: CopyOnWrite<Option<UserMetadata>>,
    #[serde(default)]
    pub closed: Option<Closed>,
    #[serde(default)]
    pub workflow_task: Option<CopyOnWrite<WorkflowTask>>,
    /// Started id of the last completed workflow task; 0 if there is none.
    #[serde(default)]
    pub previous_started_event_id: EventId,
    /// By scheduled event id.
    #[serde(skip)]
    pub activities: Parts<Activity>,
    /// By started event id.
    #[serde(skip)]
    pub timers: Parts<UserTimer>,
    /// By initiated event id, as are signals and cancels.
    #[serde(skip)]
    pub children: Parts<Child>,
    /// Signals to other runs.
    #[serde(skip)]
    pub signals: Parts<ExternalSignal>,
    /// Requests that other runs be cancelled.
    #[serde(skip)]
    pub cancels: Parts<ExternalCancel>,
    #[serde(default)]
    pub cancel_requested: bool,
    #[serde(default)]
    pub signal_count: usize,
    /// Starts that this run answered, by request id, each with its event.
    #[serde(default)]
    pub attached_requests: CopyOnWrite<BTreeMap<String, EventId>>,
    #[serde(default, with = "wire::shared::map")]
    pub memo: CopyOnWrite<BTreeMap<String, Payload>>,
    #[serde(default, with = "wire::shared::map")]
    pub search_attributes: CopyOnWrite<BTreeMap<String, Payload>>,
}

impl Default for DurableProjection {
    fn default() -> Self {
        Self {
            next_event_id: 1,
            history_size_bytes: 0,
            external_payload_count: 0,
            external_payload_bytes: 0,
            started: Arc::default(),
            first_execution_run_id: RunId::default(),
            start_time: Time::ZERO,
            user_metadata: CopyOnWrite::default(),
            closed: None,
            workflow_task: None,
            previous_started_event_id: 0,
            activities: Parts::default(),
            timers: Parts::default(),
            children: Parts::default(),
            signals: Parts::default(),
            cancels: Parts::default(),
            cancel_requested: false,
            signal_count: 0,
            attached_requests: CopyOnWrite::default(),
            memo: CopyOnWrite::default(),
            search_attributes: CopyOnWrite::default(),
        }
    }
}

impl DurableProjection {
    pub fn task_queue(&self) -> &str {
        self.started.task_queue.as_ref().map_or("", |queue| &queue.name)
    }

    pub fn workflow_type(&self) -> &str {
        self.started.workflow_type.as_ref().map_or("", |kind| &kind.name)
    }

    pub(crate) fn has_first_backoff(&self) -> bool {
        !durations::value(self.started.first_workflow_task_backoff.as_ref()).is_zero()
    }

    /// When the first workflow task was or will be scheduled.
    pub fn execution_time(&self) -> Time {
        self.start_time.plus(durations::value(self.started.first_workflow_task_backoff.as_ref()))
    }

    pub fn execution_expiration(&self) -> Option<Time> {
        self.started.workflow_execution_expiration_time.as_ref().map(Time::from_proto)
    }

    /// The run timeout counts from the end of the first backoff and never passes the end of the whole chain.
    pub fn run_expiration(&self) -> Option<Time> {
        let own = durations::limit(self.started.workflow_run_timeout.as_ref())
            .map(|timeout| self.execution_time().plus(timeout));
        match (own, self.execution_expiration()) {
            (Some(own), Some(chain)) => Some(own.min(chain)),
            (own, chain) => own.or(chain),
        }
    }
}
