//! The rows by which nodes see each other.
use super::Applied;
use crate::NodeRecord;
use crate::redb::keys::NodeKey;
use crate::redb::tables::{Stop, Tables};
use crate::redb::values;

pub fn beat(tables: &mut Tables<'_>, node: &NodeRecord) -> Result<Applied, Stop> {
    let before = tables.nodes.all(values::decode_record::<NodeRecord>)?;
    tables.nodes.put(&NodeKey(node.name.clone()), &values::encode_record(node))?;
    Ok(Applied::Nodes(before))
}
