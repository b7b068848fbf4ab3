//! The beat of a node: it writes its own row, reads the others', and tells its roles what changed.
use super::ring::{Member, Ring};
use super::view::View;
use crate::NodeError;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tempest_core::Time;
use tempest_rt::net::check_address;
use tempest_rt::time::{Duration, Instant};
use tempest_store::{NodeRecord, Role, Store, StoreError, Timeline};
use tokio::sync::watch;

/// Names of the nodes that are alive in a database, for one that wants to be alone there. Takes longer than a beat if there
/// are rows of nodes that did not leave.
///
/// # Errors
/// The store's.
pub async fn nodes_alive(store: &dyn Store) -> Result<Vec<String>, StoreError> {
    // Everybody reads by writing: a row that says nothing and is nobody's.
    let nobody = NodeRecord { leaving: true, timeline: *store.timeline().borrow(), ..NodeRecord::default() };
    let beats = |rows: Vec<NodeRecord>| -> BTreeMap<String, (String, u64)> {
        let there = rows.into_iter().filter(|row| !row.leaving);
        there.map(|row| (row.name, (row.incarnation, row.beat))).collect()
    };
    let before = beats(store.beat(nobody.clone()).await?);
    let alive = if before.is_empty() {
        Vec::new()
    } else {
        tempest_rt::time::sleep(ClusterConfig::new("", "").beat_interval * 5 / 2).await;
        let after = beats(store.beat(nobody.clone()).await?);
        after.into_iter().filter(|(name, beat)| before.get(name) != Some(beat)).map(|(name, _)| name).collect()
    };
    store.forget_node(nobody).await?;
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
            let mend = "name at least one of frontend, history, matching, or leave `roles` out to have all";
            return Err(format!("the node has no roles, so that nothing is done there: {mend}"));
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
    /// Whether the newest beat of a node came with a wall clock that is far from this one's.
    clocks_differ: BTreeMap<String, bool>,
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
            clocks_differ: BTreeMap::new(),
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
    /// is a mistake, and both would take each other's shards for ever. One that was at this address is gone.
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

    /// One beat. An error is not the end: whoever cannot write will be found silent, and what it then does is fenced.
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
                tracing::warn!(%error, "this node's beat did not reach the store, or nobody knows");
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
                tracing::warn!(name, %error, "a node that was silent for long is not forgotten, or nobody knows")
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
                 can tell does (data_loss), and each is taken anew"
            );
        }
    }

    fn warn_of_strange_rows(&mut self, rows: &[NodeRecord]) {
        self.clocks_differ.retain(|name, _| rows.iter().any(|row| row.name == *name));
        for row in rows {
            if row.name == self.row.name && row.incarnation != self.row.incarnation && self.row.beat > 1 {
                tracing::error!(
                    name = row.name,
                    address = row.address,
                    "another node has this name: give each its own"
                );
            }
            let apart = row.wall_clock.0.abs_diff(self.row.wall_clock.0);
            if !self.view.is_new(row) || row.name == self.row.name {
                continue;
            }
            let differs = u128::from(apart) > CLOCK_DIFFERENCE_MAX.as_nanos();
            let before = self.clocks_differ.insert(row.name.clone(), differs).unwrap_or(false);
            // A row that was not read for a while says when it was written, not that its clock is wrong. The next one does.
            if differs && before {
                let seconds = apart / 1_000_000_000;
                tracing::warn!(node = row.name, seconds, "that node's wall clock differs from this one's");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
