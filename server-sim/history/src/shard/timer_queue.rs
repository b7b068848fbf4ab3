//! Which timers fire when. A plain state machine: the shard performs what it says.
use crate::HistoryConfig;
use crate::config::backoff;
use std::collections::BTreeMap;
use std::time::Duration;
use tempest_core::{HistoryTask, Time};
use tempest_store::{TaskCategory, TaskKey};

/// Timers of one shard, by due time. Every durable timer below `loaded_until` was handed out or is in here, those
/// from there on are in the store.
///
/// There is no cursor that a new timer could fall behind: a timer that becomes durable with a key below `loaded_until`
/// is put in its place, however early it is, and fires at once if it is due. That is why a clock that jumps forth and
/// back loses nothing.
pub(crate) struct TimerQueue {
    pending: BTreeMap<TaskKey, HistoryTask>,
    /// Handed out, with the tries that failed.
    firing: BTreeMap<TaskKey, u32>,
    /// Those of them that wait for another try: runs that cannot be read must not stand in the way of others.
    waiting: usize,
    loaded_until: TaskKey,
    reading: Option<Reading>,
    /// Only the planted bug looks at it: what a reader that looks ahead believes to have read.
    cursor: TaskKey,
    page: usize,
    pending_max: usize,
    firing_max: usize,
    retry: (Duration, Duration),
}

/// A page being read.
struct Reading {
    from: TaskKey,
    /// What became durable in the meantime, at or above `from`: the page may or may not hold it.
    arrived: BTreeMap<TaskKey, HistoryTask>,
}

pub(crate) fn timer_key(fire_time: Time, task_id: i64) -> TaskKey {
    TaskKey { category: TaskCategory::Timer, fire_time, task_id }
}

/// What a queue knows of the timers that have not fired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EarliestTimer {
    /// Nothing is in memory, and what is in the store is being read.
    NotRead,
    None,
    Due(Time),
}

/// How far beyond what it fires a reader with a cursor has read.
const LOOK_AHEAD: Duration = Duration::from_secs(1);

/// Timers that wait for another try: with so many, the shard fires none until some of their runs can be read.
const WAITING_MAX: usize = 4096;

const END: TaskKey = TaskKey { category: TaskCategory::Timer, fire_time: Time(i64::MAX), task_id: i64::MAX };

impl TimerQueue {
    pub fn new(config: &HistoryConfig, now: Time) -> Self {
        let start = if tempest_rt::planted!(crate::plants::TIMERS_LOST_ON_RELOAD) { now } else { Time::ZERO };
        Self {
            pending: BTreeMap::new(),
            firing: BTreeMap::new(),
            waiting: 0,
            loaded_until: timer_key(start, 0),
            reading: None,
            cursor: timer_key(Time::ZERO, 0),
            page: if tempest_rt::buggify!("history-timer-page-of-one") { 1 } else { config.timer_page },
            pending_max: config.timer_pending_max,
            firing_max: config.timers_firing_max,
            retry: (config.task_retry_initial, config.task_retry_max),
        }
    }

    /// These have become durable.
    pub fn durable(&mut self, timers: Vec<(TaskKey, HistoryTask)>) {
        for (key, task) in timers {
            if tempest_rt::planted!(crate::plants::TIMER_BEHIND_CURSOR) && key < self.cursor {
                continue;
            }
            if key < self.loaded_until {
                self.insert(key, task);
            } else if let Some(reading) = &mut self.reading {
                reading.arrived.insert(key, task);
            }
        }
    }

    fn insert(&mut self, key: TaskKey, task: HistoryTask) {
        self.pending.insert(key, task);
        if self.pending.len() > self.pending_max {
            // The last one can be read again.
            let (last, _) = self.pending.pop_last().expect("more than the bound is more than none");
            self.loaded_until = last;
        }
    }

    /// A page to read, if nothing is pending here and the store may hold more: after and before (both exclusive) and
    /// how many.
    pub fn begin_read(&mut self) -> Option<(TaskKey, TaskKey, usize)> {
        if self.reading.is_some() || !self.pending.is_empty() || self.loaded_until >= END {
            return None;
        }
        self.reading = Some(Reading { from: self.loaded_until, arrived: BTreeMap::new() });
        // `loaded_until` itself may be in the store. Task ids are positive, so one less is still a key.
        let after = TaskKey { task_id: self.loaded_until.task_id - 1, ..self.loaded_until };
        Some((after, END, self.page))
    }

    /// The page that was asked for. Timers from `first_undurable_id` on may be in it, but come by
    /// [`TimerQueue::durable`] in their own time.
    pub fn read(&mut self, limit: usize, rows: Vec<(TaskKey, HistoryTask)>, first_undurable_id: i64) {
        let Reading { from, arrived } = self.reading.take().expect("a page comes from a read that was begun");
        if from != self.loaded_until {
            // So many early timers arrived meanwhile that the latest of them were left to the store again: there is a
            // gap below this page. All of it is read anew when its turn comes.
            return;
        }
        self.loaded_until = match rows.last() {
            Some((last, _)) if rows.len() >= limit => TaskKey { task_id: last.task_id + 1, ..*last },
            _ => END,
        };
        for (key, task) in rows {
            if key.task_id < first_undurable_id {
                self.pending.insert(key, task);
            }
        }
        for (key, task) in arrived {
            if key < self.loaded_until {
                self.insert(key, task);
            }
        }
    }

    /// When the next timer that may be handed out is due.
    pub fn next_due(&self) -> Option<Time> {
        if self.firing.len() - self.waiting >= self.firing_max || self.waiting >= WAITING_MAX {
            return None;
        }
        self.pending.first_key_value().map(|(key, _)| key.fire_time)
    }

    /// The earliest timer that is not decided, also if it must wait for others or for another try.
    pub fn earliest(&self) -> EarliestTimer {
        let pending = self.pending.first_key_value().map(|(key, _)| key.fire_time);
        let firing = self.firing.first_key_value().map(|(key, _)| key.fire_time);
        match pending.into_iter().chain(firing).min() {
            Some(due) => EarliestTimer::Due(due),
            None if self.reading.is_some() || self.loaded_until < END => EarliestTimer::NotRead,
            None => EarliestTimer::None,
        }
    }

    /// The next timer that is due, if there is one and more may be fired.
    pub fn next(&mut self, now: Time) -> Option<(TaskKey, HistoryTask)> {
        if self.next_due()? > now {
            return None;
        }
        let (key, task) = self.pending.pop_first()?;
        self.cursor = self.cursor.max(timer_key(key.fire_time.plus(LOOK_AHEAD), 0));
        self.firing.insert(key, 0);
        Some((key, task))
    }

    /// It is decided: fired or found stale.
    pub fn done(&mut self, key: TaskKey) {
        self.firing.remove(&key).expect("only a timer that was handed out ends");
    }

    /// Its run could not be read: returns how long to wait before [`TimerQueue::retry`].
    pub fn failed(&mut self, key: TaskKey) -> Duration {
        self.waiting += 1;
        let failures = self.firing.get_mut(&key).expect("only a timer that was handed out fails");
        *failures = failures.saturating_add(1);
        backoff(self.retry.0, self.retry.1, *failures)
    }

    /// The wait is over.
    pub fn retry(&mut self) {
        self.waiting -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempest_core::{RunKey, TaskKind, TimerKind, TimerTask};

    fn timer(fire_time: i64, id: i64) -> (TaskKey, HistoryTask) {
        let kind = TaskKind::Timer(TimerTask { fire_time: Time(fire_time), kind: TimerKind::RunTimeout });
        (timer_key(Time(fire_time), id), HistoryTask { run: RunKey::default(), kind })
    }

    fn queue(pending_max: usize) -> TimerQueue {
        let config = HistoryConfig { timer_page: 2, timer_pending_max: pending_max, ..HistoryConfig::default() };
        TimerQueue::new(&config, Time::ZERO)
    }

    fn fired(queue: &mut TimerQueue, now: i64) -> Vec<i64> {
        std::iter::from_fn(|| queue.next(Time(now)).map(|(key, _)| key.task_id)).collect()
    }

    #[test]
    fn pages_are_read_until_the_store_is_known_whole() {
        let mut queue = queue(10);
        assert_eq!(queue.earliest(), EarliestTimer::NotRead);
        let (after, _, limit) = queue.begin_read().unwrap();
        assert_eq!((after.fire_time, limit), (Time::ZERO, 2));
        queue.read(limit, vec![timer(10, 1), timer(20, 2)], 100);
        assert_eq!(fired(&mut queue, 15), [1]);
        assert_eq!(queue.next_due(), Some(Time(20)));
        assert!(queue.begin_read().is_none(), "one is still pending, and all others are later");
        assert_eq!(fired(&mut queue, 25), [2]);
        let (after, _, limit) = queue.begin_read().unwrap();
        assert_eq!((after.fire_time, after.task_id), (Time(20), 2));
        queue.read(limit, vec![], 100);
        assert!(queue.begin_read().is_none());
        assert_eq!(queue.earliest(), EarliestTimer::Due(Time(10)), "those that fire are not decided");
        queue.done(timer(10, 1).0);
        queue.done(timer(20, 2).0);
        assert_eq!(queue.earliest(), EarliestTimer::None);
        queue.durable(vec![timer(30, 4)]);
        assert_eq!(queue.next_due(), Some(Time(30)));
    }

    #[test]
    fn a_timer_earlier_than_what_has_fired_is_not_lost() {
        let mut queue = queue(10);
        let (_, _, limit) = queue.begin_read().unwrap();
        queue.read(limit, vec![timer(1000, 1)], 100);
        assert_eq!(fired(&mut queue, 1000), [1]);
        queue.durable(vec![timer(500, 2)]);
        assert_eq!(fired(&mut queue, 1000), [2]);
    }

    #[test]
    fn what_becomes_durable_during_a_read_is_kept_once() {
        let mut queue = queue(10);
        let (_, _, limit) = queue.begin_read().unwrap();
        queue.durable(vec![timer(5, 7), timer(50, 8)]);
        // The page saw one of them; a third that is not durable yet comes by itself.
        queue.read(limit, vec![timer(5, 7), timer(9, 9)], 9);
        assert_eq!(fired(&mut queue, 100), [7]);
        let (after, _, limit) = queue.begin_read().unwrap();
        assert_eq!((after.fire_time, after.task_id), (Time(9), 9));
        queue.read(limit, vec![timer(50, 8)], 9);
        assert_eq!(fired(&mut queue, 100), [8]);
        queue.durable(vec![timer(9, 9)]);
        assert_eq!(fired(&mut queue, 100), [9]);
    }

    #[test]
    fn timers_that_wait_for_another_try_stand_in_nobodys_way() {
        let config = HistoryConfig { timers_firing_max: 1, ..HistoryConfig::default() };
        let mut queue = TimerQueue::new(&config, Time::ZERO);
        let (_, _, limit) = queue.begin_read().unwrap();
        queue.read(limit, vec![timer(10, 1), timer(20, 2), timer(30, 3)], 100);
        assert_eq!(fired(&mut queue, 100), [1]);
        queue.failed(timer(10, 1).0);
        assert_eq!(fired(&mut queue, 100), [2]);
        queue.retry();
        queue.done(timer(20, 2).0);
        assert_eq!(queue.next_due(), None, "the first one is tried again now");
        assert_eq!(queue.earliest(), EarliestTimer::Due(Time(10)));
        queue.done(timer(10, 1).0);
        assert_eq!(fired(&mut queue, 100), [3]);
    }

    #[test]
    fn beyond_its_bound_the_latest_timers_stay_in_the_store() {
        let mut queue = queue(2);
        let (_, _, limit) = queue.begin_read().unwrap();
        queue.read(limit, vec![], 100);
        queue.durable(vec![timer(30, 1), timer(10, 2), timer(20, 3)]);
        assert_eq!(fired(&mut queue, 100), [2, 3]);
        let (after, _, limit) = queue.begin_read().unwrap();
        assert_eq!((after.fire_time, after.task_id), (Time(30), 0));
        queue.read(limit, vec![timer(30, 1)], 100);
        assert_eq!(fired(&mut queue, 100), [1]);
    }
}
