//! A deterministic scheduler of real threads.
#![cfg_attr(not(lockstep_supported), allow(dead_code))]

mod context;
mod error;
#[cfg(lockstep_supported)]
mod interpose;
mod kernel;
pub mod net;
mod options;
mod simulation;
mod sys;
pub mod trace;

pub use context::{current_host, host_name, incarnation, now_ns, quiet, request_stop};
pub use error::Error;
#[cfg(lockstep_supported)]
pub use interpose::check_interposition;
pub use kernel::{HostStatus, RunEnd};
pub use options::{Options, Pick, Ratio};
pub use simulation::{HostId, Simulation, simulate};
pub use trace::TraceHash;

/// Nothing is interposed here.
#[cfg(not(lockstep_supported))]
pub fn check_interposition() -> Result<(), Error> {
    Err(Error::Unsupported)
}
