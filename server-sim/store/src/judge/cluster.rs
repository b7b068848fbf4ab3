//! The cluster's row: the first caller writes it.
use crate::judge::{Change, Verdict, View};
use crate::keys::ClusterKey;
use crate::values::encode_record;
use crate::{ClusterRecord, StoreError, Written};

pub fn judge(view: &View, initial: &ClusterRecord) -> Result<Verdict, StoreError> {
    Ok(match view.record(&ClusterKey)? {
        Some(found) => Verdict { written: Written::ClusterFound(found), changes: Vec::new() },
        None => Verdict {
            written: Written::Cluster(initial.clone()),
            changes: vec![Change::put(&ClusterKey, encode_record(initial))],
        },
    })
}
