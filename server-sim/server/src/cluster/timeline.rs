//! Nodes that deal with each other are of one cluster, and on one timeline of its database.
//!
//! An address may belong to a node of another cluster by now: what is asked there would be done to another's workflows.
//!
//! After a failover that lost commits some nodes may still be connected to the primary of before. What such a node answers
//! rests on commits that are gone: another must not delete a task because of it. So each call says which timeline its
//! caller knows, each answer which one the callee knows; of two that differ the call is not performed, and the node
//! that was behind leaves its primary.
use std::sync::{Arc, Mutex, MutexGuard};
use tempest_api::ServiceError;
use tempest_store::{ClusterRecord, Store, StoreCalls, StoreError, Timeline};
use tonic::metadata::{MetadataMap, MetadataValue};

const TIMELINE: &str = "tempest-timeline";
const CLUSTER: &str = "tempest-cluster";

/// What a node knows of it.
#[derive(Clone)]
pub(crate) struct KnownTimeline {
    store: Arc<dyn Store>,
    cluster: Arc<Mutex<KnownCluster>>,
}

struct KnownCluster {
    row: ClusterRecord,
    /// The timeline on which the database surely had it.
    read_on: Option<Timeline>,
}

impl KnownTimeline {
    /// `row` is as the database had it not long ago.
    pub fn new(store: Arc<dyn Store>, row: ClusterRecord) -> Self {
        Self { store, cluster: Arc::new(Mutex::new(KnownCluster { row, read_on: None })) }
    }

    /// At boot and after a failover, which may have lost the cluster's row: writes it again, unless another node was
    /// faster. A node that began just then knew no other and drew an id; so from now on that is the cluster's id here too.
    ///
    /// # Errors
    /// The store's: the row may be missing still.
    pub async fn restore_cluster_row(&self) -> Result<(), StoreError> {
        let now = self.now();
        let known = {
            let cluster = self.cluster();
            let never_again =
                cluster.read_on.is_some() && tempest_rt::planted!(crate::plants::CLUSTER_ID_OF_BEFORE_IS_KEPT);
            if cluster.read_on == Some(now) || never_again {
                return Ok(());
            }
            cluster.row.clone()
        };
        let found = self.store.cluster(known.clone()).await?;
        if found.shard_count != known.shard_count {
            tracing::error!(
                known = known.shard_count,
                found = found.shard_count,
                "a failover lost the cluster's row, and a node with another shard count wrote it anew: stop that node, and \
                 bring back a backup; what is stored is laid out for the shard count that was known"
            );
            return Ok(());
        }
        if found != known {
            tempest_rt::probe!("cluster-founded-anew");
            tracing::warn!(known = known.cluster_id, found = found.cluster_id, "a failover lost the cluster's id");
        }
        if self.now() == now {
            *self.cluster() = KnownCluster { row: found, read_on: Some(now) };
        }
        Ok(())
    }

    fn cluster(&self) -> MutexGuard<'_, KnownCluster> {
        self.cluster.lock().expect("no holder of this lock panics")
    }

    fn now(&self) -> Timeline {
        *self.store.timeline().borrow()
    }

    /// Says what is known here.
    pub fn tell(&self, metadata: &mut MetadataMap) {
        metadata.insert(TIMELINE, self.now().0.into());
        // It was drawn as a UUID.
        if let Ok(cluster_id) = MetadataValue::try_from(&self.cluster().row.cluster_id) {
            metadata.insert(CLUSTER, cluster_id);
        }
    }

    /// Takes in what the other side knows.
    ///
    /// # Errors
    /// It is of another cluster, or on another timeline: what it says or wants rests on another database. A caller
    /// that says nothing, as an operator does, rests on none.
    pub fn hear(&self, metadata: &MetadataMap) -> Result<(), ServiceError> {
        if let Some(cluster_id) = metadata.get(CLUSTER)
            && cluster_id.as_bytes() != self.cluster().row.cluster_id.as_bytes()
        {
            // It may be this cluster, whose row a failover lost and another node wrote anew. But nothing tells that from
            // a cluster whose timelines are of another database, and who believed those would refuse its own for good.
            // So its timeline is not heeded: a store learns by itself of a newer primary.
            tempest_rt::probe!("cluster-peer-of-another-cluster");
            tracing::warn!("a call between nodes of different clusters: an address has changed hands");
            return Err(ServiceError::Unavailable("the other node is of another cluster".to_owned()));
        }
        let told = metadata.get(TIMELINE).and_then(|told| told.to_str().ok()?.parse().ok()).map(Timeline);
        let own = self.now();
        match told {
            Some(told) if told != own && !tempest_rt::planted!(crate::plants::PEERS_OF_ANOTHER_TIMELINE_ARE_HEEDED) => {
                tempest_rt::probe!("cluster-peer-of-another-timeline");
                self.store.hear_of(told);
                Err(ServiceError::Unavailable(format!(
                    "the database has failed over: one node knows its timeline {told}, the other {own}"
                )))
            }
            _ => Ok(()),
        }
    }
}
