//! Tasks that are done with and wait for a commit that deletes them.
use std::time::Duration;
use tempest_rt::time::Instant;
use tempest_store::TaskKey;

#[derive(Default)]
pub(crate) struct Deletions {
    keys: Vec<TaskKey>,
    /// When they get a commit of their own.
    flush_at: Option<Instant>,
}

impl Deletions {
    /// This one travels with the next commit, or after `delay` with one of its own.
    pub fn add(&mut self, now: Instant, key: TaskKey, delay: Duration) {
        self.keys.push(key);
        self.flush_at.get_or_insert(now + delay);
    }

    /// All of them, for a commit.
    pub fn take(&mut self) -> Vec<TaskKey> {
        self.flush_at = None;
        std::mem::take(&mut self.keys)
    }

    pub fn flush_at(&self) -> Option<Instant> {
        self.flush_at
    }

    /// Whether they need a commit of their own now: they have waited long enough, or are as many as share one.
    pub fn are_due(&self, now: Instant, batch_max: usize) -> bool {
        self.flush_at.is_some_and(|flush_at| self.keys.len() >= batch_max || now >= flush_at)
    }
}

#[cfg(test)]
mod tests {
    use super::super::transfer_queue::transfer_key;
    use super::*;

    #[test]
    fn deletions_wait_for_a_commit_until_they_are_many_or_old() {
        let (start, delay) = (Instant::now(), Duration::from_secs(1));
        let mut deletions = Deletions::default();
        assert!(!deletions.are_due(start, 2));
        deletions.add(start, transfer_key(1), delay);
        assert!(!deletions.are_due(start, 2) && deletions.are_due(start + delay, 2));
        deletions.add(start + delay / 2, transfer_key(2), delay);
        assert!(deletions.are_due(start, 2));
        assert_eq!((deletions.flush_at(), deletions.take().len()), (Some(start + delay), 2));
        assert_eq!(deletions.flush_at(), None);
    }
}
