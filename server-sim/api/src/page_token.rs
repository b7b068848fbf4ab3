//! Where to go on reading a run's history: what `next_page_token` holds, in polls and in GetWorkflowExecutionHistory.
use serde::{Deserialize, Serialize};
use tempest_core::{BranchRef, EventId, RunKey};

/// First byte of every page token, so that one of another version is refused rather than misread.
const VERSION: u8 = 16;

/// The events with `from <= id < until` of one branch are still to be read. A token pins its run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryPageToken {
    pub run: RunKey,
    pub branch: BranchRef,
    /// Id of the next event to ship.
    pub from: EventId,
    /// Id below which the events are known to be durable. Once `from` has reached it, a reader that does not `wait`
    /// is done.
    pub until: EventId,
    /// The reader wants events that are yet to come (`wait_new_event`): at `until` ask for the position again.
    pub wait: bool,
    /// The reader is a worker: after the last event come the events of a transient workflow task.
    pub transient: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("Invalid NextPageToken.")]
pub struct PageTokenError;

impl HistoryPageToken {
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend(rmp_serde::to_vec_named(self).expect("a token of strings and numbers always encodes"));
        bytes
    }

    /// # Errors
    /// The bytes are not a page token of ours.
    pub fn decode(bytes: &[u8]) -> Result<Self, PageTokenError> {
        match bytes.split_first() {
            Some((&VERSION, rest)) => rmp_serde::from_slice(rest).map_err(|_| PageTokenError),
            _ => Err(PageTokenError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_is_decoded_and_anything_else_refused() {
        let token = HistoryPageToken {
            run: RunKey { namespace_id: "n".into(), workflow_id: "w".into(), run_id: "r".into() },
            branch: BranchRef { tree: "r".into(), branch: "b".into() },
            from: 257,
            until: 300,
            wait: false,
            transient: true,
        };
        assert_eq!(HistoryPageToken::decode(&token.encode()).expect("our own token"), token);
        let mut bytes = token.encode();
        bytes[0] ^= 1;
        assert!(HistoryPageToken::decode(&bytes).is_err());
        assert!(HistoryPageToken::decode(b"").is_err());
    }
}
