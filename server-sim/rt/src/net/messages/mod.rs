//! gRPC without HTTP/2, for a world whose runtime is not tokio's: each call is one byte stream of its own, with one message
//! there and one back. What servers and clients give it is the same as everywhere, `http::Request` and `http::Response`
//! with the encoded messages; only what lies between is otherwise.
//!
//! | on the stream | |
//! |---|---|
//! | the client | its request; a ping whenever it has heard nothing for a while |
//! | the server | a pong for each ping; its answer |
//! | the client closes it | the call is cancelled: its handler is dropped |
mod channel;
mod deadline;
mod frame;
mod serving;
#[cfg(all(test, not(madsim)))]
mod tests;

pub use channel::{Channel, dial, dial_any};
pub use serving::{serve, server};
