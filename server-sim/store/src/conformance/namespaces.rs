//! The namespace registry.
use super::*;

pub async fn names_are_unique_and_versions_compared(store: &impl Store) {
    let record = |id: &str, name: &str, version| NamespaceRecord {
        id: id.into(),
        name: name.to_owned(),
        version,
        description: Bytes::from(format!("{id} {name} {version}")),
    };
    let refused = async |record| {
        let result = store.put_namespace(record).await;
        assert!(matches!(result, Err(StoreError::Conflict(_))), "{result:?}");
    };
    assert_eq!(store.namespaces().await, Ok(vec![]));
    refused(record("1", "red", 2)).await;
    assert_eq!(store.put_namespace(record("1", "red", 1)).await, Ok(()));
    refused(record("1", "red", 1)).await;
    refused(record("2", "red", 1)).await;
    assert_eq!(store.put_namespace(record("2", "blue", 1)).await, Ok(()));
    refused(record("2", "red", 2)).await;
    assert_eq!(store.put_namespace(record("1", "green", 2)).await, Ok(()));
    assert_eq!(store.put_namespace(record("2", "red", 2)).await, Ok(()), "a name that was given up is free");
    let mut found = store.namespaces().await.expect("they can be read");
    found.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(found, [record("1", "green", 2), record("2", "red", 2)]);
}
