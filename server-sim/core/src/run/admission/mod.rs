//! What becomes of a request to start a run: the open run answers, a new one begins, or one begins in place of another.
mod attach;
pub(crate) mod events;
pub(crate) mod signal_with_start;
pub(crate) mod start;
