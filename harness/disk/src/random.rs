//! The disk's choices: one child stream per kind, so that one more choice of one kind shifts no other.
use crate::faults::Ratio;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

pub struct Random {
    /// What survives a power cut or a failed sync.
    pub survival: Stream,
    /// Whether a fault strikes.
    pub faults: Stream,
    /// Where a misdirected write lies.
    pub places: Stream,
    /// Which bits rot.
    pub rot: Stream,
}

impl Random {
    pub fn new(seed: [u8; 32]) -> Self {
        let stream = |number| {
            let mut random = ChaCha8Rng::from_seed(seed);
            random.set_stream(number);
            Stream(random)
        };
        Self { survival: stream(1), faults: stream(2), places: stream(3), rot: stream(4) }
    }
}

pub struct Stream(ChaCha8Rng);

impl Stream {
    /// Uniform below `bound`; 0 if there is nothing to choose from.
    pub fn below(&mut self, bound: u64) -> u64 {
        // The bias of a remainder is far below what any test could see.
        if bound == 0 { 0 } else { self.0.next_u64() % bound }
    }

    /// Whether it happens this time. What never happens draws nothing.
    pub fn strikes(&mut self, ratio: Ratio) -> bool {
        ratio.times > 0 && self.below(u64::from(ratio.of)) < u64::from(ratio.times)
    }
}
