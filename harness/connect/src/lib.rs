//! The official SDK's connection, compiled once.
//!
//! An async function is compiled by each crate that polls it, and behind `Connection::connect` is a client with every RPC
//! that Temporal has: two hundred of them, each with its codec, more code than the whole simulator. Here it is compiled
//! beside the simulator and not with each edit of it, and optimised less (see the profiles in the workspace's Cargo.toml).
#![forbid(unsafe_code)]

use futures::future::{BoxFuture, FutureExt};
use temporalio_client::errors::ClientConnectError;
use temporalio_client::{Connection, ConnectionOptions};

/// As [`Connection::connect`].
///
/// # Errors
/// As there.
#[inline(never)]
pub fn connect(options: ConnectionOptions) -> BoxFuture<'static, Result<Connection, ClientConnectError>> {
    Connection::connect(options).boxed()
}
