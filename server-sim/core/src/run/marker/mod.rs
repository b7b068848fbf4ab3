//! Markers: what a workflow wants its replays to find again. The run itself keeps nothing of them.
pub(crate) mod events;
pub(crate) mod record;
