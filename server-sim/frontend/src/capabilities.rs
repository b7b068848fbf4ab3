//! What GetSystemInfo advertises: what the table of routes says, and what no RPC of its own shows.
use crate::routes::{Handle, Route};
use tempest_api::proto::workflowservice::v1::get_system_info_response::Capabilities;
use tempest_api::rpcs::workflow_service as rpc;

/// Why a capability is advertised or not.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ground {
    /// It is how the server behaves.
    Always(bool),
    /// It is there with this RPC.
    With(Route),
}

impl Ground {
    pub const fn holds(&self) -> bool {
        match self {
            Self::Always(holds) => *holds,
            Self::With(route) => route.is_served(),
        }
    }
}

macro_rules! capabilities {
    ($($field:ident: $ground:expr, $means:literal;)+) => {
        /// Each with what SDKs and tools conclude from it.
        #[cfg(test)]
        pub(crate) const CAPABILITIES: &[(&str, Ground, &str)] = &[$((stringify!($field), $ground, $means)),+];

        pub(crate) fn advertised() -> Capabilities {
            Capabilities { $($field: const { $ground.holds() }),+ }
        }
    };
}

capabilities! {
    signal_and_query_header: Ground::Always(true), "Signals have headers; so will queries.";
    internal_error_differentiation: Ground::Always(true), "An internal error is not retried as if it passed.";
    activity_failure_include_heartbeat: Ground::Always(true), "A failed activity may report its last heartbeat.";
    supports_schedules: Ground::With(rpc::CreateSchedule::ROUTE), "Schedules.";
    encoded_failure_attributes: Ground::Always(true), "Failures may be encoded by the client.";
    build_id_based_versioning: Ground::With(rpc::UpdateWorkerBuildIdCompatibility::ROUTE), "Versioning by build id.";
    upsert_memo: Ground::Always(true), "Workflows may change their memo.";
    eager_workflow_start: Ground::Always(false), "A start may return its first workflow task.";
    sdk_metadata: Ground::Always(true), "Metadata of SDKs is kept in the history.";
    count_group_by_execution_status: Ground::With(rpc::CountWorkflowExecutions::ROUTE), "Counts by status.";
    nexus: Ground::With(rpc::PollNexusTaskQueue::ROUTE), "Nexus operations.";
    server_scaled_deployments: Ground::With(rpc::UpdateWorkerDeploymentVersionComputeConfig::ROUTE),
        "Deployments that the server scales.";
    server_scaled_provider_cloud_run: Ground::With(rpc::UpdateWorkerDeploymentVersionComputeConfig::ROUTE),
        "The same on Cloud Run.";
}
