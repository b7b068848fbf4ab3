//! One input per file: what it finds, what it refuses, which steps it takes.
mod activity_reports;
mod by_workflow;
mod cancel;
mod children;
mod errand_ended;
mod fire_timer;
mod record_activity_started;
mod record_workflow_task_started;
mod signal;
mod signal_with_start;
mod start;
mod terminate;
mod workflow_task_completed;
mod workflow_task_failed;

use crate::{Context, Decision, Input, MutableState, Rejection, Reply, Transition};

pub(crate) fn decide(state: Option<&MutableState>, input: Input, context: &Context) -> Result<Transition, Rejection> {
    let run = |what: fn() -> String| state.ok_or_else(|| Rejection::NotFound(what()));
    let missing = || "workflow execution not found".to_owned();
    match input {
        Input::Start(request) => start::decide(state, *request, context),
        Input::SignalWithStart(request) => signal_with_start::decide(state, *request, context),
        Input::Signal(request) => signal::decide(run(missing)?, *request, context),
        Input::RequestCancel(request) => cancel::decide(run(missing)?, *request, context),
        Input::Terminate(request) => terminate::decide(run(missing)?, *request, context),
        Input::RecordWorkflowTaskStarted(request) => {
            record_workflow_task_started::decide(run(missing)?, request, context)
        }
        Input::CompleteWorkflowTask(token, request) => {
            workflow_task_completed::decide(run(missing)?, &token, *request, context)
        }
        Input::FailWorkflowTask(token, request) => {
            workflow_task_failed::decide(run(missing)?, &token, *request, context)
        }
        Input::RecordActivityTaskStarted(request) => record_activity_started::decide(run(missing)?, request, context),
        Input::HeartbeatActivity(activity, request) => {
            activity_reports::heartbeat(run(missing)?, &activity, *request, context)
        }
        Input::CompleteActivity(activity, request) => {
            activity_reports::complete(run(missing)?, &activity, *request, context)
        }
        Input::FailActivity(activity, request) => activity_reports::fail(run(missing)?, &activity, *request, context),
        Input::CancelActivity(activity, request) => {
            activity_reports::cancel(run(missing)?, &activity, *request, context)
        }
        Input::StartChild(child) => children::start(state, *child, context),
        Input::BeginChild(parent) => children::begin(run(missing)?, &parent, context),
        Input::SignalByWorkflow(from, request) => by_workflow::signal(run(missing)?, from, *request, context),
        Input::RequestCancelByWorkflow(from, request) => {
            by_workflow::request_cancel(run(missing)?, from, *request, context)
        }
        Input::TerminateByWorkflow(from, request) => by_workflow::terminate(run(missing)?, &from, *request, context),
        Input::ErrandEnded(end) => errand_ended::ended(run(missing)?, &end, context),
        Input::ChildClosed(closed) => errand_ended::child_closed(run(missing)?, &closed, context),
        Input::FireTimer(task) => Ok(fire_timer::decide(run(missing)?, &task, context)),
        Input::ResetStickiness => {
            let mut decision = Decision::about(run(missing)?, context);
            decision.reset_stickiness();
            Ok(decision.finish(Reply::None))
        }
    }
}

fn closed() -> Rejection {
    Rejection::NotFound(crate::WORKFLOW_COMPLETED.into())
}
