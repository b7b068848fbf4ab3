//! `program`: workflows that no person wrote, on the official SDK and on a worker that speaks the protocol itself. What
//! they saw, what their activities did, and what is in their histories must fit together.
mod check;
mod steps;
mod workflow;

use futures::future::{BoxFuture, FutureExt};
use std::sync::Arc;
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
        // Small and violent, most of them; some quiet, in which everything must be on time.
        draw.number("storm_ms", 4_000..=15_000);
        if draw.flag("quiet", 1, 5) {
            draw.fixed("faults", 0);
        }
    }

    fn prepare(&self, draw: &mut Draw<'_>, decisions: &Decisions) -> Arc<dyn Workload> {
        let choices: &[u64] = if draw.world().has_sdk() { &[NONE, SOME, ALL] } else { &[ALL] };
        let on_protocol = draw.one_of("protocol_workers", choices);
        let program = match &self.written {
            Some(program) => {
                // Of one that was drawn once, the artifact says how many they were to be.
                draw.fixed("workflows", program.workflows.len() as u64);
                program.clone()
            }
            None => drawn(draw, decisions),
        };
        Arc::new(Running {
            program,
            on_protocol,
            bad_habits: draw.flag("bad_habits", 1, 3),
            ledger: Ledger::default(),
            decisions: decisions.clone(),
        })
    }
}

/// The program that a run draws.
pub fn drawn(draw: &mut Draw<'_>, decisions: &Decisions) -> Program {
    draw.number("workflows", 3..=16);
    let most = u64::try_from(generate::WORKFLOWS_MAX).unwrap_or(u64::MAX);
    let workflows = usize::try_from(draw.within("workflows", 1..=most)).unwrap_or(generate::WORKFLOWS_MAX);
    generate::drawn(decisions.between("program", 0, 0..=u64::MAX - 1), workflows, draw.world().has_sdk())
}

struct Running {
    program: Program,
    /// Workers that speak the protocol themselves: none, every second, all.
    on_protocol: u64,
    bad_habits: bool,
    ledger: Ledger,
    decisions: Decisions,
}

/// Workers that speak the protocol themselves.
const NONE: u64 = 0;
const SOME: u64 = 1;
const ALL: u64 = 2;

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
            NONE => false,
            SOME => number % 2 == 1,
            _ => true,
        };
        is_one.then(|| ProtocolWorker { ledger: self.ledger.clone(), habits: self.habits(number) })
    }

    fn program(&self) -> Option<String> {
        Some(tempest_program::text::write(&self.program))
    }

    fn needs_sdk(&self) -> bool {
        self.on_protocol < ALL
    }

    fn clients(&self, client: Client) -> BoxFuture<'static, anyhow::Result<()>> {
        let (program, ledger) = (self.program.clone(), self.ledger.clone());
        async move {
            let outside = Outside {
                calls: client.calls(),
                namespace: NAMESPACE.to_owned(),
                task_queue: TASK_QUEUE.to_owned(),
                ledger,
                name: "program".to_owned(),
            };
            Ok(play(outside, &program).await?)
        }
        .boxed()
    }

    fn check(&self, observations: &Observations) -> Vec<Violation> {
        check::judge(&self.ledger, observations)
    }
}
