//! A store whose next write of a namespace ends as told, performed or not.
use std::sync::Mutex;
use tempest_store::redb::{RedbConfig, RedbStore};
use tempest_store::{ReadFuture, ReadRequest, Store, StoreError, Timeline, WriteFuture, WriteRequest};
use tokio::sync::watch;

pub(super) struct UnknownOutcomeStore {
    inner: RedbStore,
    next: Mutex<Option<(StoreError, bool)>>,
}

impl UnknownOutcomeStore {
    pub(super) async fn new() -> Self {
        let inner = RedbStore::in_memory(RedbConfig::default()).await.expect("a store in memory opens");
        Self { inner, next: Mutex::default() }
    }

    pub(super) fn end_next_write(&self, end: StoreError, performed: bool) {
        *self.next.lock().unwrap() = Some((end, performed));
    }
}

impl Store for UnknownOutcomeStore {
    fn write(&self, request: WriteRequest) -> WriteFuture {
        let Some((end, performed)) = self.next.lock().unwrap().take() else { return self.inner.write(request) };
        let written = performed.then(|| self.inner.write(request));
        Box::pin(async move {
            if let Some(written) = written {
                written.await?;
            }
            Err(end)
        })
    }

    fn read(&self, request: ReadRequest) -> ReadFuture<'_> {
        self.inner.read(request)
    }

    fn timeline(&self) -> watch::Receiver<Timeline> {
        self.inner.timeline()
    }

    fn hear_of(&self, timeline: Timeline) {
        self.inner.hear_of(timeline);
    }
}
