//! The commit feed: every fenced write that the server handed to its store, in order, and how it ended. It is the
//! ground truth of what was made durable when.
use super::data_loss::{DataLossReport, TimelineBegan};
use super::stored_states::{StoredState, StoredStates};
use crate::observe::Observations;
use bytes::Bytes;
use prost::Message;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use tempest_api::proto::history::v1::{History, HistoryEvent};
use tempest_artifact::{About, Evidence};
use tempest_core::{HistoryTask, MutableState, RunKey};
use tempest_store::{CommitOutcome, RangeId, ShardCommit, ShardId, StoreError, TaskKey, TaskRow, Timeline};

/// How a commit ended for the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommitResult {
    /// The server died first, or the run ended.
    Pending,
    Ended(CommitOutcome),
    /// It was committed, and a failover that could lose something has lost it.
    Lost {
        /// To a server that was still waiting for it: a server that had given up before knows nothing of it.
        acknowledged: bool,
        /// The timeline that lost it: from there on none began with it again.
        on: Timeline,
    },
}

/// A history batch of a commit.
#[derive(Clone, Debug)]
pub struct Batch {
    pub tree: String,
    pub branch: String,
    pub node: i64,
    pub(crate) events: Bytes,
}

impl Batch {
    pub fn events(&self) -> Vec<HistoryEvent> {
        History::decode(self.events.as_ref()).map(|history| history.events).unwrap_or_default()
    }
}

/// One commit of a shard.
#[derive(Clone, Debug)]
pub struct Commit {
    /// Virtual time at which it was handed to the store.
    pub at_ns: u64,
    /// Virtual time at which the store told how it ended.
    pub ended_ns: Option<u64>,
    /// Virtual time at which a shared database had it on a majority of disks, where that is known: its server may have
    /// been told much later, and others may know it before.
    pub durable_ns: Option<u64>,
    /// Which server, and which incarnation of it.
    pub server: String,
    pub incarnation: u32,
    pub shard: ShardId,
    pub range_id: RangeId,
    pub sequence: u64,
    /// The newest timeline that its server knew when it handed this over.
    pub known: Timeline,
    /// The shard time it carries, in nanoseconds since the Unix epoch.
    pub shard_time_ns: i64,
    /// The runs it writes.
    pub keys: Vec<RunKey>,
    /// Their states, as they are stored.
    pub(crate) states: Vec<StoredState>,
    pub batches: Vec<Batch>,
    /// Encoded, by key.
    pub(crate) tasks: Vec<TaskRow>,
    pub tasks_deleted: Vec<TaskKey>,
    /// Virtual time at which its server took note of how it ended; nothing if it never did.
    pub heard_ns: Option<u64>,
    pub result: CommitResult,
    /// Timelines later than its own that began with it, in order, and those that began without it. One that no primary
    /// ever applied is among the latter too.
    pub found_on: Vec<Timeline>,
    pub missing_on: Vec<Timeline>,
}

impl Commit {
    pub fn is_committed(&self) -> bool {
        self.result == CommitResult::Ended(CommitOutcome::Committed)
    }

    /// Whether it may have been applied: what was certainly refused leaves nothing behind.
    pub fn may_be_durable(&self) -> bool {
        match &self.result {
            CommitResult::Lost { .. } => false,
            CommitResult::Pending => true,
            CommitResult::Ended(outcome) => {
                matches!(outcome, CommitOutcome::Committed | CommitOutcome::OutcomeUnknown(_))
            }
        }
    }

    pub fn is_lost(&self) -> bool {
        matches!(self.result, CommitResult::Lost { .. })
    }

    pub fn was_acknowledged_and_lost(&self) -> bool {
        matches!(self.result, CommitResult::Lost { acknowledged: true, .. })
    }

    /// Whether its server was told that it is done.
    pub fn was_acknowledged(&self) -> bool {
        self.heard_ns.is_some() && (self.is_committed() || self.was_acknowledged_and_lost())
    }

    /// Whether it was applied and some later timeline began without it, also where another has it again.
    pub fn was_ever_lost(&self) -> bool {
        let applied = self.is_committed() || self.is_lost() || self.durable_ns.is_some() || !self.found_on.is_empty();
        applied && !self.missing_on.is_empty()
    }

    /// When it was durable for certain, at the latest.
    pub fn durable_by_ns(&self) -> Option<u64> {
        self.durable_ns.or(self.ended_ns.filter(|_| self.is_committed() || self.was_acknowledged_and_lost()))
    }

    /// The states it writes, but for those that cannot be read back.
    pub fn states(&self) -> impl Iterator<Item = MutableState> + '_ {
        self.states.iter().filter_map(|state| state.decode().ok())
    }

    /// The runs whose states cannot be read back, and why.
    pub fn unreadable_states(&self) -> impl Iterator<Item = (&RunKey, StoreError)> + '_ {
        self.keys.iter().zip(&self.states).filter_map(|(run, state)| Some((run, state.decode().err()?)))
    }

    /// The tasks it writes.
    pub fn tasks_added(&self) -> impl Iterator<Item = (TaskKey, HistoryTask)> + '_ {
        self.tasks.iter().filter_map(|row| Some((row.key, tempest_history::decode_task(&row.body).ok()?)))
    }

    /// Request ids of signals that the runs it writes remember.
    pub fn signal_request_ids(&self) -> Vec<String> {
        self.states()
            .flat_map(|state| state.auxiliary().signal_request_ids.iter().cloned().collect::<Vec<_>>())
            .collect()
    }

    pub fn line(&self) -> Evidence {
        let result = match &self.result {
            CommitResult::Pending => "pending".to_owned(),
            CommitResult::Lost { .. } => "committed, and lost by a failover".to_owned(),
            CommitResult::Ended(outcome) => format!("{outcome:?}"),
        };
        let text = format!(
            "commit shard {} range {} sequence {} at {} by {} (start {}) of {}: {result}",
            self.shard,
            self.range_id,
            self.sequence,
            super::seconds(self.at_ns),
            self.server,
            self.incarnation,
            self.keys.iter().map(|key| format!("{} / {}", key.workflow_id, key.run_id)).collect::<Vec<_>>().join(", ")
        );
        let about =
            self.keys.iter().map(|key| About { workflow_id: key.workflow_id.0.clone(), run_id: key.run_id.0.clone() });
        Evidence { text, at_ms: Some(self.at_ns / 1_000_000), about: about.collect() }
    }
}

/// Where a commit stands: a failover that forgets an owner lets no other have its range id.
type Place = (ShardId, RangeId, u64);

/// Written by the store's decorator on the server host; see [`super::OperationLog`] for why that is safe.
#[derive(Clone, Debug, Default)]
pub struct CommitFeed(Arc<Mutex<Feed>>);

#[derive(Debug, Default)]
struct Feed {
    commits: Vec<Commit>,
    /// The newest incarnation of each server.
    newest: BTreeMap<String, u32>,
    /// Servers that do not come back.
    gone: BTreeSet<String>,
    positions: BTreeMap<Place, usize>,
    /// Timelines of a database that has some, in order, and which commits each began with.
    survivors: Vec<(TimelineBegan, BTreeSet<Place>)>,
    timelines: Vec<TimelineBegan>,
    /// The newest timeline that each server has shown to know.
    known: BTreeMap<String, Timeline>,
    reports: Vec<DataLossReport>,
    states: StoredStates,
}

impl Feed {
    /// The states that a commit writes.
    fn written(&mut self, commit: &ShardCommit) -> Vec<StoredState> {
        let timeline = commit.range_id.timeline();
        let began = self.survivors.iter().find(|(began, _)| began.timeline == timeline);
        // A database without timelines has one, and all of them on it.
        let began_with = |range, sequence| began.is_none_or(|(_, has)| has.contains(&(commit.shard, range, sequence)));
        commit.runs.iter().map(|run| self.states.written(commit, run, began_with)).collect()
    }

    /// As it stands now: what was committed on an older timeline and is not on the newest is lost, if a timeline without
    /// it was one that could lose something. If none was, it ought to be there. Committed is also what no caller was
    /// told of and some primary began with: a server may have read it there.
    fn as_it_stands(&self, commit: &Commit) -> Commit {
        let mut commit = commit.clone();
        let acknowledged = commit.is_committed();
        let place = (commit.shard, commit.range_id, commit.sequence);
        let later = self.survivors.iter().rev().take_while(|(began, _)| began.timeline > commit.range_id.timeline());
        let lacks = |(_, survivors): &&(TimelineBegan, BTreeSet<Place>)| !survivors.contains(&place);
        if let Some((without, _)) = later.clone().take_while(lacks).last()
            && later.filter(lacks).any(|(began, _)| began.may_lose)
            && (acknowledged
                || commit.durable_ns.is_some()
                || self.survivors.iter().any(|(_, has)| has.contains(&place)))
        {
            let acknowledged = acknowledged && commit.heard_ns.is_some();
            commit.result = CommitResult::Lost { acknowledged, on: without.timeline };
        }
        for (began, survivors) in &self.survivors {
            if began.timeline > commit.range_id.timeline() {
                let has_it = survivors.contains(&place);
                let list = if has_it { &mut commit.found_on } else { &mut commit.missing_on };
                list.push(began.timeline);
            }
        }
        commit
    }
}

impl CommitFeed {
    fn with<T>(&self, body: impl FnOnce(&mut Feed) -> T) -> T {
        body(&mut self.0.lock().expect("no holder of this lock panics"))
    }

    /// Notes that a server has started: its earlier incarnations are told nothing any more.
    pub fn begin(&self, server: &str, incarnation: u32) {
        self.with(|feed| feed.newest.insert(server.to_owned(), incarnation));
    }

    /// Notes that a server does not come back: it is told nothing any more.
    pub fn gone(&self, server: &str) {
        self.with(|feed| feed.gone.insert(server.to_owned()));
    }

    /// Notes a commit as it is handed over by a server that knows the timeline `known`; returns its position.
    pub fn submit(&self, at_ns: u64, server: &str, incarnation: u32, known: Timeline, commit: &ShardCommit) -> usize {
        let states = self.with(|feed| feed.written(commit));
        let batches = commit.history.iter();
        let record = Commit {
            at_ns,
            ended_ns: None,
            durable_ns: None,
            server: server.to_owned(),
            incarnation,
            shard: commit.shard,
            range_id: commit.range_id,
            sequence: commit.sequence,
            known,
            shard_time_ns: commit.time.0,
            keys: commit.runs.iter().map(|run| run.key.clone()).collect(),
            states,
            batches: batches
                .map(|append| Batch {
                    tree: append.branch.tree.clone(),
                    branch: append.branch.branch.clone(),
                    node: append.node,
                    events: append.events.clone(),
                })
                .collect(),
            tasks: commit.tasks_added.clone(),
            tasks_deleted: commit.tasks_deleted.clone(),
            heard_ns: None,
            result: CommitResult::Pending,
            found_on: Vec::new(),
            missing_on: Vec::new(),
        };
        self.with(|feed| {
            let position = feed.commits.len();
            feed.positions.insert((record.shard, record.range_id, record.sequence), position);
            feed.commits.push(record);
            position
        })
    }

    /// Notes that the database will not lose this commit any more.
    pub fn durable(&self, shard: ShardId, range_id: RangeId, sequence: u64, at_ns: u64) {
        self.with(|feed| {
            if let Some(position) = feed.positions.get(&(shard, range_id, sequence)) {
                feed.commits[*position].durable_ns.get_or_insert(at_ns);
            }
        });
    }

    /// Notes that a database which has timelines has a new primary, and which commits that one has.
    pub fn timeline_began(&self, began: TimelineBegan, survivors: impl Iterator<Item = Place>) {
        self.with(|feed| {
            let survivors: BTreeSet<Place> = survivors.collect();
            // The primary before it may be paused, and find out only later that others had it.
            for place in survivors.iter().filter(|(_, range, _)| range.timeline() < began.timeline) {
                if let Some(position) = feed.positions.get(place) {
                    feed.commits[*position].durable_ns.get_or_insert(began.at_ns);
                }
            }
            feed.survivors.push((began, survivors));
            feed.timelines.push(began);
            // Who is told late that it is primary may come after its successor.
            feed.survivors.sort_by_key(|(began, _)| began.timeline);
            feed.timelines.sort_by_key(|began| began.timeline);
        });
    }

    /// Notes that a server has written down which timeline it knows.
    pub fn timeline_known(&self, server: &str, timeline: Timeline) {
        self.with(|feed| {
            let known = feed.known.entry(server.to_owned()).or_default();
            *known = timeline.max(*known);
        });
    }

    /// Notes that a server has said that commits are gone.
    pub fn loss_reported(&self, report: DataLossReport) {
        self.with(|feed| feed.reports.push(report));
    }

    /// Adds to observations what the feed knows.
    pub fn observe(&self, observations: &mut Observations) {
        observations.commits = self.snapshot();
        self.with(|feed| {
            observations.timelines = feed.timelines.clone();
            observations.timelines_known = feed.known.iter().map(|(server, known)| (server.clone(), *known)).collect();
            observations.reports = feed.reports.clone();
            observations.incarnations = feed.newest.clone();
        });
    }

    /// Rises when commits that were followed may have become lost.
    pub fn timeline(&self) -> Timeline {
        self.with(|feed| feed.timelines.last().map_or(Timeline(0), |began| began.timeline))
    }

    /// Notes that its server took note of how a commit ended.
    pub fn hear(&self, position: usize, at_ns: u64) {
        self.with(|feed| feed.commits[position].heard_ns = Some(at_ns));
    }

    /// Notes how a commit ended, whether or not its server waits for it.
    pub fn end(&self, position: usize, at_ns: u64, outcome: CommitOutcome) {
        self.with(|feed| {
            feed.commits[position].ended_ns = Some(at_ns);
            feed.commits[position].result = CommitResult::Ended(outcome);
        });
    }

    pub fn len(&self) -> usize {
        self.with(|feed| feed.commits.len())
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The commits after the first `seen` that have ended or never will, their server being gone; counts them as seen.
    pub fn settled_after(&self, seen: &mut usize) -> Vec<Commit> {
        self.with(|feed| {
            let is_told = |commit: &Commit| {
                let is_old = feed.newest.get(&commit.server).is_some_and(|new| commit.incarnation < *new);
                !is_old && !feed.gone.contains(&commit.server)
            };
            let settled = |commit: &&Commit| commit.result != CommitResult::Pending || !is_told(commit);
            let commits: Vec<Commit> =
                feed.commits[*seen..].iter().take_while(settled).map(|commit| feed.as_it_stands(commit)).collect();
            *seen += commits.len();
            commits
        })
    }

    pub fn snapshot(&self) -> Vec<Commit> {
        self.with(|feed| feed.commits.iter().map(|commit| feed.as_it_stands(commit)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn submit(feed: &CommitFeed, incarnation: u32) -> usize {
        feed.submit(0, "server", incarnation, Timeline(0), &ShardCommit::default())
    }

    #[test]
    fn what_was_certainly_refused_leaves_nothing_behind() {
        let may_be_durable = |result: CommitResult| {
            let feed = CommitFeed::default();
            submit(&feed, 0);
            Commit { result, ..feed.snapshot().remove(0) }.may_be_durable()
        };
        let ended = |outcome| may_be_durable(CommitResult::Ended(outcome));
        assert!(may_be_durable(CommitResult::Pending));
        assert!(ended(CommitOutcome::Committed));
        assert!(ended(CommitOutcome::OutcomeUnknown("the disk failed".to_owned())));
        assert!(!ended(CommitOutcome::Conflict("version".to_owned())));
        assert!(!ended(CommitOutcome::OwnershipLost { current: RangeId(2) }));
        assert!(!ended(CommitOutcome::Unavailable("full".to_owned())));
    }

    #[test]
    fn a_pending_commit_is_settled_by_the_next_incarnation() {
        let (feed, mut seen) = (CommitFeed::default(), 0);
        let first = submit(&feed, 0);
        submit(&feed, 0);
        let third = submit(&feed, 0);
        feed.end(first, 1, CommitOutcome::Committed);
        feed.end(third, 1, CommitOutcome::Committed);
        assert_eq!(feed.settled_after(&mut seen).len(), 1, "the second one is pending and bars the third");
        assert!(feed.settled_after(&mut seen).is_empty());
        feed.begin("server", 1);
        assert_eq!(feed.settled_after(&mut seen).len(), 2, "nobody waits for the second any more");
        assert_eq!(seen, 3);
    }

    #[test]
    fn what_the_next_primary_began_with_is_durable_from_then_on() {
        let feed = CommitFeed::default();
        submit(&feed, 0);
        let commit = ShardCommit::default();
        let place = (commit.shard, commit.range_id, commit.sequence);
        let began = |timeline, at_ns| TimelineBegan { timeline: Timeline(timeline), at_ns, may_lose: false };
        feed.timeline_began(began(0, 1), std::iter::once(place));
        assert_eq!(feed.snapshot()[0].durable_by_ns(), None, "its own primary goes on, and may be alone with it");
        feed.timeline_began(began(1, 2), std::iter::once(place));
        // The one before was paused, and tells late that it was durable.
        feed.durable(commit.shard, commit.range_id, commit.sequence, 9);
        assert_eq!(feed.snapshot()[0].durable_by_ns(), Some(2));
    }

    #[test]
    fn what_nobody_was_told_of_is_lost_if_a_primary_began_with_it() {
        let began = |timeline| TimelineBegan { timeline: Timeline(timeline), at_ns: 2, may_lose: true };
        let lost = |on_its_own_again: bool, on_the_next: bool| {
            let feed = CommitFeed::default();
            submit(&feed, 0);
            let commit = ShardCommit::default();
            let place = (commit.shard, commit.range_id, commit.sequence);
            // A primary that restarts begins its timeline once more.
            feed.timeline_began(began(0), on_its_own_again.then_some(place).into_iter());
            feed.timeline_began(began(1), on_the_next.then_some(place).into_iter());
            feed.timeline_began(began(2), std::iter::empty());
            feed.snapshot().remove(0).is_lost()
        };
        assert!(lost(true, false) && lost(false, true), "somebody may have read it there");
        assert!(!lost(false, false), "it may never have been");
    }

    #[test]
    fn only_a_failover_that_could_lose_something_has_lost_what_is_missing() {
        let found = |heard: bool, failovers: &[(u32, bool, bool)]| {
            let feed = CommitFeed::default();
            let position = submit(&feed, 0);
            feed.end(position, 1, CommitOutcome::Committed);
            if heard {
                feed.hear(position, 1);
            }
            let commit = ShardCommit::default();
            let place = (commit.shard, commit.range_id, commit.sequence);
            for (timeline, may_lose, has_it) in failovers {
                let began = TimelineBegan { timeline: Timeline(*timeline), at_ns: 2, may_lose: *may_lose };
                feed.timeline_began(began, has_it.then_some(place).into_iter());
            }
            feed.snapshot().remove(0)
        };
        let unheard = found(false, &[(1, true, false)]);
        assert!(unheard.is_lost() && !unheard.was_acknowledged_and_lost(), "its server had given up");
        let lost = |failovers: &[(u32, bool, bool)]| found(true, failovers).was_acknowledged_and_lost();
        assert!(!lost(&[]));
        assert!(!lost(&[(1, true, true)]));
        assert!(!lost(&[(1, false, false)]), "it ought to be there");
        assert!(lost(&[(1, true, false)]));
        assert!(lost(&[(1, true, false), (2, false, false)]), "what is lost stays lost");
        assert!(!lost(&[(1, true, false), (2, false, true)]), "unless somebody who has it comes back");
        assert!(lost(&[(2, true, false), (1, false, true)]), "who is told late that it is primary is none any more");

        let four = [(1, true, false), (2, false, true), (3, false, false), (4, false, false)];
        let commit = found(true, &four);
        let lost_on_3 = CommitResult::Lost { acknowledged: true, on: Timeline(3) };
        assert_eq!(commit.result, lost_on_3, "from there on nobody had it again");
        assert_eq!((commit.found_on, commit.missing_on), (vec![Timeline(2)], [1, 3, 4].map(Timeline).to_vec()));
        assert!(found(true, &four[..2]).was_ever_lost() && !found(true, &four[1..2]).was_ever_lost());
    }
}
