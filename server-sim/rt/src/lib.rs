//! The only door from server code to the runtime: spawning, blocking work, time, entropy, the network, and the places
//! where a simulation may interfere ([`buggify!`], [`probe!`], [`planted!`]).
//!
//! Server crates name neither tokio's runtime nor a transport, so that the same code runs for real and in every world.
//! Time and entropy come from the operating system's calls: the default world interposes those, others replace this crate.
#![forbid(unsafe_code)]

mod chaos;
#[cfg(madsim)]
mod contained;
pub mod entropy;
pub mod net;
pub mod raw;
pub mod task;
pub mod time;

pub(crate) use chaos::inline_blocking;
#[cfg(feature = "chaos")]
pub use chaos::{Arms, arm, probes};
pub use chaos::{armed_plants, duplicated};
#[doc(hidden)]
pub use chaos::{buggified, hit, is_planted};
#[cfg(madsim)]
pub use contained::Contained;
