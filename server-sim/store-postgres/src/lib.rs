//! A [`tempest_store::Store`] over PostgreSQL, shared by as many server processes as there are.
//!
//! [`PostgresStore`] keeps bytes under bytes in a handful of tables of one schema. Writes queue in *lanes*: each takes
//! what waits, reads under row locks what those writes are judged by, judges them in memory, writes what is left with
//! one statement per table and kind, and sends COMMIT by itself, so that it is always known on which side of it a
//! failure fell. Three round trips per batch, however many commits are in it. Reads have a bounded pool of their own.
//!
//! What makes it safe to share: a shard's and a partition's range id are judged under the lock of their row, and what is
//! not behind such a lock is written by compare-and-set. What makes it honest: everything before COMMIT was handed over
//! is certainly not stored, everything after it is unknown until the database has said, of this very transaction, that
//! it is committed.
//!
//! This crate is for the real world only: it opens sockets by itself, and no simulation runs it. It does not know what
//! states, histories and tasks mean, nor who should own which shard. PostgreSQL 14 or newer is needed.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod changes;
mod config;
mod connection;
mod lane;
mod lookout;
mod pool;
mod read;
mod schema;
mod statements;
mod store;
mod target;
#[cfg(feature = "testing")]
pub mod testing;
mod transaction;
mod trouble;

pub use config::PostgresConfig;
pub use store::PostgresStore;
