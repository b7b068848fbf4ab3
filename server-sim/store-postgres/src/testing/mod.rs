//! For tests: a PostgreSQL that a test starts, kills and restarts by itself, and a network that is cut on a cue.
//!
//! Where PostgreSQL is not installed, [`TestPostgres::start`] says so and returns `None`, and the test has nothing to
//! do; with `TEMPEST_REQUIRE_POSTGRES=1` it panics instead.
#![allow(clippy::disallowed_methods, reason = "real sockets and processes, never simulated")]

mod binaries;
mod proxy;
mod server;

pub use proxy::{Cut, Proxy};
pub use server::{PASSWORD, TestPostgres, USER};
