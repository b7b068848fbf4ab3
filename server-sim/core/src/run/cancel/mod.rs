//! Requests that this run be cancelled, from clients and from other runs. The workflow decides what it does about one.
pub(crate) mod by_workflow;
pub(crate) mod events;
pub(crate) mod request;
