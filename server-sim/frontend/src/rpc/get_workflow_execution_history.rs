//! GetWorkflowExecutionHistory: pages, long polls, and the close event alone.
//!
//! | filter | wait | run    | answer |
//! |--------|------|--------|--------|
//! | all    | no   | any    | pages, then no token |
//! | all    | yes  | open   | pages; the last one has a token, and a call with it waits for new events |
//! | close  | no   | open   | nothing, no token |
//! | close  | yes  | open   | waits; if nothing closes the run in time, nothing and a token |
//! | close  | any  | closed | exactly the last event, no token |
use crate::caller::Caller;
use crate::routes::Wait;
use crate::validation::{self, invalid};
use crate::{Frontend, namespace::Namespace};
use tempest_api::proto::common::v1::WorkflowExecution;
use tempest_api::proto::enums::v1::{EventType, HistoryEventFilterType, WorkflowExecutionStatus};
use tempest_api::proto::history::v1::history_event::Attributes;
use tempest_api::proto::history::v1::{History, HistoryEvent, WorkflowExecutionContinuedAsNewEventAttributes};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{HistoryPageToken, HistoryPosition, HistoryWait, ServiceError, ServiceResult, Target};
use tempest_core::{EventId, rules::failure};
use tempest_rt::time::{Duration, Instant, sleep};

/// # Errors
/// `InvalidArgument` for a token that is none of ours or names another run, and history's `NotFound`.
pub async fn get_history(
    frontend: &Frontend,
    namespace: &Namespace,
    request: api::GetWorkflowExecutionHistoryRequest,
    caller: &Caller,
) -> ServiceResult<api::GetWorkflowExecutionHistoryResponse> {
    let execution = validation::execution(request.execution.as_ref())?;
    let token = page_token(&request.next_page_token, namespace, execution)?;
    let target = Target::named(&namespace.id, Some(execution));
    let page_size = page_size(frontend, request.maximum_page_size);
    let reader = Reader { frontend, caller, page_size, waits: request.wait_new_event };
    let close_event_only = request.history_event_filter_type == HistoryEventFilterType::CloseEvent as i32;
    let (events, next) = match close_event_only {
        true => reader.close_event(target, token).await?,
        false => reader.events(target, token).await?,
    };
    Ok(api::GetWorkflowExecutionHistoryResponse {
        history: Some(History { events }),
        next_page_token: next.map(|token| token.encode()).unwrap_or_default(),
        ..Default::default()
    })
}

/// At most so many events, unless a batch is larger.
pub fn page_size(frontend: &Frontend, asked: i32) -> usize {
    let max = frontend.config.history_page_events_max;
    match usize::try_from(asked) {
        Ok(asked) if asked > 0 => asked.min(max),
        _ => max,
    }
}

/// A token pins the run: a caller that sends it along with another run is mistaken.
pub fn page_token(
    bytes: &[u8],
    namespace: &Namespace,
    execution: &WorkflowExecution,
) -> ServiceResult<Option<HistoryPageToken>> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let token = HistoryPageToken::decode(bytes).map_err(|error| ServiceError::InvalidArgument(error.to_string()))?;
    let names_events = token.from >= 1 && token.until >= 1;
    if !names_events
        || token.run.namespace_id != namespace.id
        || token.run.workflow_id.as_str() != execution.workflow_id
    {
        return invalid("Invalid NextPageToken.");
    }
    if !execution.run_id.is_empty() && token.run.run_id.as_str() != execution.run_id {
        return invalid("RunId in the request does not match the NextPageToken.");
    }
    Ok(Some(token))
}

/// Why events that a token names could not be read. A token is the caller's word: what it names without there being any
/// is not lost.
pub async fn unreadable(frontend: &Frontend, token: &HistoryPageToken, error: ServiceError) -> ServiceError {
    if !matches!(error, ServiceError::DataLoss(_)) {
        return error;
    }
    match frontend.history.history_position(Target::of(&token.run), None).await {
        Ok(position) if position.branch == token.branch && token.until <= position.next_event_id => error,
        Ok(_) | Err(ServiceError::NotFound(_)) => ServiceError::InvalidArgument("Invalid NextPageToken.".into()),
        // Whether it is lost is not known.
        Err(unknown) => unknown,
    }
}

/// Between two looks for a shard's new owner while a caller waits for events; doubles up to the second.
const OWNER_PAUSE_MIN: Duration = Duration::from_millis(50);
const OWNER_PAUSE_MAX: Duration = Duration::from_secs(1);

type Page = (Vec<HistoryEvent>, Option<HistoryPageToken>);

struct Reader<'a> {
    frontend: &'a Frontend,
    caller: &'a Caller,
    page_size: usize,
    /// The caller waits for what is yet to come.
    waits: bool,
}

impl Reader<'_> {
    async fn close_event(&self, target: Target, token: Option<HistoryPageToken>) -> ServiceResult<Page> {
        let target = token.as_ref().map_or(target, |token| Target::of(&token.run));
        let position = match self.waits {
            true => self.awaited(&target, self.wait(EventId::MAX, true)).await,
            false => self.position(target, None).await,
        };
        let position = match (position, token) {
            // It waited as long as it could: the next call goes on where this one was.
            (Err(error), Some(token)) if self.waits && passes(&error) => return Ok((Vec::new(), Some(token))),
            (position, _) => position?,
        };
        if is_open(&position) {
            let token = self.waits.then(|| self.token(&position, position.next_event_id));
            return Ok((Vec::new(), token));
        }
        let (last, until) = (position.next_event_id - 1, position.next_event_id);
        let history = &self.frontend.history;
        let mut events = history.read_history(&position.run, &position.branch, last, until, 1).await?;
        let Some(event) = events.pop() else {
            return Err(ServiceError::DataLoss("no events in workflow history".into()));
        };
        let event = match self.caller.follows_next_run() {
            true => event,
            false => as_continued(event),
        };
        Ok((vec![event], None))
    }

    async fn events(&self, target: Target, token: Option<HistoryPageToken>) -> ServiceResult<Page> {
        let (mut token, position) = match token {
            None => {
                let position = self.position(target, None).await?;
                (self.token(&position, 1), Some(position))
            }
            Some(token) if token.from >= token.until && token.wait && self.waits => {
                let wait = self.wait(token.until, false);
                let position = match self.awaited(&Target::of(&token.run), wait).await {
                    Err(error) if passes(&error) => return Ok((Vec::new(), Some(token))),
                    position => position?,
                };
                // The branch may be another one by now: what was read of the old one stays read.
                (self.token(&position, token.from), Some(position))
            }
            Some(token) => (token, None),
        };
        let mut events = match token.from < token.until {
            true => self.read(&token).await?,
            false => Vec::new(),
        };
        if let Some(last) = events.last() {
            token.from = last.event_id + 1;
        }
        if token.from < token.until {
            return Ok((events, Some(token)));
        }
        if token.transient && !events.is_empty() {
            events.extend(self.transient_events(&token, position).await);
        }
        let more_to_come = token.wait && self.waits;
        Ok((events, more_to_come.then_some(token)))
    }

    async fn read(&self, token: &HistoryPageToken) -> ServiceResult<Vec<HistoryEvent>> {
        let history = &self.frontend.history;
        match history.read_history(&token.run, &token.branch, token.from, token.until, self.page_size).await {
            Ok(events) => Ok(events),
            Err(error) => Err(unreadable(self.frontend, token, error).await),
        }
    }

    /// Events of a workflow task that is not persisted, if they follow directly on what was read. The token ignores
    /// them; a failure to find them is no failure of the page.
    async fn transient_events(&self, token: &HistoryPageToken, known: Option<HistoryPosition>) -> Vec<HistoryEvent> {
        let position = match known {
            Some(position) => Ok(position),
            None => self.position(Target::of(&token.run), None).await,
        };
        let Ok(position) = position else { return Vec::new() };
        let follows = position.transient_events.first().is_some_and(|event| event.event_id == token.until);
        if follows { position.transient_events } else { Vec::new() }
    }

    /// The position when the wait is over, however often the run's shard goes to another node meanwhile.
    async fn awaited(&self, target: &Target, wait: HistoryWait) -> ServiceResult<HistoryPosition> {
        let over = Instant::now() + wait.timeout;
        let mut pause = OWNER_PAUSE_MIN;
        loop {
            let timeout = over.saturating_duration_since(Instant::now());
            let position = self.position(target.clone(), Some(HistoryWait { timeout, ..wait })).await;
            let enough = over.saturating_duration_since(Instant::now()) < pause;
            match position {
                Err(error) if passes(&error) && !enough => tempest_rt::probe!("frontend-long-poll-outlives-owner"),
                position => return position,
            }
            sleep(pause).await;
            pause = (pause * 2).min(OWNER_PAUSE_MAX);
        }
    }

    async fn position(&self, target: Target, wait: Option<HistoryWait>) -> ServiceResult<HistoryPosition> {
        self.frontend.history.history_position(target, wait).await
    }

    fn wait(&self, next_event_id: EventId, until_closed: bool) -> HistoryWait {
        let timeout = Wait::HistoryPoll.patience(self.frontend, self.caller);
        HistoryWait { next_event_id, until_closed, timeout }
    }

    fn token(&self, position: &HistoryPosition, from: EventId) -> HistoryPageToken {
        HistoryPageToken {
            run: position.run.clone(),
            branch: position.branch.clone(),
            from,
            until: position.next_event_id,
            wait: self.waits && is_open(position),
            transient: self.caller.takes_transient_events(),
        }
    }
}

/// Whether nothing is wrong but that a shard is between two owners, or its store away. To look again is always safe.
fn passes(error: &ServiceError) -> bool {
    matches!(
        error,
        ServiceError::Unavailable(_)
            | ServiceError::OtherVersion { .. }
            | ServiceError::OutcomeUnknown(_)
            | ServiceError::ShardOwnershipLost { .. }
            | ServiceError::DeadlineExceeded(_)
    )
}

fn is_open(position: &HistoryPosition) -> bool {
    matches!(position.status, WorkflowExecutionStatus::Running | WorkflowExecutionStatus::Paused)
}

/// Old SDKs follow a chain of runs through ContinuedAsNew only: to them a closing event with a next run is shown as one,
/// as Temporal does.
#[allow(deprecated, reason = "the clients meant here read the deprecated field")]
fn as_continued(event: HistoryEvent) -> HistoryEvent {
    let continued = match &event.attributes {
        Some(Attributes::WorkflowExecutionCompletedEventAttributes(closed)) => {
            WorkflowExecutionContinuedAsNewEventAttributes {
                new_execution_run_id: closed.new_execution_run_id.clone(),
                last_completion_result: closed.result.clone(),
                ..Default::default()
            }
        }
        Some(Attributes::WorkflowExecutionFailedEventAttributes(closed)) => {
            WorkflowExecutionContinuedAsNewEventAttributes {
                new_execution_run_id: closed.new_execution_run_id.clone(),
                failure: closed.failure.clone(),
                ..Default::default()
            }
        }
        Some(Attributes::WorkflowExecutionTimedOutEventAttributes(closed)) => {
            WorkflowExecutionContinuedAsNewEventAttributes {
                new_execution_run_id: closed.new_execution_run_id.clone(),
                failure: Some(failure::workflow_timeout()),
                ..Default::default()
            }
        }
        _ => return event,
    };
    if continued.new_execution_run_id.is_empty() {
        return event;
    }
    HistoryEvent {
        event_id: event.event_id,
        event_time: event.event_time,
        event_type: EventType::WorkflowExecutionContinuedAsNew as i32,
        version: event.version,
        task_id: event.task_id,
        attributes: Some(Attributes::WorkflowExecutionContinuedAsNewEventAttributes(continued)),
        ..Default::default()
    }
}
