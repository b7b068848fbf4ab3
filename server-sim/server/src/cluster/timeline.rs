//! Nodes that deal with each other are on one timeline of their database.
//!
//! After a failover that lost commits some nodes may still be connected to the primary of before. What such a node answers
//! rests on commits that are gone: another must not delete a task because of it. So each call says which timeline its
//! caller knows, each answer which one the callee knows; of two that differ the call is not performed, and whoever was
//! behind leaves its primary.
use std::sync::Arc;
use tempest_api::ServiceError;
use tempest_store::{Store, Timeline};
use tonic::metadata::MetadataMap;

const HEADER: &str = "tempest-timeline";

/// What a node knows of it.
#[derive(Clone)]
pub(super) struct KnownTimeline(pub Arc<dyn Store>);

impl KnownTimeline {
    fn now(&self) -> Timeline {
        *self.0.timeline().borrow()
    }

    /// Says what is known here.
    pub fn tell(&self, metadata: &mut MetadataMap) {
        metadata.insert(HEADER, self.now().0.into());
    }

    /// Takes in what the other side knows.
    ///
    /// # Errors
    /// It is on another timeline: what it says or wants rests on another database. Whoever says nothing, as an operator
    /// does, rests on none.
    pub fn hear(&self, metadata: &MetadataMap) -> Result<(), ServiceError> {
        let told = metadata.get(HEADER).and_then(|told| told.to_str().ok()?.parse().ok()).map(Timeline);
        let own = self.now();
        match told {
            Some(told) if told != own && !tempest_rt::planted!("peers-of-another-timeline-are-heeded") => {
                tempest_rt::probe!("cluster-peer-of-another-timeline");
                self.0.hear_of(told);
                Err(ServiceError::Unavailable(format!(
                    "the database has failed over: one node knows its timeline {told}, the other {own}"
                )))
            }
            _ => Ok(()),
        }
    }
}
