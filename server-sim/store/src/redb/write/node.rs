//! The rows by which nodes see each other.
use crate::NodeRecord;
use crate::Written;
use crate::redb::keys::NodeKey;
use crate::redb::tables::{Stop, Tables};
use crate::redb::values;

pub fn beat(tables: &mut Tables<'_>, node: &NodeRecord) -> Result<Written, Stop> {
    let before = tables.nodes.all(values::decode_record::<NodeRecord>)?;
    tables.nodes.put(&NodeKey(node.name.clone()), &values::encode_record(node))?;
    Ok(Written::Nodes(before))
}

/// Only if the row is still the one that was found silent.
pub fn forget(tables: &mut Tables<'_>, node: &NodeRecord) -> Result<Written, Stop> {
    let key = NodeKey(node.name.clone());
    if tables.nodes.get(&key, values::decode_record::<NodeRecord>)?.as_ref() == Some(node) {
        tables.nodes.remove(&key)?;
    }
    Ok(Written::Done)
}
