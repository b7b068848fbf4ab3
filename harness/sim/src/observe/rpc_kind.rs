//! Which RPC a call is of.
//!
//! Checkers match on it without a wildcard: an RPC that the server begins to serve does not compile here until each of them
//! says what it judges of it, or why it judges nothing. One that is about no workflow may be put into [`of_no_workflow`]
//! instead, which says it to all that judge workflows.
use std::fmt;

macro_rules! rpcs {
    ($($rpc:ident),* $(,)?) => {
        /// An RPC of the workflow service.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum RpcKind {
            $($rpc,)*
            /// None that this server serves: by its name. Nothing is judged of it, because nothing was done; an answer that
            /// says that something was is a violation of `clean`.
            NotServed(String),
        }

        impl RpcKind {
            /// All that the server serves, in the order of their names.
            pub const SERVED: &[RpcKind] = &[$(RpcKind::$rpc),*];

            /// Its name, without that of its service.
            pub fn name(&self) -> &str {
                match self {
                    $(RpcKind::$rpc => stringify!($rpc),)*
                    RpcKind::NotServed(name) => name,
                }
            }
        }

        impl From<&str> for RpcKind {
            fn from(name: &str) -> RpcKind {
                match name {
                    $(stringify!($rpc) => RpcKind::$rpc,)*
                    name => RpcKind::NotServed(name.to_owned()),
                }
            }
        }
    };
}

rpcs! {
    DescribeNamespace,
    DescribeTaskQueue,
    DescribeWorkflowExecution,
    GetClusterInfo,
    GetSystemInfo,
    GetWorkflowExecutionHistory,
    GetWorkflowExecutionHistoryReverse,
    ListNamespaces,
    PollActivityTaskQueue,
    PollWorkflowTaskQueue,
    RecordActivityTaskHeartbeat,
    RecordActivityTaskHeartbeatById,
    RecordWorkerHeartbeat,
    RegisterNamespace,
    RequestCancelWorkflowExecution,
    ResetStickyTaskQueue,
    RespondActivityTaskCanceled,
    RespondActivityTaskCanceledById,
    RespondActivityTaskCompleted,
    RespondActivityTaskCompletedById,
    RespondActivityTaskFailed,
    RespondActivityTaskFailedById,
    RespondWorkflowTaskCompleted,
    RespondWorkflowTaskFailed,
    ShutdownWorker,
    SignalWithStartWorkflowExecution,
    SignalWorkflowExecution,
    StartWorkflowExecution,
    TerminateWorkflowExecution,
    UpdateNamespace,
}

/// The pattern of RPCs that neither name a workflow nor are answered with one.
macro_rules! of_no_workflow {
    () => {
        $crate::observe::RpcKind::DescribeNamespace
            | $crate::observe::RpcKind::DescribeTaskQueue
            | $crate::observe::RpcKind::GetClusterInfo
            | $crate::observe::RpcKind::GetSystemInfo
            | $crate::observe::RpcKind::ListNamespaces
            | $crate::observe::RpcKind::RecordWorkerHeartbeat
            | $crate::observe::RpcKind::RegisterNamespace
            | $crate::observe::RpcKind::ShutdownWorker
            | $crate::observe::RpcKind::UpdateNamespace
            | $crate::observe::RpcKind::NotServed(_)
    };
}
pub(crate) use of_no_workflow;

impl fmt::Display for RpcKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::RpcKind;
    use std::collections::BTreeSet;

    #[test]
    fn every_rpc_that_the_server_serves_is_known() {
        let served: BTreeSet<String> = tempest_server::served_rpcs().map(str::to_owned).collect();
        let known: BTreeSet<String> = RpcKind::SERVED.iter().map(ToString::to_string).collect();
        assert_eq!(known, served);
    }

    #[test]
    fn what_is_not_served_keeps_its_name() {
        assert_eq!(RpcKind::from("ResetWorkflowExecution"), RpcKind::NotServed("ResetWorkflowExecution".to_owned()));
        assert!(RpcKind::SERVED.iter().all(|kind| RpcKind::from(kind.name()) == *kind));
    }
}
