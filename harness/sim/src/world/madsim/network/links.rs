//! How long a packet takes from one host to another, and what is in its way.
use super::At;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::time::Duration;

/// The number of a host, given in the order in which they are named.
pub(super) type HostNumber = usize;

/// At most so long after a link was blocked TCP sends again what was lost.
const RESEND_AFTER_MAX: At = 30_000_000_000;

#[derive(Default)]
struct Link {
    blocked_since: Option<At>,
    clogged: bool,
    extra: At,
    /// 0: no bound.
    bytes_per_second: u64,
    /// Until when it is at what it was given before.
    busy_until: At,
}

impl Link {
    fn is_open(&self) -> bool {
        self.blocked_since.is_none() && !self.clogged
    }
}

/// One for each direction between two hosts.
pub(super) struct Links {
    numbers: BTreeMap<String, HostNumber>,
    links: BTreeMap<(HostNumber, HostNumber), Link>,
    random: ChaCha8Rng,
    latency: (At, At),
}

impl Links {
    pub fn new(seed: u64, (shortest, longest): (Duration, Duration)) -> Links {
        let nanos = |duration: Duration| At::try_from(duration.as_nanos()).unwrap_or(At::MAX);
        Links {
            numbers: BTreeMap::new(),
            links: BTreeMap::new(),
            random: ChaCha8Rng::seed_from_u64(seed),
            latency: (nanos(shortest), nanos(longest)),
        }
    }

    pub fn number(&mut self, host: &str) -> HostNumber {
        if let Some(number) = self.numbers.get(host) {
            return *number;
        }
        let number = self.numbers.len();
        self.numbers.insert(host.to_owned(), number);
        number
    }

    /// When a packet arrives that is sent now; nothing while the link is not open.
    pub fn arrival(&mut self, from: HostNumber, to: HostNumber, bytes: usize, now: At) -> Option<At> {
        let (shortest, longest) = self.latency;
        let link = self.links.entry((from, to)).or_default();
        if !link.is_open() {
            return None;
        }
        let mut sent = now;
        if let Some(takes) = (bytes as u64 * 1_000_000_000).checked_div(link.bytes_per_second) {
            link.busy_until = now.max(link.busy_until) + takes;
            sent = link.busy_until;
        }
        let sent = sent + link.extra;
        Some(sent + shortest + self.below(longest - shortest + 1))
    }

    pub fn block(&mut self, from: HostNumber, to: HostNumber, now: At) {
        self.link(from, to).blocked_since.get_or_insert(now);
    }

    /// For how long it was blocked.
    pub fn unblock(&mut self, from: HostNumber, to: HostNumber, now: At) -> At {
        self.link(from, to).blocked_since.take().map_or(0, |since| now - since)
    }

    pub fn clog(&mut self, from: HostNumber, to: HostNumber, clogged: bool) {
        self.link(from, to).clogged = clogged;
    }

    pub fn slow(&mut self, from: HostNumber, to: HostNumber, extra: At, bytes_per_second: u64) {
        let link = self.link(from, to);
        (link.extra, link.bytes_per_second) = (extra, bytes_per_second);
    }

    /// How long after a block of this length TCP sends again what was lost: its pauses double, so up to as long as it was.
    pub fn resend_after(&mut self, blocked_for: At) -> At {
        self.below(blocked_for.min(RESEND_AFTER_MAX) + 1)
    }

    fn link(&mut self, from: HostNumber, to: HostNumber) -> &mut Link {
        self.links.entry((from, to)).or_default()
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.random.next_u64() % bound
    }
}
