//! Activities: scheduled by a command, started by a poll, retried by the server, closed once. History hears of the
//! start only when the activity closes; until then attempts, heartbeats and the last failure are auxiliary.
mod attempts;
pub(crate) mod events;
pub(crate) mod record_started;
pub(crate) mod reports;
pub(crate) mod request_cancel;
pub(crate) mod schedule;
mod state;
pub(crate) mod timeout;
mod timeouts;
mod view;

pub use state::{Activity, ActivityProgress, ActivityStart};
