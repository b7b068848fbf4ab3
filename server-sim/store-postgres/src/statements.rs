//! The tables, and every statement on them, as they follow from [`Table`]. Each goes by primary keys that it is given, many
//! at once; all keys are bytes that sort as the key does.
use crate::connection::Prepared;
use futures::future::try_join_all;
use futures::try_join;
use tempest_store::{Churn, JudgedBy, Table};
use tokio_postgres::{Client, Error, Statement};

/// What became of a transaction, by its id.
pub(crate) const TRANSACTION_STATUS: &str = "SELECT pg_xact_status($1::text::xid8)";

/// Commits an empty message if there are synchronous standbys, and so is answered only while they follow this server.
const CONFIRM: &str = "SELECT CASE WHEN current_setting('synchronous_standby_names') <> '' \
                       THEN pg_logical_emit_message(true, 'tempest', '') END";

/// A run, then its parts: their keys begin with its key, so that they follow it. One statement, so one snapshot.
const RUN: &str = "SELECT key, version, value FROM runs WHERE key = $1 \
                   UNION ALL \
                   SELECT key, NULL, value FROM run_parts WHERE key > $2 AND key < $3 \
                   ORDER BY 1";

/// The same of a page of runs. Behind a run's key stand a kind and an id, and no two of their bytes are both 255.
const RUNS: &str = "WITH page AS (SELECT key, version, value FROM runs WHERE key > $1 ORDER BY key LIMIT $2) \
                    SELECT key, version, value FROM page \
                    UNION ALL \
                    SELECT part.key, NULL, part.value FROM page \
                    JOIN run_parts AS part ON part.key > page.key AND part.key < page.key || '\\xffff'::bytea \
                    ORDER BY 1";

/// What creates a table.
pub fn creation(schema_quoted: &str, table: Table) -> String {
    let version = if table.judged_by() == JudgedBy::Version { "version bigint NOT NULL, " } else { "" };
    // Room on the page lets a row's new version stay beside the old one.
    let storage = match table.churn() {
        Churn::EveryBatch => " WITH (fillfactor = 25)",
        Churn::Often => " WITH (fillfactor = 70)",
        Churn::Seldom => "",
    };
    let name = table.name();
    format!("CREATE TABLE {schema_quoted}.{name} (key bytea PRIMARY KEY, {version}value bytea NOT NULL){storage};")
}

/// What a lane needs on its connection.
pub struct WriteStatements {
    /// In the order of [`Table::ALL`].
    tables: Vec<TableStatements>,
    pub transaction_id: Statement,
    pub transaction_status: Statement,
}

impl WriteStatements {
    pub fn of(&self, table: Table) -> &TableStatements {
        &self.tables[table as usize]
    }
}

/// Reading what is judged, and changing rows if they are still what was read.
pub struct TableStatements {
    /// `None` where rows are judged by their absence, which the primary key enforces, or by nothing.
    pub read: Option<Statement>,
    /// Refused by the primary key if there is such a row, except where rows are judged by nothing.
    pub insert: Statement,
    /// `None` where no row is judged by what is in it.
    pub update: Option<Statement>,
    pub delete: Statement,
}

/// What a connection for reads needs.
pub struct ReadStatements {
    pub writable: Statement,
    pub confirm: Statement,
    pub shards: Statement,
    pub run: Statement,
    pub current_run: Statement,
    pub runs: Statement,
    pub history: Statement,
    pub history_tasks: Statement,
    pub namespaces: Statement,
    pub backlog: Statement,
    /// Writes a node's row and returns what all rows were before: the parts of one statement see one snapshot.
    pub beat: Statement,
}

impl Prepared for WriteStatements {
    async fn prepare(client: &Client) -> Result<Self, Error> {
        let tables = try_join_all(Table::ALL.iter().map(|table| TableStatements::prepare(client, *table)));
        let (tables, transaction_id, transaction_status) =
            try_join!(tables, client.prepare("SELECT pg_current_xact_id()::text"), client.prepare(TRANSACTION_STATUS))?;
        Ok(Self { tables, transaction_id, transaction_status })
    }
}

impl TableStatements {
    async fn prepare(client: &Client, table: Table) -> Result<Self, Error> {
        let name = table.name();
        let delete = format!("DELETE FROM {name} WHERE key = ANY($1::bytea[])");
        let (read, insert, update, delete) = try_join!(
            prepare_if_any(client, read(table)),
            prepare(client, insert(table)),
            prepare_if_any(client, update(table)),
            prepare(client, delete),
        )?;
        Ok(Self { read, insert, update, delete })
    }
}

/// Key and what the row is judged by.
fn read(table: Table) -> Option<String> {
    let (column, lock) = match table.judged_by() {
        // In the order of the keys, so that two transactions never wait for each other in a circle.
        JudgedBy::LockedValue => ("value", " ORDER BY key FOR UPDATE"),
        JudgedBy::Value => ("value", ""),
        JudgedBy::Version => ("version", ""),
        JudgedBy::Absence | JudgedBy::Nothing => return None,
    };
    Some(format!("SELECT key, {column} FROM {} WHERE key = ANY($1::bytea[]){lock}", table.name()))
}

/// Keys and values, with versions between them where there are any.
fn insert(table: Table) -> String {
    let name = table.name();
    match table.judged_by() {
        JudgedBy::Version => format!(
            "INSERT INTO {name} (key, version, value) SELECT key, version, value \
             FROM unnest($1::bytea[], $2::bigint[], $3::bytea[]) AS n(key, version, value)"
        ),
        judged_by => {
            let conflict = match judged_by {
                JudgedBy::Nothing => " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                _ => "",
            };
            format!(
                "INSERT INTO {name} (key, value) SELECT key, value \
                 FROM unnest($1::bytea[], $2::bytea[]) AS n(key, value){conflict}"
            )
        }
    }
}

/// Keys, what was read, and what it becomes.
fn update(table: Table) -> Option<String> {
    let name = table.name();
    match table.judged_by() {
        JudgedBy::LockedValue | JudgedBy::Value => Some(format!(
            "UPDATE {name} AS t SET value = n.value \
             FROM unnest($1::bytea[], $2::bytea[], $3::bytea[]) AS n(key, before, value) \
             WHERE t.key = n.key AND t.value = n.before"
        )),
        JudgedBy::Version => Some(format!(
            "UPDATE {name} AS t SET version = n.version, value = n.value \
             FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bytea[]) AS n(key, before, version, value) \
             WHERE t.key = n.key AND t.version = n.before"
        )),
        JudgedBy::Absence | JudgedBy::Nothing => None,
    }
}

impl Prepared for ReadStatements {
    async fn prepare(client: &Client) -> Result<Self, Error> {
        let (writable, confirm, shards, run, current_run, runs) = try_join!(
            client.prepare("SELECT NOT (pg_is_in_recovery() OR current_setting('transaction_read_only')::bool)"),
            client.prepare(CONFIRM),
            client.prepare("SELECT key, value FROM shards WHERE key = ANY($1::bytea[])"),
            client.prepare(RUN),
            client.prepare("SELECT value FROM current_runs WHERE key = $1"),
            client.prepare(RUNS),
        )?;
        let (history, history_tasks, namespaces, backlog, beat) = try_join!(
            client.prepare("SELECT key, value FROM history WHERE key >= $1 AND key < $2 ORDER BY key LIMIT $3"),
            client.prepare("SELECT key, value FROM history_tasks WHERE key > $1 AND key < $2 ORDER BY key LIMIT $3"),
            client.prepare("SELECT value FROM namespaces ORDER BY key"),
            client.prepare("SELECT key, value FROM backlog WHERE key > $1 AND key <= $2 ORDER BY key LIMIT $3"),
            client.prepare(
                "WITH beat AS (INSERT INTO nodes (key, value) VALUES ($1, $2) \
                 ON CONFLICT (key) DO UPDATE SET value = excluded.value) SELECT value FROM nodes ORDER BY key"
            ),
        )?;
        Ok(Self {
            writable,
            confirm,
            shards,
            run,
            current_run,
            runs,
            history,
            history_tasks,
            namespaces,
            backlog,
            beat,
        })
    }
}

async fn prepare(client: &Client, sql: String) -> Result<Statement, Error> {
    client.prepare(&sql).await
}

async fn prepare_if_any(client: &Client, sql: Option<String>) -> Result<Option<Statement>, Error> {
    match sql {
        Some(sql) => prepare(client, sql).await.map(Some),
        None => Ok(None),
    }
}
