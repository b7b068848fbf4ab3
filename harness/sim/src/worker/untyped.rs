//! What a [`Client`] does, without the types of workflows.
//!
//! An async function is compiled by the crate that polls it, a generic one for each of its types. Behind these boxes the
//! SDK's client is compiled once and here, and not for each workflow of each crate of scenarios.
use super::client::{Client, pause};
use crate::observe::Outcome;
use futures::future::{BoxFuture, FutureExt};
use std::future::Future;
use temporalio_client::errors::{WorkflowGetResultError, WorkflowInteractionError, WorkflowStartError};
use temporalio_client::{
    UntypedSignal, UntypedWorkflowHandle, WorkflowCancelOptions, WorkflowExecutionInfo, WorkflowFetchHistoryOptions,
    WorkflowGetResultOptions, WorkflowIdConflictPolicy, WorkflowIdReusePolicy, WorkflowSignalOptions,
    WorkflowStartOptions,
};
use temporalio_common::UntypedWorkflow;
use temporalio_common::data_converters::RawValue;
use temporalio_common::protos::temporal::api::history::v1::HistoryEvent;

impl Client {
    pub(super) fn untyped_start(
        &self,
        workflow: &str,
        input: RawValue,
        mut options: WorkflowStartOptions,
    ) -> BoxFuture<'_, anyhow::Result<()>> {
        let what = format!("{} to be started", options.workflow_id);
        let workflow = workflow.to_owned();
        let starting = async move {
            loop {
                let definition = UntypedWorkflow::new(workflow.clone());
                match self.sdk().start_workflow(definition, input.clone(), options.clone()).await {
                    // If it is there already, an earlier try, whose answer was lost, did it.
                    Ok(_) | Err(WorkflowStartError::AlreadyStarted { .. }) => return Ok(()),
                    Err(WorkflowStartError::Rpc(status)) if is_unknown(&status) => {
                        // Terminating what exists and refusing duplicates exclude each other.
                        if options.id_conflict_policy != WorkflowIdConflictPolicy::TerminateExisting {
                            options.id_reuse_policy = WorkflowIdReusePolicy::RejectDuplicate;
                        }
                        pause().await;
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        };
        self.waiting.on(what, starting).boxed()
    }

    pub(super) fn untyped_signal(
        &self,
        target: &WorkflowExecutionInfo,
        signal: &str,
        input: RawValue,
    ) -> BoxFuture<'_, anyhow::Result<bool>> {
        let what = format!("a signal to {} to be acknowledged", target.workflow_id);
        let (handle, signal) = (self.untyped(target), signal.to_owned());
        let sending = async move {
            let request_id = tempest_rt::entropy::uuid();
            until_known(|| {
                let mut options = WorkflowSignalOptions::default();
                options.request_id = Some(request_id.clone());
                handle.signal(UntypedSignal::<UntypedWorkflow>::new(signal.clone()), input.clone(), options)
            })
            .await
        };
        self.waiting.on(what, sending).boxed()
    }

    pub(super) fn untyped_cancel(
        &self,
        target: &WorkflowExecutionInfo,
        reason: &str,
    ) -> BoxFuture<'_, anyhow::Result<bool>> {
        let what = format!("a cancel request to {} to be acknowledged", target.workflow_id);
        let (handle, reason) = (self.untyped(target), reason.to_owned());
        let sending = async move {
            let request_id = tempest_rt::entropy::uuid();
            until_known(|| {
                let mut options = WorkflowCancelOptions::default();
                options.reason.clone_from(&reason);
                options.request_id = Some(request_id.clone());
                handle.cancel(options)
            })
            .await
        };
        self.waiting.on(what, sending).boxed()
    }

    pub(super) fn untyped_result(
        &self,
        target: &WorkflowExecutionInfo,
    ) -> BoxFuture<'_, Result<RawValue, WorkflowGetResultError>> {
        let what = format!("the result of {}", target.workflow_id);
        let handle = self.untyped(target);
        let waiting = async move {
            loop {
                match handle.get_result(WorkflowGetResultOptions::default()).await {
                    Err(WorkflowGetResultError::Rpc(status)) if is_unknown(&status) => pause().await,
                    result => return result,
                }
            }
        };
        self.waiting.on(what, waiting).boxed()
    }

    pub(super) fn untyped_history(
        &self,
        target: &WorkflowExecutionInfo,
    ) -> BoxFuture<'_, Result<Vec<HistoryEvent>, WorkflowInteractionError>> {
        let history = self.untyped(target).fetch_history(WorkflowFetchHistoryOptions::default());
        history.into_events().boxed()
    }

    fn untyped(&self, target: &WorkflowExecutionInfo) -> UntypedWorkflowHandle<temporalio_client::Client> {
        target.clone().bind_untyped(self.sdk().clone())
    }
}

async fn until_known<F>(mut call: impl FnMut() -> F) -> anyhow::Result<bool>
where
    F: Future<Output = Result<(), WorkflowInteractionError>>,
{
    loop {
        match call().await {
            Ok(()) => return Ok(true),
            Err(WorkflowInteractionError::NotFound(_)) => return Ok(false),
            Err(WorkflowInteractionError::Rpc(status)) if is_unknown(&status) => pause().await,
            Err(error) => return Err(error.into()),
        }
    }
}

pub(super) fn is_unknown(status: &tonic::Status) -> bool {
    matches!(Outcome::of_status(status), Outcome::Unknown { .. })
}
