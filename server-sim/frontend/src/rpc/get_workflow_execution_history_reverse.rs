//! GetWorkflowExecutionHistoryReverse: newest events first, no waiting, no transient events.
use super::get_workflow_execution_history::{page_size, page_token, unreadable};
use crate::{Frontend, namespace::Namespace, validation};
use tempest_api::proto::history::v1::History;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{HistoryPageToken, ServiceResult, Target};

/// # Errors
/// `InvalidArgument` for a token that is none of ours or names another run, and history's `NotFound`.
pub async fn get_history_reverse(
    frontend: &Frontend,
    namespace: &Namespace,
    request: api::GetWorkflowExecutionHistoryReverseRequest,
) -> ServiceResult<api::GetWorkflowExecutionHistoryReverseResponse> {
    let execution = validation::execution(request.execution.as_ref())?;
    let token = match page_token(&request.next_page_token, namespace, execution)? {
        Some(token) => token,
        None => {
            let position =
                frontend.history.history_position(Target::named(&namespace.id, Some(execution)), None).await?;
            HistoryPageToken {
                run: position.run,
                branch: position.branch,
                from: 1,
                until: position.next_event_id,
                wait: false,
                transient: false,
            }
        }
    };
    let page_size = page_size(frontend, request.maximum_page_size);
    let events = match frontend.history.read_history_reverse(&token.run, &token.branch, token.until, page_size).await {
        Ok(events) => events,
        Err(error) => return Err(unreadable(frontend, &token, error).await),
    };
    let next = match events.last() {
        Some(last) if last.event_id > 1 => {
            let until = last.event_id - i64::from(tempest_rt::planted!(crate::plants::REVERSE_PAGE_SKIPS_AN_EVENT));
            HistoryPageToken { until, ..token }.encode()
        }
        _ => Vec::new(),
    };
    Ok(api::GetWorkflowExecutionHistoryReverseResponse { history: Some(History { events }), next_page_token: next })
}
