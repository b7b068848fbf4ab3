//! Where a run takes place: the worlds behind one door.
use super::{Shared, World, WorldOptions};
use std::path::PathBuf;
use std::time::Duration;
use tempest_artifact::WorldKind;

/// What does not change the run: how it is watched and where it runs.
#[derive(Clone, Debug, Default)]
pub struct RunSettings {
    /// A switch between threads is several times cheaper on one core.
    pub pin_to_core: Option<usize>,
    /// Where the trace is written as readable lines.
    pub trace_file: Option<PathBuf>,
    /// Adds each scheduling point to that file.
    pub trace_scheduling_points: bool,
}

/// What a world is made from.
pub(crate) struct Place {
    pub seed: u64,
    pub options: WorldOptions,
    pub settings: RunSettings,
    pub shared: Shared,
}

/// Why a world cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    #[cfg(not(madsim))]
    #[error(transparent)]
    Lockstep(#[from] tempest_lockstep::Error),
    #[cfg(madsim)]
    #[error("no thread for the run: {0}")]
    Thread(std::io::Error),
    #[cfg(madsim)]
    #[error("the trace cannot be written to {}: {error}", file.display())]
    TraceFile { file: PathBuf, error: std::io::Error },
    #[error("the world {0} is not in this build")]
    NotInThisBuild(WorldKind),
}

/// Performs what `body` does with a world, which has no hosts yet; the trace's hash comes with what it returns.
pub(crate) fn take_place<T: Send + 'static>(
    kind: WorldKind,
    place: Place,
    body: impl FnOnce(&mut dyn World) -> T + Send + 'static,
) -> Result<(T, String), WorldError> {
    match kind {
        #[cfg(not(madsim))]
        WorldKind::Lockstep => super::lockstep::take_place(place, body),
        #[cfg(not(madsim))]
        WorldKind::Turmoil => super::turmoil::take_place(place, body),
        #[cfg(madsim)]
        WorldKind::Madsim => super::madsim::take_place(place, body),
        other => Err(WorldError::NotInThisBuild(other)),
    }
}

/// Why a world lacks a kind of fault; nothing if it has it.
pub fn lacks(kind: WorldKind, fault: &str) -> Option<&'static str> {
    let lacking: &[(&str, &'static str)] = match kind {
        WorldKind::Lockstep => &[],
        WorldKind::Turmoil => TURMOIL_LACKS,
        WorldKind::Madsim => MADSIM_LACKS,
    };
    lacking.iter().find(|(name, _)| *name == fault).map(|(_, why)| *why)
}

const NO_CLOCKS: &str = "its hosts have one clock";
const NO_DELAY: &str = "it delays both directions of a link or none, and cannot take it back";

const TURMOIL_LACKS: &[(&str, &str)] = &[
    ("clog", "it holds both directions of a link or none"),
    ("reset", "it breaks no connections but those of a host that ends"),
    ("latency", NO_DELAY),
    ("slow-node", NO_DELAY),
    ("slow-database-link", NO_DELAY),
    ("restart-under-load", NO_DELAY),
    ("flapping", "it breaks no connections but those of a host that ends"),
    ("pause", "each of its hosts has its turn in each tick"),
    ("clock-skew", NO_CLOCKS),
    ("clock-jump", NO_CLOCKS),
];

const MADSIM_LACKS: &[(&str, &str)] = &[("clock-skew", NO_CLOCKS), ("clock-jump", NO_CLOCKS)];

/// Whether a host can be crashed at the k-th scheduling point.
pub(crate) fn has_scheduling_points(kind: WorldKind) -> bool {
    kind == WorldKind::Lockstep
}

/// What says how long blocking work would have taken, in a world that does it in its caller's turn.
pub(crate) fn inline_blocking(kind: WorldKind) -> Option<fn() -> Duration> {
    match kind {
        WorldKind::Lockstep => None,
        WorldKind::Turmoil | WorldKind::Madsim => Some(super::owed::settle),
    }
}
