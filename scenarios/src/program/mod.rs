//! `program`: workflows that no person wrote, on the official SDK and on a worker that speaks the protocol itself. What
//! they saw, what their activities did, and what is in their histories must fit together.
mod check;
mod steps;
mod workflow;

use futures::future::{BoxFuture, FutureExt, join_all};
use std::sync::Arc;
use std::time::Duration;
use steps::Steps;
use tempest::{
    Client, Decisions, Draw, NAMESPACE, Observations, ProtocolWorker, Registrations, Scenario, TASK_QUEUE, Violation,
    Workload,
};
use tempest_program::clients::{Outside, play};
use tempest_program::worker::Habits;
use tempest_program::{Ledger, Program, generate};
use workflow::Interpreter;

/// A program that is drawn, or one that was written down.
#[derive(Default)]
pub struct Programs {
    written: Option<Program>,
}

impl Programs {
    /// Runs this program and draws none.
    pub fn of(program: Program) -> Programs {
        Programs { written: Some(program) }
    }
}

impl Scenario for Programs {
    fn name(&self) -> &str {
        "program"
    }

    fn about(&self) -> &str {
        "drawn trees of activities, timers, children, signals and races; what they saw is what their histories say"
    }

    fn adjust(&self, draw: &mut Draw<'_>) {
        draw.one_of("nodes", &[1, 1, 3, 3, 4]);
        // Small and violent, most of them.
        draw.number("storm_ms", 4_000..=15_000);
    }

    fn prepare(&self, draw: &mut Draw<'_>, decisions: &Decisions) -> Arc<dyn Workload> {
        let count = draw.number("programs", 2..=6);
        let drawn = |number| generate::drawn(decisions.between("program.seed", number, 0..=u64::MAX - 1));
        let programs = match &self.written {
            Some(program) => vec![program.clone()],
            None => (0..count).map(drawn).collect(),
        };
        Arc::new(Running {
            programs,
            spread_ms: draw.number("spread_ms", 0..=8_000),
            on_protocol: draw.one_of("protocol_workers", &[0, 1, 2]),
            bad_habits: draw.flag("bad_habits", 1, 3),
            ledger: Ledger::default(),
            decisions: decisions.clone(),
        })
    }
}

struct Running {
    programs: Vec<Program>,
    /// Programs begin over this time.
    spread_ms: u64,
    /// Workers that speak the protocol themselves: none, every second, all.
    on_protocol: u64,
    bad_habits: bool,
    ledger: Ledger,
    decisions: Decisions,
}

/// How often a worker gives in to a bad habit, of a hundred times.
const GIVES_IN_PERCENT: u64 = 5;

impl Running {
    fn habits(&self, number: usize) -> Habits {
        if !self.bad_habits {
            return Habits::default();
        }
        let decisions = self.decisions.clone();
        Habits::bad(Arc::new(move |habit, times| {
            decisions.between(&format!("worker-{number}.{habit}"), times, 1..=100) <= GIVES_IN_PERCENT
        }))
    }
}

impl Workload for Running {
    fn register(&self) -> Registrations {
        Registrations::new().workflow::<Interpreter>().activities(Steps { ledger: self.ledger.clone() })
    }

    fn protocol_worker(&self, number: usize) -> Option<ProtocolWorker> {
        let is_one = match self.on_protocol {
            0 => false,
            1 => number % 2 == 1,
            _ => true,
        };
        is_one.then(|| ProtocolWorker { ledger: self.ledger.clone(), habits: self.habits(number) })
    }

    fn clients(&self, client: Client) -> BoxFuture<'static, anyhow::Result<()>> {
        let (programs, spread_ms) = (self.programs.clone(), self.spread_ms);
        let playing = move |(number, program): (usize, Program)| {
            let client = client.clone();
            async move {
                let ordinal = u64::try_from(number).unwrap_or(u64::MAX);
                let after = client.decisions().between("program.begins", ordinal, 0..=spread_ms);
                tokio::time::sleep(Duration::from_millis(after)).await;
                let outside = Outside {
                    calls: client.calls(),
                    namespace: NAMESPACE.to_owned(),
                    task_queue: TASK_QUEUE.to_owned(),
                    name: format!("program-{number}"),
                };
                play(outside, &program).await
            }
        };
        async move {
            let played = join_all(programs.into_iter().enumerate().map(playing)).await;
            played.into_iter().collect::<Result<Vec<()>, _>>()?;
            Ok(())
        }
        .boxed()
    }

    fn check(&self, observations: &Observations) -> Vec<Violation> {
        check::judge(&self.ledger, observations)
    }
}
