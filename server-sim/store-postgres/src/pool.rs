//! The connections for reads: opened when needed, at most so many, kept for the next read.
use crate::connection::Connection;
use crate::statements::ReadStatements;
use crate::target::Target;
use crate::trouble::{self, Trouble};
use std::sync::{Arc, Mutex, PoisonError};
use tempest_rt::task::TaskGroup;
use tempest_store::{StoreError, Timeline};
use tokio::sync::Semaphore;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Statement};

/// A connection that was idle may have been dead for long; the next one was opened just now.
const TRIES: u32 = 2;

pub type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

pub struct Pool {
    target: Arc<Target>,
    tasks: TaskGroup,
    permits: Semaphore,
    idle: Mutex<Vec<Connection<ReadStatements>>>,
}

/// Which statement of a connection to run.
pub type Which = fn(&ReadStatements) -> &Statement;

/// Since when the database is known to be the primary.
#[derive(Clone, Copy)]
enum Proof {
    OfConnection,
    OfThisRead,
}

impl Pool {
    pub fn new(target: Arc<Target>, tasks: TaskGroup) -> Self {
        let permits = Semaphore::new(target.config.reads_concurrent_max);
        Self { target, tasks, permits, idle: Mutex::default() }
    }

    /// Rows that are committed now. Every connection is to a primary: a standby is refused when it is opened, and a
    /// primary does not become one without ending its connections.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn query(&self, which: Which, parameters: Parameters<'_>) -> Result<Vec<Row>, StoreError> {
        self.run(which, parameters, Proof::OfConnection).await.map(|(_, rows)| rows)
    }

    /// As [`Pool::query`], for reads on which ownership rests, with the timeline they are of. Refused while the database
    /// takes no writes, since an operator may be moving it elsewhere; and by a primary whose synchronous standbys do not
    /// answer, since one of them may have been promoted, and another node own everything there.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn query_proven(
        &self,
        which: Which,
        parameters: Parameters<'_>,
    ) -> Result<(Timeline, Vec<Row>), StoreError> {
        self.run(which, parameters, Proof::OfThisRead).await
    }

    /// Waits until no read is running and lets none begin any more.
    pub async fn close(&self) {
        let all = u32::try_from(self.target.config.reads_concurrent_max).expect("validated to be at most 256");
        if let Ok(permits) = self.permits.acquire_many(all).await {
            permits.forget();
        }
        self.permits.close();
        self.idle().clear();
    }

    async fn run(
        &self,
        which: Which,
        parameters: Parameters<'_>,
        proof: Proof,
    ) -> Result<(Timeline, Vec<Row>), StoreError> {
        let Ok(_permit) = self.permits.acquire().await else {
            return Err(StoreError::Unavailable("the store is closed".into()));
        };
        let mut tries = 0;
        loop {
            tries += 1;
            let connection = self.connection().await?;
            let trouble = match connection.answered(read(&connection, which, parameters, proof)).await {
                Ok(_) if !self.target.is_newest(connection.timeline) => {
                    Trouble::Again("a newer primary of PostgreSQL is known".into())
                }
                Ok(rows) => {
                    let timeline = connection.timeline;
                    self.idle().push(connection);
                    return Ok((timeline, rows));
                }
                Err(trouble) => trouble,
            };
            match trouble {
                Trouble::Again(_) if tries < TRIES => {}
                Trouble::Again(why) | Trouble::Guilty(_, why) | Trouble::Unavailable(why) => {
                    return Err(StoreError::Unavailable(why));
                }
            }
        }
    }

    async fn connection(&self) -> Result<Connection<ReadStatements>, StoreError> {
        while let Some(connection) = self.take_idle() {
            if connection.is_usable(&self.target) {
                return Ok(connection);
            }
        }
        let opened = Connection::open(&self.target, &self.tasks).await;
        opened.map_err(|error| StoreError::Unavailable(self.target.out_of_reach(&error)))
    }

    fn take_idle(&self) -> Option<Connection<ReadStatements>> {
        self.idle().pop()
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection<ReadStatements>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn read(
    connection: &Connection<ReadStatements>,
    which: Which,
    parameters: Parameters<'_>,
    proof: Proof,
) -> Result<Vec<Row>, Trouble> {
    let (client, statements) = (&connection.client, &connection.statements);
    let rows = client.query(which(statements), parameters);
    if let Proof::OfConnection = proof {
        return rows.await.map_err(|error| Trouble::of(&error));
    }
    connection.take_warning();
    // The standbys' answer comes after the read: they still followed when it was made.
    let (writable, rows, confirmed) =
        futures::join!(client.query_one(&statements.writable, &[]), rows, client.query_one(&statements.confirm, &[]));
    let writable: bool = writable.and_then(|row| row.try_get(0)).map_err(|error| Trouble::of(&error))?;
    if !writable {
        return Err(Trouble::Unavailable(trouble::read_only()));
    }
    confirmed.map_err(|error| Trouble::of(&error))?;
    match connection.take_warning() {
        Some(warning) => Err(Trouble::Unavailable(format!("PostgreSQL warned about a proof of ownership: {warning}"))),
        None => rows.map_err(|error| Trouble::of(&error)),
    }
}
