//! A real node from start to end: what all server commands share.
use super::logging::{self, LogFormat, LogLevel};
use anyhow::Context;
use futures::future::BoxFuture;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use tempest_rt::net::Tcp;
use tempest_server::{Node, NodeConfig, NodeError};
use tempest_store::file_system::RealFileSystem;
use tempest_store::redb::{RedbConfig, RedbStore};

/// What to serve, and from where.
pub struct Serving {
    pub node: NodeConfig,
    /// `None`: nothing outlives the process.
    pub database: Option<PathBuf>,
    pub log_level: LogLevel,
    pub log_format: LogFormat,
}

/// Serves until SIGINT or SIGTERM.
pub fn run(serving: Serving) -> anyhow::Result<ExitCode> {
    logging::begin(serving.log_level, serving.log_format);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the operating system gives no threads for the runtime")?;
    let code = runtime.block_on(serve(serving));
    // Reads that nobody waits for any more must not delay the end.
    runtime.shutdown_background();
    code
}

async fn serve(serving: Serving) -> anyhow::Result<ExitCode> {
    // Handlers first: a signal that comes during the start ends the process cleanly too.
    let stop_signal = stop_signal()?;
    let Serving { node: mut config, database, .. } = serving;
    unique(&mut config.namespaces);
    let store = Arc::new(open_store(database.as_deref()).await?);
    let failed = store.failed();
    let node = match Node::start(config.clone(), store.clone(), Arc::new(Tcp)).await {
        Ok(node) => node,
        Err(error) => {
            store.close().await;
            return Err(explained(error));
        }
    };
    banner(&config, database.as_deref(), &node);
    let code = tokio::select! {
        biased;
        reason = failed => {
            eprintln!("error: the database failed, and the server stops so that a restart recovers from disk: {reason}");
            ExitCode::FAILURE
        }
        () = stop_signal => ExitCode::SUCCESS,
    };
    node.stop().await;
    store.close().await;
    Ok(code)
}

async fn open_store(database: Option<&Path>) -> anyhow::Result<RedbStore> {
    let config = RedbConfig::default();
    Ok(match database {
        Some(path) => RedbStore::open(Arc::new(RealFileSystem), path, config).await?,
        None => RedbStore::in_memory(config).await?,
    })
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
fn banner(config: &NodeConfig, database: Option<&Path>, node: &Node) {
    println!("Tempest {}", tempest_server::VERSION);
    println!("Server:       {}", node.address());
    match database {
        Some(path) => println!("Database:     {}", path.display()),
        None => println!("Database:     in memory; give --db-filename to keep it"),
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
