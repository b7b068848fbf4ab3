//! A scenario from closures, for tests.
use super::{Scenario, Workload};
use crate::check::Violation;
use crate::draw::{Decisions, Draw};
use crate::fault::{FaultPlan, PlannedFault};
use crate::observe::Observations;
use crate::worker::{Client, Registrations};
use futures::future::{BoxFuture, FutureExt};
use std::future::Future;
use std::sync::Arc;

type Register = Arc<dyn Fn() -> Registrations + Send + Sync>;
type Clients = Arc<dyn Fn(Client) -> BoxFuture<'static, anyhow::Result<()>> + Send + Sync>;
type Check = Arc<dyn Fn(&Observations) -> Result<(), String> + Send + Sync>;

/// A scenario in a few lines: what workers run, what clients do, what must hold.
#[derive(Clone)]
pub struct Storm {
    name: String,
    register: Register,
    clients: Clients,
    checks: Vec<Check>,
    options: Vec<(String, u64)>,
    /// In place of the faults that would be drawn.
    faults: Option<Vec<PlannedFault>>,
    may_stay_open: Vec<String>,
}

impl Default for Storm {
    fn default() -> Storm {
        Storm::new()
    }
}

impl Storm {
    pub fn new() -> Storm {
        Storm {
            name: "storm".to_owned(),
            register: Arc::new(Registrations::new),
            clients: Arc::new(|_| futures::future::ready(Ok(())).boxed()),
            checks: Vec::new(),
            options: Vec::new(),
            faults: None,
            may_stay_open: Vec::new(),
        }
    }

    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Storm {
        self.name = name.into();
        self
    }

    /// Workflows and activities; called for each worker that starts.
    #[must_use]
    pub fn register(mut self, register: impl Fn() -> Registrations + Send + Sync + 'static) -> Storm {
        self.register = Arc::new(register);
        self
    }

    /// What clients do. An error fails the run.
    #[must_use]
    pub fn clients<F>(mut self, clients: impl Fn(Client) -> F + Send + Sync + 'static) -> Storm
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.clients = Arc::new(move |client| clients(client).boxed());
        self
    }

    /// What must hold in the end, beside the invariants: `Err` says what does not.
    #[must_use]
    pub fn check(mut self, check: impl Fn(&Observations) -> Result<(), String> + Send + Sync + 'static) -> Storm {
        self.checks.push(Arc::new(check));
        self
    }

    /// Fixes an option of the world, by its name in the printed list: `set("worker_cache", 0)`.
    #[must_use]
    pub fn set(mut self, option: &str, value: u64) -> Storm {
        self.options.push((option.to_owned(), value));
        self
    }

    /// A fault in place of those that would be drawn, as artifacts have it: `{"kind":"crash","host":"worker-1","down_ms":0}`
    /// at this time, in milliseconds since the run began. Called again it adds one more.
    ///
    /// # Panics
    /// There is no such fault.
    #[must_use]
    pub fn fault(mut self, at_ms: u64, fault: &str) -> Storm {
        let fault = serde_json::from_str(fault).unwrap_or_else(|error| panic!("{fault} is no fault: {error}"));
        self.faults.get_or_insert_default().push(PlannedFault { at_ms, fault });
        self
    }

    /// A workflow that stays open on purpose.
    #[must_use]
    pub fn may_stay_open(mut self, workflow_id: impl Into<String>) -> Storm {
        self.may_stay_open.push(workflow_id.into());
        self
    }
}

impl Scenario for Storm {
    fn name(&self) -> &str {
        &self.name
    }

    fn about(&self) -> &str {
        "made of closures"
    }

    fn adjust(&self, draw: &mut Draw<'_>) {
        for (name, value) in &self.options {
            draw.fixed(name, *value);
        }
        draw.fixed("aimed", 1);
    }

    fn plan(&self) -> Option<FaultPlan> {
        self.faults.clone().map(|faults| FaultPlan::default().with(faults))
    }

    fn prepare(&self, _draw: &mut Draw<'_>, _decisions: &Decisions) -> Arc<dyn Workload> {
        Arc::new(self.clone())
    }
}

impl Workload for Storm {
    fn register(&self) -> Registrations {
        (self.register)()
    }

    fn clients(&self, client: Client) -> BoxFuture<'static, anyhow::Result<()>> {
        (self.clients)(client)
    }

    fn check(&self, observations: &Observations) -> Vec<Violation> {
        let failed = self.checks.iter().filter_map(|check| check(observations).err());
        let violation = |what: String| Violation::of_model(what.clone()).about_each(observations.named_in(&what));
        failed.map(violation).collect()
    }

    fn may_stay_open(&self) -> Vec<String> {
        self.may_stay_open.clone()
    }
}
