//! How large a state is: what grows with what workers and clients send.
use super::{ActivityProgress, MutableState};
use prost::Message;

/// For the fields of fixed size of an activity, a timer or the run, and what its encoding adds.
const ENTRY_BYTES: usize = 64;

impl MutableState {
    /// About as many bytes as the state takes in the store. The same for the same state, wherever it is asked.
    pub fn approximate_bytes(&self) -> usize {
        let (durable, ephemera) = (&self.durable, &self.ephemera);
        let fields = durable.memo.iter().chain(durable.search_attributes.iter());
        let fields: usize = fields.map(|(name, payload)| name.len() + payload.encoded_len()).sum();
        let activities = durable.activities.values().map(|activity| ENTRY_BYTES + activity.attributes.encoded_len());
        let timers = durable.timers.values().map(|timer| ENTRY_BYTES + timer.timer_id.len());
        ENTRY_BYTES
            + durable.started.encoded_len()
            + durable.user_metadata.as_ref().map_or(0, Message::encoded_len)
            + fields
            + activities.sum::<usize>()
            + timers.sum::<usize>()
            + ephemera.activities.values().map(progress_bytes).sum::<usize>()
            + ephemera.buffered.iter().map(Message::encoded_len).sum::<usize>()
            + ephemera.signal_request_ids.iter().map(String::len).sum::<usize>()
    }
}

fn progress_bytes(progress: &ActivityProgress) -> usize {
    let start = progress.started.as_ref().map_or(0, |start| start.request_id.len() + start.identity.len());
    ENTRY_BYTES
        + start
        + progress.last_worker_identity.len()
        + progress.heartbeat_details.as_ref().map_or(0, Message::encoded_len)
        + progress.last_failure.as_ref().map_or(0, Message::encoded_len)
}
