//! What a program's clients do: they start its workflows, interfere, and look.
mod by_id;
mod look;

use crate::Ledger;
use crate::calls::{Calls, ask, is_unknown};
use crate::interpret::RunInput;
use crate::plan::{ClientAction, Conflict, Program, Reuse, Workflow};
use crate::replay::{SIGNAL, WORKFLOW_TYPE, duration, payload, payloads, retry_policy};
use futures::future::{BoxFuture, FutureExt, join_all};
use prost::Message;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tempest_api::proto::common::v1::{Header, Memo, Priority, WorkflowExecution, WorkflowType};
use tempest_api::proto::enums::v1::{HistoryEventFilterType, WorkflowIdConflictPolicy, WorkflowIdReusePolicy};
use tempest_api::proto::sdk::v1::UserMetadata;
use tempest_api::proto::taskqueue::v1::TaskQueue;
use tempest_api::proto::workflowservice::v1 as api;
use tonic::{Code, Status};

/// Pause before a call of unknown outcome is made again.
const PAUSE: Duration = Duration::from_millis(500);
/// Why a client ends what it did not start.
const AS_THE_PROGRAM_SAYS: &str = "as the program says";
/// Of workflow tasks, where a start says it.
const TASK_TIMEOUT_MS: u64 = 4_000;
/// Polls of one follower at most: a history that never ends is not followed forever.
const POLLS_MAX: u32 = 1_000;

/// Where clients stand.
#[derive(Clone)]
pub struct Outside {
    pub calls: Arc<dyn Calls>,
    pub namespace: String,
    pub task_queue: String,
    pub ledger: Ledger,
    /// Leads the ids of all workflows: `NAME/ID`.
    pub name: String,
}

/// Does what all clients of a program do, each workflow's beside the others'. It ends when all is done, not when the
/// workflows have closed.
///
/// # Errors
/// A call was refused in a way that no program can bring about.
pub async fn play(outside: Outside, program: &Program) -> Result<(), Status> {
    let workflows = program.workflows.iter().map(|workflow| clients(outside.clone(), workflow.clone()).boxed());
    join_all(workflows).await.into_iter().collect()
}

async fn clients(outside: Outside, workflow: Workflow) -> Result<(), Status> {
    sleep(workflow.start.after_ms).await;
    outside.start(&workflow, 0).await?;
    let actions = workflow.clients.iter().enumerate().map(|(number, act)| {
        let (outside, workflow, act) = (outside.clone(), workflow.clone(), act.clone());
        async move {
            sleep(act.after_ms).await;
            outside.perform(&workflow, number + 1, &act.action).await
        }
        .boxed()
    });
    let actions: Vec<BoxFuture<'static, Result<(), Status>>> = actions.collect();
    join_all(actions).await.into_iter().collect()
}

async fn sleep(ms: u64) {
    tempest_rt::time::sleep(Duration::from_millis(ms)).await;
}

impl Outside {
    fn workflow_id(&self, workflow: &Workflow) -> String {
        format!("{}/{}", self.name, workflow.id)
    }

    fn current(&self, workflow: &Workflow) -> Option<WorkflowExecution> {
        Some(WorkflowExecution { workflow_id: self.workflow_id(workflow), run_id: String::new() })
    }

    /// Unlike that of any other call of this program.
    fn request_id(&self, workflow: &Workflow, number: usize, what: &str) -> String {
        format!("{}/{}/{number}/{what}", self.name, workflow.id)
    }

    /// Makes a call until its outcome is known. What the state of a workflow can refuse is no error.
    async fn known<Q: Message, R: Message + Default>(
        &self,
        rpc: &'static str,
        request: &Q,
    ) -> Result<Option<R>, Status> {
        loop {
            match ask::<Q, R>(self.calls.as_ref(), rpc, request).await {
                Ok(response) => return Ok(Some(response)),
                Err(status) if is_unknown(&status) => tempest_rt::time::sleep(PAUSE).await,
                Err(status) if is_of_state(&status) => return Ok(None),
                Err(status) => return Err(status),
            }
        }
    }

    async fn start(&self, workflow: &Workflow, number: usize) -> Result<(), Status> {
        let request = self.start_request(workflow, number);
        let _: Option<api::StartWorkflowExecutionResponse> = self.known("StartWorkflowExecution", &request).await?;
        Ok(())
    }

    fn start_request(&self, workflow: &Workflow, number: usize) -> api::StartWorkflowExecutionRequest {
        let start = &workflow.start;
        let reuse = match start.reuse {
            Reuse::Allow => WorkflowIdReusePolicy::AllowDuplicate,
            Reuse::FailedOnly => WorkflowIdReusePolicy::AllowDuplicateFailedOnly,
            Reuse::Reject => WorkflowIdReusePolicy::RejectDuplicate,
        };
        // Temporal refuses the two together.
        let conflict = match start.conflict {
            Conflict::TerminateExisting if start.reuse == Reuse::Reject => WorkflowIdConflictPolicy::Fail,
            Conflict::Fail => WorkflowIdConflictPolicy::Fail,
            Conflict::UseExisting => WorkflowIdConflictPolicy::UseExisting,
            Conflict::TerminateExisting => WorkflowIdConflictPolicy::TerminateExisting,
        };
        api::StartWorkflowExecutionRequest {
            namespace: self.namespace.clone(),
            workflow_id: self.workflow_id(workflow),
            workflow_type: Some(WorkflowType { name: WORKFLOW_TYPE.to_owned() }),
            task_queue: Some(TaskQueue { name: self.task_queue.clone(), ..Default::default() }),
            input: Some(payloads(&RunInput { body: workflow.body.clone(), ..RunInput::default() })),
            workflow_execution_timeout: start.execution_ms.map(duration),
            workflow_run_timeout: start.run_ms.map(duration),
            request_id: self.request_id(workflow, number, "start"),
            workflow_id_reuse_policy: reuse.into(),
            workflow_id_conflict_policy: conflict.into(),
            retry_policy: start.retry.map(|retry| retry_policy(retry.attempts_max, retry.backoff)),
            workflow_start_delay: (start.delay_ms > 0).then(|| duration(start.delay_ms)),
            identity: "client".to_owned(),
            ..if start.annotated { self.annotations() } else { Default::default() }
        }
    }

    /// What a start may have beside what it does.
    fn annotations(&self) -> api::StartWorkflowExecutionRequest {
        let fields = || HashMap::from([("note".to_owned(), payload(&self.name))]);
        api::StartWorkflowExecutionRequest {
            memo: Some(Memo { fields: fields() }),
            header: Some(Header { fields: fields() }),
            user_metadata: Some(UserMetadata { summary: Some(payload(&self.name)), details: None }),
            workflow_task_timeout: Some(duration(TASK_TIMEOUT_MS)),
            priority: Some(Priority { priority_key: 2, ..Default::default() }),
            ..Default::default()
        }
    }

    async fn perform(&self, workflow: &Workflow, number: usize, action: &ClientAction) -> Result<(), Status> {
        match action {
            ClientAction::Signal(signal) => self.signal(workflow, number, 0, signal).await,
            ClientAction::Burst { signal, times } => {
                let all = (0..*times).map(|which| self.signal(workflow, number, which, signal));
                join_all(all).await.into_iter().collect()
            }
            ClientAction::SignalWithStart(signal) => self.signal_with_start(workflow, number, signal).await,
            ClientAction::Start => self.start(workflow, number).await,
            ClientAction::Cancel => {
                let request = api::RequestCancelWorkflowExecutionRequest {
                    namespace: self.namespace.clone(),
                    workflow_execution: self.current(workflow),
                    request_id: self.request_id(workflow, number, "cancel"),
                    reason: AS_THE_PROGRAM_SAYS.to_owned(),
                    identity: "client".to_owned(),
                    ..Default::default()
                };
                self.known::<_, api::RequestCancelWorkflowExecutionResponse>("RequestCancelWorkflowExecution", &request)
                    .await
                    .map(drop)
            }
            ClientAction::Terminate => self.terminate(self.current(workflow)).await,
            ClientAction::TerminateChild(child) => {
                let workflow_id = format!("{}.{child}", self.workflow_id(workflow));
                self.terminate(Some(WorkflowExecution { workflow_id, run_id: String::new() })).await
            }
            ClientAction::ById { says, path } => by_id::say(self, &self.workflow_id(workflow), *says, path).await,
            ClientAction::ResetSticky => {
                let (namespace, execution) = (self.namespace.clone(), self.current(workflow));
                let request = api::ResetStickyTaskQueueRequest { namespace, execution };
                self.known::<_, api::ResetStickyTaskQueueResponse>("ResetStickyTaskQueue", &request).await.map(drop)
            }
            ClientAction::LookAround => look::around(self).await,
            ClientAction::Describe => self.describe(workflow).await.map(drop),
            ClientAction::Pages(size) => self.pages(workflow, *size).await,
            ClientAction::PagesReversed(size) => self.pages_reversed(workflow, *size).await,
            ClientAction::Follow => self.follow(workflow).await,
        }
    }

    async fn terminate(&self, workflow_execution: Option<WorkflowExecution>) -> Result<(), Status> {
        let request = api::TerminateWorkflowExecutionRequest {
            namespace: self.namespace.clone(),
            workflow_execution,
            reason: AS_THE_PROGRAM_SAYS.to_owned(),
            details: Some(payloads(&self.name)),
            identity: "client".to_owned(),
            ..Default::default()
        };
        let rpc = "TerminateWorkflowExecution";
        self.known::<_, api::TerminateWorkflowExecutionResponse>(rpc, &request).await.map(drop)
    }

    async fn signal(&self, workflow: &Workflow, number: usize, which: u32, signal: &str) -> Result<(), Status> {
        let request = api::SignalWorkflowExecutionRequest {
            namespace: self.namespace.clone(),
            workflow_execution: self.current(workflow),
            signal_name: SIGNAL.to_owned(),
            input: Some(payloads(&signal)),
            request_id: self.request_id(workflow, number, &format!("signal-{which}")),
            identity: "client".to_owned(),
            ..Default::default()
        };
        self.known::<_, api::SignalWorkflowExecutionResponse>("SignalWorkflowExecution", &request).await.map(drop)
    }

    async fn signal_with_start(&self, workflow: &Workflow, number: usize, signal: &str) -> Result<(), Status> {
        let start = self.start_request(workflow, number);
        // Temporal knows no failing on conflict here: what is open gets the signal.
        let conflict = match start.workflow_id_conflict_policy() {
            WorkflowIdConflictPolicy::TerminateExisting => WorkflowIdConflictPolicy::TerminateExisting,
            _ => WorkflowIdConflictPolicy::UseExisting,
        };
        let request = api::SignalWithStartWorkflowExecutionRequest {
            workflow_id_conflict_policy: conflict.into(),
            signal_name: SIGNAL.to_owned(),
            signal_input: Some(payloads(&signal)),
            namespace: start.namespace,
            workflow_id: start.workflow_id,
            workflow_type: start.workflow_type,
            task_queue: start.task_queue,
            input: start.input,
            workflow_execution_timeout: start.workflow_execution_timeout,
            workflow_run_timeout: start.workflow_run_timeout,
            request_id: self.request_id(workflow, number, "signal-with-start"),
            workflow_id_reuse_policy: start.workflow_id_reuse_policy,
            retry_policy: start.retry_policy,
            workflow_start_delay: start.workflow_start_delay,
            memo: start.memo,
            header: start.header,
            user_metadata: start.user_metadata,
            workflow_task_timeout: start.workflow_task_timeout,
            priority: start.priority,
            identity: start.identity,
            ..Default::default()
        };
        let rpc = "SignalWithStartWorkflowExecution";
        self.known::<_, api::SignalWithStartWorkflowExecutionResponse>(rpc, &request).await.map(drop)
    }

    /// Its current run.
    async fn describe(&self, workflow: &Workflow) -> Result<Option<WorkflowExecution>, Status> {
        let request = api::DescribeWorkflowExecutionRequest {
            namespace: self.namespace.clone(),
            execution: self.current(workflow),
        };
        let described: Option<api::DescribeWorkflowExecutionResponse> =
            self.known("DescribeWorkflowExecution", &request).await?;
        Ok(described.and_then(|described| described.workflow_execution_info).and_then(|info| info.execution))
    }

    async fn pages(&self, workflow: &Workflow, size: u32) -> Result<(), Status> {
        let Some(execution) = self.describe(workflow).await? else { return Ok(()) };
        let mut next_page_token = Vec::new();
        loop {
            let request = api::GetWorkflowExecutionHistoryRequest {
                namespace: self.namespace.clone(),
                execution: Some(execution.clone()),
                maximum_page_size: i32::try_from(size.max(1)).unwrap_or(i32::MAX),
                next_page_token,
                ..Default::default()
            };
            let page: Option<api::GetWorkflowExecutionHistoryResponse> =
                self.known("GetWorkflowExecutionHistory", &request).await?;
            next_page_token = page.map(|page| page.next_page_token).unwrap_or_default();
            if next_page_token.is_empty() {
                return Ok(());
            }
        }
    }

    async fn pages_reversed(&self, workflow: &Workflow, size: u32) -> Result<(), Status> {
        let Some(execution) = self.describe(workflow).await? else { return Ok(()) };
        let mut next_page_token = Vec::new();
        loop {
            let request = api::GetWorkflowExecutionHistoryReverseRequest {
                namespace: self.namespace.clone(),
                execution: Some(execution.clone()),
                maximum_page_size: i32::try_from(size.max(1)).unwrap_or(i32::MAX),
                next_page_token,
            };
            let page: Option<api::GetWorkflowExecutionHistoryReverseResponse> =
                self.known("GetWorkflowExecutionHistoryReverse", &request).await?;
            next_page_token = page.map(|page| page.next_page_token).unwrap_or_default();
            if next_page_token.is_empty() {
                return Ok(());
            }
        }
    }

    /// Waits for each new event of the current run until it closes.
    async fn follow(&self, workflow: &Workflow) -> Result<(), Status> {
        let Some(execution) = self.describe(workflow).await? else { return Ok(()) };
        let mut next_page_token = Vec::new();
        for _ in 0..POLLS_MAX {
            let request = api::GetWorkflowExecutionHistoryRequest {
                namespace: self.namespace.clone(),
                execution: Some(execution.clone()),
                wait_new_event: true,
                history_event_filter_type: HistoryEventFilterType::AllEvent.into(),
                next_page_token,
                ..Default::default()
            };
            let page: Option<api::GetWorkflowExecutionHistoryResponse> =
                self.known("GetWorkflowExecutionHistory", &request).await?;
            next_page_token = page.map(|page| page.next_page_token).unwrap_or_default();
            if next_page_token.is_empty() {
                break;
            }
        }
        Ok(())
    }
}

/// Whether a call was refused for what the workflow is, which depends on when the call came.
fn is_of_state(status: &Status) -> bool {
    matches!(status.code(), Code::NotFound | Code::AlreadyExists | Code::FailedPrecondition)
}
