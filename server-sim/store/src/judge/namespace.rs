//! Creating and replacing namespaces, with unique names.
use crate::judge::{Change, Verdict, View, conflict};
use crate::keys::{NamespaceKey, NamespaceNameKey};
use crate::values::{decode_text, encode_record};
use crate::{NamespaceRecord, StoreError, Written};
use bytes::Bytes;

pub fn judge(view: &View, record: &NamespaceRecord) -> Result<Verdict, StoreError> {
    let key = NamespaceKey(record.id.clone());
    let name_key = NamespaceNameKey(record.name.clone());
    let found: Option<NamespaceRecord> = view.record(&key)?;
    let version_next = found.as_ref().map_or(1, |found| found.version.saturating_add(1));
    if record.version != version_next {
        return conflict(format!("namespace {}: version {} where {version_next} is next", record.name, record.version));
    }
    let holder = view.body(&name_key).map(|value| decode_text(value)).transpose()?;
    if holder.is_some_and(|holder| holder != record.id.as_str()) {
        return conflict(format!("namespace name {} is taken", record.name));
    }
    let old_name = found.map(|found| found.name).filter(|name| *name != record.name);
    let mut changes: Vec<Change> = old_name.into_iter().map(|name| Change::remove(&NamespaceNameKey(name))).collect();
    changes.push(Change::put(&name_key, Bytes::from(record.id.0.clone())));
    changes.push(Change::put(&key, encode_record(record)));
    Ok(Verdict { written: Written::Done, changes })
}
