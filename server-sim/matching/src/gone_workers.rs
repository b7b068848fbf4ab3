//! Workers that said that they go down. A poll of theirs that was sent before they said so may arrive after it, and the
//! task it would get would go nowhere.
use std::collections::BTreeMap;
use std::time::Duration;

/// For so long a worker's polls are refused; Temporal's is the same.
const REMEMBERED: Duration = Duration::from_secs(30);
/// So many workers are remembered; then the one that went first is forgotten.
const WORKERS_MAX: usize = 10_000;

/// By instance key, with the time when it was said. Times are durations since some fixed moment of the shell's clock.
#[derive(Debug, Default)]
pub(crate) struct GoneWorkers(BTreeMap<String, Duration>);

impl GoneWorkers {
    pub(crate) fn insert(&mut self, worker: &str, now: Duration) {
        self.0.retain(|_, said| now.saturating_sub(*said) < REMEMBERED);
        if self.0.len() >= WORKERS_MAX {
            let first = self.0.iter().min_by_key(|(_, said)| **said).map(|(worker, _)| worker.clone());
            self.0.remove(&first.expect("it is full"));
        }
        self.0.insert(worker.to_owned(), now);
    }

    pub(crate) fn contains(&self, worker: &str, now: Duration) -> bool {
        self.0.get(worker).is_some_and(|said| now.saturating_sub(*said) < REMEMBERED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_forgotten_after_a_while_and_when_there_are_too_many() {
        let at = Duration::from_secs;
        let mut gone = GoneWorkers::default();
        gone.insert("a", at(1));
        assert!(gone.contains("a", at(30)) && !gone.contains("a", at(31)) && !gone.contains("b", at(1)));
        for worker in 0..WORKERS_MAX {
            gone.insert(&worker.to_string(), at(2));
        }
        assert!(!gone.contains("a", at(2)) && gone.contains("0", at(2)));
        gone.insert("b", at(40));
        assert_eq!(gone.0.len(), 1);
    }
}
