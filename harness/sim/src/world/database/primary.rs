//! A primary: it judges and applies writes in memory, logs what was applied, and answers when that is committed.
use super::Replication;
use super::log::Entry;
use super::node::Node;
use super::replication;
use super::wire::{Answer, Asked, Position, Request, ToClient, decode_write, encode_write, receive, send};
use crate::observe::TimelineBegan;
use crate::world::{Ambiguity, Host};
use bytes::Bytes;
use futures::future::join_all;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tempest_rt::net::ByteStream;
use tempest_rt::task::TaskGroup;
use tempest_rt::time::{Duration, sleep};
use tempest_store::redb::{RedbConfig, RedbStore};
use tempest_store::{
    BacklogCommit, Found, RangeId, ReadRequest, ShardCommit, ShardId, Store, StoreError, Timeline, WriteRequest,
};
use tokio::sync::{Notify, mpsc, oneshot, watch};

/// Requests that wait for a primary; more are left on their connections.
const WAITING_MAX: usize = 1024;
/// Requests that are done together, with one sync of the log.
const BATCH_MAX: usize = 256;

/// A request and who waits for its answer.
pub struct Work {
    request: Request,
    reply: oneshot::Sender<Result<Answer, StoreError>>,
}

/// With how much later than it could be given.
type Answered = (oneshot::Sender<Result<Answer, StoreError>>, Result<Answer, StoreError>, Option<Duration>);

/// A primary of one term, from its start to when it steps down.
pub struct Primary {
    progress: Arc<Progress>,
    work: mpsc::Sender<Work>,
    tasks: TaskGroup,
}

impl Primary {
    /// Reads the whole log into memory and begins the term; `forced` by an operator, whatever the log lacks. Nothing if the
    /// disk failed.
    pub async fn start(node: Arc<Node>, term: u64, forced: bool) -> Option<Arc<Primary>> {
        let entries = node.log.lock().await.entries().to_vec();
        let state = match materialise(&entries).await {
            Ok(state) => state,
            Err(error) => {
                node.shared.report_problem(format!("{}: the log cannot be replayed: {error:#}", node.replica.own));
                return None;
            }
        };
        // Entries of earlier terms are committed by one of this term behind them.
        let number = entries.len() as u64 + 1;
        let begin = Entry { position: Position { term, number }, write: Bytes::new() };
        node.with_log(move |log| log.append(vec![begin])).await?;
        let progress = Arc::new(Progress::new(term, number, &node));
        let replication = node.replica.replication;
        if replication.has_timelines() {
            node.shared.commits.timeline_began(
                TimelineBegan {
                    timeline: progress.timeline,
                    at_ns: crate::world::now_ns(),
                    may_lose: forced || replication.is_asynchronous(),
                },
                entries.iter().filter_map(commit_of),
            );
        }
        let tasks = TaskGroup::default();
        if !replication.has_timelines() {
            let found = entries.iter().filter_map(commit_of).collect();
            tasks.spawn(found_is_durable(node.clone(), progress.clone(), number, found));
        }
        progress.own_has(number);
        let (work, waiting) = mpsc::channel(WAITING_MAX);
        for standby in node.replica.others.clone() {
            tasks.spawn(replication::feed(node.clone(), standby, progress.clone()));
        }
        tasks.spawn(perform(node.clone(), state, waiting, progress.clone(), tasks.clone()));
        Some(Arc::new(Primary { progress, work, tasks }))
    }

    pub fn term(&self) -> u64 {
        self.progress.term
    }

    pub fn stop(&self) {
        self.tasks.stop();
    }

    /// Commits wait for this standby, where the database waits for one that is named.
    pub fn name_standby(&self, standby: Option<Host>) {
        self.progress.named.send_replace(standby);
        self.progress.count();
    }

    /// Serves a client's connection for as long as this is the primary.
    pub fn serve(&self, stream: Box<dyn ByteStream>) {
        let (mut reader, mut writer) = tokio::io::split(stream);
        let (answers, mut answered) = mpsc::channel::<ToClient>(WAITING_MAX);
        let (work, term, timeline) = (self.work.clone(), self.term(), self.progress.timeline);
        self.tasks.spawn(async move {
            if send(&mut writer, &ToClient::Serving { term, timeline }).await.is_err() {
                return;
            }
            while let Some(frame) = answered.recv().await {
                if send(&mut writer, &frame).await.is_err() {
                    return;
                }
            }
        });
        self.tasks.spawn(async move {
            let broken = Arc::new(Notify::new());
            loop {
                let asked = tokio::select! {
                    biased;
                    () = broken.notified() => return,
                    asked = receive(&mut reader) => asked,
                };
                let Ok(Asked { id, request }) = asked else { return };
                let (reply, replied) = oneshot::channel();
                if work.send(Work { request, reply }).await.is_err() {
                    return;
                }
                let (answers, broken) = (answers.clone(), broken.clone());
                tempest_rt::task::spawn(async move {
                    match replied.await {
                        Ok(answer) => drop(answers.send(ToClient::Answer { id, answer }).await),
                        // A caller that gets no answer finds the connection broken.
                        Err(_) => broken.notify_one(),
                    }
                });
            }
        });
    }
}

/// Which of a shard's commits it is, for the checkers.
type CommitIdentity = (ShardId, RangeId, u64);

fn commit_of(entry: &Entry) -> Option<CommitIdentity> {
    identity(&decode_write(&entry.write).ok()?.1)
}

fn identity(write: &WriteRequest) -> Option<CommitIdentity> {
    match write {
        WriteRequest::Commit(commit) => Some((commit.shard, commit.range_id, commit.sequence)),
        _ => None,
    }
}

/// On which timeline a write is done: ranges are acquired on the present one, and those of older ones own nothing.
fn place_on(timeline: Timeline, write: &WriteRequest) -> Result<Timeline, StoreError> {
    match write {
        WriteRequest::Commit(ShardCommit { range_id, .. }) | WriteRequest::Backlog(BacklogCommit { range_id, .. })
            if range_id.timeline() != timeline =>
        {
            match tempest_rt::is_planted(super::plants::RANGES_OUTLIVE_A_FAILOVER.name) {
                true => Ok(range_id.timeline()),
                false => Err(StoreError::OwnershipLost { current: RangeId(0) }),
            }
        }
        _ => Ok(timeline),
    }
}

/// What a primary began with is durable once its term has begun. The primary before it may stand still, and find out only
/// much later that others had it.
async fn found_is_durable(node: Arc<Node>, progress: Arc<Progress>, began_at: u64, found: Vec<CommitIdentity>) {
    let mut committed = progress.committed.subscribe();
    if committed.wait_for(|number| *number >= began_at).await.is_ok() {
        for (shard, range_id, sequence) in found {
            node.shared.commits.durable(shard, range_id, sequence, crate::world::now_ns());
        }
    }
}

/// Takes what waits, in order, batch by batch.
async fn perform(
    node: Arc<Node>,
    state: Arc<RedbStore>,
    mut waiting: mpsc::Receiver<Work>,
    progress: Arc<Progress>,
    tasks: TaskGroup,
) {
    let mut last = *progress.durable.borrow();
    let mut batch = Vec::new();
    // Writes and reads that came, by which faults strike them.
    let (mut taken, mut looked_up) = (0, 0);
    while waiting.recv_many(&mut batch, BATCH_MAX).await > 0 {
        let (mut writes, mut reads) = (Vec::new(), Vec::new());
        for Work { request, reply } in batch.drain(..) {
            match request {
                Request::Write(write) => {
                    let timeline = match place_on(progress.timeline, &write) {
                        Ok(timeline) => timeline,
                        Err(error) => {
                            // No answer without the rest of the batch: it rests on nothing, and may come at once.
                            let _ = reply.send(Err(error));
                            continue;
                        }
                    };
                    taken += 1;
                    if node.suffers(Ambiguity::WriteRefused, taken) {
                        let error = StoreError::Unavailable("the database takes no writes".to_owned());
                        let _ = reply.send(Err(error));
                        continue;
                    }
                    let commit = identity(&write);
                    let body = encode_write(timeline, &write);
                    // Queued here and now: in the order in which they came.
                    writes.push((commit, body, state.write_on(timeline, *write), reply));
                }
                Request::Read(read) => reads.push((read, reply)),
            }
        }
        let mut answers = Vec::new();
        let mut entries = Vec::new();
        let mut commits = Vec::new();
        for (commit, body, writing, reply) in writes {
            let written = writing.await;
            if written.as_ref().is_ok_and(tempest_store::Written::changed_anything) {
                last += 1;
                commits.extend(commit);
                entries.push(Entry { position: Position { term: progress.term, number: last }, write: body });
            }
            let number = taken + entries.len() as u64;
            if node.suffers(Ambiguity::AnswerLost, number) {
                continue;
            }
            let late = node.suffers(Ambiguity::AnswerLate, number);
            let late = late.then(|| Duration::from_millis(node.shared.ambiguities.late_by_ms(number)));
            answers.push((reply, written.map(Answer::Written), late));
        }
        let reading = reads.into_iter().map(|(read, reply)| {
            looked_up += 1;
            let (state, timeline, late) = (state.clone(), progress.timeline, node.read_is_late(looked_up));
            async move { (reply, look_up(&state, read, timeline).await, late) }
        });
        answers.extend(join_all(reading).await);
        if !entries.is_empty() && node.with_log(move |log| log.append(entries)).await.is_none() {
            return;
        }
        progress.own_has(last);
        tasks.spawn(answer(node.clone(), progress.clone(), last, commits, answers));
    }
}

/// Answers once all that the answers rest on is committed, if this is still the primary then.
async fn answer(
    node: Arc<Node>,
    progress: Arc<Progress>,
    rests_on: u64,
    commits: Vec<CommitIdentity>,
    answers: Vec<Answered>,
) {
    let mut committed = progress.committed.subscribe();
    if committed.wait_for(|number| *number >= rests_on).await.is_ok() {
        for (shard, range_id, sequence) in commits {
            node.shared.commits.durable(shard, range_id, sequence, crate::world::now_ns());
        }
    }
    if *committed.borrow() < rests_on || !node.lease_holds() {
        // No caller is told anything: the connections end with the primary.
        return node.step_down();
    }
    for (reply, answer, late) in answers {
        match late {
            None => drop(reply.send(answer)),
            Some(late) => drop(tempest_rt::task::spawn(async move {
                sleep(late).await;
                let _ = reply.send(answer);
            })),
        }
    }
}

async fn look_up(state: &RedbStore, read: ReadRequest, timeline: Timeline) -> Result<Answer, StoreError> {
    let found = match state.read(read).await? {
        Found::Ranges(ranges) => Found::Ranges(ranges.into_iter().map(|range| range.if_of(timeline)).collect()),
        found => found,
    };
    Ok(Answer::Found(found))
}

/// The database that a log stands for.
pub(crate) async fn materialise(entries: &[Entry]) -> anyhow::Result<Arc<RedbStore>> {
    let state = RedbStore::in_memory(RedbConfig::default()).await?;
    for chunk in entries.chunks(BATCH_MAX) {
        let mut writing = Vec::new();
        for entry in chunk.iter().filter(|entry| !entry.write.is_empty()) {
            let (timeline, write) = decode_write(&entry.write)?;
            writing.push((entry.position, state.write_on(timeline, write)));
        }
        for (position, writing) in writing {
            writing.await.map_err(|error| anyhow::anyhow!("entry {position:?} was applied once, and now: {error}"))?;
        }
    }
    Ok(Arc::new(state))
}

/// How far a primary's log has got, on its own disk and on others'.
pub struct Progress {
    term: u64,
    /// Each term of a database that replicates asynchronously is one.
    timeline: Timeline,
    replication: Replication,
    /// The entry with which the term began: nothing is committed before that one is.
    began_at: u64,
    majority: usize,
    durable: watch::Sender<u64>,
    standbys: Mutex<BTreeMap<Host, u64>>,
    /// The standby that commits wait for, where one is named.
    named: watch::Sender<Option<Host>>,
    committed: watch::Sender<u64>,
}

impl Progress {
    fn new(term: u64, began_at: u64, node: &Node) -> Progress {
        Progress {
            term,
            timeline: node.replica.replication.timeline(term),
            replication: node.replica.replication,
            began_at,
            majority: node.replica.others.len().div_ceil(2) + 1,
            durable: watch::Sender::new(0),
            standbys: Mutex::default(),
            named: watch::Sender::default(),
            committed: watch::Sender::new(0),
        }
    }

    pub fn term(&self) -> u64 {
        self.term
    }

    /// How far behind entries are sent to this standby.
    pub fn lag(&self, standby: &Host) -> Duration {
        match self.named.borrow().as_ref() == Some(standby) {
            true => Duration::ZERO,
            false => self.replication.lag(),
        }
    }

    pub fn committed_so_far(&self) -> u64 {
        *self.committed.borrow()
    }

    /// The number of the last entry on the primary's own disk.
    pub fn durable(&self) -> watch::Receiver<u64> {
        self.durable.subscribe()
    }

    fn own_has(&self, number: u64) {
        self.durable.send_if_modified(|known| std::mem::replace(known, number) != number);
        self.count();
    }

    pub fn standby_has(&self, standby: &Host, number: u64) {
        let mut standbys = self.standbys.lock().expect("no holder of this lock panics");
        let known = standbys.entry(standby.clone()).or_default();
        *known = number.max(*known);
        drop(standbys);
        self.count();
    }

    fn count(&self) {
        let own = *self.durable.borrow();
        let standbys = self.standbys.lock().expect("no holder of this lock panics");
        let number = match self.replication {
            _ if tempest_rt::is_planted(super::plants::ACKNOWLEDGED_BY_THE_PRIMARY_ALONE.name) => own,
            Replication::Asynchronous { .. } => own,
            Replication::NamedStandby { .. } => {
                let named = self.named.borrow();
                named.as_ref().and_then(|named| standbys.get(named)).map_or(0, |standby| own.min(*standby))
            }
            Replication::Quorum => {
                let mut all: Vec<u64> = standbys.values().copied().chain([own]).collect();
                all.sort_unstable_by(|one, other| other.cmp(one));
                all.get(self.majority - 1).copied().unwrap_or(0)
            }
        };
        drop(standbys);
        if number >= self.began_at {
            self.committed.send_if_modified(|known| std::mem::replace(known, number.max(*known)) < number);
        }
    }
}
