//! Seeds, decisions, options; one run, its artifact, its repetition; many runs.
mod artifact;
mod core;
mod decision;
mod judged;
mod many;
mod options;
mod ownership;
mod regression;
mod report;
mod run;
mod seed;

pub use artifact::{ARTIFACT_VERSION, Artifact, ArtifactError, Checked, Phase};
pub use core::{CORE, OwnCore};
pub use decision::{Decisions, Dice, Override};
pub use many::{Campaign, CampaignEnd, ManyError, SeedEnd, explore};
pub use options::{BadSetting, Draw, Drawn, Settings};
pub use ownership::{CommitInDoubt, Fate, Ownership, Promotion, Tenure};
pub use regression::{Regression, RegressionError};
pub use report::{RunReport, RunRequest};
pub use run::{Prepared, Progress, RunError, RunSettings, prepare, run};
pub use seed::{BadSeed, BadSeedRange, Seed, SeedRange};
