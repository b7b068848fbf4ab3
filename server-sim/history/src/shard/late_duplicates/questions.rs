//! Calls that a previous owner may have performed: each waits until its sender has said whether it still waits for it.
//!
//! Such a call may have been made long ago: it was made again meanwhile and performed, and the run that it was meant
//! for is over, so that nothing in the state of its workflow tells of it any more. Its sender knows.
use super::super::request::Request;
use std::collections::BTreeMap;

/// Bounded apart from all other requests: a shard that took nothing on because of these could not answer for its own
/// calls either, and two such shards would wait for each other.
pub(super) struct Questions {
    asked: u64,
    requests: BTreeMap<u64, Request>,
    max: usize,
}

impl Questions {
    pub fn new(max: usize) -> Self {
        Self { asked: 0, requests: BTreeMap::new(), max }
    }

    /// The number of the question, or the request if too many wait.
    #[allow(clippy::result_large_err)] // it is given back as it came
    pub fn ask(&mut self, request: Request) -> Result<u64, Request> {
        if self.requests.len() >= self.max {
            return Err(request);
        }
        let question = self.asked;
        self.asked += 1;
        self.requests.insert(question, request);
        Ok(question)
    }

    pub fn answered(&mut self, question: u64) -> Request {
        self.requests.remove(&question).expect("a question is answered once")
    }

    pub fn into_requests(self) -> impl Iterator<Item = Request> {
        self.requests.into_values()
    }
}
