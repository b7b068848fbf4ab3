//! Creating and replacing namespaces, with unique names.
use crate::values::{decode_record, decode_text, encode_record};
use crate::view::View;
use bytes::Bytes;
use tempest_store::redb::keys::{Key, NamespaceKey, NamespaceNameKey};
use tempest_store::{NamespaceRecord, StoreError, Written};

pub fn judge(view: &mut View, record: &NamespaceRecord) -> Result<Written, StoreError> {
    let key = NamespaceKey(record.id.clone()).encode();
    let name_key = NamespaceNameKey(record.name.clone()).encode();
    let found: Option<NamespaceRecord> = view.namespaces.get(&key).map(|value| decode_record(value)).transpose()?;
    let version_next = found.as_ref().map_or(1, |found| found.version.saturating_add(1));
    if record.version != version_next {
        let message = format!("namespace {}: version {} where {version_next} is next", record.name, record.version);
        return Err(StoreError::Conflict(message));
    }
    let holder = view.namespace_names.get(&name_key).map(|value| decode_text(value)).transpose()?;
    if holder.is_some_and(|holder| holder != record.id.as_str()) {
        return Err(StoreError::Conflict(format!("namespace name {} is taken", record.name)));
    }
    if let Some(found) = found
        && found.name != record.name
    {
        view.namespace_names.remove(NamespaceNameKey(found.name).encode());
    }
    view.namespace_names.put(name_key, Bytes::from(record.id.0.clone()));
    view.namespaces.put(key, encode_record(record));
    Ok(Written::Done)
}
