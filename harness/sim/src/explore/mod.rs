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

pub use core::{CORE, OwnCore};
pub use decision::{Decisions, Dice};
pub use many::{Campaign, CampaignEnd, ManyError, SeedEnd, explore};
pub use options::{BadSetting, Draw};
pub use regression::{Regression, RegressionError};
pub use report::RunReport;
pub use run::{Prepared, Progress, RunError, RunSettings, prepare, run};
pub use seed::{BadSeed, BadSeedRange, Seed, SeedRange};
pub use tempest_artifact::{
    ARTIFACT_VERSION, Artifact, ArtifactError, Checked, CommitInDoubt, Drawn, Fate, Override, Ownership, Phase,
    Promotion, RunRequest, Settings, Summary, Tenure, Verdict,
};
