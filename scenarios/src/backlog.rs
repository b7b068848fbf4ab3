//! `backlog`: no worker runs while workflows are started and signalled, so that everything gathers in the backlog of
//! the task queue, through whatever becomes of the queue's owner. Then the workers come and work it all off.
use futures::future::{BoxFuture, FutureExt, try_join_all};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tempest::{Client, Decisions, Draw, Handle, Observations, Registrations, Scenario, Violation, Workload};
use temporalio_client::errors::WorkflowGetResultError;
use temporalio_macros::{activities, workflow, workflow_methods};
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use temporalio_sdk::workflows::WorkflowImplementation;
use temporalio_sdk::{ActivityOptions, SyncWorkflowContext, WorkflowContext, WorkflowResult};

/// How often a worker looks whether it may begin.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

pub struct Backlog;

impl Scenario for Backlog {
    fn name(&self) -> &str {
        "backlog"
    }

    fn about(&self) -> &str {
        "workflows are started and signalled while no worker is there; then workers come and work the backlog off"
    }

    fn adjust(&self, draw: &mut Draw<'_>) {
        draw.one_of("nodes", &[3, 3, 4, 5]);
    }

    fn prepare(&self, draw: &mut Draw<'_>, _decisions: &Decisions) -> Arc<dyn Workload> {
        Arc::new(Office {
            sizes: Sizes {
                workflows: draw.number("workflows", 60..=140),
                notes_max: draw.number("notes_max", 0..=3),
                spread_ms: draw.one_of("spread_ms", &[0, 2_000, 10_000]),
                idle_ms: draw.one_of("idle_ms", &[0, 5_000, 30_000]),
            },
            opened: Arc::default(),
        })
    }
}

/// What is drawn for a run.
#[derive(Clone, Debug)]
struct Sizes {
    workflows: u64,
    /// Signals to one workflow, at most.
    notes_max: u64,
    /// Starts are spread over this time.
    spread_ms: u64,
    /// From when everything lies there until the workers come.
    idle_ms: u64,
}

struct Office {
    sizes: Sizes,
    /// Whether workers may begin: the world outside, which no crash reaches.
    opened: Arc<AtomicBool>,
}

impl Workload for Office {
    fn register(&self) -> Registrations {
        Registrations::new().workflow::<Letter>().activities(Desk)
    }

    fn before_work(&self) -> BoxFuture<'static, ()> {
        let opened = self.opened.clone();
        async move {
            while !opened.load(Ordering::SeqCst) {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
        .boxed()
    }

    fn clients(&self, client: Client) -> BoxFuture<'static, anyhow::Result<()>> {
        let (sizes, opened) = (self.sizes.clone(), self.opened.clone());
        async move {
            let letters = (0..sizes.workflows).map(|number| send(client.clone(), sizes.clone(), number));
            let letters = try_join_all(letters).await?;
            tokio::time::sleep(Duration::from_millis(sizes.idle_ms)).await;
            opened.store(true, Ordering::SeqCst);
            try_join_all(letters.into_iter().map(|letter| hear(client.clone(), letter))).await?;
            Ok(())
        }
        .boxed()
    }

    fn check(&self, observations: &Observations) -> Vec<Violation> {
        // What a failover has lost was sent, and may be gone.
        let harmed = observations.with_losses();
        let lost = (0..self.sizes.workflows).filter(|number| harmed.contains(&id_of(*number))).count();
        let (expected, found) = (self.sizes.workflows, observations.runs.len() as u64);
        if found <= expected && expected - found <= lost as u64 {
            return Vec::new();
        }
        vec![Violation::of_model(format!("{expected} letters were sent, {found} runs exist"))]
    }
}

/// A workflow that was started and signalled.
struct Sent {
    handle: Handle<<Letter as WorkflowImplementation>::Run>,
    /// What must come of it.
    expected: Vec<u64>,
}

async fn send(client: Client, sizes: Sizes, number: u64) -> anyhow::Result<Sent> {
    tokio::time::sleep(Duration::from_millis(number * sizes.spread_ms / sizes.workflows.max(1))).await;
    let id = id_of(number);
    let notes = client.decisions().between("backlog.notes", number, 0..=sizes.notes_max);
    let handle = client.start(Letter::run, (number, notes), id.clone()).await?;
    for note in 1..=notes {
        let delivered = client.signal(&handle, Letter::add, note).await?;
        anyhow::ensure!(delivered, "{id} has ended although no worker runs");
    }
    Ok(Sent { handle, expected: (1..=notes).chain([stamp_of(number)]).collect() })
}

async fn hear(client: Client, letter: Sent) -> anyhow::Result<()> {
    let came_to = match client.result(&letter.handle).await {
        Err(WorkflowGetResultError::NotFound(_)) if client.losses_allowed() => return Ok(()),
        came_to => came_to?,
    };
    let (id, expected) = (&letter.handle.info().workflow_id, &letter.expected);
    anyhow::ensure!(came_to == *expected, "{id} came to {came_to:?}, expected {expected:?}");
    Ok(())
}

fn id_of(number: u64) -> String {
    format!("letter-{number}")
}

fn stamp_of(number: u64) -> u64 {
    1_000 + number
}

#[workflow]
#[derive(Default)]
pub struct Letter {
    notes: Vec<u64>,
}

#[workflow_methods]
impl Letter {
    /// Its notes as they came in, and then its stamp.
    #[run]
    pub async fn run(ctx: &mut WorkflowContext<Self>, (number, notes): (u64, u64)) -> WorkflowResult<Vec<u64>> {
        ctx.wait_condition(|state| state.notes.len() as u64 >= notes).await?;
        let options = ActivityOptions::start_to_close_timeout(Duration::from_secs(10));
        let stamp = ctx.execute_activity(Desk::stamp, number, options).await?;
        Ok(ctx.state(|state| state.notes.iter().copied().chain([stamp]).collect()))
    }

    #[signal]
    pub fn add(&mut self, _ctx: &mut SyncWorkflowContext<Self>, note: u64) {
        self.notes.push(note);
    }
}

pub struct Desk;

#[activities]
impl Desk {
    #[activity]
    pub async fn stamp(_ctx: ActivityContext, number: u64) -> Result<u64, ActivityError> {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok(stamp_of(number))
    }
}
