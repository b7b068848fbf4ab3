//! Where tempest keeps everything durable.
//!
//! [`Store`] is the whole contract: a door for writes ([`WriteRequest`]) and one for reads ([`ReadRequest`]), with outcomes
//! that never blur *unknown* into *failed* ([`CommitOutcome`]). [`StoreCalls`] are the typed calls over them: fenced,
//! strictly ordered shard commits ([`ShardCommit`]), reads, namespaces and task-queue backlogs. [`redb`] is the embedded
//! implementation; every implementation passes the same conformance suite.
//!
//! This crate does not know what is inside a run's state or a history batch: to it they are bytes.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod calls;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod file_system;
pub mod judge;
pub mod keys;
mod outcome;
#[cfg(feature = "chaos")]
mod plants;
mod read_request;
mod records;
pub mod redb;
mod store;
mod table;
pub mod values;
pub mod write_queue;
mod write_request;

pub use calls::{CommitFuture, StoreCalls};
pub use outcome::{CommitOutcome, StoreError};
#[cfg(feature = "chaos")]
pub use plants::PLANTED;
pub use read_request::{Found, ReadAnswer, ReadRequest};
pub use records::*;
pub use store::{ReadFuture, Store, WriteFuture};
pub use table::{Churn, JudgedBy, Table};
pub use write_request::{WriteAnswer, WriteRequest, Written};
