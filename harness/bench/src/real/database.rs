//! What a bench asks of PostgreSQL beside the server: a schema of its own, and for what its backends wait.

use crate::BenchError;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;
use tokio_postgres::{Client, NoTls};

const SAMPLE_PAUSE: Duration = Duration::from_millis(20);

/// Backends that work for clients, by what they wait for; those that wait for nothing are on a processor.
const WAITS: &str = "SELECT coalesce(wait_event_type || ':' || wait_event, 'CPU'), count(*) FROM pg_stat_activity \
                     WHERE state = 'active' AND backend_type = 'client backend' AND pid <> pg_backend_pid() GROUP BY 1";

/// A schema that one server has, and that goes with it.
pub struct Schema {
    pub name: String,
    url: String,
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

impl Schema {
    pub fn new(url: &str) -> Self {
        let number = NUMBER.fetch_add(1, Relaxed);
        Self { name: format!("tempest_bench_{}_{number}", std::process::id()), url: url.to_owned() }
    }

    pub async fn drop(self) {
        if let Ok(client) = connect(&self.url).await {
            // What is left is a schema with the bench's name, which a person can drop.
            let _ = client.batch_execute(&format!("DROP SCHEMA IF EXISTS {} CASCADE", self.name)).await;
        }
    }
}

/// # Errors
/// It cannot be reached; the message has no password.
pub async fn connect(url: &str) -> Result<Client, BenchError> {
    let failed = |error: tokio_postgres::Error| {
        BenchError::Database(format!("PostgreSQL does not answer ({error}): is it running, and is the address right?"))
    };
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.map_err(failed)?;
    tokio::spawn(connection);
    Ok(client)
}

/// Looks at the backends again and again until it is told to stop: how many waited for what at a time.
pub async fn sample_waits(url: String, stop: tokio::sync::watch::Receiver<bool>) -> BTreeMap<String, f64> {
    let mut counts: BTreeMap<String, f64> = BTreeMap::new();
    let mut samples = 0.0;
    let Ok(client) = connect(&url).await else { return counts };
    while !*stop.borrow() {
        let Ok(rows) = client.query(WAITS, &[]).await else { break };
        for row in rows {
            *counts.entry(row.get(0)).or_default() += row.get::<_, i64>(1) as f64;
        }
        samples += 1.0;
        tokio::time::sleep(SAMPLE_PAUSE).await;
    }
    counts.values_mut().for_each(|count| *count /= f64::max(samples, 1.0));
    counts
}
