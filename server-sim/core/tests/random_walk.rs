//! A run is given whatever may come, in any order, old tokens and repeats included: nothing panics, and what must hold
//! holds after each step (see `World::check`).
#![allow(clippy::unwrap_used)]
mod world;

use std::collections::BTreeSet;
use tempest_core::{
    ActivityRef, ActivityTaskToken, Input, RecordActivityTaskStarted, RecordWorkflowTaskStarted, Reply, TaskKind,
    TransferTask, WorkflowTaskToken,
};
use temporalio_protos::temporal::api::{
    command::v1::{FailWorkflowExecutionCommandAttributes, command::Attributes as Command},
    taskqueue::v1::{StickyExecutionAttributes, TaskQueue},
    workflowservice::v1 as api,
};
use world::*;

/// A small linear congruential generator: good enough to wander.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn once_in(&mut self, sides: u64) -> bool {
        self.roll(sides) == 0
    }
}

struct Walk {
    world: World,
    dice: Dice,
    workflow_tokens: Vec<WorkflowTaskToken>,
    activity_tokens: Vec<ActivityTaskToken>,
    names: u64,
}

impl Walk {
    fn step(&mut self) {
        match self.dice.roll(13) {
            0 => self.start(),
            1 => self.signal(),
            2..=4 => self.offer(),
            5 | 6 => self.complete_workflow_task(),
            7 => self.fail_workflow_task(),
            8 | 9 => self.report_on_activity(),
            10 | 11 => self.fire(),
            _ => self.rarely(),
        }
    }

    fn start(&mut self) {
        let request_id = format!("start-{}", self.dice.roll(4));
        let (reuse, conflict) = (self.dice.roll(4), self.dice.roll(4));
        let (retries, run_timeout) = (self.dice.once_in(2), self.dice.once_in(3));
        let _ = self.world.start_with(|request| {
            request.request_id = request_id;
            request.workflow_id_reuse_policy = i32::try_from(reuse).unwrap();
            request.workflow_id_conflict_policy = i32::try_from(conflict).unwrap();
            request.retry_policy = retries.then(|| temporalio_protos::temporal::api::common::v1::RetryPolicy {
                initial_interval: seconds(1),
                backoff_coefficient: 2.0,
                maximum_attempts: 3,
                maximum_interval: seconds(10),
                ..Default::default()
            });
            request.workflow_run_timeout = if run_timeout { seconds(300) } else { None };
            request.workflow_execution_timeout = if run_timeout { seconds(600) } else { None };
        });
    }

    fn signal(&mut self) {
        let id = format!("signal-{}", self.dice.roll(400));
        let _ = self.world.signal(&id);
    }

    /// Matching hands one of the offered tasks to a poll, perhaps one that it has dispatched before.
    fn offer(&mut self) {
        let offers: Vec<TransferTask> = self
            .world
            .tasks
            .iter()
            .filter_map(|task| match task {
                TaskKind::Transfer(task) => Some(task.clone()),
                TaskKind::Timer(_) => None,
            })
            .collect();
        if offers.is_empty() {
            return;
        }
        let back = usize::try_from(self.dice.roll(3)).unwrap().min(offers.len() - 1);
        let request_id = format!("poll-{}", self.dice.roll(1000));
        match offers[offers.len() - 1 - back].clone() {
            TransferTask::WorkflowTask { scheduled_event_id, stamp, task_queue, .. } => {
                let polled_queue = if self.dice.once_in(3) { "orders".into() } else { task_queue };
                let identity = "worker".into();
                let poll = RecordWorkflowTaskStarted { scheduled_event_id, stamp, request_id, identity, polled_queue };
                if let Ok(Reply::WorkflowTaskStarted(started)) =
                    self.world.give(Input::RecordWorkflowTaskStarted(poll.clone()))
                {
                    let Ok(Reply::WorkflowTaskStarted(again)) = self.world.give(Input::RecordWorkflowTaskStarted(poll))
                    else {
                        assert!(!self.world.state().is_open(), "a repeat gets the same answer");
                        return;
                    };
                    assert_eq!(format!("{started:?}"), format!("{again:?}"));
                    self.workflow_tokens.push(started.token);
                }
            }
            TransferTask::ActivityTask { scheduled_event_id, attempt, .. } => {
                let poll =
                    RecordActivityTaskStarted { scheduled_event_id, attempt, request_id, identity: "worker".into() };
                if let Ok(Reply::ActivityStarted(_)) = self.world.give(Input::RecordActivityTaskStarted(poll)) {
                    let key = self.world.state().key().clone();
                    self.activity_tokens.push(ActivityTaskToken {
                        namespace_id: key.namespace_id,
                        workflow_id: key.workflow_id,
                        run_id: key.run_id,
                        scheduled_event_id,
                        attempt,
                        started_time: self.world.now,
                    });
                }
            }
            // Those that other runs are asked of: no walk has any.
            _ => {}
        }
    }

    fn command(&mut self) -> Command {
        self.names += 1;
        let known = format!("n{}", self.dice.roll(self.names));
        match self.dice.roll(16) {
            0..=3 => timer(&format!("n{}", self.names), i64::try_from(self.dice.roll(20)).unwrap() + 1),
            4..=8 => activity(&format!("n{}", self.names)),
            9 | 10 => match self.world.state().durable().timers.values().next() {
                Some(timer) => cancel_timer(&timer.timer_id),
                None => cancel_timer(&known),
            },
            11 | 12 => {
                let pending = self.world.state().durable().activities.keys().next().copied();
                cancel_activity(pending.unwrap_or(5))
            }
            13 => complete(),
            14 => continue_as_new(),
            _ => Command::FailWorkflowExecutionCommandAttributes(FailWorkflowExecutionCommandAttributes {
                failure: Some(Default::default()),
            }),
        }
    }

    fn token(&mut self) -> Option<WorkflowTaskToken> {
        let back = usize::try_from(self.dice.roll(8)).unwrap() / 7;
        self.workflow_tokens.iter().rev().nth(back).cloned()
    }

    fn complete_workflow_task(&mut self) {
        let Some(token) = self.token() else { return };
        let commands: Vec<Command> = (0..self.dice.roll(5)).map(|_| self.command()).collect();
        let (force, inline, sticky) = (self.dice.once_in(4), self.dice.once_in(2), self.dice.once_in(2));
        let reply = self.world.complete_with(&token, commands.clone(), |request| {
            request.force_create_new_workflow_task = force;
            request.return_new_workflow_task = inline;
            request.sticky_attributes = sticky.then(|| StickyExecutionAttributes {
                worker_task_queue: Some(TaskQueue { name: "sticky".into(), ..Default::default() }),
                schedule_to_start_timeout: seconds(5),
            });
        });
        let Ok(reply) = reply else { return };
        if let Reply::WorkflowTaskCompleted(completed) = &reply
            && let Some(next) = &completed.workflow_task
        {
            self.workflow_tokens.push(next.token.clone());
        }
        let version = self.world.state().version();
        assert!(self.world.complete(&token, commands).is_err(), "a token counts once");
        assert_eq!(self.world.state().version(), version);
    }

    fn fail_workflow_task(&mut self) {
        if let Some(token) = self.token() {
            let _ = self.world.give(Input::FailWorkflowTask(token, Box::default()));
        }
    }

    fn report_on_activity(&mut self) {
        let back = usize::try_from(self.dice.roll(4)).unwrap();
        let Some(token) = self.activity_tokens.iter().rev().nth(back).cloned() else { return };
        let _ = match self.dice.roll(5) {
            0 => self.world.give(Input::HeartbeatActivity(ActivityRef::Token(token), Box::default())),
            1 => self.world.give(Input::CancelActivity(ActivityRef::Token(token), Box::default())),
            2 | 3 => self.world.fail_activity(token),
            _ => {
                let reply = self.world.complete_activity(token.clone());
                assert!(self.world.complete_activity(token).is_err(), "an activity completes once");
                reply
            }
        };
    }

    fn fire(&mut self) {
        if self.world.tasks.iter().any(|task| matches!(task, TaskKind::Timer(_))) {
            let task = self.world.fire_next();
            // A task may fire twice; the second time it is about nothing.
            self.world.give(Input::FireTimer(task)).unwrap();
        }
    }

    fn rarely(&mut self) {
        let _ = match self.dice.roll(8) {
            0 => self.world.give(Input::Terminate(Box::default())),
            1 => self.world.give(Input::RequestCancel(Box::default())),
            2 | 3 => self.world.give(Input::ResetStickiness),
            4 => {
                let id = format!("n{}", self.dice.roll(self.names + 1));
                let request = Box::<api::RespondActivityTaskCompletedRequest>::default();
                self.world.give(Input::CompleteActivity(ActivityRef::Id(id), request))
            }
            _ => {
                self.world.pass(std::time::Duration::from_millis(self.dice.roll(2000)));
                return;
            }
        };
    }
}

#[test]
fn whatever_comes_the_state_stays_whole() {
    let mut probes = BTreeSet::new();
    for seed in 0..100 {
        let mut world = World::new();
        world.limits.buffered_events_max = 3;
        world.limits.history_events_max = 40;
        world.limits.parts_in_row_bytes_max = [0, 600, 4096][usize::try_from(seed % 3).unwrap()];
        world.start();
        let mut walk =
            Walk { world, dice: Dice(seed), workflow_tokens: Vec::new(), activity_tokens: Vec::new(), names: 0 };
        for _ in 0..150 {
            walk.step();
        }
        probes.append(&mut walk.world.probes);
    }
    let rare = [
        "activity-retried-after-timeout",
        "buffer-limit-reached",
        "buffer-with-many-events",
        "existing-run-terminated",
        "history-limit-reached",
        "sticky-queue-timed-out",
        "sticky-task-taken-from-normal-queue",
        "transient-workflow-task-became-normal",
        "unhandled-command",
        "workflow-retried",
        "workflow-retried-after-timeout",
        "workflow-task-failed-for-bad-command",
        "workflow-task-timed-out",
    ];
    let missed: Vec<_> = rare.iter().filter(|probe| !probes.contains(*probe)).collect();
    assert!(missed.is_empty(), "the walk never came to {missed:?}");
}
