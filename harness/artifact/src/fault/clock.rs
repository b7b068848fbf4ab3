//! Faults of clocks.
use super::{Family, Kind, millis};
use crate::Host;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A host's wall clock is off and its clocks run at another rate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockSkew {
    pub host: Host,
    pub offset_ms: i64,
    /// Parts in a million; good crystals stay below 100.
    pub rate_ppm: i64,
    pub for_ms: u64,
}

impl Kind for ClockSkew {
    const NAME: &'static str = "clock-skew";
    const FAMILY: Family = Family::Clock;
    const ABOUT: &'static str =
        "a host's wall clock is off by seconds and its clocks run too fast or too slow, then it is set right again";

    fn hosts(&self) -> Vec<Host> {
        vec![self.host.clone()]
    }

    fn lasts(&self) -> Option<Duration> {
        Some(millis(self.for_ms))
    }
}

/// A host's wall clock jumps, and stays there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockJump {
    pub host: Host,
    pub by_ms: i64,
    pub for_ms: u64,
}

impl Kind for ClockJump {
    const NAME: &'static str = "clock-jump";
    const FAMILY: Family = Family::Clock;
    const ABOUT: &'static str =
        "a host's wall clock jumps forwards or backwards, by up to an hour, and later back again";

    fn hosts(&self) -> Vec<Host> {
        vec![self.host.clone()]
    }

    fn lasts(&self) -> Option<Duration> {
        Some(millis(self.for_ms))
    }
}
