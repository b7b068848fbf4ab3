//! The bookkeeping of one partition's durable backlog, pure: what is leased, read, written and done, and what the shell
//! has to do next.
//!
//! Ids rise with every lease and every row, so rows read in order of their ids are read in order of their arrival. The
//! ack level never passes a row that is in the store, so whatever a crash forgets is read again: offered twice perhaps,
//! never lost, nor left behind.
//!
//! How many rows there are is counted exactly, and stored with every write. The holder of the lease is the only one that
//! adds and deletes rows; it deletes only rows that it has seen in the store since its lease began, so each is counted
//! down once, also where the end of an earlier deletion is unknown.
use std::collections::BTreeSet;
use std::time::Duration;
use tempest_store::{PartitionRecord, RangeId};

/// Row ids of one lease: its range id in the high bits.
const ROWS_PER_LEASE_BITS: u32 = 24;

/// What the keeper does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Lease the partition.
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
    /// Rows up to here were read, or dispatched directly when they were written.
    read_level: i64,
    /// No row above the read level is in the store.
    caught_up: bool,
    /// Something was read since the lease began.
    was_read: bool,
    /// In the store, as of the lease or of the last write that went through.
    rows: u64,
    /// Rows in memory that are not done.
    outstanding: BTreeSet<i64>,
    /// Rows done whose deletion is not durable yet.
    done: BTreeSet<i64>,
    done_since: Option<Duration>,
    /// When the lease began, or a write last went through.
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
        let deletable = self.deletable();
        let deletion_due = self.done_since.filter(|_| deletable > 0).map(|since| since + s.deletion_interval);
        let check_due = s.lease_check_interval.map(|interval| self.proven_at + interval);
        let is_due = |due: Option<Duration>| due.is_some_and(|due| due <= s.now);
        if s.appends > 0 || deletable >= s.deletion_batch_rows || is_due(deletion_due) || is_due(check_due) {
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
        self.was_read = false;
        self.rows = record.rows;
        // No row up to the ack level is in the store. Of those above it reading will show which are.
        let above = record.ack_level.saturating_add(1);
        self.done = self.done.split_off(&above);
        self.outstanding = self.outstanding.split_off(&above);
    }

    /// Another node may own the partition, or a write may or may not have happened: a new lease fences it, and what is
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

    /// Rows to delete with the next write, and its ack level: below every row that is not done, and below the first one
    /// done that the write leaves. The next owner reads only above it, so what lies below would never be deleted.
    pub(crate) fn deletions(&self, max: usize) -> (Vec<i64>, i64) {
        let deleted: Vec<i64> = self.done.range(..=self.read_level).copied().take(max).collect();
        let mut left = self.done.iter().copied().skip(deleted.len());
        let first_left = left.next().into_iter().chain(self.outstanding.first().copied()).min();
        let level = first_left.map_or(self.read_level, |first| self.read_level.min(first - 1));
        (deleted, level.max(self.ack_level_stored))
    }

    /// Rows in the store once a write of so many is done.
    pub(crate) fn rows_after(&self, added: usize, deleted: usize) -> u64 {
        (self.rows + added as u64).saturating_sub(deleted as u64)
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
        self.rows = self.rows_after(rows.len(), deleted.len());
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
        self.was_read = true;
        self.caught_up = rows.len() < limit;
        let from = self.read_level.saturating_add(1);
        if let Some(last) = rows.last() {
            self.read_level = self.read_level.max(*last);
        }
        // What is known from an earlier lease and is not in the store any more was deleted: by a write whose end was
        // unknown, or by another owner.
        let until = if self.caught_up { i64::MAX } else { self.read_level };
        let in_page = |row: &i64| !(from..=until).contains(row) || rows.binary_search(row).is_ok();
        self.done.retain(in_page);
        self.outstanding.retain(in_page);
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

    /// Rows in the store that are not done.
    pub(crate) fn count(&self) -> u64 {
        self.rows.saturating_sub(self.deletable() as u64)
    }

    /// The oldest row that is not done, among those that were read.
    pub(crate) fn oldest(&self) -> Option<i64> {
        self.outstanding.first().copied()
    }

    /// Whether it is known how many rows there are, and which is the oldest.
    pub(crate) fn is_known(&self) -> bool {
        self.lease.is_some() && (self.was_read || !self.outstanding.is_empty())
    }

    /// Rows done that were seen in the store under this lease.
    fn deletable(&self) -> usize {
        self.done.range(..=self.read_level).count()
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
mod tests;
