//! The tables, and every statement on them. Each goes by primary keys that it is given, many at once.
use crate::connection::Prepared;
use futures::try_join;
use tokio_postgres::{Client, Error, Statement};

/// Each with its columns; all keys are bytes that sort as the key does.
pub const TABLES: &[(&str, &str)] = &[
    // The schema version and the cluster's row, by name.
    ("meta", KEY_AND_VALUE),
    // Rewritten by every batch: room on the page lets the new version stay beside the old one.
    ("shards", "(key bytea PRIMARY KEY, value bytea NOT NULL) WITH (fillfactor = 25)"),
    ("partitions", "(key bytea PRIMARY KEY, value bytea NOT NULL) WITH (fillfactor = 25)"),
    ("runs", "(key bytea PRIMARY KEY, version bigint NOT NULL, state bytea NOT NULL) WITH (fillfactor = 70)"),
    ("current_runs", KEY_AND_VALUE),
    ("history", KEY_AND_VALUE),
    ("history_tasks", KEY_AND_VALUE),
    ("namespaces", KEY_AND_VALUE),
    // A namespace's name; the value is its id. What makes names unique.
    ("namespace_names", KEY_AND_VALUE),
    ("nodes", KEY_AND_VALUE),
    ("backlog", KEY_AND_VALUE),
];

const KEY_AND_VALUE: &str = "(key bytea PRIMARY KEY, value bytea NOT NULL)";

/// What became of a transaction, by its id.
pub const TRANSACTION_STATUS: &str = "SELECT pg_xact_status($1::text::xid8)";

/// Commits an empty message if there are synchronous standbys, and so is answered only while they follow this server.
const CONFIRM: &str = "SELECT CASE WHEN current_setting('synchronous_standby_names') <> '' \
                       THEN pg_logical_emit_message(true, 'tempest', '') END";

/// What a lane needs on its connection.
pub struct WriteStatements {
    pub meta: RowStatements,
    pub shards: RowStatements,
    pub partitions: RowStatements,
    pub current_runs: RowStatements,
    pub namespaces: RowStatements,
    pub namespace_names: RowStatements,
    pub runs: RunStatements,
    pub history_insert: Statement,
    pub history_tasks_insert: Statement,
    pub history_tasks_delete: Statement,
    pub backlog_put: Statement,
    pub backlog_delete: Statement,
    pub transaction_id: Statement,
    pub transaction_status: Statement,
}

/// Reading rows, and changing them if they are still what was read.
pub struct RowStatements {
    pub read: Statement,
    pub insert: Statement,
    pub update: Statement,
    pub delete: Statement,
}

pub struct RunStatements {
    pub versions: Statement,
    pub insert: Statement,
    pub update: Statement,
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
    pub forget_node: Statement,
}

impl Prepared for WriteStatements {
    async fn prepare(client: &Client) -> Result<Self, Error> {
        let (meta, shards, partitions, current_runs, namespaces, namespace_names, runs) = try_join!(
            RowStatements::prepare(client, "meta", Lock::Taken),
            RowStatements::prepare(client, "shards", Lock::Taken),
            RowStatements::prepare(client, "partitions", Lock::Taken),
            // Guarded by their shard's lock, and by compare-and-set for the rest.
            RowStatements::prepare(client, "current_runs", Lock::None),
            RowStatements::prepare(client, "namespaces", Lock::Taken),
            RowStatements::prepare(client, "namespace_names", Lock::Taken),
            RunStatements::prepare(client),
        )?;
        let (history_insert, history_tasks_insert, history_tasks_delete, backlog_put, backlog_delete) = try_join!(
            prepare(client, insert("history")),
            prepare(client, insert("history_tasks")),
            prepare(client, delete("history_tasks")),
            prepare(client, format!("{} ON CONFLICT (key) DO UPDATE SET value = excluded.value", insert("backlog"))),
            prepare(client, delete("backlog")),
        )?;
        let (transaction_id, transaction_status) =
            try_join!(client.prepare("SELECT pg_current_xact_id()::text"), client.prepare(TRANSACTION_STATUS))?;
        Ok(Self {
            meta,
            shards,
            partitions,
            current_runs,
            namespaces,
            namespace_names,
            runs,
            history_insert,
            history_tasks_insert,
            history_tasks_delete,
            backlog_put,
            backlog_delete,
            transaction_id,
            transaction_status,
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Lock {
    None,
    /// In the order of the keys, so that two transactions never wait for each other in a circle.
    Taken,
}

impl RowStatements {
    async fn prepare(client: &Client, table: &str, lock: Lock) -> Result<Self, Error> {
        let locking = if lock == Lock::Taken { "ORDER BY key FOR UPDATE" } else { "" };
        let (read, insert, update, delete) = try_join!(
            prepare(client, format!("SELECT key, value FROM {table} WHERE key = ANY($1::bytea[]) {locking}")),
            prepare(client, insert(table)),
            prepare(
                client,
                format!(
                    "UPDATE {table} AS t SET value = n.value \
                     FROM unnest($1::bytea[], $2::bytea[], $3::bytea[]) AS n(key, before, value) \
                     WHERE t.key = n.key AND t.value = n.before"
                )
            ),
            prepare(client, delete(table)),
        )?;
        Ok(Self { read, insert, update, delete })
    }
}

impl RunStatements {
    async fn prepare(client: &Client) -> Result<Self, Error> {
        let (versions, insert, update) = try_join!(
            client.prepare("SELECT key, version FROM runs WHERE key = ANY($1::bytea[])"),
            client.prepare(
                "INSERT INTO runs (key, version, state) \
                 SELECT key, version, state FROM unnest($1::bytea[], $2::bigint[], $3::bytea[]) AS n(key, version, state)"
            ),
            client.prepare(
                "UPDATE runs AS t SET version = n.version, state = n.state \
                 FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bytea[]) AS n(key, before, version, state) \
                 WHERE t.key = n.key AND t.version = n.before"
            ),
        )?;
        Ok(Self { versions, insert, update })
    }
}

impl Prepared for ReadStatements {
    async fn prepare(client: &Client) -> Result<Self, Error> {
        let (writable, confirm, shards, run, current_run, runs) = try_join!(
            client.prepare("SELECT NOT (pg_is_in_recovery() OR current_setting('transaction_read_only')::bool)"),
            client.prepare(CONFIRM),
            client.prepare("SELECT key, value FROM shards WHERE key = ANY($1::bytea[])"),
            client.prepare("SELECT version, state FROM runs WHERE key = $1"),
            client.prepare("SELECT value FROM current_runs WHERE key = $1"),
            client.prepare("SELECT key, version, state FROM runs WHERE key > $1 ORDER BY key LIMIT $2"),
        )?;
        let (history, history_tasks, namespaces, backlog, beat, forget_node) = try_join!(
            client.prepare("SELECT key, value FROM history WHERE key >= $1 AND key < $2 ORDER BY key LIMIT $3"),
            client.prepare("SELECT key, value FROM history_tasks WHERE key > $1 AND key < $2 ORDER BY key LIMIT $3"),
            client.prepare("SELECT value FROM namespaces ORDER BY key"),
            client.prepare("SELECT key, value FROM backlog WHERE key > $1 AND key <= $2 ORDER BY key LIMIT $3"),
            client.prepare(
                "WITH beat AS (INSERT INTO nodes (key, value) VALUES ($1, $2) \
                 ON CONFLICT (key) DO UPDATE SET value = excluded.value) SELECT value FROM nodes ORDER BY key"
            ),
            client.prepare("DELETE FROM nodes WHERE key = $1 AND value = $2"),
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
            forget_node,
        })
    }
}

fn insert(table: &str) -> String {
    format!("INSERT INTO {table} (key, value) SELECT key, value FROM unnest($1::bytea[], $2::bytea[]) AS n(key, value)")
}

fn delete(table: &str) -> String {
    format!("DELETE FROM {table} WHERE key = ANY($1::bytea[])")
}

async fn prepare(client: &Client, sql: String) -> Result<Statement, Error> {
    client.prepare(&sql).await
}
