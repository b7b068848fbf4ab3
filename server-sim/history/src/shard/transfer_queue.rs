//! Which transfer tasks are to be sent when. A plain state machine: the shard performs what it says.
use crate::HistoryConfig;
use crate::config::backoff;
use std::collections::BTreeMap;
use std::time::Duration;
use tempest_core::{HistoryTask, Time};
use tempest_rt::time::Instant;
use tempest_store::{TaskCategory, TaskKey};

/// Transfer tasks of one shard, by task id. Every durable task up to `read_level` was handed out or is in here; those
/// above are in the store. Tasks that become durable while the queue is caught up never need a read.
pub(crate) struct TransferQueue {
    queued: BTreeMap<i64, Queued>,
    /// With matching, or waiting for their next try.
    busy: BTreeMap<i64, Busy>,
    sending: usize,
    read_level: i64,
    reading: bool,
    page: usize,
    pending_max: usize,
    sending_max: usize,
    retry: (Duration, Duration),
}

struct Queued {
    task: HistoryTask,
    /// When it came here, once that is noted.
    since: Option<Instant>,
}

struct Busy {
    task: HistoryTask,
    failures: u32,
    sending: bool,
    since: Option<Instant>,
}

/// Transfer tasks that are not done with, as far as a queue knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TransferBacklog {
    pub tasks: usize,
    /// Whether the store may hold more.
    pub unread: bool,
    /// When the oldest became durable here, or was read from the store.
    pub oldest_since: Option<Instant>,
}

pub(crate) fn transfer_key(task_id: i64) -> TaskKey {
    TaskKey { category: TaskCategory::Transfer, fire_time: Time::ZERO, task_id }
}

impl TransferQueue {
    pub fn new(config: &HistoryConfig) -> Self {
        Self {
            queued: BTreeMap::new(),
            busy: BTreeMap::new(),
            sending: 0,
            read_level: 0,
            reading: false,
            page: if tempest_rt::buggify!("history-transfer-page-of-one") { 1 } else { config.transfer_page },
            pending_max: config.transfer_pending_max,
            sending_max: config.transfer_concurrency_max,
            retry: (config.task_retry_initial, config.task_retry_max),
        }
    }

    /// `tasks` have become durable, and with them every id below `watermark`; before, it was `watermark_before`.
    pub fn durable(&mut self, watermark_before: i64, watermark: i64, tasks: Vec<(i64, HistoryTask)>) {
        let caught_up = self.read_level + 1 >= watermark_before && !self.reading;
        if caught_up && self.queued.len() + self.busy.len() + tasks.len() <= self.pending_max {
            self.enqueue(tasks);
            self.read_level = watermark - 1;
        }
    }

    /// A page to read, if there may be durable tasks (ids below `watermark`) that are not in here, and room for them:
    /// after, before (both exclusive) and how many.
    pub fn begin_read(&mut self, watermark: i64) -> Option<(TaskKey, TaskKey, usize)> {
        let room = self.pending_max - (self.queued.len() + self.busy.len()).min(self.pending_max);
        if self.reading || self.read_level + 1 >= watermark || !self.queued.is_empty() || room == 0 {
            return None;
        }
        self.reading = true;
        Some((transfer_key(self.read_level), transfer_key(watermark), self.page.min(room)))
    }

    /// The page that was asked for with these bounds.
    pub fn read(&mut self, before: TaskKey, limit: usize, rows: Vec<(i64, HistoryTask)>) {
        self.reading = false;
        self.read_level = match rows.last() {
            Some((last, _)) if rows.len() >= limit => *last,
            _ => before.task_id - 1,
        };
        self.enqueue(rows);
    }

    fn enqueue(&mut self, tasks: Vec<(i64, HistoryTask)>) {
        self.queued.extend(tasks.into_iter().map(|(id, task)| (id, Queued { task, since: None })));
    }

    /// Whether tasks have come since [`TransferQueue::note_arrivals`].
    pub fn has_arrivals(&self) -> bool {
        self.queued.last_key_value().is_some_and(|(_, newest)| newest.since.is_none())
    }

    /// Notes when tasks came. What comes is always newer than what is here.
    pub fn note_arrivals(&mut self, now: Instant) {
        let arrivals = self.queued.values_mut().rev().take_while(|queued| queued.since.is_none());
        arrivals.for_each(|queued| queued.since = Some(now));
    }

    /// What is not done with. Every id below `watermark` is durable or was never used.
    pub fn backlog(&self, watermark: i64) -> TransferBacklog {
        let queued = self.queued.first_key_value().map(|(id, oldest)| (*id, oldest.since));
        let busy = self.busy.first_key_value().map(|(id, oldest)| (*id, oldest.since));
        let oldest = queued.into_iter().chain(busy).min_by_key(|(id, _)| *id);
        TransferBacklog {
            tasks: self.queued.len() + self.busy.len(),
            unread: self.reading || self.read_level + 1 < watermark,
            oldest_since: oldest.and_then(|(_, since)| since),
        }
    }

    /// The next task to check and send, if there is one and matching may be given more.
    pub fn next(&mut self) -> Option<(i64, HistoryTask)> {
        if self.sending >= self.sending_max {
            return None;
        }
        let (id, Queued { task, since }) = self.queued.pop_first()?;
        self.sending += 1;
        self.busy.insert(id, Busy { task: task.clone(), failures: 0, sending: true, since });
        Some((id, task))
    }

    /// It is done with: sent, or not wanted any more.
    pub fn done(&mut self, id: i64) {
        self.busy.remove(&id).expect("only a task that was handed out ends");
        self.sending -= 1;
    }

    /// The tasks that are with matching, or whose calls are being made.
    pub fn in_flight(&self) -> impl Iterator<Item = i64> {
        self.busy.iter().filter(|(_, busy)| busy.sending).map(|(id, _)| *id)
    }

    /// It could not be sent, or its outcome is unknown: returns how long to wait before [`TransferQueue::retry`].
    pub fn failed(&mut self, id: i64) -> Duration {
        self.sending -= 1;
        let busy = self.busy.get_mut(&id).expect("only a task that was handed out fails");
        busy.failures = busy.failures.saturating_add(1);
        busy.sending = false;
        backoff(self.retry.0, self.retry.1, busy.failures)
    }

    /// The wait is over.
    pub fn retry(&mut self, id: i64) -> HistoryTask {
        self.sending += 1;
        let busy = self.busy.get_mut(&id).expect("only a task that has failed is tried again");
        busy.sending = true;
        busy.task.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempest_core::{RunKey, TaskKind, TransferTask};

    fn task() -> HistoryTask {
        HistoryTask { run: RunKey::default(), kind: TaskKind::Transfer(TransferTask::CloseExecution) }
    }

    fn queue(pending_max: usize) -> TransferQueue {
        TransferQueue::new(&HistoryConfig {
            transfer_page: 2,
            transfer_pending_max: pending_max,
            transfer_concurrency_max: 2,
            ..HistoryConfig::default()
        })
    }

    fn ids(queue: &mut TransferQueue) -> Vec<i64> {
        std::iter::from_fn(|| queue.next().map(|(id, _)| id)).collect()
    }

    #[test]
    fn at_first_it_reads_what_an_earlier_owner_left_behind() {
        let mut queue = queue(10);
        let (after, before, limit) = queue.begin_read(100).unwrap();
        assert_eq!((after.task_id, before.task_id, limit), (0, 100, 2));
        assert!(queue.begin_read(100).is_none(), "one read at a time");
        queue.read(before, limit, vec![(5, task()), (9, task())]);
        assert_eq!(ids(&mut queue), [5, 9]);
        let (after, before, limit) = queue.begin_read(100).unwrap();
        assert_eq!(after.task_id, 9);
        queue.read(before, limit, vec![]);
        assert!(queue.begin_read(100).is_none(), "everything below the watermark is read");
    }

    #[test]
    fn caught_up_it_takes_tasks_from_memory_and_when_full_from_the_store() {
        let mut queue = queue(2);
        let (_, before, limit) = queue.begin_read(100).unwrap();
        queue.read(before, limit, vec![]);
        queue.durable(100, 102, vec![(100, task()), (101, task())]);
        // No room: the third stays in the store, and so must the fourth, or the third would be passed over.
        queue.durable(102, 103, vec![(102, task())]);
        assert_eq!(ids(&mut queue), [100, 101]);
        queue.done(100);
        queue.durable(103, 104, vec![(103, task())]);
        let (after, before, limit) = queue.begin_read(104).unwrap();
        assert_eq!((after.task_id, before.task_id, limit), (101, 104, 1));
        queue.read(before, limit, vec![(102, task())]);
        assert_eq!(ids(&mut queue), [102]);
    }

    #[test]
    fn a_task_that_became_durable_during_a_read_is_read_next() {
        let mut queue = queue(10);
        let (_, before, limit) = queue.begin_read(100).unwrap();
        queue.durable(100, 101, vec![(100, task())]);
        queue.read(before, limit, vec![]);
        let (after, before, _) = queue.begin_read(101).unwrap();
        assert_eq!((after.task_id, before.task_id), (99, 101));
    }

    #[test]
    fn a_failed_task_waits_longer_each_time_and_frees_its_place() {
        let mut queue = queue(10);
        let (_, before, limit) = queue.begin_read(10).unwrap();
        queue.read(before, limit, vec![]);
        queue.durable(10, 13, vec![(10, task()), (11, task()), (12, task())]);
        assert_eq!(ids(&mut queue), [10, 11]);
        let first = queue.failed(10);
        assert_eq!(queue.in_flight().collect::<Vec<_>>(), [11], "it waits, and is not being sent");
        assert_eq!(ids(&mut queue), [12]);
        queue.done(11);
        queue.retry(10);
        assert_eq!(queue.in_flight().collect::<Vec<_>>(), [10, 12]);
        assert_eq!(queue.failed(10), first * 2);
    }

    #[test]
    fn the_oldest_task_that_is_not_done_with_tells_how_far_it_is_behind() {
        let (mut queue, start) = (queue(3), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let backlog =
            |tasks, unread, oldest: Option<u64>| TransferBacklog { tasks, unread, oldest_since: oldest.map(at) };
        assert_eq!(queue.backlog(10), backlog(0, true, None), "nothing was read yet");
        let (_, before, limit) = queue.begin_read(10).unwrap();
        queue.read(before, limit, vec![]);
        assert_eq!(queue.backlog(10), backlog(0, false, None));
        for id in 10..13 {
            queue.durable(id, id + 1, vec![(id, task())]);
            assert!(queue.has_arrivals());
            queue.note_arrivals(at(u64::try_from(id).unwrap()));
            assert!(!queue.has_arrivals());
        }
        assert_eq!(queue.backlog(13), backlog(3, false, Some(10)));
        assert_eq!(ids(&mut queue), [10, 11]);
        queue.done(11);
        queue.failed(10);
        assert_eq!(queue.backlog(13), backlog(2, false, Some(10)), "one that failed is not done with");
        queue.retry(10);
        queue.done(10);
        queue.durable(13, 15, vec![(13, task()), (14, task())]);
        queue.note_arrivals(at(14));
        queue.durable(15, 16, vec![(15, task())]);
        assert_eq!(queue.backlog(16), backlog(3, true, Some(12)), "there was no room for the last");
    }
}
