//! A client that asks until it knows: what ended unknown is tried again, so that it happens once.
use super::bridge::{Caller, bridge};
use super::{NAMESPACE, PORT};
use crate::check::Outcome;
use crate::explore::Decisions;
use crate::scenario::TASK_QUEUE;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use temporalio_client::errors::{WorkflowGetResultError, WorkflowInteractionError, WorkflowStartError};
use temporalio_client::{
    ClientOptions, Connection, ConnectionOptions, WorkflowCancelOptions, WorkflowGetResultOptions, WorkflowHandle,
    WorkflowIdConflictPolicy, WorkflowIdReusePolicy, WorkflowSignalOptions, WorkflowStartOptions,
};
use temporalio_common::{HasWorkflowDefinition, SignalDefinition, WorkflowDefinition};
use tonic::transport::Channel;

/// Pause before an unknown outcome is tried again, beyond what the SDK retries itself.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// What clients wait for right now, for whoever asks why a run does not end.
#[derive(Clone, Debug, Default)]
pub struct Waiting(Arc<Mutex<BTreeMap<u64, String>>>);

impl Waiting {
    fn with<T>(&self, body: impl FnOnce(&mut BTreeMap<u64, String>) -> T) -> T {
        body(&mut self.0.lock().expect("nobody panics holding this"))
    }

    /// In the order in which they began to wait.
    pub fn list(&self) -> Vec<String> {
        self.with(|waiting| waiting.values().cloned().collect())
    }

    async fn on<T>(&self, what: String, future: impl Future<Output = T>) -> T {
        let id = self.with(|waiting| {
            let id = waiting.last_key_value().map_or(0, |(last, _)| last + 1);
            waiting.insert(id, what);
            id
        });
        let result = future.await;
        self.with(|waiting| waiting.remove(&id));
        result
    }
}

/// The SDK's client, made patient. Every call is in the operation log, as the SDK made it.
#[derive(Clone)]
pub struct Client {
    sdk: temporalio_client::Client,
    decisions: Decisions,
    waiting: Waiting,
    losses_allowed: bool,
}

/// A definition that is used once more: the SDK takes definitions by value and macros make them without `Clone`.
struct Again<'a, D>(&'a D);

impl<D: WorkflowDefinition> WorkflowDefinition for Again<'_, D> {
    type Input = D::Input;
    type Output = D::Output;

    fn name(&self) -> &str {
        self.0.name()
    }
}

impl<D: HasWorkflowDefinition> HasWorkflowDefinition for Again<'_, D> {
    type Run = D::Run;
}

impl<D: SignalDefinition> SignalDefinition for Again<'_, D> {
    type Workflow = D::Workflow;
    type Input = D::Input;

    fn name(&self) -> &str {
        self.0.name()
    }
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
        let sdk = waiting.on("the server to answer at all".to_owned(), patiently(|| sdk(&caller, &channel))).await;
        Client { sdk, decisions, waiting, losses_allowed }
    }

    /// The SDK's own client, for what has no patient form here.
    pub fn sdk(&self) -> &temporalio_client::Client {
        &self.sdk
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
        W::Input: Send + Clone,
    {
        let options = WorkflowStartOptions::new(TASK_QUEUE, id);
        // A retry inside the SDK repeats the request id, but the server knows only that of the current run: after a
        // continue-as-new it would start the workflow once more.
        let options = options.id_reuse_policy(WorkflowIdReusePolicy::RejectDuplicate).build();
        self.start_with(workflow, input, options).await
    }

    /// As [`Client::start`], with options.
    ///
    /// When nobody knows whether a try was executed, the next ones refuse a second run of the same workflow id: the run of
    /// the first try may have ended meanwhile, and the SDK gives each try a request id of its own. A scenario that gives a
    /// workflow id to several workflows on purpose starts them by [`Client::sdk`].
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
        W::Input: Send + Clone,
    {
        let id = options.workflow_id.clone();
        let starting = async {
            let mut options = options;
            loop {
                match self.sdk.start_workflow(Again(&workflow), input.clone(), options.clone()).await {
                    // If it is there already, an earlier try, whose answer was lost, did it. The handle names no run:
                    // it follows the workflow when it continues as new.
                    Ok(_) | Err(WorkflowStartError::AlreadyStarted { .. }) => {
                        return Ok(self.sdk.get_workflow_handle::<W>(id.clone()));
                    }
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
        self.waiting.on(format!("{id} to be started"), starting).await
    }

    /// Sends a signal; true if it was delivered, false if the workflow had ended.
    ///
    /// # Errors
    /// The server refused it for another reason.
    pub async fn signal<W, S>(&self, handle: &Handle<W>, signal: S, input: S::Input) -> anyhow::Result<bool>
    where
        W: HasWorkflowDefinition,
        S: SignalDefinition<Workflow = W::Run> + Sync,
        S::Input: Send + Clone,
    {
        let what = format!("a signal to {} to be acknowledged", handle.info().workflow_id);
        let request_id = tempest_rt::entropy::uuid();
        let sending = until_known(|| {
            let mut options = WorkflowSignalOptions::default();
            options.request_id = Some(request_id.clone());
            handle.signal(Again(&signal), input.clone(), options)
        });
        self.waiting.on(what, sending).await
    }

    /// Asks a workflow to cancel itself; false if it had ended.
    ///
    /// # Errors
    /// The server refused it for another reason.
    pub async fn cancel<W: HasWorkflowDefinition>(&self, handle: &Handle<W>, reason: &str) -> anyhow::Result<bool> {
        let what = format!("a cancel request to {} to be acknowledged", handle.info().workflow_id);
        let request_id = tempest_rt::entropy::uuid();
        let sending = until_known(|| {
            let mut options = WorkflowCancelOptions::default();
            options.reason = reason.to_owned();
            options.request_id = Some(request_id.clone());
            handle.cancel(options)
        });
        self.waiting.on(what, sending).await
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
        let waiting = async {
            loop {
                match handle.get_result(WorkflowGetResultOptions::default()).await {
                    Err(WorkflowGetResultError::Rpc(status)) if is_unknown(&status) => pause().await,
                    result => return result,
                }
            }
        };
        self.waiting.on(format!("the result of {}", handle.info().workflow_id), waiting).await
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

/// The SDK's client, with everything pinned that would leak the machine into its bytes.
pub(crate) async fn sdk(caller: &Caller, channel: &Channel) -> anyhow::Result<temporalio_client::Client> {
    let target = format!("http://server:{PORT}").parse::<url::Url>().expect("a URL");
    let options = ConnectionOptions::new(target)
        .identity(caller.name.clone())
        .service_override(bridge(caller.clone(), channel.clone()))
        .dns_load_balancing(None)
        .build();
    let connection = Connection::connect(options).await?;
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

async fn pause() {
    tempest_rt::time::sleep(RETRY_PAUSE).await;
}

fn is_unknown(status: &tonic::Status) -> bool {
    matches!(Outcome::of_status(status), Outcome::Unknown { .. })
}
