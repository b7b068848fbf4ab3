//! Puts back what everything else rests on, and a failover may have lost: the cluster's row and the namespaces.
use crate::cluster::KnownTimeline;
use std::sync::{Arc, Weak};
use tempest_frontend::Frontend;
use tempest_rt::time::{Duration, sleep};
use tempest_store::Store;

/// Pause before what failed is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Now, and each time that the database is on a new timeline, until `frontend` is gone. Every node does so: each may know
/// what the others do not.
pub(crate) async fn after_failovers(store: Arc<dyn Store>, known: KnownTimeline, frontend: Weak<Frontend>) {
    let mut timeline = store.timeline();
    loop {
        timeline.borrow_and_update();
        loop {
            let Some(frontend) = frontend.upgrade() else { return };
            let row = known.restore_cluster_row().await;
            if let Err(error) = &row {
                tracing::warn!(%error, "the cluster's row could not be restored, or the outcome is unknown");
            }
            let namespaces = frontend.restore_namespaces().await;
            if let Err(error) = &namespaces {
                tracing::warn!(%error, "namespaces may be missing after a failover");
            }
            if row.is_ok() && namespaces.is_ok() {
                break;
            }
            sleep(RETRY).await;
        }
        if timeline.changed().await.is_err() {
            return;
        }
    }
}
