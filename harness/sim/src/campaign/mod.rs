//! Many runs, each in a process of its own: by seed, by regression, and as a test.
mod core;
mod many;
mod regression;
pub mod testing;

pub use core::{CORE, OwnCore};
pub use many::{Campaign, CampaignEnd, ManyError, SeedEnd, explore};
pub use regression::{Regression, RegressionError};
