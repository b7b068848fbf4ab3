//! One try to write a batch: three round trips. The first begins, locks and reads; the second writes; the third commits.
use crate::changes::{Changes, Columns};
use crate::connection::{CommitEnd, Connection, all_changed};
use crate::statements::WriteStatements;
use crate::trouble::{Guilt, Trouble};
use bytes::Bytes;
use futures::future::join_all;
use tempest_store::judge::{Needs, Value, View, after_unknown_commit, judge};
use tempest_store::{JudgedBy, Table, Timeline, WriteAnswer, WriteRequest};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row, Statement};

/// How a try ended.
#[derive(Debug)]
pub enum Ended {
    /// Everything that was applied is durable.
    Answered(Vec<WriteAnswer>),
    /// Certainly nothing of it is stored. The transaction may still be open.
    Nothing(Trouble),
    /// It is unknown whether what was applied is stored. The connection is of no use any more.
    Unknown(Vec<WriteAnswer>),
}

/// Tries `requests`, in order, as one transaction. `begin` is the SQL that opens it.
pub async fn write_batch(connection: &Connection<WriteStatements>, begin: &str, requests: &[WriteRequest]) -> Ended {
    let needs = Needs::of(requests);
    let mut view = match connection.answered(begin_and_read(connection, begin, needs)).await {
        Ok(view) => view,
        Err(trouble) => return Ended::Nothing(trouble),
    };
    let answers = match judge_all(&mut view, requests, connection.timeline) {
        Ok(answers) => answers,
        Err(trouble) => return Ended::Nothing(trouble),
    };
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

/// One answer each, by what those before it did.
fn judge_all(view: &mut View, requests: &[WriteRequest], timeline: Timeline) -> Result<Vec<WriteAnswer>, Trouble> {
    let mut answers = Vec::with_capacity(requests.len());
    for request in requests {
        answers.push(match judge(request, view, timeline) {
            Ok(verdict) => {
                // Insertions go to the database before the removals of the whole batch, which would take these with them.
                if verdict.changes.iter().any(|change| view.puts_back(change)) {
                    return Err(Trouble::Guilty(Guilt::Apart, "a row that the batch removed is added again".into()));
                }
                view.take(verdict.changes);
                Ok(verdict.written)
            }
            Err(error) => Err(error),
        });
    }
    Ok(answers)
}

/// All statements leave together, in the order of sending, and are performed one after the other: locks in one order for
/// everybody, which is that of [`Table::ALL`] and of the keys, each with the reads that see what the locks protect.
async fn begin_and_read(connection: &Connection<WriteStatements>, begin: &str, needs: Needs) -> Result<View, Trouble> {
    let (client, statements) = (&connection.client, &connection.statements);
    let reads = Table::ALL.iter().filter_map(|table| {
        let statement = statements.of(*table).read.as_ref()?;
        let keys: Vec<&[u8]> = needs.rows(*table).collect();
        let is_needed = !keys.is_empty();
        is_needed.then_some(async move { (*table, client.query(statement, &[&keys]).await) })
    });
    // Each is sent when it is first polled, and both joins poll in order.
    let (begun, read) = futures::join!(client.batch_execute(begin), join_all(reads));
    // Once one has failed, those behind it fail only for that.
    begun.map_err(|error| Trouble::of(&error))?;
    let mut found = Vec::new();
    for (table, rows) in read {
        for row in rows.map_err(|error| Trouble::of(&error))? {
            let (key, value) = judged_part(table, &row).map_err(|error| Trouble::of(&error))?;
            found.push((table, key, value));
        }
    }
    let mut view = View::new(needs);
    for (table, key, value) in found {
        view.add(table, key, value);
    }
    Ok(view)
}

fn judged_part(table: Table, row: &Row) -> Result<(Vec<u8>, Value), Error> {
    let value = match table.judged_by() {
        JudgedBy::Version => Value { version: row.try_get::<_, i64>(1)?.cast_unsigned(), body: Bytes::new() },
        _ => Value { version: 0, body: Bytes::from(row.try_get::<_, Vec<u8>>(1)?) },
    };
    Ok((row.try_get(0)?, value))
}

/// Writes what changed and returns the transaction's id.
async fn write(connection: &Connection<WriteStatements>, view: &View) -> Result<String, Trouble> {
    let (client, statements) = (&connection.client, &connection.statements);
    let changes: Vec<Changes<'_>> = view.edits().map(|(table, edits)| Changes::of(table, edits, view)).collect();
    // In this order: rows that are not read before are removed after they were added.
    let writes = changes.iter().map(|changes| async move {
        let statements = statements.of(changes.table);
        futures::join!(
            execute(client, statements.update.as_ref(), &changes.update),
            execute(client, Some(&statements.insert), &changes.insert),
            execute(client, Some(&statements.delete), &changes.delete),
        )
    });
    let (ends, transaction) = futures::join!(join_all(writes), client.query_one(&statements.transaction_id, &[]));
    // In the order of sending, as above.
    for (changes, (updated, inserted, deleted)) in changes.iter().zip(ends) {
        all_changed(updated, changes.update.rows(), changes.table.name())?;
        all_changed(inserted, changes.insert.rows(), changes.table.name())?;
        // Deleting what is not there is no error.
        deleted.map_err(|error| Trouble::of(&error))?;
    }
    transaction.and_then(|row| row.try_get(0)).map_err(|error| Trouble::of(&error))
}

async fn execute(client: &Client, statement: Option<&Statement>, columns: &Columns<'_>) -> Result<u64, Error> {
    match statement {
        Some(statement) if columns.rows() > 0 => {
            let parameters: Vec<&(dyn ToSql + Sync)> = columns.parameters();
            client.execute(statement, &parameters).await
        }
        _ => Ok(0),
    }
}
