//! One number names a universe.
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

/// The seed of a run. Everything random in it follows from this number, the options and the overrides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

/// Why a text is no seed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a seed: give a whole number from 0 to {max}", max = u64::MAX)]
pub struct BadSeed {
    text: String,
}

impl Seed {
    /// A seed that was not chosen, short enough to be read aloud. Call it before a simulation begins: it asks the
    /// operating system.
    pub fn draw() -> Seed {
        let digest = Sha256::digest(uuid::Uuid::new_v4().as_bytes());
        let number = u32::from_be_bytes(digest[..4].try_into().expect("four of thirty-two bytes"));
        Seed(u64::from(number))
    }

    /// The seed with this number of a campaign: campaigns of different ids have no seed in common. Short enough for
    /// formats whose numbers have a sign, or are floating-point.
    pub fn of_campaign(id: &str, number: u64) -> Seed {
        let mut hash = Sha256::new();
        hash.update(b"tempest campaign");
        hash.update(number.to_le_bytes());
        hash.update(id.as_bytes());
        let digest = hash.finalize();
        Seed(u64::from_be_bytes(digest[..8].try_into().expect("eight of thirty-two bytes")) >> 16)
    }
}

impl FromStr for Seed {
    type Err = BadSeed;

    fn from_str(text: &str) -> Result<Seed, BadSeed> {
        text.trim().parse().map(Seed).map_err(|_| BadSeed { text: text.to_owned() })
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which seeds a campaign tries: `N` means the first N from 1, `A..B` is half open as in Rust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeedRange {
    pub first: u64,
    /// Not part of the range.
    pub end: u64,
}

/// Why a text is no range of seeds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSeedRange {
    #[error("{0:?} is no range of seeds: give how many (20) or a range (100..120)")]
    Malformed(String),
    #[error("the range {0:?} holds no seed")]
    Empty(String),
}

impl FromStr for SeedRange {
    type Err = BadSeedRange;

    fn from_str(text: &str) -> Result<SeedRange, BadSeedRange> {
        let malformed = || BadSeedRange::Malformed(text.to_owned());
        let number = |part: &str| part.trim().parse::<u64>().map_err(|_| malformed());
        let range = match text.split_once("..") {
            Some((first, end)) => SeedRange { first: number(first)?, end: number(end)? },
            None => SeedRange { first: 1, end: number(text)?.checked_add(1).ok_or_else(malformed)? },
        };
        if range.first >= range.end { Err(BadSeedRange::Empty(text.to_owned())) } else { Ok(range) }
    }
}

impl SeedRange {
    pub fn seeds(self) -> impl Iterator<Item = Seed> {
        (self.first..self.end).map(Seed)
    }

    pub fn count(self) -> u64 {
        self.end - self.first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_counts_or_half_open() {
        let check = |text: &str, expect: Option<(u64, u64)>| {
            assert_eq!(text.parse::<SeedRange>().ok().map(|range| (range.first, range.end)), expect, "{text}");
        };
        check("20", Some((1, 21)));
        check("100..120", Some((100, 120)));
        check("5..5", None);
        check("0", None);
        check("many", None);
        check("1..", None);
    }

    #[test]
    fn campaigns_have_seeds_of_their_own() {
        let seeds = |id: &str| (1..=1_000).map(|number| Seed::of_campaign(id, number)).collect::<Vec<_>>();
        assert_eq!(seeds("2026-12-01"), seeds("2026-12-01"));
        let both: std::collections::BTreeSet<Seed> =
            [seeds("2026-12-01"), seeds("2026-12-02")].concat().into_iter().collect();
        assert_eq!(both.len(), 2_000);
    }

    #[test]
    fn a_bad_seed_is_named() {
        assert_eq!(
            "-1".parse::<Seed>().expect_err("negative").to_string(),
            "\"-1\" is not a seed: give a whole number from 0 to 18446744073709551615"
        );
    }
}
