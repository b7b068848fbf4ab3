//! Creating the schema, and refusing one that is not ours to read.
use crate::connection::Connection;
use crate::statements::creation;
use crate::target::Target;
use crate::trouble::{self, describe};
use tempest_rt::task::TaskGroup;
use tempest_store::values::FORMAT_VERSION;
use tempest_store::{StoreError, Table};
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

/// The format version, by a name: a schema is tempest's if it has this table.
const META: &str = "meta (key bytea PRIMARY KEY, value bytea NOT NULL)";
/// The row of `meta` with the format version, in decimal.
const META_FORMAT: &str = "schema";
/// Held while a schema is created, so that nodes that start together do not trip over each other.
const CREATION_LOCK: i64 = i64::from_be_bytes(*b"tempest\0");

/// Leaves a schema of this version behind, whichever node created it.
///
/// # Errors
/// `Incompatible` if it is of another version or not tempest's, or may not be created; nothing was changed then.
pub async fn find_or_create(target: &Target, tasks: &TaskGroup) -> Result<(), StoreError> {
    let connection = Connection::<()>::open(target, tasks).await?;
    if let Some(found) = version(target, &connection).await? {
        return check(target, &found);
    }
    create(target, &connection).await?;
    // Read again rather than believed: a failed transaction answers COMMIT without an error.
    match version(target, &connection).await? {
        Some(found) => check(target, &found),
        None => Err(StoreError::Unavailable(format!("schema {} could not be created", target.config.schema))),
    }
}

/// The version as it is stored; `None` if there is no such schema or table.
async fn version(target: &Target, connection: &Connection<()>) -> Result<Option<Vec<u8>>, StoreError> {
    let sql = format!("SELECT value FROM {}.meta WHERE key = $1", target.schema_quoted);
    match connection.client.query_opt(&sql, &[&META_FORMAT.as_bytes()]).await {
        Ok(Some(row)) => row.try_get(0).map(Some).map_err(|error| not_ours(target, &describe(&error))),
        Ok(None) => Err(not_ours(target, "its table meta holds no schema version")),
        Err(error) => match error.code() {
            Some(&SqlState::UNDEFINED_TABLE | &SqlState::INVALID_SCHEMA_NAME) => Ok(None),
            Some(&SqlState::UNDEFINED_COLUMN | &SqlState::UNDEFINED_FUNCTION) => {
                Err(not_ours(target, &describe(&error)))
            }
            _ => Err(failed(target, &error)),
        },
    }
}

fn check(target: &Target, found: &[u8]) -> Result<(), StoreError> {
    if found == FORMAT_VERSION.to_string().as_bytes() {
        return Ok(());
    }
    let Target { shown, config, .. } = target;
    Err(StoreError::Incompatible(format!(
        "schema {} in {shown} has schema version {}, this tempest reads version {FORMAT_VERSION}: use the tempest that \
         wrote it, or choose another schema",
        config.schema,
        String::from_utf8_lossy(found),
    )))
}

async fn create(target: &Target, connection: &Connection<()>) -> Result<(), StoreError> {
    let client = &connection.client;
    let explain = |error: Error| failed(target, &error);
    client.batch_execute("BEGIN").await.map_err(explain)?;
    client.execute("SELECT pg_advisory_xact_lock($1)", &[&CREATION_LOCK]).await.map_err(explain)?;
    // Only now it is certain that no other node is at it.
    let tables = client
        .query(
            "SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace \
             WHERE nspname = $1 AND relkind IN ('r', 'p', 'v', 'm', 'f')",
            &[&target.config.schema],
        )
        .await
        .map_err(explain)?;
    let mut names = tables.iter().filter_map(|row| row.try_get::<_, &str>(0).ok());
    if names.clone().any(|name| name == "meta") {
        // Another node was faster.
        return client.batch_execute("ROLLBACK").await.map_err(explain);
    }
    if let Some(name) = names.next() {
        return Err(not_ours(target, &format!("it holds {name:?} but no table meta")));
    }
    let find = "SELECT FROM pg_namespace WHERE nspname = $1";
    let exists = client.query_opt(find, &[&target.config.schema]).await.map_err(explain)?.is_some();
    client.batch_execute(&script(target, exists)).await.map_err(explain)?;
    let insert = format!("INSERT INTO {}.meta (key, value) VALUES ($1, $2)", target.schema_quoted);
    let row = (META_FORMAT.as_bytes(), FORMAT_VERSION.to_string().into_bytes());
    client.execute(&insert, &[&row.0, &row.1]).await.map_err(explain)?;
    client.batch_execute("COMMIT").await.map_err(explain)?;
    tracing::info!(database = %target.shown, schema = %target.config.schema, "created the schema");
    Ok(())
}

/// Creating a schema takes a right that its owner may not have, even if it is there already.
fn script(target: &Target, exists: bool) -> String {
    let schema = &target.schema_quoted;
    let schema_creation = if exists { String::new() } else { format!("CREATE SCHEMA {schema};") };
    let meta = format!("{schema_creation}CREATE TABLE {schema}.{META};");
    Table::ALL.iter().fold(meta, |script, table| script + &creation(schema, *table))
}

fn not_ours(target: &Target, why: &str) -> StoreError {
    StoreError::Incompatible(format!(
        "schema {} in {} is not one of tempest's ({why}): choose another schema",
        target.config.schema, target.shown
    ))
}

fn failed(target: &Target, error: &Error) -> StoreError {
    let Target { user, database, shown, config, schema_quoted, .. } = target;
    match error.code() {
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => StoreError::Incompatible(format!(
            "user {user:?} may neither read nor create schema {} in {shown}: if it is not there, GRANT CREATE ON DATABASE \
             {database} TO {user}; if it is, GRANT ALL ON SCHEMA {schema_quoted} TO {user} and GRANT ALL ON ALL TABLES IN \
             SCHEMA {schema_quoted} TO {user} ({})",
            config.schema,
            describe(error)
        )),
        Some(&SqlState::LOCK_NOT_AVAILABLE) => StoreError::Unavailable(format!(
            "another node has been creating schema {} in {shown} for too long: try again",
            config.schema
        )),
        _ => trouble::cannot_connect(target, error),
    }
}
