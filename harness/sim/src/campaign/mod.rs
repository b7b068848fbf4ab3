//! Many runs, each in a process of its own: by seed, by regression, smaller and smaller, and as a test.
mod core;
mod coverage;
mod detection;
mod many;
mod process;
mod regression;
mod shrink;
pub mod testing;

pub use core::{CORE, OwnCore, leave_a_shared_core};
pub use coverage::{Coverage, GROUPS, NotToBeSeen, can_be_seen};
pub use detection::Detection;
pub use many::{Campaign, CampaignEnd, ManyError, PlannedRun, SeedEnd, Twice, explore};
pub use regression::{Regression, RegressionError};
pub use shrink::{ShrinkError, Shrunk, Stop, TrialSettings, Trials, Watcher, as_test, shrink, target};
