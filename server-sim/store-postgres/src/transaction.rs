//! One try to write a batch: three round trips. The first begins, locks and reads; the second writes; the third commits.
use crate::connection::{CommitEnd, Connection, all_changed};
use crate::judge::{KeysNeeded, Stop, judge};
use crate::statements::{RowStatements, WriteStatements};
use crate::trouble::{Guilt, Trouble};
use crate::values::decode_version;
use crate::view::{Changes, Key, Rows, RunChanges, Runs, View};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use tempest_store::{StoreError, WriteAnswer, WriteRequest};
use tokio_postgres::{Client, Error, Row, Statement};

/// How a try ended.
#[derive(Debug)]
pub enum Ended {
    /// Everything that was applied is durable.
    Answered(Vec<WriteAnswer>),
    /// Certainly nothing of it is stored. The transaction may still be open.
    Nothing(Trouble),
    /// Nobody knows whether what was applied is stored. The connection is of no use any more.
    Unknown(Vec<WriteAnswer>),
}

/// Tries `requests`, in order, as one transaction. `begin` is the SQL that opens it.
pub async fn write_batch(connection: &Connection<WriteStatements>, begin: &str, requests: &[WriteRequest]) -> Ended {
    let needed = KeysNeeded::of(requests);
    let mut view = match connection.answered(begin_and_read(connection, begin, &needed)).await {
        Ok(view) => view,
        Err(trouble) => return Ended::Nothing(trouble),
    };
    let mut answers = Vec::with_capacity(requests.len());
    for request in requests {
        match judge(request, &mut view, connection.timeline) {
            Ok(applied) => answers.push(Ok(applied)),
            Err(Stop::Refused(error)) => answers.push(Err(error)),
            Err(Stop::Apart) => return Ended::Nothing(Trouble::Guilty(Guilt::Apart, "a task is added again".into())),
        }
    }
    if !view.is_changed() {
        // Nothing to make durable: what was read was durable already. A rollback that fails loses nothing but the
        // connection, which the next batch will notice.
        connection.rollback().await;
        return Ended::Answered(answers);
    }
    let transaction = match connection.answered(write(connection, &view)).await {
        Ok(transaction) => transaction,
        Err(trouble) => return Ended::Nothing(trouble),
    };
    match connection.commit(&transaction, &connection.statements.transaction_status).await {
        CommitEnd::Committed => Ended::Answered(answers),
        CommitEnd::Nothing(trouble) => Ended::Nothing(trouble),
        CommitEnd::Unknown(why) => {
            Ended::Unknown(answers.into_iter().map(|answer| after_unknown_commit(answer, &why)).collect())
        }
    }
}

/// What was applied is in doubt. What was refused is not stored for certain, but the reason may be an effect that is
/// itself in doubt, so it is not repeated.
pub fn after_unknown_commit(answer: WriteAnswer, why: &str) -> WriteAnswer {
    match answer {
        Ok(_) => Err(StoreError::OutcomeUnknown(why.to_owned())),
        Err(_) => Err(StoreError::Unavailable(why.to_owned())),
    }
}

/// All statements leave together and are performed one after the other: locks in one order for everybody (shards by id,
/// partitions by key, then the rest), then reads, which see what the locks protect.
async fn begin_and_read(
    connection: &Connection<WriteStatements>,
    begin: &str,
    needed: &KeysNeeded,
) -> Result<View, Trouble> {
    let (client, statements) = (&connection.client, &connection.statements);
    let (begun, shards, partitions, namespaces, names, meta, current_runs, versions) = futures::join!(
        client.batch_execute(begin),
        read(client, &statements.shards.read, &needed.shards),
        read(client, &statements.partitions.read, &needed.partitions),
        read(client, &statements.namespaces.read, &needed.namespaces),
        read(client, &statements.namespace_names.read, &needed.namespace_names),
        read(client, &statements.meta.read, &needed.meta),
        read(client, &statements.current_runs.read, &needed.current_runs),
        read(client, &statements.runs.versions, &needed.runs),
    );
    // In the order of sending: once one has failed, those behind it fail only for that.
    begun.map_err(|error| Trouble::of(&error))?;
    Ok(View {
        shards: rows(shards)?,
        partitions: rows(partitions)?,
        namespaces: rows(namespaces)?,
        namespace_names: rows(names)?,
        meta: rows(meta)?,
        current_runs: rows(current_runs)?,
        runs: run_versions(versions)?,
        ..View::default()
    })
}

async fn read(client: &Client, statement: &Statement, keys: &BTreeSet<Key>) -> Result<Vec<Row>, Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
    client.query(statement, &[&keys]).await
}

fn rows(rows: Result<Vec<Row>, Error>) -> Result<Rows, Trouble> {
    let pair = |row: &Row| Ok((row.try_get(0)?, Bytes::from(row.try_get::<_, Vec<u8>>(1)?)));
    let pairs: Result<Vec<_>, Error> = rows.and_then(|rows| rows.iter().map(pair).collect());
    pairs.map(Rows::read).map_err(|error| Trouble::of(&error))
}

fn run_versions(rows: Result<Vec<Row>, Error>) -> Result<Runs, Trouble> {
    let pair = |row: &Row| Ok((row.try_get(0)?, decode_version(row.try_get(1)?)));
    let pairs: Result<Vec<_>, Error> = rows.and_then(|rows| rows.iter().map(pair).collect());
    pairs.map(Runs::read).map_err(|error| Trouble::of(&error))
}

/// Writes what changed and returns the transaction's id.
async fn write(connection: &Connection<WriteStatements>, view: &View) -> Result<String, Trouble> {
    let (client, statements) = (&connection.client, &connection.statements);
    let runs = view.runs.changes();
    let (shards, partitions, namespaces, current_runs, meta) = (
        view.shards.changes(),
        view.partitions.changes(),
        view.namespaces.changes(),
        view.current_runs.changes(),
        view.meta.changes(),
    );
    let names = view.namespace_names.changes();
    // Sent in this order: tasks are deleted after they were added.
    let ends = futures::join!(
        write_rows(client, &statements.shards, &shards, "shards"),
        write_rows(client, &statements.partitions, &partitions, "partitions"),
        write_rows(client, &statements.namespaces, &namespaces, "namespaces"),
        write_rows(client, &statements.namespace_names, &names, "namespace_names"),
        write_rows(client, &statements.meta, &meta, "meta"),
        write_rows(client, &statements.current_runs, &current_runs, "current_runs"),
        write_runs(client, statements, &runs),
        insert(client, &statements.history_insert, &view.history),
        insert(client, &statements.history_tasks_insert, &view.history_tasks.added),
        delete(client, &statements.history_tasks_delete, &view.history_tasks.deleted),
        insert(client, &statements.backlog_put, &view.backlog.added),
        delete(client, &statements.backlog_delete, &view.backlog.deleted),
        client.query_one(&statements.transaction_id, &[]),
    );
    // In the order of sending, as above.
    for end in [ends.0, ends.1, ends.2, ends.3, ends.4, ends.5, ends.6, ends.7, ends.8, ends.9, ends.10, ends.11] {
        end?;
    }
    ends.12.and_then(|row| row.try_get(0)).map_err(|error| Trouble::of(&error))
}

async fn write_rows(
    client: &Client,
    statements: &RowStatements,
    changes: &Changes<'_>,
    table: &str,
) -> Result<(), Trouble> {
    let Changes { insert_keys, insert_values, update_keys, update_before, update_values, delete_keys } = changes;
    let (deleted, updated, inserted) = futures::join!(
        async {
            if delete_keys.is_empty() {
                return Ok(0);
            }
            client.execute(&statements.delete, &[delete_keys]).await
        },
        async {
            if update_keys.is_empty() {
                return Ok(0);
            }
            client.execute(&statements.update, &[update_keys, update_before, update_values]).await
        },
        async {
            if insert_keys.is_empty() {
                return Ok(0);
            }
            client.execute(&statements.insert, &[insert_keys, insert_values]).await
        },
    );
    deleted.map_err(|error| Trouble::of(&error))?;
    all_changed(updated, update_keys.len(), table)?;
    all_changed(inserted, insert_keys.len(), table)
}

async fn write_runs(client: &Client, statements: &WriteStatements, changes: &RunChanges<'_>) -> Result<(), Trouble> {
    let (updated, inserted) = futures::join!(
        async {
            if changes.update_keys.is_empty() {
                return Ok(0);
            }
            let RunChanges { update_keys, update_before, update_versions, update_states, .. } = changes;
            client.execute(&statements.runs.update, &[update_keys, update_before, update_versions, update_states]).await
        },
        async {
            if changes.insert_keys.is_empty() {
                return Ok(0);
            }
            let RunChanges { insert_keys, insert_versions, insert_states, .. } = changes;
            client.execute(&statements.runs.insert, &[insert_keys, insert_versions, insert_states]).await
        },
    );
    all_changed(updated, changes.update_keys.len(), "runs")?;
    all_changed(inserted, changes.insert_keys.len(), "runs")
}

async fn insert(client: &Client, statement: &Statement, rows: &BTreeMap<Key, Bytes>) -> Result<(), Trouble> {
    if rows.is_empty() {
        return Ok(());
    }
    let keys: Vec<&[u8]> = rows.keys().map(Vec::as_slice).collect();
    let values: Vec<&[u8]> = rows.values().map(AsRef::as_ref).collect();
    client.execute(statement, &[&keys, &values]).await.map(|_| ()).map_err(|error| Trouble::of(&error))
}

/// Deleting what is not there is no error.
async fn delete(client: &Client, statement: &Statement, keys: &BTreeSet<Key>) -> Result<(), Trouble> {
    if keys.is_empty() {
        return Ok(());
    }
    let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
    client.execute(statement, &[&keys]).await.map(|_| ()).map_err(|error| Trouble::of(&error))
}
