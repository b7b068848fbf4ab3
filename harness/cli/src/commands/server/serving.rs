//! A real node from start to end: what all server commands share.
use super::logging::{self, LogFormat, LogLevel};
use anyhow::Context;
use futures::future::BoxFuture;
use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tempest_rt::net::Tcp;
use tempest_server::{Node, NodeConfig, NodeError, nodes_alive};
use tempest_store::Store;
use tempest_store::file_system::RealFileSystem;
use tempest_store::redb::{RedbConfig, RedbStore};
use tempest_store_postgres::{PostgresConfig, PostgresStore};

/// What to serve, and from where.
pub struct Serving {
    pub node: NodeConfig,
    pub database: Database,
    pub log_level: LogLevel,
    pub log_format: LogFormat,
}

/// Where everything is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// Nothing outlives the process.
    Memory,
    /// A file of this node alone.
    File(PathBuf),
    /// The URL of a PostgreSQL database, which several nodes may share.
    Postgres(String),
}

impl Database {
    /// What clients are told.
    fn product(&self) -> &'static str {
        match self {
            Self::Memory | Self::File(_) => "redb",
            Self::Postgres(_) => "postgresql",
        }
    }
}

impl fmt::Display for Database {
    /// For people, and without a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("in memory; give --db-filename to keep it"),
            Self::File(path) => path.display().fmt(f),
            Self::Postgres(_) => f.write_str("PostgreSQL"),
        }
    }
}

/// Serves until SIGINT or SIGTERM.
pub fn run(serving: Serving) -> anyhow::Result<ExitCode> {
    logging::begin(serving.log_level, serving.log_format);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the operating system gives no threads for the runtime")?;
    let code = runtime.block_on(serve(serving));
    // Reads whose callers have gone must not delay the end.
    runtime.shutdown_background();
    code
}

async fn serve(serving: Serving) -> anyhow::Result<ExitCode> {
    // Handlers first: a signal that comes during the start ends the process cleanly too.
    let stop_signal = stop_signal()?;
    let Serving { node: mut config, database, .. } = serving;
    unique(&mut config.namespaces);
    config.frontend.persistence_store = database.product().to_owned();
    // Before anything is made: a mistake leaves no database behind.
    config.validate().map_err(explained)?;
    if let (Database::Postgres(_), None) = (&database, &config.cluster) {
        // Its database can fail over, or be given to another node: what it has in memory is looked after as in a cluster.
        config.history.ownership_check_interval = Some(OWNERSHIP_CHECK_INTERVAL);
        config.matching.lease_check_interval = Some(OWNERSHIP_CHECK_INTERVAL);
    }
    let Opened { store, failed, close } = open(&database).await?;
    if let (Database::Postgres(_), None) = (&database, &config.cluster) {
        let others = nodes_alive(&*store).await?;
        if !others.is_empty() {
            close.await;
            anyhow::bail!(
                "the database is a running cluster's ({}): add a [cluster] part to this node's configuration to join it, or choose \
                 another database",
                others.join(", ")
            );
        }
    }
    let node = match Node::start(config.clone(), store, Arc::new(Tcp)).await {
        Ok(node) => node,
        Err(error) => {
            close.await;
            return Err(explained(error));
        }
    };
    banner(&config, &database, &node);
    let code = tokio::select! {
        biased;
        reason = failed => {
            eprintln!("error: the database failed, and the server stops so that a restart recovers from disk: {reason}");
            ExitCode::FAILURE
        }
        () = stop_signal => ExitCode::SUCCESS,
    };
    node.stop().await;
    close.await;
    Ok(code)
}

/// How often a node that shares its database with no other asks whether that is still so.
const OWNERSHIP_CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// A store, with what a process does at its end.
struct Opened {
    store: Arc<dyn Store>,
    /// Resolves with the reason when only a restart helps.
    failed: BoxFuture<'static, String>,
    close: BoxFuture<'static, ()>,
}

async fn open(database: &Database) -> anyhow::Result<Opened> {
    let redb = match database {
        Database::Memory => RedbStore::in_memory(RedbConfig::default()).await?,
        Database::File(path) => RedbStore::open(Arc::new(RealFileSystem), path, RedbConfig::default()).await?,
        Database::Postgres(url) => {
            let store = Arc::new(PostgresStore::connect(PostgresConfig::new(url)).await?);
            let closing = store.clone();
            return Ok(Opened {
                store,
                // It connects again by itself.
                failed: Box::pin(futures::future::pending()),
                close: Box::pin(async move { closing.close().await }),
            });
        }
    };
    let store = Arc::new(redb);
    let (failed, closing) = (store.failed(), store.clone());
    Ok(Opened { store, failed: Box::pin(failed), close: Box::pin(async move { closing.close().await }) })
}

/// Resolves on SIGINT or SIGTERM.
fn stop_signal() -> anyhow::Result<BoxFuture<'static, ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be handled")?;
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be handled")?;
    Ok(Box::pin(async move {
        tokio::select! {
            biased;
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }))
}

/// One line per thing that a person may want to copy.
fn banner(config: &NodeConfig, database: &Database, node: &Node) {
    println!("Tempest {}", tempest_server::VERSION);
    println!("Server:       {}", node.address().unwrap_or("not for clients, without the role frontend"));
    println!("Database:     {database}");
    if let (Some(cluster), Some(address)) = (&config.cluster, node.peer_address()) {
        println!("Node:         {}, for other nodes at {address}", cluster.name);
    }
    println!("Namespaces:   {}", config.namespaces.join(", "));
}

fn explained(error: NodeError) -> anyhow::Error {
    match &error {
        NodeError::Listen { address, error: io } if io.kind() == std::io::ErrorKind::AddrInUse => {
            let port = address.rsplit(':').next().unwrap_or_default();
            anyhow::anyhow!("port {port} is taken: another server is running there. Stop it, or choose another port")
        }
        NodeError::Listen { address, error: io } if io.kind() == std::io::ErrorKind::AddrNotAvailable => {
            anyhow::anyhow!("{address} is not an address of this machine: choose another")
        }
        NodeError::Listen { address, error: io } if io.kind() == std::io::ErrorKind::PermissionDenied => {
            anyhow::anyhow!("listening on {address} is not permitted: choose a port from 1024 up")
        }
        _ => error.into(),
    }
}

/// Keeps the first of each.
fn unique(names: &mut Vec<String>) {
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_told_which_database_there_is() {
        let check = |database: Database, expect| assert_eq!(database.product(), expect);
        check(Database::Memory, "redb");
        check(Database::File("tempest.db".into()), "redb");
        check(Database::Postgres("postgres://u:p@h/d".to_owned()), "postgresql");
    }
}
