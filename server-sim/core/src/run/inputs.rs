//! The registry of inputs: one row for each thing that can happen to a run, and the file that decides it.
use super::limits::Oversize;
use super::{activity, admission, cancel, child, close, cross_call_ended, fire_timer, parent, signal, workflow_task};
use crate::{Context, Input, MutableState, Rejection, Transition};

pub(crate) fn decide(state: Option<&MutableState>, input: Input, context: &Context) -> Result<Transition, Rejection> {
    let oversize = Oversize::of(&input);
    oversize.judge(dispatch(state, input, context)?, state, context)
}

fn dispatch(state: Option<&MutableState>, input: Input, context: &Context) -> Result<Transition, Rejection> {
    let run = || state.ok_or_else(|| Rejection::NotFound("workflow execution not found".to_owned()));
    match input {
        Input::Start(request) => admission::start::decide(state, *request, context),
        Input::SignalWithStart(request) => admission::signal_with_start::decide(state, *request, context),
        Input::Signal(request) => signal::request::decide(run()?, *request, context),
        Input::RequestCancel(request) => cancel::request::decide(run()?, *request, context),
        Input::Terminate(request) => close::terminate::decide(run()?, *request, context),
        Input::RecordWorkflowTaskStarted(request) => workflow_task::record_started::decide(run()?, request, context),
        Input::CompleteWorkflowTask(token, request) => {
            workflow_task::complete::decide(run()?, &token, *request, context)
        }
        Input::FailWorkflowTask(token, request) => workflow_task::fail::decide(run()?, &token, *request, context),
        Input::RecordActivityTaskStarted(request) => activity::record_started::decide(run()?, request, context),
        Input::HeartbeatActivity(activity, request) => {
            activity::reports::heartbeat(run()?, &activity, *request, context)
        }
        Input::CompleteActivity(activity, request) => activity::reports::complete(run()?, &activity, *request, context),
        Input::FailActivity(activity, request) => activity::reports::fail(run()?, &activity, *request, context),
        Input::CancelActivity(activity, request) => activity::reports::cancel(run()?, &activity, *request, context),
        Input::StartChild(child) => parent::start::decide(state, *child, context),
        Input::BeginChild(from) => parent::begin::decide(run()?, &from, context),
        Input::SignalByWorkflow(from, request) => signal::by_workflow::decide(run()?, from, *request, context),
        Input::RequestCancelByWorkflow(from, request) => cancel::by_workflow::decide(run()?, from, *request, context),
        Input::TerminateByWorkflow(from, request) => close::terminate::by_workflow(run()?, &from, *request, context),
        Input::CrossCallEnded(end) => cross_call_ended::decide(run()?, &end, context),
        Input::ChildClosed(closed) => child::closed::decide(run()?, &closed, context),
        Input::FireTimer(task) => Ok(fire_timer::decide(run()?, &task, context)),
        Input::ResetStickiness => workflow_task::sticky::reset(run()?, context),
    }
}

pub(crate) fn closed() -> Rejection {
    Rejection::NotFound(crate::WORKFLOW_COMPLETED.into())
}
