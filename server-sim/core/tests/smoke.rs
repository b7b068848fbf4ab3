//! The core's life in short, one habit per test.
#![allow(clippy::unwrap_used)]
mod world;

use std::time::Duration;
use tempest_core::{ActivityRef, Input, Rejection, Reply, TaskKind, TimerKind, TransferTask};
use temporalio_protos::temporal::api::{
    command::v1::{
        FailWorkflowExecutionCommandAttributes, StartChildWorkflowExecutionCommandAttributes,
        command::Attributes as Command,
    },
    common::v1::{Header, Payload, Payloads, WorkflowType},
    enums::v1::WorkflowExecutionStatus as Status,
    failure::v1::Failure,
    history::v1::history_event::Attributes,
    taskqueue::v1::TaskQueue,
    workflowservice::v1 as api,
};
use world::*;

#[test]
fn a_run_with_an_activity_and_a_timer_completes() {
    let mut world = World::new();
    world.start();
    let token = world.poll();
    world.complete(&token, vec![activity("a"), timer("t", 5)]).unwrap();
    assert!(matches!(world.complete(&token, vec![complete()]), Err(Rejection::NotFound(_))), "twice");
    let charge = world.poll_activity(5, 1);
    world.complete_activity(charge.clone()).unwrap();
    assert!(matches!(world.complete_activity(charge), Err(Rejection::NotFound(_))), "twice");
    let token = world.poll();
    world.complete(&token, vec![]).unwrap();
    while !world.events().contains(&"timer_fired".to_owned()) {
        world.fire_next();
    }
    let token = world.poll();
    world.complete(&token, vec![complete()]).unwrap();
    assert_eq!(world.state().status(), Status::Completed);
    let expected = "workflow_execution_started workflow_task_scheduled workflow_task_started workflow_task_completed \
                    activity_task_scheduled timer_started activity_task_started activity_task_completed \
                    workflow_task_scheduled workflow_task_started workflow_task_completed timer_fired \
                    workflow_task_scheduled workflow_task_started workflow_task_completed \
                    workflow_execution_completed";
    assert_eq!(world.events().join(" "), expected);
    assert!(world.tasks.contains(&TaskKind::Transfer(TransferTask::CloseExecution)));
}

#[test]
fn a_failing_workflow_task_turns_transient_and_news_make_it_normal() {
    let mut world = World::new();
    world.start();
    for _ in 0..3 {
        let token = world.poll();
        let failed = api::RespondWorkflowTaskFailedRequest::default();
        world.give(Input::FailWorkflowTask(token, Box::new(failed))).unwrap();
    }
    assert_eq!(world.state().workflow_task().unwrap().attempt, 4);
    assert_eq!(world.events().len(), 4, "only the first attempt is in history");
    assert_eq!(world.state().transient_events().len(), 1);
    world.signal("s1").unwrap();
    world.signal("s1").unwrap();
    let token = world.poll();
    assert_eq!((token.attempt, token.scheduled_event_id, token.started_event_id), (1, 6, 7));
    world.signal("s2").unwrap();
    assert_eq!(world.events().len(), 7, "the second signal waits");
    let refused = world.complete(&token, vec![complete()]).unwrap();
    assert!(matches!(refused, Reply::Refused(Rejection::InvalidArgument(message)) if message == "UnhandledCommand"));
    assert_eq!(
        world.events()[7..].join(" "),
        "workflow_task_failed workflow_execution_signaled workflow_task_scheduled"
    );
}

#[test]
fn a_transient_workflow_task_writes_its_events_when_it_completes() {
    let mut world = World::new();
    world.start();
    let token = world.poll();
    world.give(Input::FailWorkflowTask(token, Box::default())).unwrap();
    let token = world.poll();
    assert_eq!(token.attempt, 2);
    assert_eq!(world.state().transient_events().len(), 2);
    world.complete(&token, vec![complete()]).unwrap();
    assert_eq!(
        world.events()[4..].join(" "),
        "workflow_task_scheduled workflow_task_started workflow_task_completed workflow_execution_completed"
    );
}

#[test]
fn an_activity_is_retried_until_its_time_is_over() {
    let mut world = World::new();
    world.start();
    let token = world.poll();
    world.complete(&token, vec![activity("a")]).unwrap();
    let mut attempt = 1;
    while !world.state().durable().activities.is_empty() {
        let offered = world.tasks.iter().any(|task| {
            matches!(task, TaskKind::Transfer(TransferTask::ActivityTask { attempt: offered, .. }) if *offered == attempt)
        });
        if offered {
            let token = world.poll_activity(5, attempt);
            world.pass(Duration::from_millis(100));
            world.fail_activity(token).unwrap();
            attempt += 1;
        } else {
            world.fire_next();
        }
    }
    assert_eq!(world.events()[5..].join(" "), "activity_task_started activity_task_failed workflow_task_scheduled");
    assert_eq!(attempt, 7, "1 + 2 + 4 + 8 + 16 seconds, and 32 more would be too late");
}

#[test]
fn an_activity_without_heartbeat_times_out_and_old_tokens_are_refused() {
    let mut world = World::new();
    world.start();
    let token = world.poll();
    world.complete(&token, vec![activity("a")]).unwrap();
    let old = world.poll_activity(5, 1);
    world.pass(Duration::from_secs(2));
    let heartbeat = Input::HeartbeatActivity(ActivityRef::Token(old.clone()), Box::default());
    world.give(heartbeat).unwrap();
    loop {
        let fired = world.fire_next();
        if matches!(fired.kind, TimerKind::ActivityRetry { attempt: 2, .. }) {
            break;
        }
    }
    assert!(matches!(world.complete_activity(old.clone()), Err(Rejection::NotFound(_))));
    let new = world.poll_activity(5, 2);
    assert!(matches!(world.complete_activity(old), Err(Rejection::NotFound(_))));
    world.complete_activity(new).unwrap();
}

#[test]
fn sticky_queues_are_given_up_when_nobody_comes() {
    let mut world = World::new();
    world.start();
    let token = world.poll();
    let sticky = temporalio_protos::temporal::api::taskqueue::v1::StickyExecutionAttributes {
        worker_task_queue: Some(TaskQueue { name: "sticky-1".into(), ..TaskQueue::default() }),
        schedule_to_start_timeout: seconds(5),
    };
    world.complete_with(&token, vec![], |request| request.sticky_attributes = Some(sticky)).unwrap();
    world.signal("s").unwrap();
    assert_eq!(world.state().workflow_task().unwrap().queue, "sticky-1");
    while world.state().workflow_task().unwrap().queue == "sticky-1" {
        world.fire_next();
    }
    assert_eq!(world.events().last().unwrap(), "workflow_task_scheduled");
    assert_eq!(world.state().workflow_task().unwrap().attempt, 1);
}

#[test]
fn a_start_is_recognised_and_policies_hold() {
    let mut world = World::new();
    world.start();
    assert!(matches!(world.start(), Reply::Started(started) if started.started && started.run_id.0 == "run-1"));
    let other = world.start_with(|request| request.request_id = "start-2".into());
    assert!(matches!(other, Err(Rejection::AlreadyStarted { .. })));
    let replaced = world.start_with(|request| {
        request.request_id = "start-3".into();
        request.workflow_id_conflict_policy = 3;
    });
    assert!(matches!(replaced, Ok(Reply::Started(started)) if started.run_id.0 == "run-2"), "terminated and replaced");
}

#[test]
fn a_failed_workflow_is_retried_as_a_new_run() {
    let mut world = World::new();
    world
        .start_with(|request| {
            request.retry_policy = Some(temporalio_protos::temporal::api::common::v1::RetryPolicy {
                initial_interval: seconds(1),
                backoff_coefficient: 2.0,
                maximum_attempts: 2,
                maximum_interval: seconds(100),
                ..Default::default()
            });
        })
        .unwrap();
    let token = world.poll();
    let fail = || {
        Command::FailWorkflowExecutionCommandAttributes(FailWorkflowExecutionCommandAttributes {
            failure: Some(Failure { message: "out of luck".into(), ..Failure::default() }),
        })
    };
    world.complete(&token, vec![fail()]).unwrap();
    assert_eq!(world.state().key().run_id.0, "run-2");
    assert_eq!(world.state().first_execution_run_id().0, "run-1");
    assert!(world.state().workflow_task().is_none(), "it waits");
    world.signal("early").unwrap();
    assert!(world.state().workflow_task().is_none(), "it still waits");
    world.fire_next();
    let token = world.poll();
    world.complete(&token, vec![fail()]).unwrap();
    assert_eq!(world.state().status(), Status::Failed);
}

#[test]
fn unsupported_commands_fail_their_workflow_task() {
    let mut world = World::new();
    world.start();
    let token = world.poll();
    let child = Command::StartChildWorkflowExecutionCommandAttributes(Default::default());
    let refused = world.complete(&token, vec![timer("t", 1), child]).unwrap();
    let Reply::Refused(Rejection::InvalidArgument(message)) = refused else { panic!("{refused:?}") };
    assert!(message.starts_with("BadStartChildExecutionAttributes: "), "{message}");
    assert!(world.state().durable().timers.is_empty(), "nothing of it happened");
}

#[test]
fn a_timer_cancelled_in_the_buffer_never_fired() {
    let mut world = World::new();
    world.start();
    let token = world.poll();
    world.complete_with(&token, vec![timer("t", 2)], |request| request.force_create_new_workflow_task = true).unwrap();
    let token = world.poll();
    while world.state().auxiliary().buffered.is_empty() {
        world.fire_next();
    }
    world.complete(&token, vec![cancel_timer("t"), complete()]).unwrap();
    assert_eq!(world.events()[7..].join(" "), "workflow_task_completed timer_canceled workflow_execution_completed");
}

#[test]
fn a_heartbeating_workflow_task_comes_back_inline_with_the_time_of_the_first() {
    let mut world = World::new();
    world.start();
    let mut token = world.poll();
    let first = world.state().auxiliary().workflow_task.original_scheduled_time;
    let beat = |request: &mut api::RespondWorkflowTaskCompletedRequest| {
        request.force_create_new_workflow_task = true;
        request.return_new_workflow_task = true;
    };
    for _ in 0..3 {
        world.pass(Duration::from_secs(5));
        let Reply::WorkflowTaskCompleted(reply) = world.complete_with(&token, vec![], beat).unwrap() else { panic!() };
        let next = reply.workflow_task.expect("it was asked for");
        assert_eq!(next.history_from, token.started_event_id + 1);
        token = next.token;
        assert_eq!(world.state().auxiliary().workflow_task.original_scheduled_time, first);
    }
    world.pass(Duration::from_secs(31 * 60));
    let refused = world.complete_with(&token, vec![], beat).unwrap();
    assert!(matches!(refused, Reply::Refused(Rejection::NotFound(_))), "{refused:?}");
}

#[test]
fn continue_as_new_waits_until_its_run_is_a_second_old() {
    let mut world = World::new();
    world.start();
    world.pass(Duration::from_millis(300));
    let token = world.poll();
    world.complete(&token, vec![continue_as_new()]).unwrap();
    let started = &world.state().durable().started;
    assert_eq!(world.state().key().run_id.0, "run-2");
    assert_eq!(started.first_workflow_task_backoff.unwrap().nanos, 700_000_000);
    assert_eq!(
        (started.continued_execution_run_id.as_str(), started.first_execution_run_id.as_str()),
        ("run-1", "run-1")
    );
    assert_eq!(started.workflow_type.as_ref().unwrap().name, "OrderSaga", "inherited");
    world.fire_next();
    let token = world.poll();
    world.complete(&token, vec![complete()]).unwrap();
}

#[test]
fn an_activity_cancelled_before_it_started_ends_behind_the_commands() {
    let mut world = World::new();
    world.start();
    let token = world.poll();
    world.complete_with(&token, vec![activity("a")], |request| request.force_create_new_workflow_task = true).unwrap();
    let token = world.poll();
    world.complete(&token, vec![cancel_activity(5), timer("t", 1)]).unwrap();
    assert_eq!(
        world.events()[7..].join(" "),
        "workflow_task_completed activity_task_cancel_requested timer_started activity_task_canceled \
         workflow_task_scheduled"
    );
}

#[test]
fn a_terminated_run_fails_its_workflow_task_and_writes_what_it_had_not_seen() {
    let mut world = World::new();
    world.start();
    world.poll();
    world.signal("s").unwrap();
    world.give(Input::Terminate(Box::default())).unwrap();
    assert_eq!(
        world.events()[3..].join(" "),
        "workflow_task_failed workflow_execution_signaled workflow_execution_terminated"
    );
    assert!(matches!(world.signal("s2"), Err(Rejection::NotFound(_))));
    assert!(world.signal("s").is_ok(), "a repeat succeeds");
    assert!(world.give(Input::RequestCancel(Box::default())).is_ok());
    assert!(world.give(Input::Terminate(Box::default())).is_err());
}

#[test]
fn a_signal_starts_its_run_and_is_its_second_event() {
    let mut world = World::new();
    let request = || {
        Input::SignalWithStart(Box::new(api::SignalWithStartWorkflowExecutionRequest {
            namespace: "ns".into(),
            workflow_id: "order".into(),
            workflow_type: Some(WorkflowType { name: "OrderSaga".into() }),
            task_queue: Some(TaskQueue { name: "orders".into(), ..TaskQueue::default() }),
            signal_name: "amend".into(),
            request_id: "s-1".into(),
            ..Default::default()
        }))
    };
    for _ in 0..2 {
        let reply = world.give(request()).unwrap();
        assert!(matches!(reply, Reply::Started(started) if started.started));
    }
    assert_eq!(
        world.events().join(" "),
        "workflow_execution_started workflow_execution_signaled workflow_task_scheduled"
    );
}

#[test]
fn a_run_times_out() {
    let mut world = World::new();
    world.start_with(|request| request.workflow_run_timeout = seconds(5)).unwrap();
    while world.state().is_open() {
        world.fire_next();
    }
    assert_eq!(world.state().status(), Status::TimedOut);
}

#[test]
fn a_history_that_grows_too_long_ends_its_run() {
    let mut world = World::new();
    world.limits.history_events_max = 10;
    world.start();
    for n in 0.. {
        world.signal(&format!("s{n}")).unwrap();
        if !world.state().is_open() {
            break;
        }
    }
    assert_eq!(world.history.len(), 12);
    assert_eq!(world.state().status(), Status::Terminated);
}

#[test]
fn results_move_behind_other_news_and_know_their_start() {
    let mut world = World::new();
    world.start();
    let token = world.poll();
    world.complete_with(&token, vec![activity("a")], |request| request.force_create_new_workflow_task = true).unwrap();
    let token = world.poll();
    let charge = world.poll_activity(5, 1);
    world.complete_activity(charge).unwrap();
    world.signal("s").unwrap();
    assert!(world.state().describe().pending_activities.is_empty(), "its end waits in the buffer");
    world.complete(&token, vec![]).unwrap();
    assert_eq!(
        world.events()[8..].join(" "),
        "activity_task_started workflow_execution_signaled activity_task_completed workflow_task_scheduled"
    );
    let Some(Attributes::ActivityTaskCompletedEventAttributes(completed)) = &world.history[10].attributes else {
        panic!("{:?}", world.history[10])
    };
    assert_eq!(completed.started_event_id, 9);
}

#[test]
fn after_a_failover_each_worker_drops_what_it_has_cached_once() {
    let mut world = World::new();
    world.start();
    let token = world.poll();
    world.complete(&token, vec![timer("t", 5)]).unwrap();
    world.signal("s1").unwrap();
    world.timeline = 1;
    let token = world.poll();
    let refused = world.complete(&token, vec![]).unwrap();
    assert!(matches!(&refused, Reply::Refused(Rejection::NotFound(why)) if why.contains("failed over")), "{refused:?}");
    assert!(matches!(world.complete(&token, vec![]), Err(Rejection::NotFound(_))), "that task is over");
    let token = world.poll();
    world.complete(&token, vec![]).unwrap();
    world.signal("s2").unwrap();
    let token = world.poll();
    assert!(matches!(world.complete(&token, vec![complete()]).unwrap(), Reply::WorkflowTaskCompleted(_)));
}

#[test]
fn nobody_has_cached_more_of_a_run_than_it_has_if_it_began_after_the_failover() {
    let mut world = World::new();
    world.timeline = 3;
    world.start();
    let token = world.poll();
    assert!(matches!(world.complete(&token, vec![complete()]).unwrap(), Reply::WorkflowTaskCompleted(_)));
}

/// As in Temporal: inputs are in the history, and what a run may hold of them is a limit of the history.
#[test]
fn inputs_and_headers_do_not_count_towards_the_size_of_a_state() {
    let sizes = [10, 10_000].map(|bytes| {
        let payload = Payload { data: vec![7; bytes], ..Payload::default() };
        let input = Some(Payloads { payloads: vec![payload.clone()] });
        let header = Some(Header { fields: [("trace".to_owned(), payload)].into() });
        let mut world = World::new();
        let start = |request: &mut api::StartWorkflowExecutionRequest| {
            (request.input, request.header) = (input.clone(), header.clone());
        };
        world.start_with(start).unwrap();
        let token = world.poll();
        let Command::ScheduleActivityTaskCommandAttributes(mut charge) = activity("charge") else { unreachable!() };
        (charge.input, charge.header) = (input.clone(), header.clone());
        let ship = StartChildWorkflowExecutionCommandAttributes {
            workflow_id: "ship".into(),
            workflow_type: Some(WorkflowType { name: "Ship".into() }),
            input,
            header,
            ..Default::default()
        };
        let commands = vec![
            Command::ScheduleActivityTaskCommandAttributes(charge),
            Command::StartChildWorkflowExecutionCommandAttributes(ship),
        ];
        world.complete(&token, commands).unwrap();
        let scheduled = *world.state().durable().activities.keys().next().unwrap();
        world.poll_activity(scheduled, 1);
        world.state().approximate_bytes()
    });
    assert_eq!(sizes[0], sizes[1]);
}
