//! What clients call: one RPC per file.
pub mod describe;
pub mod get_history;
pub mod get_history_reverse;
mod links;
pub mod request_cancel;
pub mod signal;
pub mod signal_with_start;
pub mod start;
pub mod terminate;
