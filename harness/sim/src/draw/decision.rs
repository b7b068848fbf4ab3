//! Every random choice of a run, keyed by its site and ordinal.
//!
//! A choice does not depend on which other choices were taken before it: removing a fault or an operation leaves all
//! others as they were, and one choice can be overridden alone. That is what makes shrinking work.
use crate::draw::Seed;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use tempest_artifact::{Override, old_names::first_site};

/// The choices of one run. Cloning shares them.
#[derive(Clone, Debug)]
pub struct Decisions(Arc<Source>);

#[derive(Debug)]
struct Source {
    seed: Seed,
    overrides: BTreeMap<(String, u64), u64>,
}

impl Decisions {
    pub fn new(seed: Seed, overrides: impl IntoIterator<Item = Override>) -> Decisions {
        let keyed = |one: Override| ((first_site(&one.site).into_owned(), one.ordinal), one.value);
        let overrides = overrides.into_iter().map(keyed).collect();
        Decisions(Arc::new(Source { seed, overrides }))
    }

    pub fn seed(&self) -> Seed {
        self.0.seed
    }

    /// A uniformly drawn number below `bound`, the same whenever it is asked for.
    ///
    /// # Panics
    /// If `bound` is zero: there is nothing to choose from.
    pub fn below(&self, site: &str, ordinal: u64, bound: u64) -> u64 {
        assert!(bound > 0, "{site} has nothing to choose from");
        let site = first_site(site).into_owned();
        let key = (site, ordinal);
        if let Some(value) = self.0.overrides.get(&key) {
            return (*value).min(bound - 1);
        }
        // Each site has a key of its own and each ordinal a place in that key's stream.
        let mut hash = Sha256::new();
        hash.update(b"tempest decision");
        hash.update(self.0.seed.0.to_le_bytes());
        hash.update(key.0.as_bytes());
        let mut random = ChaCha8Rng::from_seed(hash.finalize().into());
        random.set_word_pos(u128::from(ordinal) * 4);
        let wide = (u128::from(random.next_u64()) << 64) | u128::from(random.next_u64());
        u64::try_from(wide % u128::from(bound)).expect("a remainder is below its divisor")
    }

    /// A uniformly drawn number of a range.
    pub fn between(&self, site: &str, ordinal: u64, range: RangeInclusive<u64>) -> u64 {
        let width = range.end() - range.start();
        range.start() + self.below(site, ordinal, width.saturating_add(1))
    }

    /// True `numerator` times out of `denominator`.
    pub fn chance(&self, site: &str, ordinal: u64, numerator: u64, denominator: u64) -> bool {
        // The value grows with the unlikeliness: an override of `u64::MAX` says no, of 0 says yes.
        self.below(site, ordinal, denominator) < numerator
    }

    /// One of a list.
    pub fn pick<'a, T>(&self, site: &str, ordinal: u64, list: &'a [T]) -> &'a T {
        let index = self.below(site, ordinal, list.len() as u64);
        &list[usize::try_from(index).expect("below the length of a list")]
    }

    /// Draws at one site, ordinal after ordinal.
    pub fn dice(&self, site: impl Into<String>) -> Dice {
        Dice { decisions: self.clone(), site: site.into(), ordinal: 0 }
    }
}

/// A place that takes one choice after another in an order that is itself deterministic.
#[derive(Clone, Debug)]
pub struct Dice {
    decisions: Decisions,
    site: String,
    ordinal: u64,
}

impl Dice {
    fn next(&mut self) -> u64 {
        self.ordinal += 1;
        self.ordinal - 1
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        let ordinal = self.next();
        self.decisions.below(&self.site, ordinal, bound)
    }

    pub fn between(&mut self, range: RangeInclusive<u64>) -> u64 {
        let ordinal = self.next();
        self.decisions.between(&self.site, ordinal, range)
    }

    pub fn chance(&mut self, numerator: u64, denominator: u64) -> bool {
        let ordinal = self.next();
        self.decisions.chance(&self.site, ordinal, numerator, denominator)
    }

    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        let ordinal = self.next();
        self.decisions.pick(&self.site, ordinal, list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_depends_on_its_place_alone() {
        let decisions = Decisions::new(Seed(7), []);
        let alone = decisions.below("charge.fails", 3, 1000);
        for ordinal in 0..3 {
            decisions.below("charge.fails", ordinal, 1000);
        }
        assert_eq!(decisions.below("charge.fails", 3, 1000), alone);
        assert_eq!(Decisions::new(Seed(7), []).below("charge.fails", 3, 1000), alone);
    }

    #[test]
    fn places_and_seeds_differ() {
        let draws = |seed, site: &str| -> Vec<u64> {
            let decisions = Decisions::new(Seed(seed), []);
            (0..8).map(|ordinal| decisions.below(site, ordinal, u64::MAX)).collect()
        };
        assert_ne!(draws(1, "a"), draws(2, "a"));
        assert_ne!(draws(1, "a"), draws(1, "b"));
        let mut once = draws(1, "a");
        once.dedup();
        assert_eq!(once.len(), 8);
    }

    #[test]
    fn the_numbers_are_the_same_in_every_build() {
        let decisions = Decisions::new(Seed(1), []);
        let draws: Vec<u64> = (0..4).map(|ordinal| decisions.below("pinned", ordinal, 1000)).collect();
        assert_eq!(draws, [715, 109, 693, 936]);
    }

    #[test]
    fn a_site_draws_as_under_its_old_name_and_is_overridden_under_it() {
        let plain = Decisions::new(Seed(7), []);
        let (now, before) = ("herd.long_activity", "herd.marches");
        assert_eq!(plain.below(now, 3, 1_000_000), plain.below(before, 3, 1_000_000));
        let stored = Override { site: before.to_owned(), ordinal: 3, value: 5 };
        assert_eq!(Decisions::new(Seed(7), [stored]).below(now, 3, 1_000_000), 5);
    }

    #[test]
    fn one_choice_is_overridden_alone() {
        let plain = Decisions::new(Seed(7), []);
        let changed = Override { site: "a".to_owned(), ordinal: 1, value: 5 };
        let overridden = Decisions::new(Seed(7), [changed]);
        assert_eq!(overridden.below("a", 1, 10), 5);
        assert_eq!(overridden.below("a", 1, 3), 2, "an override is held within the bound");
        assert_eq!(overridden.below("a", 0, 10), plain.below("a", 0, 10));
        assert_eq!(overridden.below("b", 1, 10), plain.below("b", 1, 10));
    }

    #[test]
    fn chances_are_ratios() {
        let decisions = Decisions::new(Seed(3), []);
        let hits = (0..10_000).filter(|ordinal| decisions.chance("coin", *ordinal, 1, 4)).count();
        assert!((2_300..2_700).contains(&hits), "{hits}");
    }
}
