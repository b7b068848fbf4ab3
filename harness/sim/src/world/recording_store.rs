//! A decorator around a server's store: what it hands over and how that ends goes into the commit feed.
use crate::observe::CommitFeed;
use std::sync::Arc;
use tempest_store::{ReadFuture, ReadRequest, ShardCommit, Store, Timeline, WriteFuture, WriteRequest};

/// Passes everything through and writes shard commits down.
pub struct RecordingStore {
    inner: Arc<dyn Store>,
    feed: CommitFeed,
    server: String,
    incarnation: u32,
    now_ns: fn() -> u64,
}

impl RecordingStore {
    pub fn new(
        inner: Arc<dyn Store>,
        feed: CommitFeed,
        server: String,
        incarnation: u32,
        now_ns: fn() -> u64,
    ) -> RecordingStore {
        feed.begin(&server, incarnation);
        RecordingStore { inner, feed, server, incarnation, now_ns }
    }

    fn commit(&self, commit: ShardCommit) -> WriteFuture {
        let known = *self.inner.timeline().borrow();
        let position = self.feed.submit((self.now_ns)(), &self.server, self.incarnation, known, &commit);
        let (feed, now_ns) = (self.feed.clone(), self.now_ns);
        let hearing = feed.clone();
        let write = self.inner.write(WriteRequest::Commit(commit));
        // The outcome is noted even if its caller does not wait for it: a dropped future takes no commit back.
        let (ended, outcome) = tokio::sync::oneshot::channel();
        tempest_rt::task::spawn(async move {
            let answer = write.await;
            feed.end(position, now_ns(), answer.clone().into());
            let _ = ended.send(answer);
        });
        Box::pin(async move {
            match outcome.await {
                Ok(answer) => {
                    hearing.hear(position, now_ns());
                    answer
                }
                // The runtime is going down: there is no caller left.
                Err(_) => std::future::pending().await,
            }
        })
    }
}

impl Store for RecordingStore {
    fn write(&self, request: WriteRequest) -> WriteFuture {
        match request {
            WriteRequest::Commit(commit) => self.commit(commit),
            WriteRequest::Beat(node) => {
                let (feed, server, timeline) = (self.feed.clone(), self.server.clone(), node.timeline);
                let answer = self.inner.write(WriteRequest::Beat(node));
                Box::pin(async move {
                    let rows = answer.await?;
                    feed.timeline_known(&server, timeline);
                    Ok(rows)
                })
            }
            other => self.inner.write(other),
        }
    }

    fn read(&self, request: ReadRequest) -> ReadFuture<'_> {
        self.inner.read(request)
    }

    fn timeline(&self) -> tokio::sync::watch::Receiver<Timeline> {
        self.inner.timeline()
    }

    fn hear_of(&self, timeline: Timeline) {
        self.inner.hear_of(timeline);
    }
}
