//! What a caller hears of a decision: the core's reply, with the history page and the tokens that only the shard can add.
use super::HistoryHandle;
use crate::poll_response::poll_response;
use crate::shard::Decided;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{Reply, ServiceError, ServiceResult, encode_token};
use tempest_core::{ActivityTaskToken, EventId, Input, Time, WorkflowTaskCompleted};

/// What the reply needs of an input that the shard has consumed.
pub(super) enum Asked {
    ActivityTask {
        scheduled_event_id: EventId,
    },
    StartChild,
    /// A client's.
    Signal,
    SignalByWorkflow,
    OutcomeOfCall,
    ChildClosed,
    Other,
}

impl Asked {
    pub fn by(input: &Input) -> Self {
        match input {
            Input::RecordActivityTaskStarted(request) => {
                Self::ActivityTask { scheduled_event_id: request.scheduled_event_id }
            }
            Input::StartChild(_) => Self::StartChild,
            Input::Signal(_) => Self::Signal,
            Input::SignalByWorkflow(..) => Self::SignalByWorkflow,
            Input::CrossCallEnded(_) => Self::OutcomeOfCall,
            Input::ChildClosed(_) => Self::ChildClosed,
            Input::Start(_)
            | Input::SignalWithStart(_)
            | Input::RequestCancel(_)
            | Input::Terminate(_)
            | Input::RecordWorkflowTaskStarted(_)
            | Input::CompleteWorkflowTask(..)
            | Input::FailWorkflowTask(..)
            | Input::HeartbeatActivity(..)
            | Input::CompleteActivity(..)
            | Input::FailActivity(..)
            | Input::CancelActivity(..)
            | Input::BeginChild(_)
            | Input::RequestCancelByWorkflow(..)
            | Input::TerminateByWorkflow(..)
            | Input::FireTimer(_)
            | Input::ResetStickiness => Self::Other,
        }
    }

    /// Calls between runs may go from node to node: where the simulation wants it so, their answers get lost.
    fn loses_its_answer(&self) -> bool {
        match self {
            Self::StartChild => tempest_rt::buggify!("history-child-start-answer-lost"),
            Self::SignalByWorkflow => tempest_rt::buggify!("history-signal-answer-lost"),
            Self::OutcomeOfCall => tempest_rt::buggify!("history-cross-call-end-answer-lost"),
            Self::ChildClosed => tempest_rt::buggify!("history-child-closed-answer-lost"),
            Self::ActivityTask { .. } | Self::Signal | Self::Other => false,
        }
    }
}

impl HistoryHandle {
    pub(super) async fn reply(&self, asked: Asked, decided: Decided) -> ServiceResult<Reply> {
        if asked.loses_its_answer() {
            return Err(answer_lost());
        }
        let Decided { run, branch, reply } = decided;
        Ok(match (reply, asked) {
            (tempest_core::Reply::None, Asked::Signal) => Reply::Signaled(run.run_id),
            (tempest_core::Reply::None, _) => Reply::Done,
            (tempest_core::Reply::Started(started), _) => Reply::Started(started),
            (tempest_core::Reply::Heartbeat { cancel_requested }, _) => Reply::Heartbeat { cancel_requested },
            (tempest_core::Reply::WorkflowTaskStarted(started), _) => {
                // Its start is recorded, whatever becomes of this read; and what is read beside the shard is no proof of
                // damage. The task times out and comes again.
                let response = poll_response(&*self.store, &self.config, &run, &branch, *started).await;
                let response = response.map_err(|error| ServiceError::OutcomeUnknown(error.to_string()))?;
                Reply::WorkflowTaskStarted(Box::new(response))
            }
            (tempest_core::Reply::ActivityStarted(mut response), Asked::ActivityTask { scheduled_event_id }) => {
                response.task_token = encode_token(&ActivityTaskToken {
                    namespace_id: run.namespace_id,
                    workflow_id: run.workflow_id,
                    run_id: run.run_id,
                    scheduled_event_id,
                    attempt: response.attempt,
                    started_time: response.started_time.as_ref().map(Time::from_proto).unwrap_or_default(),
                });
                Reply::ActivityTaskStarted(response)
            }
            (tempest_core::Reply::WorkflowTaskCompleted(completed), _) => {
                let WorkflowTaskCompleted { workflow_task, activity_tasks, reset_history_event_id, .. } = *completed;
                let mut response = api::RespondWorkflowTaskCompletedResponse {
                    workflow_task: None,
                    activity_tasks,
                    reset_history_event_id,
                };
                if let Some(started) = workflow_task {
                    // An answer that got lost on its way would look the same: the task then times out and comes again.
                    if tempest_rt::buggify!("history-drop-inline-task") {
                        return Err(answer_lost());
                    }
                    // It is completed whatever becomes of the next one, which times out if no worker gets it.
                    let inline = poll_response(&*self.store, &self.config, &run, &branch, started).await;
                    let inline = inline.map_err(|error| ServiceError::OutcomeUnknown(error.to_string()))?;
                    response.workflow_task = Some(inline);
                }
                Reply::WorkflowTaskCompleted(Box::new(response))
            }
            (
                reply @ (tempest_core::Reply::ActivityStarted(_)
                | tempest_core::Reply::Later(_)
                | tempest_core::Reply::Refused(_)),
                _,
            ) => return Err(ServiceError::Internal(format!("the shard gave a reply of another kind: {reply:?}"))),
        })
    }
}

fn answer_lost() -> ServiceError {
    ServiceError::OutcomeUnknown("the answer got lost".into())
}
