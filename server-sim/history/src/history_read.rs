//! Reading events from a history branch.
use prost::Message;
use tempest_api::proto::history::v1::{History, HistoryEvent};
use tempest_api::{ServiceError, ServiceResult};
use tempest_core::{BranchRef, EventId};
use tempest_store::{BranchId, HistoryNode, Store, StoreCalls, StoreError};

/// How much one page holds.
#[derive(Clone, Copy)]
pub(crate) struct PageSize {
    /// The page ends with the batch that brings it here.
    pub events: usize,
    /// The page ends before the batch that would take it beyond this, unless that is its first.
    pub bytes: usize,
}

/// Events with `from <= id < until`, in order, in whole batches.
pub(crate) async fn read_events(
    store: &dyn Store,
    branch: &BranchRef,
    from: EventId,
    until: EventId,
    page: PageSize,
    nodes_per_read: usize,
) -> ServiceResult<Vec<HistoryEvent>> {
    let branch = BranchId { tree: branch.tree.clone(), branch: branch.branch.clone() };
    let mut events: Vec<HistoryEvent> = Vec::new();
    let mut bytes: usize = 0;
    let mut next = from;
    let mut start = from;
    // Whether everything between a batch that begins before `next` and `start` was read.
    let mut no_gap = false;
    while next < until && events.len() < page.events {
        let nodes = store.history(&branch, start, until, nodes_per_read).await.map_err(unreadable)?;
        let (last, full) = (nodes.last().map(|node| node.node), nodes.len() >= nodes_per_read);
        if nodes.first().is_none_or(|first| first.node > next) {
            if start <= 1 || no_gap {
                return Err(ServiceError::DataLoss(format!("event {next} of branch {} is missing", branch.branch)));
            }
            // `next` is inside a batch that begins before it: look further back, twice as far each time.
            start = start.saturating_sub((next - start).max(1).saturating_mul(2)).max(1);
            continue;
        }
        let wanted = next;
        for node in nodes {
            if !events.is_empty() && bytes.saturating_add(node.events.len()) > page.bytes {
                return Ok(events);
            }
            for event in decode(&node)? {
                if event.event_id < next || event.event_id >= until {
                    continue;
                }
                if event.event_id != next {
                    let (found, branch) = (event.event_id, &branch.branch);
                    return Err(ServiceError::DataLoss(format!(
                        "event {found} of branch {branch} is where event {next} should be"
                    )));
                }
                next += 1;
                events.push(event);
            }
            if next > wanted {
                bytes += node.events.len();
            }
            if events.len() >= page.events {
                break;
            }
        }
        no_gap = true;
        start = match last {
            Some(last) if next == wanted && full => last + 1,
            Some(_) if next > wanted => next,
            _ => return Err(ServiceError::DataLoss(format!("event {next} of branch {} is missing", branch.branch))),
        };
    }
    Ok(events)
}

/// The event `id` and those that follow it in its batch.
pub(crate) async fn read_batch(
    store: &dyn Store,
    branch: &BranchRef,
    id: EventId,
    nodes_per_read: usize,
) -> ServiceResult<Vec<HistoryEvent>> {
    let branch = BranchId { tree: branch.tree.clone(), branch: branch.branch.clone() };
    let missing = || ServiceError::DataLoss(format!("event {id} of branch {} is missing", branch.branch));
    let (mut start, mut newest) = (id, None);
    loop {
        let nodes = store.history(&branch, start, id + 1, nodes_per_read).await.map_err(unreadable)?;
        let full = nodes.len() >= nodes_per_read;
        newest = nodes.into_iter().next_back().or(newest);
        match &newest {
            // There may be more behind.
            Some(node) if full && node.node < id => start = node.node + 1,
            Some(_) => break,
            None if start <= 1 => return Err(missing()),
            // `id` is inside a batch that begins before it: look further back, twice as far each time.
            None => start = start.saturating_sub((id - start).max(1).saturating_mul(2)).max(1),
        }
    }
    let mut events = decode(&newest.ok_or_else(missing)?)?;
    events.retain(|event| event.event_id >= id);
    if events.first().is_some_and(|event| event.event_id == id) { Ok(events) } else { Err(missing()) }
}

/// As many of these events as fit into a page, at least one.
pub(crate) fn fitting(mut events: Vec<HistoryEvent>, bytes_max: usize) -> Vec<HistoryEvent> {
    let mut bytes = 0;
    let fit = events.iter().take_while(|event| {
        bytes += event.encoded_len();
        bytes <= bytes_max
    });
    let count = fit.count().max(1);
    events.truncate(count);
    events
}

fn decode(node: &HistoryNode) -> ServiceResult<Vec<HistoryEvent>> {
    let history = History::decode(node.events.clone());
    history
        .map(|history| history.events)
        .map_err(|error| ServiceError::DataLoss(format!("history batch {} does not decode: {error}", node.node)))
}

fn unreadable(error: StoreError) -> ServiceError {
    match error {
        StoreError::Corrupt(_) => ServiceError::DataLoss(error.to_string()),
        _ => ServiceError::Unavailable(error.to_string()),
    }
}
