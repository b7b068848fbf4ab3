//! What is left to chance, and how it is drawn: seeds, decisions, options. Of everything else it knows nothing.
mod decision;
mod options;
mod seed;

pub use decision::{Decisions, Dice};
pub use options::{BadSetting, Draw};
pub use seed::{BadSeed, BadSeedRange, Seed, SeedRange};
