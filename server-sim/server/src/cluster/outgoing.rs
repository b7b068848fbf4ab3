//! Whether a call to another node has left this one. What has not was certainly not executed, whatever the call ended of:
//! no connection, a full queue, or no more patience.
use bytes::Bytes;
use std::sync::{Arc, OnceLock};
use tempest_rt::raw::Raw;
use tonic::Status;
use tonic::codec::{Codec, EncodeBuf, Encoder};

/// Whether the other node can have received a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// Not a byte of its message was ever made.
    Never,
    Perhaps,
}

/// A codec for one call, which passes its message through as it is. tonic encodes a message when the connection stands and
/// its stream wants bytes, so the first of two decides it: the encoder, and then the call may have been sent; or the
/// end of the call, and then no encoder gets to it any more.
#[derive(Clone, Debug, Default)]
pub(super) struct Outgoing(Arc<OnceLock<Sent>>);

impl Outgoing {
    /// The call has ended.
    pub fn end(&self) -> Sent {
        *self.0.get_or_init(|| Sent::Never)
    }

    /// Whether the message may go.
    fn leave(&self) -> bool {
        *self.0.get_or_init(|| Sent::Perhaps) == Sent::Perhaps
    }
}

impl Codec for Outgoing {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Raw;

    fn encoder(&mut self) -> Self {
        self.clone()
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Outgoing {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        if !self.leave() {
            return Err(Status::cancelled("the call has ended before it was sent"));
        }
        Raw.encode(message, buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_comes_first_settles_whether_a_call_was_sent() {
        let sent = Outgoing::default();
        assert!(sent.clone().encoder().leave());
        assert_eq!(sent.end(), Sent::Perhaps);

        let ended = Outgoing::default();
        assert_eq!(ended.end(), Sent::Never);
        assert!(!ended.clone().encoder().leave(), "what counts as not sent must not be sent later");
        assert_eq!(ended.end(), Sent::Never);
    }
}
