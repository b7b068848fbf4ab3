//! One run: from a request to a verdict and an artifact. A process holds one.
mod artifact;
mod judged;
mod ownership;
mod phases;
mod prepared;
mod programs;
mod repeats;
mod report;

pub use crate::world::RunSettings;
pub use phases::{PHASES, Watch};
pub use prepared::{Prepared, Progress, RunError, prepare, run};
pub use report::RunReport;
pub use tempest_artifact::{Artifact, RunRequest, Settings};
