//! What a run of the simulator leaves behind, as versioned JSON: the harness writes these types, reports read the very
//! same ones.
//!
//! The main types are [`Artifact`], everything needed to repeat a run and to understand it, [`Fault`], one wrong thing
//! with its [`Family`], its hosts and the links it disturbs, and [`Summary`], the one object that `--json` prints. Beside
//! them stands [`ShardBench`], what a bench by shard count has found.
//!
//! This crate knows no server, no SDK, no simulator and no page: it is plain data, and the words and lists that follow
//! from the data alone. How a fault is done is the harness's matter, how it is drawn that of reports; both match
//! [`Fault`] without a wildcard, so that a new kind does not compile before it is done and drawn.
#![forbid(unsafe_code)]

mod artifact;
mod checked;
pub mod fault;
mod file;
mod host;
mod invariant;
pub mod old_names;
mod operation;
mod ownership;
mod request;
mod shard_bench;
mod summary;
mod timeline;
mod version_1;
mod version_2;
mod violation;
mod world;

pub use artifact::{ARTIFACT_VERSION, Artifact, Verdict};
pub use checked::{Checked, Phase};
pub use fault::{Family, Fault, FaultPlan, KINDS, Kind, Link, PlannedFault};
pub use file::ArtifactError;
pub use host::Host;
pub use invariant::Invariant;
pub use operation::{Operation, Outcome};
pub use ownership::{CommitInDoubt, InDoubtOutcome, Lease, Ownership, Promotion};
pub use request::{Drawn, MalformedSetting, Override, RunRequest, Settings};
pub use shard_bench::{
    BenchMode, BenchPoint, ChoiceCost, Estimate, Prediction, Resource, SHARD_BENCH_VERSION, ShardBench, ShardsNeeded,
    StatedCost,
};
pub use summary::{Reach, Repeats, Summary};
pub use timeline::{Event, LogEnd, TimelineEntry};
pub use violation::{About, Evidence, Violation};
pub use world::{UnknownWorld, WorldKind};
