//! Database files as people leave them: each opens, or says what is wrong and what to do.
#![allow(clippy::unwrap_used)]
use std::path::Path;
use std::sync::Arc;
use tempest_store::file_system::RealFileSystem;
use tempest_store::redb::{RedbConfig, RedbStore};
use tempest_store::{CommitOutcome, RangeId, ShardCommit, ShardId, StoreCalls, StoreError};

async fn open(path: &Path) -> Result<RedbStore, StoreError> {
    RedbStore::open(Arc::new(RealFileSystem), path, RedbConfig::default()).await
}

async fn refused(path: &Path) -> StoreError {
    match open(path).await {
        Ok(_) => panic!("{} should not have opened", path.display()),
        Err(error) => error,
    }
}

fn commit(range: i64, sequence: u64) -> ShardCommit {
    ShardCommit { shard: ShardId(1), range_id: RangeId(range), sequence, ..Default::default() }
}

#[tokio::test]
async fn a_file_outlives_its_store() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    for round in 0..3 {
        let store = open(&path).await.unwrap();
        let shard = store.acquire_shard(ShardId(1), RangeId(round), "me").await.unwrap();
        assert_eq!(shard.sequence, u64::try_from(round).unwrap());
        assert_eq!(store.commit(commit(round + 1, shard.sequence + 1)).await, CommitOutcome::Committed);
        store.close().await;
        assert!(matches!(store.shard(ShardId(1)).await, Err(StoreError::Unavailable(_))));
        assert!(matches!(store.commit(commit(1, 1)).await, CommitOutcome::Unavailable(_)));
    }
}

#[tokio::test]
async fn a_file_in_use_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let _store = open(&path).await.unwrap();
    let error = refused(&path).await;
    assert!(matches!(error, StoreError::Unavailable(_)));
    assert!(
        error.to_string().ends_with("is in use by another process: stop that one, or choose another file"),
        "{error}"
    );
}

#[tokio::test]
async fn an_empty_file_becomes_a_database_and_a_half_created_one_is_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    std::fs::write(&path, b"").unwrap();
    std::fs::write(directory.path().join("db.creating"), b"half a database").unwrap();
    open(&path).await.unwrap().close().await;
    open(&path).await.unwrap();
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn other_files_are_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    for content in [&b"SQLite format 3\0"[..], b"x", &[7; 100_000]] {
        std::fs::write(&path, content).unwrap();
        let error = refused(&path).await;
        assert!(matches!(error, StoreError::Corrupt(_)), "{error:?}");
        assert!(error.to_string().contains("restore it from a backup, or choose another file"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), content);
    }
    let error = refused(&directory.path().join("none/db")).await;
    assert!(error.to_string().ends_with("does not exist: create it first"), "{error}");
}

#[tokio::test]
async fn a_damaged_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    open(&path).await.unwrap().close().await;
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..5000]).unwrap();
    assert!(matches!(refused(&path).await, StoreError::Corrupt(_)));
    let mut scribbled = whole.clone();
    scribbled[20..].fill(0x5a);
    std::fs::write(&path, &scribbled).unwrap();
    assert!(matches!(refused(&path).await, StoreError::Corrupt(_) | StoreError::Incompatible(_)));
}

#[tokio::test]
async fn another_schema_and_another_programs_database_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let table = redb::TableDefinition::<&str, &[u8]>::new("meta");
    let write = |name: &str, value: &[u8]| {
        let database = redb::Database::create(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction.open_table(table).unwrap().insert(name, value).unwrap();
        transaction.commit().unwrap();
    };
    drop(redb::Database::create(&path).unwrap());
    let error = refused(&path).await;
    assert!(error.to_string().contains("not one of tempest's"), "{error}");
    write("schema", &99u32.to_be_bytes());
    let error = refused(&path).await;
    assert!(matches!(error, StoreError::Incompatible(_)));
    assert!(error.to_string().contains("schema version 99, this tempest reads version 4"), "{error}");
}

/// Format 1 had a run in one value, with a format byte before each.
#[tokio::test]
async fn a_file_of_an_older_build_is_refused_with_a_sentence_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let database = redb::Database::create(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let meta = redb::TableDefinition::<&str, &[u8]>::new("meta");
        let mut meta = transaction.open_table(meta).unwrap();
        meta.insert("schema", 1u32.to_be_bytes().as_slice()).unwrap();
        meta.insert("cluster", [1, 0x80].as_slice()).unwrap();
        let runs = redb::TableDefinition::<&[u8], &[u8]>::new("runs");
        let state = [&[1][..], &7u64.to_be_bytes(), b"state"].concat();
        transaction.open_table(runs).unwrap().insert(b"run".as_slice(), state.as_slice()).unwrap();
    }
    transaction.commit().unwrap();
    drop(database);
    let before = std::fs::read(&path).unwrap();
    let error = refused(&path).await;
    assert!(matches!(error, StoreError::Incompatible(_)));
    let sentence = "has schema version 1, this tempest reads version 4: open it with the tempest that wrote it, or start \
                    with a new file";
    assert!(error.to_string().ends_with(sentence), "{error}");
    let data = |file: Vec<u8>| file.windows(5).any(|bytes| bytes == b"state");
    assert!(data(before) && data(std::fs::read(&path).unwrap()));
}
