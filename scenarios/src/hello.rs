//! `hello`: the smallest scenario. Some workflows, two activities and a timer each.
use futures::future::{BoxFuture, FutureExt, try_join_all};
use std::sync::Arc;
use std::time::Duration;
use tempest::{Client, Decisions, Draw, Observations, Registrations, Scenario, Violation, Workload};
use temporalio_macros::{activities, workflow, workflow_methods};
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use temporalio_sdk::{ActivityOptions, WorkflowContext, WorkflowResult};

pub struct Hello;

impl Scenario for Hello {
    fn name(&self) -> &str {
        "hello"
    }

    fn about(&self) -> &str {
        "the smallest: workflows that greet twice, with a timer in between"
    }

    fn prepare(&self, draw: &mut Draw<'_>, _decisions: &Decisions) -> Arc<dyn Workload> {
        Arc::new(Greetings {
            workflows: draw.number("workflows", 10..=10),
            timer_ms: draw.one_of("timer_ms", &[10, 1_000, 10_000]),
            spread_ms: draw.one_of("spread_ms", &[0, 5_000, 20_000]),
        })
    }
}

#[derive(Clone)]
struct Greetings {
    workflows: u64,
    timer_ms: u64,
    /// Starts are spread over this time.
    spread_ms: u64,
}

impl Workload for Greetings {
    fn register(&self) -> Registrations {
        Registrations::new().workflow::<GreetTwice>().activities(Greeter)
    }

    fn clients(&self, client: Client) -> BoxFuture<'static, anyhow::Result<()>> {
        let sizes = self.clone();
        async move {
            let greet = |number: u64| {
                let (client, sizes) = (client.clone(), sizes.clone());
                async move {
                    tokio::time::sleep(Duration::from_millis(number * sizes.spread_ms / sizes.workflows.max(1))).await;
                    let name = format!("guest {number}");
                    let handle =
                        client.start(GreetTwice::run, (name, sizes.timer_ms), format!("hello-{number}")).await?;
                    let greeting = client.result(&handle).await?;
                    anyhow::ensure!(greeting == format!("hello hello guest {number}"), "greeted with {greeting:?}");
                    anyhow::Ok(())
                }
            };
            try_join_all((0..sizes.workflows).map(greet)).await?;
            Ok(())
        }
        .boxed()
    }

    fn check(&self, observations: &Observations) -> Vec<Violation> {
        let found = observations.runs.len() as u64;
        if found == self.workflows {
            return Vec::new();
        }
        vec![Violation::of_model(format!("{} greetings were asked for, {found} runs exist", self.workflows))]
    }
}

#[workflow]
#[derive(Default)]
pub struct GreetTwice;

#[workflow_methods]
impl GreetTwice {
    #[run]
    pub async fn run(ctx: &mut WorkflowContext<Self>, (name, timer_ms): (String, u64)) -> WorkflowResult<String> {
        let options = || ActivityOptions::start_to_close_timeout(Duration::from_secs(10));
        let once = ctx.execute_activity(Greeter::greet, name, options()).await?;
        ctx.timer(Duration::from_millis(timer_ms)).await;
        Ok(ctx.execute_activity(Greeter::greet, once, options()).await?)
    }
}

pub struct Greeter;

#[activities]
impl Greeter {
    #[activity]
    pub async fn greet(_ctx: ActivityContext, name: String) -> Result<String, ActivityError> {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok(format!("hello {name}"))
    }
}
