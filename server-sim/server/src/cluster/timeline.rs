//! Nodes that deal with each other are of one cluster, and on one timeline of its database.
//!
//! An address may belong to a node of another cluster by now: what is asked there would be done to another's workflows.
//!
//! After a failover that lost commits some nodes may still be connected to the primary of before. What such a node answers
//! rests on commits that are gone: another must not delete a task because of it. So each call says which timeline its
//! caller knows, each answer which one the callee knows; of two that differ the call is not performed, and whoever was
//! behind leaves its primary.
use std::sync::Arc;
use tempest_api::ServiceError;
use tempest_store::{Store, Timeline};
use tonic::metadata::{MetadataMap, MetadataValue};

const TIMELINE: &str = "tempest-timeline";
const CLUSTER: &str = "tempest-cluster";

/// What a node knows of it.
#[derive(Clone)]
pub(super) struct KnownTimeline {
    pub store: Arc<dyn Store>,
    /// As the database has it.
    pub cluster_id: Arc<str>,
}

impl KnownTimeline {
    fn now(&self) -> Timeline {
        *self.store.timeline().borrow()
    }

    /// Says what is known here.
    pub fn tell(&self, metadata: &mut MetadataMap) {
        metadata.insert(TIMELINE, self.now().0.into());
        // It was drawn as a UUID.
        if let Ok(cluster_id) = MetadataValue::try_from(&*self.cluster_id) {
            metadata.insert(CLUSTER, cluster_id);
        }
    }

    /// Takes in what the other side knows.
    ///
    /// # Errors
    /// It is of another cluster, or on another timeline: what it says or wants rests on another database. Whoever says
    /// nothing, as an operator does, rests on none.
    pub fn hear(&self, metadata: &MetadataMap) -> Result<(), ServiceError> {
        if let Some(cluster_id) = metadata.get(CLUSTER)
            && cluster_id.as_bytes() != self.cluster_id.as_bytes()
        {
            tempest_rt::probe!("cluster-peer-of-another-cluster");
            tracing::warn!("a call between nodes of different clusters: an address has changed hands");
            return Err(ServiceError::Unavailable("the other node is of another cluster".to_owned()));
        }
        let told = metadata.get(TIMELINE).and_then(|told| told.to_str().ok()?.parse().ok()).map(Timeline);
        let own = self.now();
        match told {
            Some(told) if told != own && !tempest_rt::planted!("peers-of-another-timeline-are-heeded") => {
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
