//! The bookkeeping of one partition's durable backlog, pure: what is leased, read, written and done, and what the shell
//! has to do next.
//!
//! Ids rise with every lease and every row, so rows read in order of their ids are read in order of their arrival. The
//! ack level never passes a row that is not done, so whatever a crash forgets is read again: offered twice perhaps,
//! never lost.
use std::collections::BTreeSet;
use std::time::Duration;
use tempest_store::{PartitionRecord, RangeId};

/// Row ids of one lease: its range id in the high bits.
const ROWS_PER_LEASE_BITS: u32 = 24;

/// What the keeper does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Take the partition.
    Lease,
    /// Write waiting rows and deletions.
    Write,
    /// Read rows with ids above `after`.
    Read { after: i64 },
    /// Nothing before this time, unless something happens.
    Wait { until: Option<Duration> },
}

/// What the shell knows and the bookkeeping does not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Situation {
    pub now: Duration,
    /// Adds that wait for their row.
    pub appends: usize,
    /// Backlog tasks in memory.
    pub buffered: usize,
    /// Below this many the next page is read.
    pub buffered_low: usize,
    pub deletion_batch_rows: usize,
    pub deletion_interval: Duration,
    /// A lease not proven for so long is proven by a write, if only of nothing.
    pub lease_check_interval: Option<Duration>,
}

#[derive(Debug)]
struct Lease {
    range_id: RangeId,
    next_row: i64,
    rows_end: i64,
}

#[derive(Debug, Default)]
pub(crate) struct Backlog {
    lease: Option<Lease>,
    /// Rows up to here were read, or handed over directly when they were written.
    read_level: i64,
    /// No row above the read level is in the store.
    caught_up: bool,
    /// Rows in memory that are not done.
    outstanding: BTreeSet<i64>,
    /// Rows done whose deletion is not durable yet.
    done: BTreeSet<i64>,
    done_since: Option<Duration>,
    /// When the lease was taken, or a write last went through.
    proven_at: Duration,
    /// After a failure of the store: nothing is tried before this time.
    paused_until: Duration,
    ack_level_stored: i64,
}

impl Backlog {
    pub(crate) fn next_step(&self, s: Situation) -> Step {
        if s.now < self.paused_until {
            return Step::Wait { until: Some(self.paused_until) };
        }
        if self.lease.is_none() {
            return Step::Lease;
        }
        let deletion_due = self.done_since.map(|since| since + s.deletion_interval);
        let check_due = s.lease_check_interval.map(|interval| self.proven_at + interval);
        let is_due = |due: Option<Duration>| due.is_some_and(|due| due <= s.now);
        if s.appends > 0 || self.done.len() >= s.deletion_batch_rows || is_due(deletion_due) || is_due(check_due) {
            return Step::Write;
        }
        if !self.caught_up && s.buffered < s.buffered_low {
            return Step::Read { after: self.read_level };
        }
        Step::Wait { until: deletion_due.into_iter().chain(check_due).min() }
    }

    pub(crate) fn range_id(&self) -> Option<RangeId> {
        self.lease.as_ref().map(|lease| lease.range_id)
    }

    /// The partition is ours: reading starts over at the stored ack level.
    pub(crate) fn leased(&mut self, record: &PartitionRecord, now: Duration) {
        self.proven_at = now;
        let first = record.range_id.0 << ROWS_PER_LEASE_BITS;
        self.lease = Some(Lease {
            range_id: record.range_id,
            next_row: first + 1,
            rows_end: first + (1 << ROWS_PER_LEASE_BITS),
        });
        self.read_level = record.ack_level;
        self.ack_level_stored = record.ack_level;
        self.caught_up = false;
    }

    /// Somebody else may own the partition, or a write may or may not have happened: a new lease fences it, and what is
    /// in the store then decides.
    pub(crate) fn lost(&mut self) {
        self.lease = None;
        self.caught_up = false;
    }

    pub(crate) fn pause(&mut self, until: Duration) {
        self.paused_until = until;
    }

    /// Ids for new rows; fewer than asked for, or none, if the lease has run out of them (it is given up then).
    pub(crate) fn row_ids(&mut self, count: usize) -> Vec<i64> {
        let Some(lease) = &mut self.lease else { return Vec::new() };
        let count = i64::try_from(count).unwrap_or(i64::MAX).min(lease.rows_end - lease.next_row);
        let first = lease.next_row;
        lease.next_row += count;
        if count == 0 {
            self.lost();
        }
        (first..first + count).collect()
    }

    /// Rows to delete with the next write.
    pub(crate) fn deletions(&self, max: usize) -> Vec<i64> {
        self.done.iter().copied().take(max).collect()
    }

    /// Every row up to and including this id is done with.
    pub(crate) fn ack_level(&self) -> i64 {
        let level = match self.outstanding.first() {
            Some(first) => self.read_level.min(first - 1),
            None => self.read_level,
        };
        level.max(self.ack_level_stored)
    }

    /// A write is durable. Returns which of its rows the shell offers at once: all, or none if they are read later.
    pub(crate) fn written(
        &mut self,
        rows: &[i64],
        deleted: &[i64],
        ack_level: i64,
        now: Duration,
        room: usize,
    ) -> bool {
        self.ack_level_stored = ack_level;
        self.proven_at = now;
        for row in deleted {
            self.done.remove(row);
        }
        self.done_since = (!self.done.is_empty()).then_some(now);
        let direct = self.caught_up && rows.len() <= room;
        match rows.last() {
            Some(last) if direct => {
                self.outstanding.extend(rows);
                self.read_level = *last;
            }
            Some(_) => self.caught_up = false,
            None => {}
        }
        direct
    }

    /// A page was read. Returns the ids that are new here.
    pub(crate) fn read(&mut self, rows: &[i64], limit: usize) -> Vec<i64> {
        if let Some(last) = rows.last() {
            self.read_level = self.read_level.max(*last);
        }
        self.caught_up = rows.len() < limit;
        let new: Vec<i64> =
            rows.iter().copied().filter(|row| !self.outstanding.contains(row) && !self.done.contains(row)).collect();
        self.outstanding.extend(&new);
        new
    }

    /// The task of a row needs nothing more.
    pub(crate) fn done(&mut self, row: i64, now: Duration) {
        if self.outstanding.remove(&row) {
            self.done.insert(row);
            self.done_since.get_or_insert(now);
        }
    }

    /// Whether every row of the store is known here.
    pub(crate) fn is_caught_up(&self) -> bool {
        self.caught_up
    }

    /// Nothing is in memory that the store does not know.
    pub(crate) fn is_idle(&self) -> bool {
        self.outstanding.is_empty() && self.done.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Situation = Situation {
        now: Duration::ZERO,
        appends: 0,
        buffered: 0,
        buffered_low: 2,
        deletion_batch_rows: 3,
        deletion_interval: Duration::from_secs(1),
        lease_check_interval: None,
    };

    fn leased(range: i64, ack_level: i64) -> Backlog {
        let mut backlog = Backlog::default();
        backlog.leased(&PartitionRecord { range_id: RangeId(range), ack_level }, Duration::ZERO);
        backlog
    }

    #[test]
    fn a_partition_is_leased_then_read_then_waits() {
        let mut b = Backlog::default();
        assert_eq!(b.next_step(IDLE), Step::Lease);
        b.leased(&PartitionRecord { range_id: RangeId(1), ack_level: 7 }, Duration::ZERO);
        assert_eq!(b.next_step(IDLE), Step::Read { after: 7 });
        assert_eq!(b.read(&[8, 9], 2), [8, 9]);
        assert_eq!(b.next_step(Situation { buffered: 2, ..IDLE }), Step::Wait { until: None });
        assert_eq!(b.next_step(IDLE), Step::Read { after: 9 });
        assert!(b.read(&[], 2).is_empty());
        assert_eq!(b.next_step(IDLE), Step::Wait { until: None });
    }

    #[test]
    fn the_ack_level_stays_below_what_is_not_done() {
        let mut b = leased(1, 0);
        b.read(&[3, 4, 5], 10);
        assert_eq!(b.ack_level(), 2);
        b.done(4, Duration::ZERO);
        assert_eq!(b.ack_level(), 2);
        b.done(3, Duration::ZERO);
        assert_eq!(b.ack_level(), 4);
        assert_eq!(b.deletions(10), [3, 4]);
        b.done(5, Duration::ZERO);
        assert_eq!(b.next_step(IDLE), Step::Write, "three rows are a batch");
    }

    #[test]
    fn rows_are_offered_directly_only_when_nothing_older_is_unread() {
        let mut b = leased(1, 0);
        let first = b.row_ids(1);
        assert!(!b.written(&first, &[], 0, Duration::ZERO, 10), "the store was never read");
        assert_eq!(b.read(&first, 10), first);
        let second = b.row_ids(2);
        assert!(b.written(&second, &[], 0, Duration::ZERO, 10));
        let third = b.row_ids(2);
        assert!(!b.written(&third, &[], 0, Duration::ZERO, 1), "no room");
        assert_eq!(b.next_step(IDLE), Step::Read { after: second[1] });
    }

    #[test]
    fn after_a_lost_lease_what_is_in_memory_is_not_offered_twice() {
        let mut b = leased(1, 0);
        b.read(&[3, 4], 10);
        b.done(3, Duration::ZERO);
        b.lost();
        assert_eq!(b.next_step(IDLE), Step::Lease);
        b.leased(&PartitionRecord { range_id: RangeId(2), ack_level: 0 }, Duration::ZERO);
        assert_eq!(b.read(&[3, 4, 5], 10), [5]);
        assert_eq!(b.ack_level(), 3);
    }

    #[test]
    fn ids_rise_with_the_lease_and_end_with_it() {
        let mut b = leased(1, 0);
        let lease = b.lease.as_mut().expect("it is leased");
        lease.next_row = lease.rows_end - 1;
        let last = b.row_ids(5).last().copied().expect("there is one id left");
        assert!(b.row_ids(1).is_empty());
        assert_eq!(b.next_step(IDLE), Step::Lease);
        b.leased(&PartitionRecord { range_id: RangeId(2), ack_level: 0 }, Duration::ZERO);
        assert!(b.row_ids(1)[0] > last);
    }

    #[test]
    fn a_lease_that_was_not_proven_for_long_is_proven_by_a_write_of_nothing() {
        let mut b = leased(1, 0);
        b.read(&[], 10);
        let at = |seconds| Situation {
            now: Duration::from_secs(seconds),
            lease_check_interval: Some(Duration::from_secs(5)),
            ..IDLE
        };
        assert_eq!(b.next_step(at(4)), Step::Wait { until: Some(Duration::from_secs(5)) });
        assert_eq!(b.next_step(at(5)), Step::Write);
        b.written(&[], &[], 0, Duration::from_secs(5), 10);
        assert_eq!(b.next_step(at(6)), Step::Wait { until: Some(Duration::from_secs(10)) });
    }

    #[test]
    fn a_failing_store_is_left_alone_for_a_while() {
        let mut b = Backlog::default();
        b.pause(Duration::from_secs(2));
        assert_eq!(b.next_step(IDLE), Step::Wait { until: Some(Duration::from_secs(2)) });
        assert_eq!(b.next_step(Situation { now: Duration::from_secs(2), ..IDLE }), Step::Lease);
    }
}
