//! Temporal's rules that need no state of a run: values in, values out.
//!
//! The core ([`crate::decide`]) and the frontend, which admits requests, ask here for defaults, validity, delays and
//! the texts users know. Rules that normalise change their argument in place, as the normalised value is what
//! history records.
pub mod durations;
pub mod failure;
pub mod names;
pub(crate) mod payloads;
pub mod priority;
pub mod retry_policy;
mod search_attribute_value;
pub mod search_attributes;
pub mod start_request;
pub mod task_queue;
