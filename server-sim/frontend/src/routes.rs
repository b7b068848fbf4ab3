//! Every RPC of Temporal's services, one row each: what of it works, what it does, and what must hold before its own
//! code runs. What a row says is compiled ([`Handle`]), done by the layers, advertised by GetSystemInfo, and written to
//! `COMPATIBILITY.md`. An RPC of the descriptor without a row does not compile.
//!
//! ```text
//! Rpc { support, effect, role, wait, file::function in namespace limits(limit field, ...) }
//! Rpc { NotYet(sentence), effect, role, wait }
//! ```
use crate::caller::Caller;
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
    /// For nothing but its own work.
    No,
    HistoryPoll,
    TaskPoll,
}

impl Wait {
    /// How long the caller of this request is kept waiting for something to happen.
    pub fn patience(self, frontend: &Frontend, caller: &Caller) -> Duration {
        let config = &frontend.config;
        match self {
            Self::No => Duration::ZERO,
            Self::HistoryPoll => caller.patience(config.history_long_poll, config.long_poll_margin),
            Self::TaskPoll => caller.patience(config.task_long_poll, config.long_poll_margin),
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
        $support:expr, $effect:expr, $role:ident, $wait:ident
        $(, $file:ident :: $function:ident in $namespace:ident $(limits($($limit:ident $field:ident),+))?)?
    })+) => {
        #[cfg_attr(not(test), allow(dead_code, reason = "the server reads each row by itself"))]
        pub(crate) const $table: &[Route] = &[$(<rpcs::$module::$rpc as Handle>::ROUTE),+];
        $(impl Handle for rpcs::$module::$rpc {
            const ROUTE: Route = Route {
                name: <Self as Rpc>::NAME,
                support: $support,
                effect: $effect,
                role: Role::$role,
                wait: Wait::$wait,
            };

            async fn handle(
                frontend: &Frontend,
                caller: &Caller,
                request: Self::Request,
            ) -> ServiceResult<Self::Response> {
                handle! {
                    $wait ($module $rpc) (frontend caller request)
                    $($file $function $namespace ($($($limit $field)+)?))?
                }
            }
        })+
    };
}

/// What a row does with a request: looks its namespace up, judges its sizes, and hands it to the row's function.
macro_rules! handle {
    ($wait:ident ($module:ident $rpc:ident) ($($unused:ident)+)) => {{
        let _ = ($($unused),+);
        const { assert!(!<rpcs::$module::$rpc as Handle>::ROUTE.is_served(), "a row that is served names a function") };
        unimplemented::<rpcs::$module::$rpc>()
    }};
    ($wait:ident ($module:ident $rpc:ident) ($frontend:ident $caller:ident $request:ident)
        $file:ident $function:ident $namespace:ident ($($limit:ident $field:ident)*)) => {{
        const { assert!(<rpcs::$module::$rpc as Handle>::ROUTE.is_served(), "a row that names a function is served") };
        answer!($wait $namespace (rpc::$file::$function) $frontend $caller $request $($limit $field)*)
    }};
}

macro_rules! answer {
    (No none ($function:path) $frontend:ident $caller:ident $request:ident) => {{
        let _ = $caller;
        $function($frontend, $request).await
    }};
    // The token says which namespace it is: the function looks it up.
    (No of_token ($function:path) $frontend:ident $caller:ident $request:ident) => {{
        let _ = $caller;
        $function($frontend, $request).await
    }};
    (No $namespace:ident ($function:path) $frontend:ident $caller:ident $request:ident
        $($limit:ident $field:ident)*) => {{
        let _ = $caller;
        let namespace = layers::namespace::$namespace($frontend, &$request.namespace).await?;
        $(layers::sizes::$limit($frontend, $request.$field.as_ref())?;)*
        $function($frontend, &namespace, $request).await
    }};
    ($wait:ident $namespace:ident ($function:path) $frontend:ident $caller:ident $request:ident) => {{
        let namespace = layers::namespace::$namespace($frontend, &$request.namespace).await?;
        $function($frontend, &namespace, $request, $caller).await
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
        Mutates(CompareAndSet), Admin, No, register_namespace::register in none
    }
    DescribeNamespace {
        Partly("Capabilities say what is here: few of them are true. No archival, no search attribute aliases."),
        Reads, Reader, No, describe_namespace::describe in none
    }
    ListNamespaces {
        Partly("There is no `temporal-system`."),
        Reads, Reader, No, list_namespaces::list in none
    }
    UpdateNamespace {
        Partly("\
            Description, owner, data, state and retention. Bad binaries, archival, aliases and promotion are \
            refused."),
        Mutates(CompareAndSet), Admin, No, update_namespace::update in open
    }
    DeprecateNamespace { NotYet(DEPRECATE), Mutates(CompareAndSet), Admin, No }
    StartWorkflowExecution {
        Partly("\
            Cron, completion callbacks, versioning overrides and time skipping are refused. Custom search attributes \
            are not checked against a registry, priority has no effect on the order of tasks, and the first task is \
            never eager."),
        Mutates(RequestId), Writer, No, start_workflow_execution::start in to_start_in
            limits(payloads input, memo memo, search_attributes search_attributes)
    }
    ExecuteMultiOperation { NotYet(MULTI), Mutates(RequestId), Writer, No }
    GetWorkflowExecutionHistory {
        Partly("The page size counts events, not batches. No archived histories."),
        Reads, Reader, HistoryPoll, get_workflow_execution_history::get_history in open
    }
    GetWorkflowExecutionHistoryReverse {
        Partly("The page size counts events, not batches."),
        Reads, Reader, No, get_workflow_execution_history_reverse::get_history_reverse in open
    }
    PollWorkflowTaskQueue {
        Partly("No queries, updates, poller scaling or poller groups. Versioned workers get PermissionDenied."),
        Mutates(Never), Worker, TaskPoll, poll_workflow_task_queue::poll in open
    }
    RespondWorkflowTaskCompleted {
        Partly("\
            Query results and messages have no effect, no activity is started eagerly, and speculative workflow \
            tasks are not used."),
        Mutates(Token), Worker, No, respond_workflow_task_completed::complete in of_token
    }
    RespondWorkflowTaskFailed {
        Works,
        Mutates(Token), Worker, No, respond_workflow_task_failed::fail in of_token
    }
    PollActivityTaskQueue {
        Partly("No poller scaling. Versioned workers get PermissionDenied."),
        Mutates(Never), Worker, TaskPoll, poll_activity_task_queue::poll in open
    }
    RecordActivityTaskHeartbeat {
        Partly("Activities are never paused or reset."),
        Mutates(Token), Worker, No, record_activity_task_heartbeat::heartbeat in of_token
    }
    RecordActivityTaskHeartbeatById {
        Partly("As by token. Not of standalone activities."),
        Mutates(Never), Worker, No, record_activity_task_heartbeat::heartbeat_by_id in open
    }
    RespondActivityTaskCompleted {
        Works,
        Mutates(Token), Worker, No, respond_activity_task_completed::complete in of_token
    }
    RespondActivityTaskCompletedById {
        Partly("Not of standalone activities."),
        Mutates(CompareAndSet), Worker, No, respond_activity_task_completed::complete_by_id in open
    }
    RespondActivityTaskFailed {
        Works,
        Mutates(Token), Worker, No, respond_activity_task_failed::fail in of_token
    }
    RespondActivityTaskFailedById {
        Partly("Not of standalone activities."),
        Mutates(CompareAndSet), Worker, No, respond_activity_task_failed::fail_by_id in open
    }
    RespondActivityTaskCanceled {
        Works,
        Mutates(Token), Worker, No, respond_activity_task_canceled::cancel in of_token
    }
    RespondActivityTaskCanceledById {
        Partly("Not of standalone activities."),
        Mutates(CompareAndSet), Worker, No, respond_activity_task_canceled::cancel_by_id in open
    }
    RequestCancelWorkflowExecution {
        Works,
        Mutates(RequestId), Writer, No, request_cancel_workflow_execution::request_cancel in open
    }
    SignalWorkflowExecution {
        Works,
        Mutates(RequestId), Writer, No, signal_workflow_execution::signal in open
            limits(payloads input)
    }
    SignalWithStartWorkflowExecution {
        Partly("As StartWorkflowExecution."),
        Mutates(RequestId), Writer, No, signal_with_start_workflow_execution::signal_with_start in to_start_in
            limits(payloads input, payloads signal_input, memo memo, search_attributes search_attributes)
    }
    ResetWorkflowExecution { NotYet(RESET), Mutates(RequestId), Writer, No }
    TerminateWorkflowExecution {
        Works,
        Mutates(CompareAndSet), Writer, No, terminate_workflow_execution::terminate in open
            limits(payloads details)
    }
    DeleteWorkflowExecution { NotYet(DELETE), Mutates(CompareAndSet), Writer, No }
    ListOpenWorkflowExecutions { NotYet(VISIBILITY), Reads, Reader, No }
    ListClosedWorkflowExecutions { NotYet(VISIBILITY), Reads, Reader, No }
    ListWorkflowExecutions { NotYet(VISIBILITY), Reads, Reader, No }
    ListArchivedWorkflowExecutions { NotYet(ARCHIVAL), Reads, Reader, No }
    ScanWorkflowExecutions { NotYet(VISIBILITY), Reads, Reader, No }
    CountWorkflowExecutions { NotYet(VISIBILITY), Reads, Reader, No }
    GetSearchAttributes { NotYet(SEARCH_ATTRIBUTES), Reads, Reader, No }
    RespondQueryTaskCompleted { NotYet(QUERIES), Mutates(Token), Worker, No }
    ResetStickyTaskQueue {
        Works,
        Mutates(CompareAndSet), Worker, No, reset_sticky_task_queue::reset in open
    }
    ShutdownWorker {
        Partly("Its heartbeat is not kept."),
        Mutates(CompareAndSet), Worker, No, shutdown_worker::shutdown in open
    }
    QueryWorkflow { NotYet(QUERIES), Reads, Reader, HistoryPoll }
    DescribeWorkflowExecution {
        Partly("\
            Nothing of callbacks, Nexus operations, versioning, resets and pauses."),
        Reads, Reader, No, describe_workflow_execution::describe in open
    }
    DescribeTaskQueue {
        Partly("Pollers and backlog, also in the enhanced mode. No priorities, reachability or versions."),
        Reads, Reader, No, describe_task_queue::describe in open
    }
    GetClusterInfo {
        Works,
        Reads, Reader, No, get_cluster_info::cluster_info in none
    }
    GetSystemInfo {
        Works,
        Reads, Reader, No, get_system_info::system_info in none
    }
    ListTaskQueuePartitions { NotYet(PARTITIONS), Reads, Reader, No }
    CreateSchedule { NotYet(SCHEDULES), Mutates(RequestId), Writer, No }
    DescribeSchedule { NotYet(SCHEDULES), Reads, Reader, No }
    UpdateSchedule { NotYet(SCHEDULES), Mutates(RequestId), Writer, No }
    PatchSchedule { NotYet(SCHEDULES), Mutates(RequestId), Writer, No }
    ListScheduleMatchingTimes { NotYet(SCHEDULES), Reads, Reader, No }
    DeleteSchedule { NotYet(SCHEDULES), Mutates(RequestId), Writer, No }
    ListSchedules { NotYet(SCHEDULES), Reads, Reader, No }
    CountSchedules { NotYet(SCHEDULES), Reads, Reader, No }
    UpdateWorkerBuildIdCompatibility { NotYet(BUILD_IDS), Mutates(CompareAndSet), Writer, No }
    GetWorkerBuildIdCompatibility { NotYet(BUILD_IDS), Reads, Reader, No }
    UpdateWorkerVersioningRules { NotYet(BUILD_IDS), Mutates(CompareAndSet), Writer, No }
    GetWorkerVersioningRules { NotYet(BUILD_IDS), Reads, Reader, No }
    GetWorkerTaskReachability { NotYet(BUILD_IDS), Reads, Reader, No }
    DescribeDeployment { NotYet(FIRST_DEPLOYMENTS), Reads, Reader, No }
    DescribeWorkerDeploymentVersion { NotYet(DEPLOYMENTS), Reads, Reader, No }
    ListDeployments { NotYet(FIRST_DEPLOYMENTS), Reads, Reader, No }
    GetDeploymentReachability { NotYet(FIRST_DEPLOYMENTS), Reads, Reader, No }
    GetCurrentDeployment { NotYet(FIRST_DEPLOYMENTS), Reads, Reader, No }
    SetCurrentDeployment { NotYet(FIRST_DEPLOYMENTS), Mutates(CompareAndSet), Writer, No }
    SetWorkerDeploymentCurrentVersion { NotYet(DEPLOYMENTS), Mutates(CompareAndSet), Writer, No }
    DescribeWorkerDeployment { NotYet(DEPLOYMENTS), Reads, Reader, No }
    DeleteWorkerDeployment { NotYet(DEPLOYMENTS), Mutates(CompareAndSet), Writer, No }
    DeleteWorkerDeploymentVersion { NotYet(DEPLOYMENTS), Mutates(CompareAndSet), Writer, No }
    SetWorkerDeploymentRampingVersion { NotYet(DEPLOYMENTS), Mutates(CompareAndSet), Writer, No }
    ListWorkerDeployments { NotYet(DEPLOYMENTS), Reads, Reader, No }
    CreateWorkerDeployment { NotYet(DEPLOYMENTS), Mutates(CompareAndSet), Writer, No }
    CreateWorkerDeploymentVersion { NotYet(DEPLOYMENTS), Mutates(CompareAndSet), Writer, No }
    UpdateWorkerDeploymentVersionComputeConfig { NotYet(DEPLOYMENTS), Mutates(CompareAndSet), Writer, No }
    ValidateWorkerDeploymentVersionComputeConfig { NotYet(DEPLOYMENTS), Reads, Reader, No }
    UpdateWorkerDeploymentVersionMetadata { NotYet(DEPLOYMENTS), Mutates(CompareAndSet), Writer, No }
    SetWorkerDeploymentManager { NotYet(DEPLOYMENTS), Mutates(CompareAndSet), Writer, No }
    UpdateWorkflowExecution { NotYet(UPDATES), Mutates(RequestId), Writer, No }
    PollWorkflowExecutionUpdate { NotYet(UPDATES), Reads, Reader, HistoryPoll }
    StartBatchOperation { NotYet(BATCHES), Mutates(CompareAndSet), Writer, No }
    StopBatchOperation { NotYet(BATCHES), Mutates(CompareAndSet), Writer, No }
    DescribeBatchOperation { NotYet(BATCHES), Reads, Reader, No }
    ListBatchOperations { NotYet(BATCHES), Reads, Reader, No }
    PollNexusTaskQueue { NotYet(NEXUS), Mutates(Never), Worker, TaskPoll }
    RespondNexusTaskCompleted { NotYet(NEXUS), Mutates(Token), Worker, No }
    RespondNexusTaskFailed { NotYet(NEXUS), Mutates(Token), Worker, No }
    UpdateActivityOptions { NotYet(ACTIVITY_OPTIONS), Mutates(RequestId), Writer, No }
    UpdateWorkflowExecutionOptions { NotYet(WORKFLOW_OPTIONS), Mutates(CompareAndSet), Writer, No }
    PauseActivity { NotYet(ACTIVITY_OPTIONS), Mutates(RequestId), Writer, No }
    UnpauseActivity { NotYet(ACTIVITY_OPTIONS), Mutates(RequestId), Writer, No }
    ResetActivity { NotYet(ACTIVITY_OPTIONS), Mutates(RequestId), Writer, No }
    CreateWorkflowRule { NotYet(RULES), Mutates(RequestId), Writer, No }
    DescribeWorkflowRule { NotYet(RULES), Reads, Reader, No }
    DeleteWorkflowRule { NotYet(RULES), Mutates(RequestId), Writer, No }
    ListWorkflowRules { NotYet(RULES), Reads, Reader, No }
    TriggerWorkflowRule { NotYet(RULES), Mutates(RequestId), Writer, No }
    RecordWorkerHeartbeat {
        Partly("Accepted, since workers send it unasked, and not kept."),
        Mutates(Never), Worker, No, record_worker_heartbeat::record in open
    }
    ListWorkers { NotYet(WORKERS), Reads, Reader, No }
    CountWorkers { NotYet(WORKERS), Reads, Reader, No }
    UpdateTaskQueueConfig { NotYet(QUEUE_CONFIG), Mutates(CompareAndSet), Writer, No }
    FetchWorkerConfig { NotYet(WORKER_CONFIG), Reads, Reader, No }
    UpdateWorkerConfig { NotYet(WORKER_CONFIG), Mutates(CompareAndSet), Writer, No }
    DescribeWorker { NotYet(WORKERS), Reads, Reader, No }
    PauseWorkflowExecution { NotYet(PAUSE), Mutates(RequestId), Writer, No }
    UnpauseWorkflowExecution { NotYet(PAUSE), Mutates(RequestId), Writer, No }
    StartActivityExecution { NotYet(ACTIVITIES), Mutates(RequestId), Writer, No }
    StartNexusOperationExecution { NotYet(OPERATIONS), Mutates(RequestId), Writer, No }
    DescribeActivityExecution { NotYet(ACTIVITIES), Reads, Reader, No }
    DescribeNexusOperationExecution { NotYet(OPERATIONS), Reads, Reader, No }
    PollActivityExecution { NotYet(ACTIVITIES), Reads, Reader, HistoryPoll }
    PollNexusOperationExecution { NotYet(OPERATIONS), Reads, Reader, HistoryPoll }
    ListActivityExecutions { NotYet(ACTIVITIES), Reads, Reader, No }
    ListNexusOperationExecutions { NotYet(OPERATIONS), Reads, Reader, No }
    CountActivityExecutions { NotYet(ACTIVITIES), Reads, Reader, No }
    CountNexusOperationExecutions { NotYet(OPERATIONS), Reads, Reader, No }
    RequestCancelActivityExecution { NotYet(ACTIVITIES), Mutates(RequestId), Writer, No }
    RequestCancelNexusOperationExecution { NotYet(OPERATIONS), Mutates(RequestId), Writer, No }
    TerminateActivityExecution { NotYet(ACTIVITIES), Mutates(RequestId), Writer, No }
    DeleteActivityExecution { NotYet(ACTIVITIES), Mutates(RequestId), Writer, No }
    PauseActivityExecution { NotYet(ACTIVITY_OPTIONS), Mutates(RequestId), Writer, No }
    ResetActivityExecution { NotYet(ACTIVITY_OPTIONS), Mutates(RequestId), Writer, No }
    UnpauseActivityExecution { NotYet(ACTIVITY_OPTIONS), Mutates(RequestId), Writer, No }
    UpdateActivityExecutionOptions { NotYet(ACTIVITY_OPTIONS), Mutates(RequestId), Writer, No }
    TerminateNexusOperationExecution { NotYet(OPERATIONS), Mutates(RequestId), Writer, No }
    DeleteNexusOperationExecution { NotYet(OPERATIONS), Mutates(RequestId), Writer, No }
    PollWorkflowExecutionTimeSkipping { NotYet(TIME_SKIPPING), Reads, Reader, HistoryPoll }
}

routes! { operator_service OPERATOR_SERVICE;
    AddSearchAttributes { NotYet(SEARCH_ATTRIBUTES), Mutates(CompareAndSet), Admin, No }
    RemoveSearchAttributes { NotYet(SEARCH_ATTRIBUTES), Mutates(CompareAndSet), Admin, No }
    ListSearchAttributes { NotYet(SEARCH_ATTRIBUTES), Reads, Reader, No }
    DeleteNamespace { NotYet(DELETE_NAMESPACE), Mutates(CompareAndSet), Admin, No }
    AddOrUpdateRemoteCluster { NotYet(CLUSTERS), Mutates(CompareAndSet), Admin, No }
    RemoveRemoteCluster { NotYet(CLUSTERS), Mutates(CompareAndSet), Admin, No }
    ListClusters { NotYet(CLUSTERS), Reads, Reader, No }
    GetNexusEndpoint { NotYet(NEXUS), Reads, Reader, No }
    CreateNexusEndpoint { NotYet(NEXUS), Mutates(CompareAndSet), Admin, No }
    UpdateNexusEndpoint { NotYet(NEXUS), Mutates(CompareAndSet), Admin, No }
    DeleteNexusEndpoint { NotYet(NEXUS), Mutates(CompareAndSet), Admin, No }
    ListNexusEndpoints { NotYet(NEXUS), Reads, Reader, No }
}
