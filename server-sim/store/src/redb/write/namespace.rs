//! Creating and replacing namespaces, with unique names.
use crate::Written;
use crate::redb::keys::{NamespaceKey, NamespaceNameKey};
use crate::redb::tables::{Stop, Tables};
use crate::redb::values;
use crate::{NamespaceRecord, StoreError};
use tempest_core::NamespaceId;

pub fn put(tables: &mut Tables<'_>, record: &NamespaceRecord) -> Result<Written, Stop> {
    let key = NamespaceKey(record.id.clone());
    let name_key = NamespaceNameKey(record.name.clone());
    let found = tables.namespaces.get(&key, values::decode_record::<NamespaceRecord>)?;
    let version_next = found.as_ref().map_or(1, |found| found.version.saturating_add(1));
    if record.version != version_next {
        let message = format!("namespace {}: version {} where {version_next} is next", record.name, record.version);
        return Err(StoreError::Conflict(message).into());
    }
    let holder: Option<NamespaceId> = tables.namespace_names.get(&name_key, values::decode_record)?;
    if holder.is_some_and(|holder| holder != record.id) {
        return Err(StoreError::Conflict(format!("namespace name {} is taken", record.name)).into());
    }
    if let Some(found) = found
        && found.name != record.name
    {
        tables.namespace_names.remove(&NamespaceNameKey(found.name))?;
    }
    tables.namespace_names.put(&name_key, &values::encode_record(&record.id))?;
    tables.namespaces.put(&key, &values::encode_record(record))?;
    Ok(Written::Done)
}
