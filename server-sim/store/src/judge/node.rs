//! The rows by which nodes see each other.
use crate::judge::{Change, Verdict, View};
use crate::keys::NodeKey;
use crate::values::{decode_record, encode_record};
use crate::{NodeRecord, StoreError, Table, Written};

pub fn beat(view: &View, node: &NodeRecord) -> Result<Verdict, StoreError> {
    let before: Result<_, _> = view.all(Table::Nodes).into_iter().map(|value| decode_record(value)).collect();
    let changes = vec![Change::put(&NodeKey(node.name.clone()), encode_record(node))];
    Ok(Verdict { written: Written::Nodes(before?), changes })
}

/// Only if the row is still the one that was found silent.
pub fn forget(view: &View, node: &NodeRecord) -> Result<Verdict, StoreError> {
    let key = NodeKey(node.name.clone());
    let found: Option<NodeRecord> = view.record(&key)?;
    let changes = found.filter(|found| found == node).map(|_| Change::remove(&key)).into_iter().collect();
    Ok(Verdict { written: Written::Done, changes })
}
