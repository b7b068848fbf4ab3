//! Every RPC of Temporal's services, one row each: what of it works, what it does, and what must hold before its own
//! code runs. What a row says is compiled ([`Handle`]), done by the layers, advertised by GetSystemInfo, and written to
//! `COMPATIBILITY.md`. An RPC of the descriptor without a row does not compile.
//!
//! ```text
//! Rpc { support, effect, role, wait, file::function in namespace }
//! Rpc { NotYet(sentence), effect, role, wait }
//! ```
//!
//! | of a row that is served | says |
//! |---|---|
//! | `Within(30)` | how many seconds it may take if its caller sets no deadline |
//! | `in open`, `to_start_in`, `none` | which namespace there must be, by a function of `layers::namespace` |
//! | `in of_activity_token`, `of_activity_id`, `of_workflow_token` | the same of a worker's report, and which task |
//! | `after function` | its own check, where it stands before the limits in Temporal |
//! | `refuses(limit field, ...)` | fields with a limit, each by a function of `layers::sizes` |
//! | `fails_activity(field sentence)` | the same of a report: if it is too large its activity fails |
//! | `cuts(limit field, ...)` | fields that are cut to their limit |
//!
//! The seconds are those for which Temporal's frontend waits for its other services: 30 for history (and here for the
//! store), 60 for matching (`DefaultTimeout` in its `client/history/client.go` and `client/matching/client.go`).
use crate::caller::Caller;
use crate::layers::sizes::NamesCut;
use crate::{Frontend, layers, rpc};
use std::time::Duration;
use tempest_api::rpcs::{self, Rpc};
use tempest_api::{ServiceError, ServiceResult};

use Effect::{Mutates, Reads};
use Repeat::{CompareAndSet, Never, RequestId, Token};
use Support::{NotYet, Partly, Works};

/// How much of an RPC is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Support {
    Works,
    /// It works but for this.
    Partly(&'static str),
    /// It answers `Unimplemented`, with this sentence.
    NotYet(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Reads,
    Mutates(Repeat),
}

/// How the server recognises that a request comes a second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// The request has an id, and a repeat gets the same answer.
    RequestId,
    /// The task token names what must still be pending.
    Token,
    /// What it asks for holds already, or the state that it was meant for is over.
    CompareAndSet,
    /// Not at all: a repeat is another request.
    Never,
}

/// The least that a caller must be allowed to do. No caller is asked yet who it is: see [`crate::layers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Reader,
    Writer,
    Worker,
    Admin,
}

/// What a request waits for, and so for how long: never longer than its caller does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// For nothing but its own work: so many seconds if its caller does not say how long it waits.
    Within(u64),
    HistoryPoll,
    TaskPoll,
}

/// For what a history poll does beside waiting, as long as for a call that does not wait.
const HISTORY_POLL_WORK: Duration = Duration::from_secs(30);

impl Wait {
    /// How long the caller of this request is kept waiting for something to happen.
    pub fn patience(self, frontend: &Frontend, caller: &Caller) -> Duration {
        let config = &frontend.config;
        match self {
            Self::Within(_) => Duration::ZERO,
            Self::HistoryPoll => caller.patience(config.history_long_poll, config.long_poll_margin),
            Self::TaskPoll => caller.patience(config.task_long_poll, config.long_poll_margin),
        }
    }

    /// How long it may take altogether if its caller does not say. What a history poll does before and after it waits
    /// takes time as well; a poll for a task ends by itself.
    pub fn allowance(self, frontend: &Frontend) -> Option<Duration> {
        match self {
            Self::Within(seconds) => Some(Duration::from_secs(seconds)),
            Self::HistoryPoll => Some(frontend.config.history_long_poll + HISTORY_POLL_WORK),
            Self::TaskPoll => None,
        }
    }
}

/// One row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub name: &'static str,
    pub support: Support,
    pub effect: Effect,
    pub role: Role,
    pub wait: Wait,
}

impl Route {
    pub const fn is_served(&self) -> bool {
        !matches!(self.support, Support::NotYet(_))
    }
}

/// What a row compiles to.
pub(crate) trait Handle: Rpc {
    const ROUTE: Route;

    /// The layers that the row names, then the RPC's own file.
    fn handle(
        frontend: &Frontend,
        caller: &Caller,
        request: Self::Request,
    ) -> impl Future<Output = ServiceResult<Self::Response>> + Send;
}

macro_rules! routes {
    ($module:ident $table:ident; $($rpc:ident {
        $support:expr, $effect:expr, $role:ident, $wait:ident $(($seconds:literal))?
        $(, $file:ident :: $function:ident in $subject:ident
            $(after $check:ident)?
            $(refuses($($limit:ident $field:ident),+))?
            $(fails_activity($report:ident $sentence:literal))?
            $(cuts($($cut:ident $long:ident),+))?
        )?
    })+) => {
        #[cfg_attr(not(test), allow(dead_code, reason = "the server reads each row by itself"))]
        pub(crate) const $table: &[Route] = &[$(<rpcs::$module::$rpc as Handle>::ROUTE),+];
        $(impl Handle for rpcs::$module::$rpc {
            const ROUTE: Route = Route {
                name: <Self as Rpc>::NAME,
                support: $support,
                effect: $effect,
                role: Role::$role,
                wait: Wait::$wait $(($seconds))?,
            };

            async fn handle(
                frontend: &Frontend,
                caller: &Caller,
                request: Self::Request,
            ) -> ServiceResult<Self::Response> {
                handle! {
                    $wait ($module $rpc) (frontend caller request)
                    $($file $function $subject [
                        $(after rpc::$file::$check,)?
                        $($(refuses $limit $field,)+)?
                        $(fails_activity $report $sentence,)?
                    ] ($($($cut $long)+)?))?
                }
            }
        })+
    };
}

/// What a row does with a request: finds what it is about, judges its sizes, and hands it to the row's function.
macro_rules! handle {
    ($wait:ident ($module:ident $rpc:ident) ($($unused:ident)+)) => {{
        let _ = ($($unused),+);
        const { assert!(!<rpcs::$module::$rpc as Handle>::ROUTE.is_served(), "a row that is served names a function") };
        unimplemented::<rpcs::$module::$rpc>()
    }};
    ($wait:ident ($module:ident $rpc:ident) ($frontend:ident $caller:ident $request:ident)
        $file:ident $function:ident $subject:ident $limits:tt $cuts:tt) => {{
        const { assert!(<rpcs::$module::$rpc as Handle>::ROUTE.is_served(), "a row that names a function is served") };
        answer!($wait $subject (rpc::$file::$function) ($frontend $caller $request) $limits $cuts)
    }};
}

/// By what the request is about.
macro_rules! answer {
    (Within none ($function:path) ($frontend:ident $caller:ident $request:ident) [] ()) => {{
        let _ = $caller;
        $function($frontend, $request).await
    }};
    (Within of_activity_id ($function:path) ($frontend:ident $caller:ident $request:ident) $limits:tt $cuts:tt) => {{
        let _ = $caller;
        let (name, run) = (&$request.namespace, (&*$request.workflow_id, &*$request.run_id));
        let activity = layers::namespace::of_activity_id($frontend, name, run, &$request.activity_id).await?;
        judge!($frontend activity $request $limits);
        call!(($function) $frontend activity $request $cuts)
    }};
    (Within of_activity_token ($function:path) ($frontend:ident $caller:ident $request:ident) $limits:tt $cuts:tt) => {{
        let _ = $caller;
        let (name, token) = (&$request.namespace, &$request.task_token);
        let activity = layers::namespace::of_activity_token($frontend, name, token).await?;
        judge!($frontend activity $request $limits);
        call!(($function) $frontend activity $request $cuts)
    }};
    (Within of_workflow_token ($function:path) ($frontend:ident $caller:ident $request:ident) $limits:tt $cuts:tt) => {{
        let _ = $caller;
        let (name, token) = (&$request.namespace, &$request.task_token);
        let task = layers::namespace::of_workflow_token($frontend, name, token).await?;
        judge!($frontend task $request $limits);
        call!(($function) $frontend task $request $cuts)
    }};
    (Within $namespace:ident ($function:path) ($frontend:ident $caller:ident $request:ident) $limits:tt ()) => {{
        let _ = $caller;
        let namespace = layers::namespace::$namespace($frontend, &$request.namespace).await?;
        judge!($frontend namespace $request $limits);
        $function($frontend, &namespace, $request).await
    }};
    ($wait:ident $namespace:ident ($function:path) ($frontend:ident $caller:ident $request:ident) [] ()) => {{
        let namespace = layers::namespace::$namespace($frontend, &$request.namespace).await?;
        $function($frontend, &namespace, $request, $caller).await
    }};
}

/// The checks and limits of a row, in order. The first that does not hold ends the request.
macro_rules! judge {
    ($frontend:ident $subject:ident $request:ident []) => {};
    ($frontend:ident $subject:ident $request:ident [after $check:path, $($rest:tt)*]) => {
        $check(&$request)?;
        judge!($frontend $subject $request [$($rest)*]);
    };
    ($frontend:ident $subject:ident $request:ident [refuses $limit:ident $field:ident, $($rest:tt)*]) => {
        layers::sizes::$limit($frontend, $request.$field.as_ref())?;
        judge!($frontend $subject $request [$($rest)*]);
    };
    ($frontend:ident $subject:ident $request:ident [fails_activity $report:ident $sentence:literal,]) => {
        let (report, identity) = ($request.$report.as_ref(), &$request.identity);
        if let Some(instead) =
            layers::sizes::fails_activity($frontend, &$subject, report, identity, $sentence).await?
        {
            return Ok(instead);
        }
    };
}

/// The row's function, with long fields cut before and named after it.
macro_rules! call {
    (($function:path) $frontend:ident $subject:ident $request:ident ()) => {
        $function($frontend, $subject, $request).await
    };
    (($function:path) $frontend:ident $subject:ident $request:ident ($($cut:ident $long:ident)+)) => {{
        let (mut request, mut cut) = ($request, Vec::new());
        $(layers::sizes::$cut($frontend, &mut request.$long, &mut cut);)+
        let mut response = $function($frontend, $subject, request).await?;
        response.name_cut(cut);
        Ok(response)
    }};
}

fn unimplemented<R: Handle>() -> ServiceResult<R::Response> {
    match R::ROUTE.support {
        NotYet(sentence) => Err(ServiceError::Unimplemented(sentence.into())),
        Works | Partly(_) => unreachable!("asserted where it is compiled"),
    }
}

const DEPRECATE: &str = "Deprecate a namespace with UpdateNamespace.";
const UPDATES: &str = "Updates are not supported yet.";
const MULTI: &str = "Several operations in one, as update-with-start, are not supported yet.";
const RESET: &str = "Workflows cannot be reset yet.";
const DELETE: &str = "Workflows cannot be deleted yet.";
const VISIBILITY: &str = "Workflows cannot be listed or counted yet.";
const ARCHIVAL: &str = "There is no archival.";
const SEARCH_ATTRIBUTES: &str = "Search attributes cannot be registered or listed yet.";
const QUERIES: &str = "Queries are not supported yet.";
const PARTITIONS: &str = "Each task queue has one partition, and there is no list of them.";
const SCHEDULES: &str = "Schedules are not supported yet.";
const BUILD_IDS: &str = "Versioning by build ids and rules is not supported; Temporal has it switched off by default.";
const FIRST_DEPLOYMENTS: &str = "This RPC is of the first form of deployments, which Temporal does not serve any more.";
const DEPLOYMENTS: &str = "Worker deployments are not supported yet.";
const BATCHES: &str = "Batch operations are not supported yet.";
const NEXUS: &str = "Nexus is not supported yet.";
const ACTIVITY_OPTIONS: &str = "Activities cannot be paused, reset or given other options yet.";
const WORKFLOW_OPTIONS: &str = "Options of a running workflow cannot be changed yet.";
const RULES: &str = "Workflow rules are not supported; Temporal has them switched off by default.";
const WORKERS: &str = "Heartbeats of workers are not kept, so that there is no list of workers yet.";
const QUEUE_CONFIG: &str = "Task queues cannot be configured yet.";
const WORKER_CONFIG: &str = "Workers cannot be configured from here, nor from Temporal.";
const PAUSE: &str = "Workflows cannot be paused; Temporal has this switched off by default.";
const ACTIVITIES: &str = "Standalone activities are not supported yet.";
const OPERATIONS: &str = "Standalone Nexus operations are not supported; Temporal has them switched off by default.";
const TIME_SKIPPING: &str = "Time skipping is not supported; Temporal has it switched off by default.";
const DELETE_NAMESPACE: &str = "Namespaces cannot be deleted yet.";
const CLUSTERS: &str = "There is one cluster, and no replication to others.";

routes! { workflow_service WORKFLOW_SERVICE;
    RegisterNamespace {
        Partly("Archival and other clusters are refused."),
        Mutates(CompareAndSet), Admin, Within(30), register_namespace::register in none
    }
    DescribeNamespace {
        Partly("Capabilities say what is here: few of them are true. No archival, no search attribute aliases."),
        Reads, Reader, Within(30), describe_namespace::describe in none
    }
    ListNamespaces {
        Partly("There is no `temporal-system`."),
        Reads, Reader, Within(30), list_namespaces::list in none
    }
    UpdateNamespace {
        Partly("\
            Description, owner, data, state and retention. Bad binaries, archival, aliases and promotion are \
            refused."),
        Mutates(CompareAndSet), Admin, Within(30), update_namespace::update in open
    }
    DeprecateNamespace { NotYet(DEPRECATE), Mutates(CompareAndSet), Admin, Within(30) }
    StartWorkflowExecution {
        Partly("\
            Cron, completion callbacks, versioning overrides and time skipping are refused. Custom search attributes \
            are not checked against a registry, priority has no effect on the order of tasks, and the first task is \
            never eager."),
        Mutates(RequestId), Writer, Within(30), start_workflow_execution::start in to_start_in
            refuses(payloads input, memo memo, search_attributes search_attributes)
    }
    ExecuteMultiOperation { NotYet(MULTI), Mutates(RequestId), Writer, Within(30) }
    GetWorkflowExecutionHistory {
        Partly("The page size counts events, not batches. No archived histories."),
        Reads, Reader, HistoryPoll, get_workflow_execution_history::get_history in open
    }
    GetWorkflowExecutionHistoryReverse {
        Partly("The page size counts events, not batches."),
        Reads, Reader, Within(30), get_workflow_execution_history_reverse::get_history_reverse in open
    }
    PollWorkflowTaskQueue {
        Partly("No queries, updates, poller scaling or poller groups. Versioned workers get PermissionDenied."),
        Mutates(Never), Worker, TaskPoll, poll_workflow_task_queue::poll in open
    }
    RespondWorkflowTaskCompleted {
        Partly("\
            Query results and messages have no effect, no activity is started eagerly, and speculative workflow \
            tasks are not used."),
        Mutates(Token), Worker, Within(30), respond_workflow_task_completed::complete in of_workflow_token
    }
    RespondWorkflowTaskFailed {
        Works,
        Mutates(Token), Worker, Within(30), respond_workflow_task_failed::fail in of_workflow_token
            refuses(identity identity) cuts(failure failure)
    }
    PollActivityTaskQueue {
        Partly("No poller scaling. Versioned workers get PermissionDenied."),
        Mutates(Never), Worker, TaskPoll, poll_activity_task_queue::poll in open
    }
    RecordActivityTaskHeartbeat {
        Partly("Activities are never paused or reset."),
        Mutates(Token), Worker, Within(30), record_activity_task_heartbeat::heartbeat in of_activity_token
            fails_activity(details "Heartbeat details exceed size limit.")
    }
    RecordActivityTaskHeartbeatById {
        Partly("As by token. Not of standalone activities."),
        Mutates(Never), Worker, Within(30), record_activity_task_heartbeat::heartbeat_by_id in of_activity_id
            fails_activity(details "Heartbeat details exceed size limit.")
    }
    RespondActivityTaskCompleted {
        Works,
        Mutates(Token), Worker, Within(30), respond_activity_task_completed::complete in of_activity_token
            refuses(identity identity) fails_activity(result "Complete result exceeds size limit.")
    }
    RespondActivityTaskCompletedById {
        Partly("Not of standalone activities."),
        Mutates(CompareAndSet), Worker, Within(30), respond_activity_task_completed::complete_by_id in of_activity_id
            refuses(identity identity) fails_activity(result "Complete result exceeds size limit.")
    }
    RespondActivityTaskFailed {
        Works,
        Mutates(Token), Worker, Within(30), respond_activity_task_failed::fail in of_activity_token
            after checked refuses(identity identity) cuts(heartbeat_details last_heartbeat_details, failure failure)
    }
    RespondActivityTaskFailedById {
        Partly("Not of standalone activities."),
        Mutates(CompareAndSet), Worker, Within(30), respond_activity_task_failed::fail_by_id in of_activity_id
            after checked_by_id refuses(identity identity) cuts(heartbeat_details last_heartbeat_details, failure failure)
    }
    RespondActivityTaskCanceled {
        Works,
        Mutates(Token), Worker, Within(30), respond_activity_task_canceled::cancel in of_activity_token
            refuses(identity identity) fails_activity(details "Cancel details exceed size limit.")
    }
    RespondActivityTaskCanceledById {
        Partly("Not of standalone activities."),
        Mutates(CompareAndSet), Worker, Within(30), respond_activity_task_canceled::cancel_by_id in of_activity_id
            refuses(identity identity) fails_activity(details "Cancel details exceed size limit.")
    }
    RequestCancelWorkflowExecution {
        Works,
        Mutates(RequestId), Writer, Within(30), request_cancel_workflow_execution::request_cancel in open
    }
    SignalWorkflowExecution {
        Works,
        Mutates(RequestId), Writer, Within(30), signal_workflow_execution::signal in open
            refuses(payloads input)
    }
    SignalWithStartWorkflowExecution {
        Partly("As StartWorkflowExecution."),
        Mutates(RequestId), Writer, Within(30), signal_with_start_workflow_execution::signal_with_start in to_start_in
            refuses(payloads input, payloads signal_input, memo memo, search_attributes search_attributes)
    }
    ResetWorkflowExecution { NotYet(RESET), Mutates(RequestId), Writer, Within(30) }
    TerminateWorkflowExecution {
        Works,
        Mutates(CompareAndSet), Writer, Within(30), terminate_workflow_execution::terminate in open
            refuses(payloads details)
    }
    DeleteWorkflowExecution { NotYet(DELETE), Mutates(CompareAndSet), Writer, Within(30) }
    ListOpenWorkflowExecutions { NotYet(VISIBILITY), Reads, Reader, Within(30) }
    ListClosedWorkflowExecutions { NotYet(VISIBILITY), Reads, Reader, Within(30) }
    ListWorkflowExecutions { NotYet(VISIBILITY), Reads, Reader, Within(30) }
    ListArchivedWorkflowExecutions { NotYet(ARCHIVAL), Reads, Reader, Within(30) }
    ScanWorkflowExecutions { NotYet(VISIBILITY), Reads, Reader, Within(30) }
    CountWorkflowExecutions { NotYet(VISIBILITY), Reads, Reader, Within(30) }
    GetSearchAttributes { NotYet(SEARCH_ATTRIBUTES), Reads, Reader, Within(30) }
    RespondQueryTaskCompleted { NotYet(QUERIES), Mutates(Token), Worker, Within(60) }
    ResetStickyTaskQueue {
        Works,
        Mutates(CompareAndSet), Worker, Within(30), reset_sticky_task_queue::reset in open
    }
    ShutdownWorker {
        Partly("Its heartbeat is not kept."),
        Mutates(CompareAndSet), Worker, Within(60), shutdown_worker::shutdown in open
    }
    QueryWorkflow { NotYet(QUERIES), Reads, Reader, HistoryPoll }
    DescribeWorkflowExecution {
        Partly("\
            Nothing of callbacks, Nexus operations, versioning, resets and pauses."),
        Reads, Reader, Within(30), describe_workflow_execution::describe in open
    }
    DescribeTaskQueue {
        Partly("Pollers and backlog, also in the enhanced mode. No priorities, reachability or versions."),
        Reads, Reader, Within(60), describe_task_queue::describe in open
    }
    GetClusterInfo {
        Works,
        Reads, Reader, Within(30), get_cluster_info::cluster_info in none
    }
    GetSystemInfo {
        Works,
        Reads, Reader, Within(30), get_system_info::system_info in none
    }
    ListTaskQueuePartitions { NotYet(PARTITIONS), Reads, Reader, Within(30) }
    CreateSchedule { NotYet(SCHEDULES), Mutates(RequestId), Writer, Within(30) }
    DescribeSchedule { NotYet(SCHEDULES), Reads, Reader, Within(30) }
    UpdateSchedule { NotYet(SCHEDULES), Mutates(RequestId), Writer, Within(30) }
    PatchSchedule { NotYet(SCHEDULES), Mutates(RequestId), Writer, Within(30) }
    ListScheduleMatchingTimes { NotYet(SCHEDULES), Reads, Reader, Within(30) }
    DeleteSchedule { NotYet(SCHEDULES), Mutates(RequestId), Writer, Within(30) }
    ListSchedules { NotYet(SCHEDULES), Reads, Reader, Within(30) }
    CountSchedules { NotYet(SCHEDULES), Reads, Reader, Within(30) }
    UpdateWorkerBuildIdCompatibility { NotYet(BUILD_IDS), Mutates(CompareAndSet), Writer, Within(60) }
    GetWorkerBuildIdCompatibility { NotYet(BUILD_IDS), Reads, Reader, Within(60) }
    UpdateWorkerVersioningRules { NotYet(BUILD_IDS), Mutates(CompareAndSet), Writer, Within(60) }
    GetWorkerVersioningRules { NotYet(BUILD_IDS), Reads, Reader, Within(60) }
    GetWorkerTaskReachability { NotYet(BUILD_IDS), Reads, Reader, Within(30) }
    DescribeDeployment { NotYet(FIRST_DEPLOYMENTS), Reads, Reader, Within(30) }
    DescribeWorkerDeploymentVersion { NotYet(DEPLOYMENTS), Reads, Reader, Within(30) }
    ListDeployments { NotYet(FIRST_DEPLOYMENTS), Reads, Reader, Within(30) }
    GetDeploymentReachability { NotYet(FIRST_DEPLOYMENTS), Reads, Reader, Within(30) }
    GetCurrentDeployment { NotYet(FIRST_DEPLOYMENTS), Reads, Reader, Within(30) }
    SetCurrentDeployment { NotYet(FIRST_DEPLOYMENTS), Mutates(CompareAndSet), Writer, Within(30) }
    SetWorkerDeploymentCurrentVersion { NotYet(DEPLOYMENTS), Mutates(CompareAndSet), Writer, Within(30) }
    DescribeWorkerDeployment { NotYet(DEPLOYMENTS), Reads, Reader, Within(30) }
    DeleteWorkerDeployment { NotYet(DEPLOYMENTS), Mutates(CompareAndSet), Writer, Within(30) }
    DeleteWorkerDeploymentVersion { NotYet(DEPLOYMENTS), Mutates(CompareAndSet), Writer, Within(30) }
    SetWorkerDeploymentRampingVersion { NotYet(DEPLOYMENTS), Mutates(CompareAndSet), Writer, Within(30) }
    ListWorkerDeployments { NotYet(DEPLOYMENTS), Reads, Reader, Within(30) }
    CreateWorkerDeployment { NotYet(DEPLOYMENTS), Mutates(CompareAndSet), Writer, Within(30) }
    CreateWorkerDeploymentVersion { NotYet(DEPLOYMENTS), Mutates(CompareAndSet), Writer, Within(30) }
    UpdateWorkerDeploymentVersionComputeConfig { NotYet(DEPLOYMENTS), Mutates(CompareAndSet), Writer, Within(30) }
    ValidateWorkerDeploymentVersionComputeConfig { NotYet(DEPLOYMENTS), Reads, Reader, Within(30) }
    UpdateWorkerDeploymentVersionMetadata { NotYet(DEPLOYMENTS), Mutates(CompareAndSet), Writer, Within(30) }
    SetWorkerDeploymentManager { NotYet(DEPLOYMENTS), Mutates(CompareAndSet), Writer, Within(30) }
    UpdateWorkflowExecution { NotYet(UPDATES), Mutates(RequestId), Writer, Within(30) }
    PollWorkflowExecutionUpdate { NotYet(UPDATES), Reads, Reader, HistoryPoll }
    StartBatchOperation { NotYet(BATCHES), Mutates(CompareAndSet), Writer, Within(30) }
    StopBatchOperation { NotYet(BATCHES), Mutates(CompareAndSet), Writer, Within(30) }
    DescribeBatchOperation { NotYet(BATCHES), Reads, Reader, Within(30) }
    ListBatchOperations { NotYet(BATCHES), Reads, Reader, Within(30) }
    PollNexusTaskQueue { NotYet(NEXUS), Mutates(Never), Worker, TaskPoll }
    RespondNexusTaskCompleted { NotYet(NEXUS), Mutates(Token), Worker, Within(60) }
    RespondNexusTaskFailed { NotYet(NEXUS), Mutates(Token), Worker, Within(60) }
    UpdateActivityOptions { NotYet(ACTIVITY_OPTIONS), Mutates(RequestId), Writer, Within(30) }
    UpdateWorkflowExecutionOptions { NotYet(WORKFLOW_OPTIONS), Mutates(CompareAndSet), Writer, Within(30) }
    PauseActivity { NotYet(ACTIVITY_OPTIONS), Mutates(RequestId), Writer, Within(30) }
    UnpauseActivity { NotYet(ACTIVITY_OPTIONS), Mutates(RequestId), Writer, Within(30) }
    ResetActivity { NotYet(ACTIVITY_OPTIONS), Mutates(RequestId), Writer, Within(30) }
    CreateWorkflowRule { NotYet(RULES), Mutates(RequestId), Writer, Within(30) }
    DescribeWorkflowRule { NotYet(RULES), Reads, Reader, Within(30) }
    DeleteWorkflowRule { NotYet(RULES), Mutates(RequestId), Writer, Within(30) }
    ListWorkflowRules { NotYet(RULES), Reads, Reader, Within(30) }
    TriggerWorkflowRule { NotYet(RULES), Mutates(RequestId), Writer, Within(30) }
    RecordWorkerHeartbeat {
        Partly("Accepted, since workers send it unasked, and not kept."),
        Mutates(Never), Worker, Within(30), record_worker_heartbeat::record in open
    }
    ListWorkers { NotYet(WORKERS), Reads, Reader, Within(30) }
    CountWorkers { NotYet(WORKERS), Reads, Reader, Within(30) }
    UpdateTaskQueueConfig { NotYet(QUEUE_CONFIG), Mutates(CompareAndSet), Writer, Within(30) }
    FetchWorkerConfig { NotYet(WORKER_CONFIG), Reads, Reader, Within(30) }
    UpdateWorkerConfig { NotYet(WORKER_CONFIG), Mutates(CompareAndSet), Writer, Within(30) }
    DescribeWorker { NotYet(WORKERS), Reads, Reader, Within(30) }
    PauseWorkflowExecution { NotYet(PAUSE), Mutates(RequestId), Writer, Within(30) }
    UnpauseWorkflowExecution { NotYet(PAUSE), Mutates(RequestId), Writer, Within(30) }
    StartActivityExecution { NotYet(ACTIVITIES), Mutates(RequestId), Writer, Within(30) }
    StartNexusOperationExecution { NotYet(OPERATIONS), Mutates(RequestId), Writer, Within(30) }
    DescribeActivityExecution { NotYet(ACTIVITIES), Reads, Reader, Within(30) }
    DescribeNexusOperationExecution { NotYet(OPERATIONS), Reads, Reader, Within(30) }
    PollActivityExecution { NotYet(ACTIVITIES), Reads, Reader, HistoryPoll }
    PollNexusOperationExecution { NotYet(OPERATIONS), Reads, Reader, HistoryPoll }
    ListActivityExecutions { NotYet(ACTIVITIES), Reads, Reader, Within(30) }
    ListNexusOperationExecutions { NotYet(OPERATIONS), Reads, Reader, Within(30) }
    CountActivityExecutions { NotYet(ACTIVITIES), Reads, Reader, Within(30) }
    CountNexusOperationExecutions { NotYet(OPERATIONS), Reads, Reader, Within(30) }
    RequestCancelActivityExecution { NotYet(ACTIVITIES), Mutates(RequestId), Writer, Within(30) }
    RequestCancelNexusOperationExecution { NotYet(OPERATIONS), Mutates(RequestId), Writer, Within(30) }
    TerminateActivityExecution { NotYet(ACTIVITIES), Mutates(RequestId), Writer, Within(30) }
    DeleteActivityExecution { NotYet(ACTIVITIES), Mutates(RequestId), Writer, Within(30) }
    PauseActivityExecution { NotYet(ACTIVITY_OPTIONS), Mutates(RequestId), Writer, Within(30) }
    ResetActivityExecution { NotYet(ACTIVITY_OPTIONS), Mutates(RequestId), Writer, Within(30) }
    UnpauseActivityExecution { NotYet(ACTIVITY_OPTIONS), Mutates(RequestId), Writer, Within(30) }
    UpdateActivityExecutionOptions { NotYet(ACTIVITY_OPTIONS), Mutates(RequestId), Writer, Within(30) }
    TerminateNexusOperationExecution { NotYet(OPERATIONS), Mutates(RequestId), Writer, Within(30) }
    DeleteNexusOperationExecution { NotYet(OPERATIONS), Mutates(RequestId), Writer, Within(30) }
    PollWorkflowExecutionTimeSkipping { NotYet(TIME_SKIPPING), Reads, Reader, HistoryPoll }
}

routes! { operator_service OPERATOR_SERVICE;
    AddSearchAttributes { NotYet(SEARCH_ATTRIBUTES), Mutates(CompareAndSet), Admin, Within(30) }
    RemoveSearchAttributes { NotYet(SEARCH_ATTRIBUTES), Mutates(CompareAndSet), Admin, Within(30) }
    ListSearchAttributes { NotYet(SEARCH_ATTRIBUTES), Reads, Reader, Within(30) }
    DeleteNamespace { NotYet(DELETE_NAMESPACE), Mutates(CompareAndSet), Admin, Within(30) }
    AddOrUpdateRemoteCluster { NotYet(CLUSTERS), Mutates(CompareAndSet), Admin, Within(30) }
    RemoveRemoteCluster { NotYet(CLUSTERS), Mutates(CompareAndSet), Admin, Within(30) }
    ListClusters { NotYet(CLUSTERS), Reads, Reader, Within(30) }
    GetNexusEndpoint { NotYet(NEXUS), Reads, Reader, Within(30) }
    CreateNexusEndpoint { NotYet(NEXUS), Mutates(CompareAndSet), Admin, Within(30) }
    UpdateNexusEndpoint { NotYet(NEXUS), Mutates(CompareAndSet), Admin, Within(30) }
    DeleteNexusEndpoint { NotYet(NEXUS), Mutates(CompareAndSet), Admin, Within(30) }
    ListNexusEndpoints { NotYet(NEXUS), Reads, Reader, Within(30) }
}
