//! A client that asks until it knows: what ended unknown is tried again, so that it happens once.
use super::bridge::{Caller, bridge};
use super::untyped::is_unknown;
use super::{NAMESPACE, PORT, TASK_QUEUE, Wire};
use crate::draw::Decisions;
use crate::observe::Waiting;
use crate::world::inside;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tempest_program::Calls;
use tempest_rt::net::Channel;
use temporalio_client::errors::{WorkflowGetResultError, WorkflowInteractionError};
use temporalio_client::{
    ClientOptions, ConnectionOptions, NamespacedClient, WorkflowHandle, WorkflowIdReusePolicy, WorkflowStartOptions,
};
use temporalio_common::data_converters::{
    GenericPayloadConverter, PayloadConversionError, RawValue, SerializationContext, SerializationContextData,
    TemporalDeserializable, TemporalSerializable, WorkflowSerializationContext,
};
use temporalio_common::protos::temporal::api::history::v1::HistoryEvent;
use temporalio_common::{HasWorkflowDefinition, SignalDefinition};

/// Pause before an unknown outcome is tried again, beyond what the SDK retries itself.
const RETRY_PAUSE: Duration = Duration::from_millis(500);
/// Longer than a server keeps a poll for a history.
const HISTORY_POLL: Duration = Duration::from_secs(60);

/// The SDK's client, made patient. Every call is in the operation log, as the SDK made it.
#[derive(Clone)]
pub struct Client {
    /// None in a world where the SDK does not run.
    sdk: Option<temporalio_client::Client>,
    wire: Wire,
    decisions: Decisions,
    pub(super) waiting: Waiting,
    losses_allowed: bool,
}

/// A handle on a started workflow.
pub type Handle<W> = WorkflowHandle<temporalio_client::Client, W>;

impl Client {
    pub(crate) async fn connect(
        caller: Caller,
        channel: Channel,
        decisions: Decisions,
        waiting: Waiting,
        losses_allowed: bool,
    ) -> Client {
        let sdk = if inside::has_sdk() {
            let connecting = patiently(|| sdk(&caller, &channel));
            Some(waiting.on("the server to answer at all".to_owned(), connecting).await)
        } else {
            None
        };
        Client { sdk, wire: Wire { caller, channel, poll: HISTORY_POLL }, decisions, waiting, losses_allowed }
    }

    /// The SDK's own client, for what has no patient form here.
    ///
    /// # Panics
    /// The SDK does not run in this world: a workload that says so by [`Workload::needs_sdk`](crate::Workload::needs_sdk) is
    /// not run there.
    pub fn sdk(&self) -> &temporalio_client::Client {
        self.sdk.as_ref().expect("a workload that needs the SDK is not run in a world without it")
    }

    /// A connection for what speaks the protocol itself.
    pub fn calls(&self) -> Arc<dyn Calls> {
        Arc::new(self.wire.clone())
    }

    /// The run's decisions: everything a scenario leaves to chance.
    pub fn decisions(&self) -> &Decisions {
        &self.decisions
    }

    /// Whether the database of this world replicates asynchronously: then what was acknowledged may be gone, and a client
    /// that finds it so does what people would do.
    pub fn losses_allowed(&self) -> bool {
        self.losses_allowed
    }

    /// Starts a workflow on the workers of this world, or finds that an earlier try has done so. The workflow id stands for
    /// one workflow: once it has ended, it is not started again, neither by a straggling try nor on purpose.
    ///
    /// # Errors
    /// The server refused it.
    pub async fn start<W>(&self, workflow: W, input: W::Input, id: impl Into<String>) -> anyhow::Result<Handle<W>>
    where
        W: HasWorkflowDefinition,
    {
        let options = WorkflowStartOptions::new(TASK_QUEUE, id);
        // A retry inside the SDK repeats the request id, but the server knows only that of the current run: after a
        // continue-as-new it would start the workflow once more.
        let options = options.id_reuse_policy(WorkflowIdReusePolicy::RejectDuplicate).build();
        self.start_with(workflow, input, options).await
    }

    /// As [`Client::start`], with options.
    ///
    /// When it is unknown whether a try was executed, the next ones refuse a second run of the same workflow id: the
    /// run of the first try may have ended meanwhile, and the SDK gives each try a request id of its own. A scenario
    /// that gives a workflow id to several workflows on purpose starts them by [`Client::sdk`].
    ///
    /// # Errors
    /// The server refused it.
    pub async fn start_with<W>(
        &self,
        workflow: W,
        input: W::Input,
        options: WorkflowStartOptions,
    ) -> anyhow::Result<Handle<W>>
    where
        W: HasWorkflowDefinition,
    {
        let id = options.workflow_id.clone();
        self.untyped_start(workflow.name(), self.encoded(&input)?, options).await?;
        // The handle names no run: it follows the workflow when it continues as new.
        Ok(self.sdk().get_workflow_handle::<W>(id))
    }

    /// Sends a signal; true if it was delivered, false if the workflow had ended.
    ///
    /// # Errors
    /// The server refused it for another reason.
    pub async fn signal<W, S>(&self, handle: &Handle<W>, signal: S, input: S::Input) -> anyhow::Result<bool>
    where
        W: HasWorkflowDefinition,
        S: SignalDefinition<Workflow = W::Run>,
    {
        self.untyped_signal(handle.info(), signal.name(), self.encoded(&input)?).await
    }

    /// Asks a workflow to cancel itself; false if it had ended.
    ///
    /// # Errors
    /// The server refused it for another reason.
    pub async fn cancel<W: HasWorkflowDefinition>(&self, handle: &Handle<W>, reason: &str) -> anyhow::Result<bool> {
        self.untyped_cancel(handle.info(), reason).await
    }

    /// Makes a call, by the SDK or by its raw services, until its outcome is known. `what` is what is waited for, for people.
    ///
    /// # Errors
    /// The server refused it.
    pub async fn until_known<T, F>(&self, what: String, mut call: impl FnMut() -> F) -> Result<T, tonic::Status>
    where
        F: Future<Output = Result<T, tonic::Status>>,
    {
        let calling = async {
            loop {
                match call().await {
                    Err(status) if is_unknown(&status) => pause().await,
                    known => return known,
                }
            }
        };
        self.waiting.on(what, calling).await
    }

    /// Waits for a workflow's end, through continue-as-new and lost connections.
    ///
    /// # Errors
    /// The workflow did not complete: it failed, was cancelled, terminated or timed out.
    pub async fn result<W>(&self, handle: &Handle<W>) -> Result<W::Output, WorkflowGetResultError>
    where
        W: HasWorkflowDefinition,
    {
        let result = self.untyped_result(handle.info()).await?;
        Ok(self.decoded(result)?)
    }

    /// A workflow's history as the server shows it now. Asked for once: a look that fails is not repeated.
    ///
    /// # Errors
    /// The call failed.
    pub async fn history<W: HasWorkflowDefinition>(
        &self,
        handle: &Handle<W>,
    ) -> Result<Vec<HistoryEvent>, WorkflowInteractionError> {
        self.untyped_history(handle.info()).await
    }

    fn encoded<T: TemporalSerializable + 'static>(&self, value: &T) -> Result<RawValue, PayloadConversionError> {
        let converter = self.sdk().data_converter().payload_converter();
        let of_workflow = SerializationContextData::Workflow(WorkflowSerializationContext::new());
        converter.to_payloads(&SerializationContext::new(&of_workflow, converter), value).map(RawValue::new)
    }

    fn decoded<T: TemporalDeserializable + 'static>(&self, value: RawValue) -> Result<T, PayloadConversionError> {
        let converter = self.sdk().data_converter().payload_converter();
        let of_workflow = SerializationContextData::Workflow(WorkflowSerializationContext::new());
        let payload = value.payloads.into_iter().next().unwrap_or_default();
        converter.from_payload(&SerializationContext::new(&of_workflow, converter), payload)
    }
}

/// The SDK's client, with everything pinned that would leak the machine into its bytes.
pub(crate) async fn sdk(caller: &Caller, channel: &Channel) -> anyhow::Result<temporalio_client::Client> {
    let target = format!("http://server:{PORT}").parse::<url::Url>().expect("a URL");
    let options = ConnectionOptions::new(target)
        .identity(caller.name.clone())
        .service_override(bridge(caller.clone(), channel.clone()))
        .dns_load_balancing(None)
        .build();
    let connection = tempest_connect::connect(options).await?;
    Ok(temporalio_client::Client::new(connection, ClientOptions::new(NAMESPACE).build())?)
}

/// Tries until it succeeds: at the other end is a storm.
pub(crate) async fn patiently<T, F: Future<Output = anyhow::Result<T>>>(mut attempt: impl FnMut() -> F) -> T {
    loop {
        match attempt().await {
            Ok(done) => return done,
            Err(_) => pause().await,
        }
    }
}

pub(super) async fn pause() {
    tempest_rt::time::sleep(RETRY_PAUSE).await;
}
