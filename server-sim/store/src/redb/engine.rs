//! The open database: batches of writes, reads, and what becomes of it after an I/O error. Everything here blocks.
use crate::judge::{Needs, View, after_unknown_commit, judge};
use crate::redb::acquired::Acquired;
use crate::redb::config::RedbConfig;
use crate::redb::open::{Source, is_no_room};
use crate::redb::read;
use crate::redb::tables::{OpenTables, Stop};
use crate::{Found, ReadAnswer, ReadRequest, ShardId, StoreError, Timeline, WriteAnswer, WriteRequest};
use redb::{Database, Durability, ReadableDatabase, WriteTransaction};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};
use tempest_rt::time::Instant;
use tokio::sync::watch;

/// In memory, where nothing is to be made durable, one batch in so many is all the same: redb uses the pages that its
/// commits have freed only after such a one, which costs it checksums, and copies of all pages that have changed.
const BATCHES_PER_RECLAIM: u64 = 16;

/// With the planted bug `ack-before-fsync` only one batch in so many is made durable.
const PLANTED_BATCHES_PER_FSYNC: u64 = 8;

/// A write and the timeline that the database is on when it is done.
pub type Placed = (Timeline, WriteRequest);

#[derive(Debug)]
pub struct Engine {
    /// `None` once closed. Its users hold the lock for reading; replacing it waits for them.
    database: RwLock<Option<Database>>,
    source: Source,
    config: RedbConfig,
    /// Until when writes are refused because the disk was full.
    full_until: Mutex<Option<Instant>>,
    /// Why nothing is served any more. Set once, by the first I/O error: only a restart recovers.
    failure: watch::Sender<Option<String>>,
    batches: AtomicU64,
    acquired: Acquired,
}

/// How a transaction as a whole failed.
enum BatchFailure {
    /// It was never asked to commit: certainly nothing of it is stored.
    BeforeCommit(redb::Error),
    /// The commit itself failed: it may or may not be there after recovery.
    InCommit(redb::Error, Vec<WriteAnswer>),
}

impl Engine {
    pub fn open(source: Source, config: RedbConfig) -> Result<Self, StoreError> {
        let database = source.open(&config)?;
        Ok(Self {
            database: RwLock::new(Some(database)),
            source,
            config,
            full_until: Mutex::default(),
            failure: watch::Sender::new(None),
            batches: AtomicU64::default(),
            acquired: Acquired::default(),
        })
    }

    /// Applies `requests` in order in one transaction and makes them durable together. One answer each.
    pub fn write(&self, requests: &[Placed]) -> Vec<WriteAnswer> {
        match self.try_write(requests) {
            Ok(answers) => answers,
            Err(error) => vec![Err(error); requests.len()],
        }
    }

    /// The error holds for every request of the batch.
    fn try_write(&self, requests: &[Placed]) -> Result<Vec<WriteAnswer>, StoreError> {
        self.refuse_while_full()?;
        let written = {
            let guard = self.serving()?;
            let database = open_database(&guard)?;
            let batch = self.batches.fetch_add(1, Ordering::Relaxed);
            catch_unwind(AssertUnwindSafe(|| write_batch(database, requests, self.durability(batch))))
        };
        match written {
            Ok(Ok(answers)) => {
                self.acquired.note(requests, &answers);
                Ok(answers)
            }
            Ok(Err(BatchFailure::BeforeCommit(error))) if is_disk_full(&error) => Err(self.recover_from_full_disk()),
            Ok(Err(BatchFailure::BeforeCommit(error))) => Err(StoreError::Unavailable(self.fail(&error.to_string()))),
            Ok(Err(BatchFailure::InCommit(error, answers))) => {
                let message = self.fail(&error.to_string());
                Ok(answers.into_iter().map(|answer| after_unknown_commit(answer, &message)).collect())
            }
            Err(_panic) => Err(StoreError::OutcomeUnknown(self.fail("the storage engine panicked"))),
        }
    }

    fn durability(&self, batch: u64) -> Durability {
        let lost =
            tempest_rt::planted!(crate::plants::ACK_BEFORE_FSYNC) && !batch.is_multiple_of(PLANTED_BATCHES_PER_FSYNC);
        let needless = self.is_in_memory() && !batch.is_multiple_of(BATCHES_PER_RECLAIM);
        if lost || needless { Durability::None } else { Durability::Immediate }
    }

    /// Then no read waits for a disk.
    pub fn is_in_memory(&self) -> bool {
        matches!(self.source, Source::Memory)
    }

    /// What [`ReadRequest::Ranges`] answers, if that is known without blocking.
    pub fn ranges_at_hand(&self, shards: &[ShardId]) -> Option<ReadAnswer> {
        // Taken for writing while the database is closed or opened again.
        let guard = self.database.try_read().ok()?;
        let ranges = self.acquired.ranges(shards)?;
        Some(self.unharmed().and_then(|()| open_database(&guard).map(|_| Found::Ranges(ranges))))
    }

    /// Reads what is durable now.
    pub fn read(&self, request: &ReadRequest) -> ReadAnswer {
        let guard = self.serving()?;
        let database = open_database(&guard)?;
        let done = catch_unwind(AssertUnwindSafe(|| read::perform(&database.begin_read().map_err(broken)?, request)));
        match done {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(Stop::Refused(error))) => Err(error),
            // redb refuses everything after an I/O error, also after one while reading.
            Ok(Err(Stop::Broken(error))) => Err(StoreError::Unavailable(self.fail(&error.to_string()))),
            Err(_panic) => Err(StoreError::Corrupt("the storage engine panicked while reading".into())),
        }
    }

    /// Resolves, with the reason, once nothing is served any more.
    pub fn failed(&self) -> impl Future<Output = String> + Send + use<> {
        let mut failure = self.failure.subscribe();
        async move {
            let reason = failure.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone());
            match reason {
                Some(reason) => reason,
                // The store was dropped unharmed.
                None => std::future::pending().await,
            }
        }
    }

    /// Refuses everything from here on and closes the file once its last user is done.
    pub fn close(&self) {
        *self.database.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn serving(&self) -> Result<RwLockReadGuard<'_, Option<Database>>, StoreError> {
        let guard = self.database.read().unwrap_or_else(PoisonError::into_inner);
        self.unharmed().map(|()| guard)
    }

    fn unharmed(&self) -> Result<(), StoreError> {
        match &*self.failure.borrow() {
            Some(reason) => Err(StoreError::Unavailable(reason.clone())),
            None => Ok(()),
        }
    }

    fn refuse_while_full(&self) -> Result<(), StoreError> {
        let full_until = *self.full_until.lock().unwrap_or_else(PoisonError::into_inner);
        match full_until {
            Some(until) if Instant::now() < until => Err(disk_full()),
            _ => Ok(()),
        }
    }

    /// Nothing was lost: the transaction never committed and no sync failed. But redb wants to be opened again after any
    /// error, which reads the file; so it is not tried again for every write that comes meanwhile.
    fn recover_from_full_disk(&self) -> StoreError {
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        let until = Instant::now() + self.config.disk_full_pause;
        *self.full_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
        // The old one holds the file's lock.
        *database = None;
        self.acquired.forget();
        match self.source.open(&self.config) {
            Ok(opened) => {
                tempest_rt::probe!("store-disk-full");
                *database = Some(opened);
                tracing::error!("{}", disk_full());
                disk_full()
            }
            Err(error) => StoreError::Unavailable(self.fail(&error.to_string())),
        }
    }

    /// Turns every later operation away; returns the message they get.
    fn fail(&self, what: &str) -> String {
        let message = format!("the store stopped after an I/O error and must be recovered by a restart: {what}");
        let first = self.failure.send_if_modified(|failure| {
            let first = failure.is_none();
            if first {
                *failure = Some(message.clone());
            }
            first
        });
        if first {
            tempest_rt::probe!("store-failed");
            tracing::error!("{message}");
        }
        message
    }
}

fn open_database(database: &Option<Database>) -> Result<&Database, StoreError> {
    database.as_ref().ok_or_else(|| StoreError::Unavailable("the store is closed".into()))
}

fn disk_full() -> StoreError {
    StoreError::Unavailable("the disk is full: nothing was written; make room, nothing needs a restart".into())
}

fn is_disk_full(error: &redb::Error) -> bool {
    matches!(error, redb::Error::Io(error) if is_no_room(error.kind()))
}

fn broken(error: impl Into<redb::Error>) -> Stop {
    Stop::Broken(error.into())
}

fn write_batch(
    database: &Database,
    requests: &[Placed],
    durability: Durability,
) -> Result<Vec<WriteAnswer>, BatchFailure> {
    let before_commit = |error: redb::Error| BatchFailure::BeforeCommit(error);
    let transaction = database.begin_write().map_err(|error| before_commit(error.into()))?;
    let needs = Needs::of(requests.iter().map(|(_, request)| request));
    let mut tables = OpenTables::of(&transaction);
    let mut view = tables.read(needs).map_err(before_commit)?;
    let answers = judge_all(&mut view, requests);
    if !view.is_changed() {
        drop(tables);
        // Nothing to make durable: what was read was durable already.
        return match transaction.abort() {
            Ok(()) => Ok(answers),
            Err(error) => Err(before_commit(error.into())),
        };
    }
    tables.write(&view).map_err(before_commit)?;
    drop(tables);
    match commit(transaction, durability) {
        Ok(()) => Ok(answers),
        Err(error) => Err(BatchFailure::InCommit(error, answers)),
    }
}

/// Every request is judged by what those before it in the batch did.
fn judge_all(view: &mut View, requests: &[Placed]) -> Vec<WriteAnswer> {
    let mut answer = |(timeline, request): &Placed| {
        let verdict = judge(request, view, *timeline)?;
        view.take(verdict.changes);
        Ok(verdict.written)
    };
    requests.iter().map(&mut answer).collect()
}

fn commit(mut transaction: WriteTransaction, durability: Durability) -> Result<(), redb::Error> {
    transaction.set_durability(durability).expect("no savepoint was taken in this transaction");
    Ok(transaction.commit()?)
}
