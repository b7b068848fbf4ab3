//! What a durable operation can come to.
use crate::records::RangeId;
use serde::{Deserialize, Serialize};

/// The end of one fenced write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[must_use]
pub enum CommitOutcome {
    /// Durable: it survives a power cut from here on.
    Committed,
    /// Certainly not applied: a run's version, the current-run pointer or the commit sequence was not the expected one.
    Conflict(String),
    /// Certainly not applied: another owner holds a higher range id.
    OwnershipLost { current: RangeId },
    /// Certainly not applied: the store refused it before doing anything (disk full, shutting down).
    Unavailable(String),
    /// It may have been applied or not: neither success nor failure.
    OutcomeUnknown(String),
}

/// Why a read, or an unfenced operation, failed. Grouped by what the caller can do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum StoreError {
    /// Retry later.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// Find out what happened before doing it again.
    #[error("the outcome of a write is unknown: {0}")]
    OutcomeUnknown(String),
    /// Re-route: the caller is no longer the owner.
    #[error("ownership was lost to range {current}")]
    OwnershipLost { current: RangeId },
    /// A compare-and-set found something else.
    #[error("conflict: {0}")]
    Conflict(String),
    /// Call an operator: what was read makes no sense.
    #[error("stored data is damaged: {0}")]
    Corrupt(String),
    /// Call an operator: the file is not one this version can read, or its settings are out of range.
    #[error("{0}")]
    Incompatible(String),
}
