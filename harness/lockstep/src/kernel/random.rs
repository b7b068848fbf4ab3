//! Randomness: one seed, child streams by name, so that one more draw in one stream shifts nothing in another.

use crate::options::Ratio;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

pub(crate) struct Stream(ChaCha8Rng);

impl Stream {
    pub fn new(seed: u64, name: &str) -> Stream {
        let mut hash = Sha256::new();
        hash.update(b"tempest-lockstep/");
        hash.update(seed.to_le_bytes());
        hash.update(name.as_bytes());
        Stream(ChaCha8Rng::from_seed(hash.finalize().into()))
    }

    pub fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }

    /// A number below `bound`. The bias of the multiplication is below 2^-40 for any bound used here.
    pub fn below(&mut self, bound: u64) -> u64 {
        debug_assert!(bound > 0);
        ((u128::from(self.0.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    pub fn chance(&mut self, ratio: Ratio) -> bool {
        ratio.numerator > 0 && self.below(ratio.denominator) < ratio.numerator
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_told_apart_by_seed_and_name() {
        let draw = |seed, name| Stream::new(seed, name).below(u64::MAX);
        assert_eq!(draw(1, "a"), draw(1, "a"));
        assert_ne!(draw(1, "a"), draw(1, "b"));
        assert_ne!(draw(1, "a"), draw(2, "a"));
    }

    #[test]
    fn a_ratio_of_never_draws_nothing() {
        let mut stream = Stream::new(1, "x");
        assert!(!stream.chance(Ratio::NEVER));
        assert_eq!(stream.below(1 << 60), Stream::new(1, "x").below(1 << 60));
    }
}
