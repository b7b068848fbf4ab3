//! How runs begin: the first event, the time until the first workflow task, and the run that follows a closed one. Whether
//! a request gets a run of its own is decided in [`crate::run::admission`].
pub(crate) mod backoff;
pub(crate) mod events;
pub(crate) mod open;
pub(crate) mod successor;
mod view;
