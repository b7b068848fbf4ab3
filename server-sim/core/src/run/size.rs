//! How large a state is, for the limits and for the shard that keeps it: what grows with what workers and clients send.
//! Inputs are not in a state, and do not count.
use crate::MutableState;
use prost::Message;

/// For the fields of fixed size of a part or of the run, and what its encoding adds.
pub(crate) const ENTRY_BYTES: usize = 64;
/// What the encoding adds to a name and its value.
const FIELD_BYTES: usize = 16;

impl MutableState {
    /// About as many bytes as the state takes in the store, its parts included. The same for the same state, wherever it is
    /// asked; what it costs to ask does not grow with the number of parts.
    pub fn approximate_bytes(&self) -> usize {
        let durable = &self.durable;
        let fields = durable.memo.iter().chain(durable.search_attributes.iter());
        let fields: usize = fields.map(|(name, payload)| FIELD_BYTES + name.len() + payload.encoded_len()).sum();
        ENTRY_BYTES
            + durable.started.encoded_len()
            + durable.user_metadata.as_ref().map_or(0, Message::encoded_len)
            + fields
            + durable.attached_requests.keys().map(|id| FIELD_BYTES + id.len()).sum::<usize>()
            + self.parts_bytes()
    }
}
