//! The beat of a node: it writes its own row, reads the others', and tells its roles what changed.
use super::ring::{Member, Ring};
use super::view::View;
use crate::NodeError;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tempest_core::Time;
use tempest_rt::net::check_address;
use tempest_rt::time::{Duration, Instant};
use tempest_store::{NodeRecord, Role, Store, StoreCalls, StoreError, Timeline};
use tokio::sync::watch;

/// Names of the nodes that are alive in a database, for one that wants to be alone there. Takes longer than a beat if there
/// are rows of nodes that did not leave.
///
/// # Errors
/// The store's.
pub async fn nodes_alive(store: &dyn Store) -> Result<Vec<String>, StoreError> {
    // Reading is done by writing: here a row that says nothing and belongs to no node.
    let no_node = NodeRecord { leaving: true, timeline: *store.timeline().borrow(), ..NodeRecord::default() };
    let beats = |rows: Vec<NodeRecord>| -> BTreeMap<String, (String, u64)> {
        let there = rows.into_iter().filter(|row| !row.leaving);
        there.map(|row| (row.name, (row.incarnation, row.beat))).collect()
    };
    let before = beats(store.beat(no_node.clone()).await?);
    let alive = if before.is_empty() {
        Vec::new()
    } else {
        tempest_rt::time::sleep(ClusterConfig::new("", "").beat_interval * 5 / 2).await;
        let after = beats(store.beat(no_node.clone()).await?);
        after.into_iter().filter(|(name, beat)| before.get(name) != Some(beat)).map(|(name, _)| name).collect()
    };
    store.forget_node(no_node).await?;
    Ok(alive)
}

/// What a node needs to know to be one of several.
#[derive(Clone, Debug)]
pub struct ClusterConfig {
    /// Unique in the cluster, and kept over restarts.
    pub name: String,
    /// Where this node listens for other nodes, `host:port`.
    pub address: String,
    /// What other nodes call, if that is another address than the one it listens on.
    pub advertised_address: Option<String>,
    /// What is done here, at least one: clients are served with [`Role::Frontend`] alone, and only with the other two does the
    /// ring give this node shards and task queues.
    pub roles: Vec<Role>,
    /// Pause between beats, 10 ms and up. Each is one small commit.
    pub beat_interval: Duration,
    /// A node whose row has not changed for this long is taken for dead, at least three beats. Short: a slow node loses its
    /// shards; long: a dead node's shards wait.
    pub silence_max: Duration,
}

impl ClusterConfig {
    /// All roles, with the default pace.
    pub fn new(name: impl Into<String>, address: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            address: address.into(),
            advertised_address: None,
            roles: vec![Role::Frontend, Role::History, Role::Matching],
            beat_interval: Duration::from_secs(1),
            silence_max: Duration::from_secs(5),
        }
    }

    /// # Errors
    /// What is wrong with which field.
    pub fn validate(&self) -> Result<(), String> {
        if self.name.is_empty() || self.name.len() > NAME_BYTES_MAX {
            return Err(format!("the node's name is {:?}: it must have 1 to {NAME_BYTES_MAX} bytes", self.name));
        }
        check_address(&self.address).map_err(|error| format!("address is {error}"))?;
        if let Some(address) = &self.advertised_address {
            check_address(address).map_err(|error| format!("advertised_address is {error}"))?;
        }
        let (field, advertised) = match &self.advertised_address {
            Some(address) => ("advertised_address", address),
            None => ("address", &self.address),
        };
        if is_everywhere(advertised) {
            return Err(format!(
                "{field} is {advertised:?}, where no other node can call this one: set advertised_address to what they call"
            ));
        }
        if self.roles.is_empty() {
            let fix = "name at least one of frontend, history, matching, or leave `roles` out to have all";
            return Err(format!("the node has no roles, so that nothing is done there: {fix}"));
        }
        if self.roles.iter().collect::<BTreeSet<_>>().len() < self.roles.len() {
            return Err(format!("roles is {:?}: once is enough for each", self.roles));
        }
        if self.beat_interval < Duration::from_millis(10) {
            return Err(format!("beat_interval is {:?}: it must be at least 10 ms", self.beat_interval));
        }
        if self.silence_max < self.beat_interval * 3 {
            return Err(format!(
                "silence_max is {:?}: it must be at least three times beat_interval ({:?})",
                self.silence_max, self.beat_interval
            ));
        }
        Ok(())
    }
}

/// Whether the host is 0.0.0.0 or [::], which stand for all addresses of the machine that says so.
fn is_everywhere(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']);
    host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_unspecified())
}

/// Silences after which the row of a node is deleted: nodes may come with a new name each time, and rows are read with each
/// beat.
const SILENCES_UNTIL_FORGOTTEN: u32 = 120;

const NAME_BYTES_MAX: usize = 255;

/// Clocks further apart than this are told to the operator. Nothing breaks: timers are judged by shard time.
const CLOCK_DIFFERENCE_MAX: Duration = Duration::from_secs(10);

const NS_PER_MS: i64 = 1_000_000;

/// Keeps this node's row alive and watches the others.
pub struct Membership {
    store: Arc<dyn Store>,
    row: NodeRecord,
    /// What the last beat found in its place.
    row_before: Option<NodeRecord>,
    view: View,
    interval: Duration,
    /// The row of a node that was silent for so long is deleted.
    forget_after: Duration,
    /// By how many milliseconds each other node's wall clock was ahead of this one's when its newest beat was read.
    newest_apart: BTreeMap<String, i64>,
    /// What of that is told.
    clocks_apart: watch::Sender<BTreeMap<String, i64>>,
    /// Of the database, as of the last beat.
    known_timeline: Option<Timeline>,
    ring: watch::Sender<Arc<Ring>>,
    /// Since when beats have not reached the store.
    without_store: watch::Sender<Option<Instant>>,
}

impl Membership {
    /// `address` is what other nodes call.
    pub fn new(config: &ClusterConfig, address: String, store: Arc<dyn Store>) -> Self {
        let own = Member { name: config.name.clone(), address, roles: config.roles.clone() };
        let row = NodeRecord {
            name: own.name.clone(),
            address: own.address.clone(),
            incarnation: tempest_rt::entropy::uuid(),
            beat: 0,
            roles: own.roles.clone(),
            leaving: false,
            wall_clock: Time::ZERO,
            timeline: *store.timeline().borrow(),
        };
        let view = View::new(own, config.silence_max);
        let ring = watch::Sender::new(Arc::new(view.ring()));
        Self {
            store,
            row,
            row_before: None,
            view,
            interval: config.beat_interval,
            forget_after: config.silence_max * SILENCES_UNTIL_FORGOTTEN,
            newest_apart: BTreeMap::new(),
            clocks_apart: watch::Sender::default(),
            known_timeline: None,
            ring,
            without_store: watch::Sender::default(),
        }
    }

    /// Who is there, from now on.
    pub fn ring(&self) -> watch::Receiver<Arc<Ring>> {
        self.ring.subscribe()
    }

    /// Since when the store was not reached; nothing while it is.
    pub fn without_store(&self) -> watch::Receiver<Option<Instant>> {
        self.without_store.subscribe()
    }

    /// By how many milliseconds the wall clock of each other node is ahead of this one's (less than 0: behind), as far as its
    /// last two beats agree. A row has the clock as it was at its beat and is read up to a beat later: what is not longer
    /// than a few beats means nothing.
    pub fn clocks_apart(&self) -> watch::Receiver<BTreeMap<String, i64>> {
        self.clocks_apart.subscribe()
    }

    /// Beats until `stop` says so, then leaves.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        loop {
            self.beat().await;
            tokio::select! {
                biased;
                // A node that is dropped goes without a word, as one that crashes.
                stop = stop.wait_for(|stop| *stop) => if stop.is_ok() { break } else { return },
                () = tempest_rt::time::sleep(self.interval) => {}
            }
        }
        self.row.leaving = true;
        // If this beat is lost, the others notice the silence.
        self.beat().await;
    }

    /// The first beat. If another process has this node's name at another address and goes on beating, this one gives way: it
    /// is a mistake, and both would acquire each other's shards again and again. One that was at this address is gone.
    ///
    /// # Errors
    /// [`NodeError::NameTaken`].
    pub async fn introduce(&mut self) -> Result<(), NodeError> {
        self.beat().await;
        let strange = |before: &Option<NodeRecord>, own: &NodeRecord| {
            let other = before.clone()?;
            (other.incarnation != own.incarnation && !other.leaving && other.address != own.address).then_some(other)
        };
        if strange(&self.row_before, &self.row).is_none() {
            return Ok(());
        }
        tempest_rt::time::sleep(self.interval * 3 / 2).await;
        self.beat().await;
        match strange(&self.row_before, &self.row) {
            Some(other) => Err(NodeError::NameTaken { name: other.name, address: other.address }),
            None => Ok(()),
        }
    }

    /// One beat. An error is not the end: a node that cannot write will be found silent, and what it then does is
    /// fenced.
    pub async fn beat(&mut self) {
        let began = Instant::now();
        self.row.beat += 1;
        self.row.wall_clock = Time(tempest_rt::time::wall_clock_ns());
        self.row.timeline = *self.store.timeline().borrow();
        match self.store.beat(self.row.clone()).await {
            Ok(rows) => {
                self.without_store.send_replace(None);
                self.row_before = rows.iter().find(|row| row.name == self.row.name).cloned();
                self.warn_of_strange_rows(&rows);
                self.warn_of_failovers(&rows);
                self.view.read(rows, Instant::now());
                let ring = self.view.ring();
                self.ring.send_if_modified(|known| {
                    if **known == ring {
                        return false;
                    }
                    let names: Vec<&str> = ring.members().iter().map(|member| member.name.as_str()).collect();
                    tracing::info!(members = names.join(" "), "the cluster has changed");
                    *known = Arc::new(ring.clone());
                    true
                });
                self.forget_one().await;
            }
            Err(error) => {
                self.row_before = None;
                self.without_store.send_modify(|since| *since = since.or(Some(began)));
                tracing::warn!(%error, "this node's heartbeat did not reach the store, or its outcome is unknown");
            }
        }
    }

    /// One with each beat: there is time.
    async fn forget_one(&mut self) {
        let soon = tempest_rt::buggify!("cluster-node-forgotten-soon");
        let silence = if soon { self.forget_after / SILENCES_UNTIL_FORGOTTEN } else { self.forget_after };
        let Some(gone) = self.view.long_gone(silence, self.row.timeline) else { return };
        tempest_rt::probe!("cluster-node-forgotten");
        let (name, address) = (gone.name.clone(), gone.address.clone());
        match self.store.forget_node(gone).await {
            Ok(()) => tracing::info!(name, address, "a node that was silent for long is forgotten"),
            Err(error) => {
                tracing::warn!(name, %error, "the row of a node that was silent for long is not deleted, or may not be")
            }
        }
    }

    /// Also of one that happened while this node was down: its row says what it knew.
    fn warn_of_failovers(&mut self, rows: &[NodeRecord]) {
        let of_row = rows.iter().find(|row| row.name == self.row.name).map(|row| row.timeline);
        let now = *self.store.timeline().borrow();
        let before = self.known_timeline.or(of_row).unwrap_or(now);
        self.known_timeline = Some(now);
        if before < now {
            tempest_rt::probe!("cluster-database-failed-over");
            tracing::warn!(
                %before,
                %now,
                "the database has failed over: commits that were acknowledged shortly before may be lost; every shard that \
                 can tell does (data_loss), and each is acquired anew"
            );
        }
    }

    fn warn_of_strange_rows(&mut self, rows: &[NodeRecord]) {
        for row in rows {
            if row.name == self.row.name && row.incarnation != self.row.incarnation && self.row.beat > 1 {
                tracing::error!(
                    name = row.name,
                    address = row.address,
                    "another node has this name: give each its own"
                );
            }
        }
        self.compare_clocks(rows);
    }

    /// A row that was not read for a while says when it was written, not that its clock is wrong. The next one does: of two
    /// beats in a row the one counts that is closer to this node's clock.
    fn compare_clocks(&mut self, rows: &[NodeRecord]) {
        let has_row = |name: &str| rows.iter().any(|row| row.name == name);
        self.newest_apart.retain(|name, _| has_row(name));
        self.clocks_apart.send_modify(|told| {
            told.retain(|name, _| has_row(name));
            for row in rows.iter().filter(|row| row.name != self.row.name && self.view.is_new(row)) {
                // The other node wrote it, and may have written anything.
                let apart = row.wall_clock.0.saturating_sub(self.row.wall_clock.0) / NS_PER_MS;
                let Some(before) = self.newest_apart.insert(row.name.clone(), apart) else { continue };
                let apart = if before.unsigned_abs() < apart.unsigned_abs() { before } else { apart };
                told.insert(row.name.clone(), apart);
                if Duration::from_millis(apart.unsigned_abs()) > CLOCK_DIFFERENCE_MAX {
                    let seconds_ahead = apart / 1000;
                    tracing::warn!(node = row.name, seconds_ahead, "that node's wall clock differs from this one's");
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempest_store::redb::{RedbConfig, RedbStore};

    const HOUR: i64 = 3_600_000 * NS_PER_MS;

    /// A node and the store in which a test writes the rows of the others.
    async fn membership() -> (Membership, Arc<RedbStore>) {
        let store = Arc::new(RedbStore::in_memory(RedbConfig::default()).await.unwrap());
        let config = ClusterConfig::new("a", "10.0.0.1:7234");
        (Membership::new(&config, config.address.clone(), store.clone()), store)
    }

    /// Another node beats with a clock that is so much ahead, then "a" does. How much "a" found it to be ahead, and what "a"
    /// tells of it now.
    async fn hears(a: &mut Membership, store: &RedbStore, beat: u64, ahead_ns: i64) -> (i64, Option<i64>) {
        let wall_clock = Time(tempest_rt::time::wall_clock_ns() + ahead_ns);
        let row = NodeRecord { name: "b".into(), beat, wall_clock, ..NodeRecord::default() };
        store.beat(row).await.unwrap();
        a.beat().await;
        let found = (wall_clock.0 - a.row.wall_clock.0) / NS_PER_MS;
        (found, a.clocks_apart().borrow().get("b").copied())
    }

    #[tokio::test]
    async fn a_clock_that_is_an_hour_off_is_told_from_its_second_beat_on() {
        for ahead in [HOUR, -HOUR] {
            let (mut a, store) = membership().await;
            let (first, told) = hears(&mut a, &store, 1, ahead).await;
            assert_eq!(told, None, "the row may have been there for long");
            let (second, told) = hears(&mut a, &store, 2, ahead).await;
            // Not the hour itself: time went by between the two readings of the clock.
            assert_eq!(told, [first, second].into_iter().min_by_key(|apart| apart.abs()));
            assert_eq!(told.map(i64::signum), Some(ahead.signum()));
            let names: Vec<String> = a.ring().borrow().members().iter().map(|member| member.name.clone()).collect();
            assert_eq!(names, ["a", "b"], "it is a member like any other");
        }
    }

    #[tokio::test]
    async fn one_odd_beat_is_passed_over() {
        let (mut a, store) = membership().await;
        hears(&mut a, &store, 1, 0).await;
        let (right, _) = hears(&mut a, &store, 2, 0).await;
        let (odd, told) = hears(&mut a, &store, 3, -HOUR).await;
        assert_eq!(told, Some(right), "{odd}");
        let (right, told) = hears(&mut a, &store, 4, 0).await;
        assert_eq!(told, Some(right));
        // A row that stands still says nothing new, however often it is read.
        hears(&mut a, &store, 5, -HOUR).await;
        a.beat().await;
        assert_eq!(a.clocks_apart().borrow().get("b"), Some(&right));
        let (_, told) = hears(&mut a, &store, 6, -HOUR).await;
        assert!(told.is_some_and(|apart| apart < right), "{told:?}");
    }

    #[tokio::test]
    async fn of_a_node_that_left_no_clock_is_told() {
        let (mut a, store) = membership().await;
        hears(&mut a, &store, 1, HOUR).await;
        assert!(hears(&mut a, &store, 2, HOUR).await.1.is_some());
        let rows = store.beat(NodeRecord::default()).await.unwrap();
        store.forget_node(rows.into_iter().find(|row| row.name == "b").unwrap()).await.unwrap();
        a.beat().await;
        assert_eq!(a.clocks_apart().borrow().get("b"), None);
    }

    #[test]
    fn a_node_that_would_do_nothing_or_cannot_be_called_is_refused() {
        let refused = |change: &dyn Fn(&mut ClusterConfig)| {
            let mut config = ClusterConfig::new("a", "10.0.0.1:7234");
            change(&mut config);
            config.validate().err().unwrap_or_default()
        };
        assert_eq!(refused(&|_| {}), "");
        assert_eq!(refused(&|config| config.roles = vec![Role::History]), "", "others may do the rest");
        assert!(refused(&|config| config.roles.clear()).contains("at least one of frontend"));
        assert!(refused(&|config| config.roles.push(Role::History)).contains("once is enough"));
        let address = refused(&|config| config.address = "10.0.0.1".into());
        assert!(address.starts_with("address is \"10.0.0.1\", which has no port: write HOST:PORT"), "{address}");
        let advertised = refused(&|config| config.advertised_address = Some("b".into()));
        assert!(advertised.starts_with("advertised_address is \"b\""), "{advertised}");
    }
}
