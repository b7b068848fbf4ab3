//! What a run leaves behind, made readable: artifacts (versioned JSON) in, pages, Markdown, JUnit and JSON out.
//!
//! The main types are [`Run`], one simulated universe as its artifact tells it, and [`Campaign`], the figures of many.
//! [`run_page`], [`campaign_page`] and [`shards_page`], the page of a bench by shard count, are single HTML files without
//! any outside asset, light and dark.
//!
//! This crate knows the types of `tempest-artifact`, which the harness writes, and nothing else: no harness, no server, no
//! clock, no file but those that [`load_dir`] is pointed at. What a fault does to whom is one match over all kinds of
//! faults (`run/effects.rs`): a new kind does not compile before it says how it is drawn.

mod campaign;
mod curve;
mod distribution;
mod history;
mod json;
mod junit;
mod load;
mod markdown;
mod ownership;
mod page;
mod picture;
mod run;
mod sketch;
mod words;

pub use campaign::{Campaign, DistinctFailure};
pub use json::json;
pub use junit::junit;
pub use load::{LoadError, Loaded, Skipped, load_dir, load_file, parse};
pub use markdown::markdown;
pub use page::{campaign_page, run_page, shards_page};
pub use run::Run;
