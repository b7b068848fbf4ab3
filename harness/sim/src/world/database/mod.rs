//! The simulated database: a model of a replicated service with a primary and standbys, as PostgreSQL with quorum commit
//! and a failover monitor is one.
//!
//! ```text
//!   server-1..N ── Store over framed streams ──> primary ──(log entries)──> standbys
//!                                                   └── reports, leases, orders ──> db-monitor
//! ```
//!
//! - Each database node has a log on its disk ([`log`]). The primary judges and applies writes in memory, appends what was
//!   applied, and answers when the entry is *committed*: on a majority of disks. Whatever an answer rests on, refusals and
//!   reads included, is committed before it is given.
//! - The monitor ([`monitor`]) gives the primary of a *term* a lease. When the lease has run out, it raises the term; a
//!   node that has promised a term takes no entries of older ones; of a majority that has promised, the one with the most
//!   advanced log becomes primary. That is Raft's rule with an elector of its own: a failover loses nothing that was
//!   acknowledged.
//! - The majority may be any two of the three, or the primary and the one standby that the monitor names, while the other
//!   follows at a distance ([`Replication`]): a failover then is a new timeline, as with PostgreSQL.
//! - Unless it replicates asynchronously: then an entry is committed when it is on the primary's disk, and a failover
//!   loses what no standby had yet.
//! - An operator may have either standby promoted, whatever it has, where that makes a new timeline; this can lose what
//!   was acknowledged. The commit feed is told what every new primary has, and whether it may lack something.
//! - A node whose disk was replaced begins with an empty log, and is told apart until it has all that the primary has
//!   committed: it is not made primary, and makes no majority. Where a commit is on two of three disks, the loss of one of
//!   them and the silence of the other lose it, as they do in any database: that fault is for asynchronous ones.
//! - A deposed primary is fenced twice: standbys refuse its entries, and without a lease it answers no reads.
//! - A client ([`client`]) that loses its connection with writes under way does not know what became of them, and says so.
mod client;
mod log;
mod monitor;
mod node;
mod plants;
mod primary;
mod replication;
mod wire;

pub(crate) use client::DatabaseStore;
pub(crate) use log::{FILE as LOG_FILE, Log, PROMISE, REBUILDING, newest};
pub(crate) use monitor::monitor;
pub(crate) use node::{Replica, database};
pub(crate) use plants::PLANTED;
pub(crate) use primary::materialise;

use super::Host;
use std::time::Duration;
use tempest_store::Timeline;

/// Where a primary answers clients.
const CLIENT_PORT: u16 = 5432;
/// Where a standby takes entries.
const REPLICATION_PORT: u16 = 5433;
/// Where the monitor takes reports.
const MONITOR_PORT: u16 = 8008;

/// How long a primary may answer after it last reached the monitor.
const LEASE: Duration = Duration::from_secs(3);
/// What the monitor waits beyond that, since clocks do not run at one rate.
const LEASE_GRACE: Duration = Duration::from_secs(1);
/// Pause between reports.
const REPORT_INTERVAL: Duration = Duration::from_millis(500);
/// A peer that does not answer within this is connected anew.
const PEER_PATIENCE: Duration = Duration::from_secs(3);
/// Pause before a connection is tried again.
const RECONNECT_PAUSE: Duration = Duration::from_millis(200);

/// When a commit counts as committed, and what a failover then may lose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Replication {
    /// On a majority of disks. A failover loses nothing.
    #[default]
    Quorum,
    /// On the disks of the primary and of the standby that the monitor names; the other stays behind. A failover loses
    /// nothing, since two of three are a majority, unless an operator promotes the other.
    NamedStandby { lag: Duration },
    /// On the primary's disk. Standbys follow at a distance, and whichever is there first is promoted.
    Asynchronous {
        lag: Duration,
        /// Whether a primary stops when its lease is over. If not, it accepts writes that are lost already.
        fenced: bool,
    },
}

impl Replication {
    pub fn is_asynchronous(self) -> bool {
        matches!(self, Replication::Asynchronous { .. })
    }

    fn has_timelines(self) -> bool {
        self != Replication::Quorum
    }

    /// How far a standby that no commit waits for stays behind.
    fn lag(self) -> Duration {
        match self {
            Replication::Quorum => Duration::ZERO,
            Replication::NamedStandby { lag } | Replication::Asynchronous { lag, .. } => lag,
        }
    }

    /// Terms count from 1.
    fn timeline(self, term: u64) -> Timeline {
        match self.has_timelines() {
            false => Timeline(0),
            true => Timeline(u32::try_from(term.saturating_sub(1)).unwrap_or(u32::MAX)),
        }
    }
}

fn address(host: &Host, port: u16) -> String {
    format!("{host}:{port}")
}
