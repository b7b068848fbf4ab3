//! Pages of histories, as clients are shown them.
use crate::observe::{Operation, RpcKind, of_no_workflow};
use tempest_api::proto::common::v1::WorkflowExecution;
use tempest_api::proto::enums::v1::{EventType, HistoryEventFilterType};
use tempest_api::proto::history::v1::{HistoryEvent, history_event::Attributes};
use tempest_api::proto::workflowservice::v1 as api;

/// The answer to one call.
pub struct Page {
    pub run_id: String,
    /// As they were shown.
    pub events: Vec<HistoryEvent>,
    pub order: Order,
    /// With which it was asked for: none for the first page.
    pub token: Vec<u8>,
    /// Of the next page: none after the last one.
    pub next_token: Vec<u8>,
    /// Whether news was waited for, or all but the last event left out: such a page shows less than there is.
    pub is_partial: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    OldestFirst,
    NewestFirst,
}

impl Page {
    /// The page that a call was answered with; nothing if it asked for none.
    pub fn of(operation: &Operation) -> Option<Page> {
        match &operation.rpc {
            RpcKind::GetWorkflowExecutionHistory => {
                let request: api::GetWorkflowExecutionHistoryRequest = operation.request()?;
                let response: api::GetWorkflowExecutionHistoryResponse = operation.response()?;
                let events = response.history?.events;
                Some(Page {
                    run_id: run_id(request.execution, events.first())?,
                    order: Order::OldestFirst,
                    token: request.next_page_token,
                    next_token: response.next_page_token,
                    is_partial: request.wait_new_event
                        || request.history_event_filter_type == HistoryEventFilterType::CloseEvent as i32,
                    events,
                })
            }
            RpcKind::GetWorkflowExecutionHistoryReverse => {
                let request: api::GetWorkflowExecutionHistoryReverseRequest = operation.request()?;
                let response: api::GetWorkflowExecutionHistoryReverseResponse = operation.response()?;
                let events = response.history?.events;
                Some(Page {
                    run_id: run_id(request.execution, events.last())?,
                    order: Order::NewestFirst,
                    token: request.next_page_token,
                    next_token: response.next_page_token,
                    is_partial: false,
                    events,
                })
            }
            // Answer with something else.
            RpcKind::DescribeWorkflowExecution
            | RpcKind::PollActivityTaskQueue
            | RpcKind::PollWorkflowTaskQueue
            | RpcKind::RecordActivityTaskHeartbeat
            | RpcKind::RecordActivityTaskHeartbeatById
            | RpcKind::ResetStickyTaskQueue
            | RpcKind::RequestCancelWorkflowExecution
            | RpcKind::RespondActivityTaskCanceled
            | RpcKind::RespondActivityTaskCanceledById
            | RpcKind::RespondActivityTaskCompleted
            | RpcKind::RespondActivityTaskCompletedById
            | RpcKind::RespondActivityTaskFailed
            | RpcKind::RespondActivityTaskFailedById
            | RpcKind::RespondWorkflowTaskCompleted
            | RpcKind::RespondWorkflowTaskFailed
            | RpcKind::SignalWithStartWorkflowExecution
            | RpcKind::SignalWorkflowExecution
            | RpcKind::StartWorkflowExecution
            | RpcKind::TerminateWorkflowExecution
            | of_no_workflow!() => None,
        }
    }
}

/// The run that was asked for, or the one that the oldest event shown is the start of.
fn run_id(asked_for: Option<WorkflowExecution>, oldest: Option<&HistoryEvent>) -> Option<String> {
    let asked_for = asked_for.map(|execution| execution.run_id).filter(|run_id| !run_id.is_empty());
    asked_for.or_else(|| match oldest?.attributes.as_ref()? {
        Attributes::WorkflowExecutionStartedEventAttributes(started) => Some(started.original_execution_run_id.clone()),
        _ => None,
    })
}

/// An event of a workflow task under way may be shown before it is written.
pub fn is_task_under_way(event: &HistoryEvent) -> bool {
    matches!(event.event_type(), EventType::WorkflowTaskScheduled | EventType::WorkflowTaskStarted)
}
