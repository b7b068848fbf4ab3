//! What the store holds. Keys and encodings of one implementation are its own affair; these are the common values.
use crate::outcome::StoreError;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tempest_core::{EventId, NamespaceId, RunId, RunKey, Time, WorkflowId};

/// A shard's number, from 1 to the cluster's shard count, as in Temporal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ShardId(pub u32);

/// The fence of a shard or of a task-queue partition: the node that raised it last owns it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RangeId(pub i64);

impl std::fmt::Display for ShardId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// `7` on the first timeline, `2:7` on the third.
impl std::fmt::Display for RangeId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.timeline() {
            Timeline(0) => self.0.fmt(f),
            Timeline(timeline) => write!(f, "{timeline}:{}", self.0 & (RangeId::PER_TIMELINE - 1)),
        }
    }
}

/// How many failovers of the database may have lost acknowledged commits. Ownership ends with the timeline on which it was
/// acquired, also where nothing was lost: an owner may hold in memory what another's lost commit told it. The timeline
/// is the upper part of each range id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timeline(pub u32);

impl std::fmt::Display for Timeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl RangeId {
    /// With 24 bits of task ids below and 12 bits of timeline above, an `i64` is full.
    const PER_TIMELINE: i64 = 1 << 27;
    const TIMELINES: u32 = 1 << 12;

    /// The range id of the next owner, if the database is on `timeline`. A failover may have forgotten owners: theirs were
    /// of an older timeline, so no owner ever had this one.
    ///
    /// # Errors
    /// `Incompatible` if there are no range ids left, or if the database's timelines have begun anew.
    pub fn next(self, timeline: Timeline) -> Result<RangeId, StoreError> {
        if self.timeline() > timeline {
            return Err(StoreError::Incompatible(format!(
                "the database is on timeline {timeline}, and range {self} was acquired on a later one: its timelines \
                 have begun anew, as after a dump and restore or an upgrade of PostgreSQL. Restore it by copying files, \
                 or move the workflows to a new database"
            )));
        }
        let first = i64::from(timeline.0) * Self::PER_TIMELINE;
        let next = RangeId((self.0 + 1).max(first));
        if timeline.0 >= Self::TIMELINES || next.0 >= i64::from(Self::TIMELINES) * Self::PER_TIMELINE {
            return Err(StoreError::Incompatible(format!(
                "there is no range id after {self} on timeline {timeline}: move the workflows to a new database"
            )));
        }
        Ok(next)
    }

    /// The timeline on which it was acquired.
    pub fn timeline(self) -> Timeline {
        Timeline(u32::try_from(self.0 / Self::PER_TIMELINE).unwrap_or(0))
    }

    /// Itself, or 0 if it was acquired before the database failed over: then it owns nothing any more.
    #[must_use]
    pub fn if_of(self, timeline: Timeline) -> RangeId {
        if self.timeline() == timeline { self } else { RangeId(0) }
    }
}

/// A shard's row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardRecord {
    pub range_id: RangeId,
    /// Sequence of the last applied [`ShardCommit`]; never decreases, also not across owners.
    pub sequence: u64,
    /// What the row said when the shard was first acquired on each timeline, oldest first, at most [`BASES_MAX`]. An
    /// owner that had more acknowledged before that knows what a failover has lost.
    #[serde(default)]
    pub timeline_bases: Vec<TimelineBase>,
    /// High-water mark of shard time.
    pub time: Time,
    /// Who acquired it last, for operators.
    pub owner: String,
}

/// The only write of workflow state. Applied whole or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardCommit {
    pub shard: ShardId,
    /// Must equal the shard's range id, and be of the database's timeline, else [`crate::CommitOutcome::OwnershipLost`].
    pub range_id: RangeId,
    /// Must be the shard's sequence + 1, else [`crate::CommitOutcome::Conflict`].
    pub sequence: u64,
    /// High-water mark of shard time; a store keeps the highest it was ever given.
    pub time: Time,
    /// At most two, different ones, else `Conflict`.
    pub runs: Vec<RunWrite>,
    pub current: Option<CurrentRunWrite>,
    pub history: Vec<HistoryAppend>,
    /// A task whose key is there already is a `Conflict`: ids are never used twice, and the other's work would be lost.
    pub tasks_added: Vec<TaskRow>,
    /// Deleted after the additions. Deleting a task that is not there is no error.
    pub tasks_deleted: Vec<TaskKey>,
}

/// Writes a run: its row as a whole, and of its parts those that change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunWrite {
    pub key: RunKey,
    /// `None`: the run must not exist yet.
    pub expected_version: Option<u64>,
    pub version: u64,
    pub row: Bytes,
    /// The parts that change, different ones, else `Conflict`; all others stay as they are.
    pub parts: Vec<PartWrite>,
}

/// Which part of a run: a pending activity, a timer, a child. What kinds there are the store does not know; kinds keep their
/// numbers forever.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PartKey {
    pub kind: u8,
    pub id: PartId,
}

/// Which of its kind. Numbers sort before names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PartId {
    Number(i64),
    Name(String),
}

/// Puts a part, whether it was there or not, or deletes it. Deleting a part that is not there is no error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartWrite {
    pub key: PartKey,
    /// `None` deletes it.
    pub body: Option<Bytes>,
}

/// A part as read back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunPart {
    pub key: PartKey,
    pub body: Bytes,
}

/// Moves the pointer from a workflow id to its current run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentRunWrite {
    pub namespace_id: NamespaceId,
    pub workflow_id: WorkflowId,
    /// `None`: there must be no current run.
    pub expected: Option<RunId>,
    pub run_id: RunId,
}

/// A run as read back, from one snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    pub version: u64,
    pub row: Bytes,
    /// All of them, in key order.
    pub parts: Vec<RunPart>,
}

/// A history branch. Runs share prefixes of one tree after a reset.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BranchId {
    /// The run id of the run that planted the tree.
    pub tree: String,
    /// Unique within the tree.
    pub branch: String,
}

/// One batch of events: all that one transition wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryAppend {
    pub branch: BranchId,
    /// Id of the batch's first event; must not exist on the branch yet.
    pub node: EventId,
    /// An encoded `temporal.api.history.v1.History`.
    pub events: Bytes,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryNode {
    pub node: EventId,
    pub events: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TaskCategory {
    Transfer,
    Timer,
    Visibility,
}

/// Orders a shard's history tasks: by fire time (zero for immediate categories), then by task id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaskKey {
    pub category: TaskCategory,
    pub fire_time: Time,
    /// Unique within the shard forever: (range id << 24) + counter.
    pub task_id: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskRow {
    pub key: TaskKey,
    /// An encoded history task with its run.
    pub body: Bytes,
}

/// A namespace, found by id or by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamespaceRecord {
    pub id: NamespaceId,
    pub name: String,
    /// Compare-and-set counter, from 1.
    pub version: u64,
    /// An encoded `temporal.api.workflowservice.v1.DescribeNamespaceResponse`.
    pub description: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TaskQueueType {
    Workflow,
    Activity,
}

/// One partition of a task queue.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PartitionKey {
    pub namespace_id: NamespaceId,
    pub name: String,
    pub queue_type: TaskQueueType,
    pub partition: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionRecord {
    pub range_id: RangeId,
    /// Every task up to and including this id is done with.
    pub ack_level: i64,
    /// How many rows the backlog has: what the last commit said.
    #[serde(default)]
    pub rows: u64,
}

/// A node that slept through more failovers than these is compared with the oldest base that is known.
const BASES_MAX: usize = 16;

/// See [`ShardRecord::timeline_bases`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineBase {
    /// Which timeline began so.
    pub timeline: Timeline,
    pub range_id: RangeId,
    pub sequence: u64,
}

impl ShardRecord {
    /// As it is after `owner` has acquired the shard.
    ///
    /// # Errors
    /// As [`RangeId::next`].
    pub fn acquired_by(mut self, owner: &str, timeline: Timeline) -> Result<ShardRecord, StoreError> {
        let range_id = self.range_id.next(timeline)?;
        if range_id.timeline() != self.range_id.timeline() {
            let excess = (self.timeline_bases.len() + 1).saturating_sub(BASES_MAX);
            self.timeline_bases.drain(..excess);
            let base = TimelineBase { timeline, range_id: self.range_id, sequence: self.sequence };
            self.timeline_bases.push(base);
        }
        Ok(ShardRecord { range_id, owner: owner.to_owned(), ..self })
    }

    /// Whether commits up to `sequence`, of which the owner of `range_id` was told that they are durable, do not all follow from
    /// it. A failover loses what came last, and others may have filled those places since. On one timeline all that ever was
    /// is one history: that a shard was acquired and nothing written is nothing lost.
    pub fn has_lost(&self, range_id: RangeId, sequence: u64) -> bool {
        let lacks = |of: RangeId, up_to: u64| of.timeline() < range_id.timeline() || up_to < sequence;
        let (of, up_to) = self.left_of(range_id, sequence);
        sequence > 0 && (lacks(self.range_id, self.sequence) || lacks(of, up_to))
    }

    /// Up to which owner and which sequence that is still there: all of it, or what the first timeline after it began with.
    pub fn left_of(&self, range_id: RangeId, sequence: u64) -> (RangeId, u64) {
        let failed_over = self.timeline_bases.iter().find(|base| base.timeline > range_id.timeline());
        let (of, up_to) = failed_over.map_or((self.range_id, self.sequence), |base| (base.range_id, base.sequence));
        (of.min(range_id), up_to.min(sequence))
    }
}

/// A fenced write to a partition's backlog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BacklogCommit {
    pub partition: PartitionKey,
    /// Must equal the partition's range id, and be of the database's timeline, else `OwnershipLost`.
    pub range_id: RangeId,
    pub added: Vec<BacklogRow>,
    /// Tasks to delete, by id; ids that are not there are no error.
    pub deleted: Vec<i64>,
    /// A store keeps the highest it was ever given.
    pub ack_level: i64,
    /// How many rows there are once this is done. The holder of the lease knows, and a store takes its word.
    pub rows: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BacklogRow {
    pub task_id: i64,
    pub body: Bytes,
}

/// What a node does for its cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Frontend,
    History,
    Matching,
}

/// A node's row: how the nodes of a cluster see each other. That it changes is what counts; no time in it is ever compared
/// with another node's to tell who is alive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRecord {
    /// Unique in the cluster; a node keeps it over restarts.
    pub name: String,
    /// `host:port` where other nodes call it.
    pub address: String,
    /// Drawn at each start.
    pub incarnation: String,
    /// Rises with each beat of an incarnation.
    pub beat: u64,
    pub roles: Vec<Role>,
    /// It goes down on purpose: whatever it has is for others.
    pub leaving: bool,
    /// Its wall clock at the beat, to report clocks that differ.
    pub wall_clock: Time,
    /// The newest timeline of the database that it knows.
    #[serde(default)]
    pub timeline: Timeline,
}

/// What a store says of itself; a node refuses a store that another cluster shape wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterRecord {
    pub shard_count: u32,
    pub cluster_id: String,
    pub cluster_name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_one_timeline_is_never_that_of_another() {
        let forgotten = RangeId(6).next(Timeline(0)).expect("there are more");
        let after_the_failover = RangeId(6).next(Timeline(1)).expect("there are more");
        assert_eq!(forgotten, RangeId(7));
        assert!(after_the_failover > forgotten);
        assert_eq!((forgotten.timeline(), after_the_failover.timeline()), (Timeline(0), Timeline(1)));
        assert_eq!(after_the_failover.next(Timeline(1)), Ok(RangeId(after_the_failover.0 + 1)));
        assert_eq!((forgotten.to_string(), after_the_failover.to_string()), ("7".to_owned(), "1:0".to_owned()));
    }

    #[test]
    fn whoever_had_more_acknowledged_knows_of_a_loss_also_when_others_went_on() {
        let before = ShardRecord { range_id: RangeId(7), sequence: 90, ..ShardRecord::default() };
        assert!(!before.has_lost(RangeId(7), 90) && before.has_lost(RangeId(7), 91));
        let mut after = before.clone().acquired_by("b", Timeline(1)).expect("there are more");
        after.sequence = 200;
        assert!(after.has_lost(RangeId(7), 91) && !after.has_lost(RangeId(7), 90));
        let again = after.clone().acquired_by("c", Timeline(1)).expect("there are more");
        assert!(again.has_lost(RangeId(7), 91), "the base is the timeline's, not the owner's");
        let mut twice = again.acquired_by("d", Timeline(2)).expect("there are more");
        assert!(twice.has_lost(RangeId(7), 91), "also after another failover, which lost nothing");
        assert!(!twice.has_lost(RangeId(7), 90) && !twice.has_lost(RangeId(1 << 27), 200));
        for timeline in 3..40 {
            twice = twice.acquired_by("d", Timeline(timeline)).expect("there are more");
        }
        assert_eq!(twice.timeline_bases.len(), BASES_MAX);
        assert!(
            matches!(twice.acquired_by("d", Timeline(0)), Err(StoreError::Incompatible(_))),
            "timelines that begin anew"
        );
        assert!(after.has_lost(RangeId(8), 91), "its acquisition of the shard is lost, and all that it then did");
        assert!(before.has_lost(RangeId(8), 91));
        assert!(
            !after.has_lost(RangeId(8), 90) && !before.has_lost(RangeId(8), 90),
            "only its acquisition of the shard is lost"
        );
        assert!(before.has_lost(RangeId(1 << 27), 80), "what fills those places is of the timeline before");
        assert!(!before.has_lost(RangeId(1 << 27), 0), "it was told of nothing");
        assert_eq!(after.left_of(RangeId(7), 91), (RangeId(7), 90), "also where others have filled the places");
        assert_eq!(after.left_of(RangeId(8), 91), (RangeId(7), 90));
        assert_eq!(before.left_of(RangeId(7), 80), (RangeId(7), 80));
    }

    #[test]
    fn range_ids_leave_room_for_task_ids_and_end() {
        let last = RangeId(RangeId::PER_TIMELINE * i64::from(RangeId::TIMELINES) - 1);
        assert!(last.0.checked_mul(1 << 24).is_some());
        assert!(matches!(last.next(Timeline(RangeId::TIMELINES - 1)), Err(StoreError::Incompatible(_))));
        assert!(matches!(RangeId(1).next(Timeline(RangeId::TIMELINES)), Err(StoreError::Incompatible(_))));
    }
}
