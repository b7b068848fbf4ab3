//! One direction between two hosts, with everything that can be wrong with it.

use super::events::Event;
use crate::kernel::{SECOND, Stream as Random};

pub(super) struct Link {
    latency_ns: (u64, u64),
    random: Random,
    pub extra_latency_ns: u64,
    /// 0: unlimited.
    pub bytes_per_second: u64,
    /// Whatever arrives is lost.
    pub blocked: bool,
    /// Whatever arrives is held until the link is unclogged.
    pub clogged: bool,
    pub held: Vec<Event>,
}

impl Link {
    /// Each link draws from a stream of its own: traffic on one does not change the latencies of another.
    pub fn new(seed: u64, from: &str, to: &str, latency_ns: (u64, u64)) -> Link {
        Link {
            latency_ns,
            random: Random::new(seed, &format!("latency/{from}/{to}")),
            extra_latency_ns: 0,
            bytes_per_second: 0,
            blocked: false,
            clogged: false,
            held: Vec::new(),
        }
    }

    pub fn draw_latency(&mut self) -> u64 {
        let (least, most) = self.latency_ns;
        least + self.random.below(most - least + 1) + self.extra_latency_ns
    }

    /// How long the link is busy with so many bytes.
    pub fn transmission_ns(&self, bytes: usize) -> u64 {
        (bytes as u64).saturating_mul(SECOND).checked_div(self.bytes_per_second).unwrap_or(0)
    }
}
