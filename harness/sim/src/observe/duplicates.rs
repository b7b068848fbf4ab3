//! Calls between servers that were delivered twice: the caller hears what became of one of the two, and the server that
//! was called cannot tell which. What one did the other may find done, and refuse.
use bytes::Bytes;
use std::sync::{Arc, Mutex};

/// A call whose duplicate set out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DuplicatedCall {
    /// Virtual time at which the call was made.
    pub at_ns: u64,
    /// As it went to the other node.
    pub call: Bytes,
}

impl DuplicatedCall {
    /// Whether it is about this workflow: calls name it whole, as MessagePack writes a string.
    pub fn names(&self, workflow_id: &str) -> bool {
        let Ok(named) = rmp_serde::to_vec(workflow_id) else { return false };
        self.call.windows(named.len()).any(|part| part == named)
    }
}

/// Written by servers; see [`super::OperationLog`] for why that is safe.
#[derive(Clone, Debug, Default)]
pub struct Duplicates(Arc<Mutex<Vec<DuplicatedCall>>>);

impl Duplicates {
    /// Notes that a call which is made now goes out twice.
    pub fn note(&self, at_ns: u64, call: &[u8]) {
        let call = Bytes::copy_from_slice(call);
        self.0.lock().expect("no holder of this lock panics").push(DuplicatedCall { at_ns, call });
    }

    /// When the last of them went out.
    pub fn last_ns(&self) -> Option<u64> {
        self.0.lock().expect("no holder of this lock panics").last().map(|call| call.at_ns)
    }

    /// All so far, in order.
    pub fn snapshot(&self) -> Vec<DuplicatedCall> {
        self.0.lock().expect("no holder of this lock panics").clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_names_whole_workflows() {
        let call = rmp_serde::to_vec_named(&("default", "order-10")).expect("it is plain data");
        let call = DuplicatedCall { at_ns: 1, call: call.into() };
        assert!(call.names("order-10"));
        assert!(!call.names("order-1") && !call.names("order-100"));
    }
}
