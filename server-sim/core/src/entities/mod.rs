//! What a run is made of, one entity per file: the steps a decision takes on it.
pub(crate) mod activity;
pub(crate) mod buffer;
pub(crate) mod child;
pub(crate) mod close;
pub(crate) mod external;
pub(crate) mod run;
pub(crate) mod signal;
pub(crate) mod timer;
pub(crate) mod workflow_task;
