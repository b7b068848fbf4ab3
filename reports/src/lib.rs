//! What a run leaves behind, made readable: artefacts (versioned JSON) in, pages, Markdown, JUnit and JSON out.
//!
//! The main types are [`Run`], one simulated universe as its artefact tells it, and [`Campaign`], the figures of many.
//! [`run_page`] and [`campaign_page`] are single HTML files without any outside asset, light and dark.
//!
//! This crate knows the artefact's JSON and nothing else: no harness, no server, no clock, no file but those that
//! [`load_dir`] is pointed at. Fields it does not know are ignored and fields that are missing are left out of the
//! picture, so that a page of an older or newer artefact is poorer, never wrong.

mod campaign;
mod distribution;
mod history;
mod json;
mod junit;
mod load;
mod markdown;
mod ownership;
mod page;
mod run;
mod shard_lanes;
mod timeline;
mod words;

pub use campaign::{Campaign, DistinctFailure};
pub use json::json;
pub use junit::junit;
pub use load::{LoadError, Loaded, Skipped, load_dir, load_file, parse};
pub use markdown::markdown;
pub use ownership::{CommitInDoubt, Failover, Ownership, Tenure};
pub use page::{campaign_page, run_page};
pub use run::{
    Check, DrawnOption, Fault, HostLane, HostSpan, HostState, Operation, Outcome, Phase, Run, Verdict, Violation,
};
