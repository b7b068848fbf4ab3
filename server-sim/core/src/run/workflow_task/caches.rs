//! Workers cache runs, and a failover of the database may take back what they have cached.
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Whose cache of the run is no further than its history. A failover of the database may take events back that workers have
/// applied already; no SDK notices, and what such a worker answers does not follow from the history that is left.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Caches {
    /// On another one, no worker's.
    pub timeline: u32,
    /// Workers, by identity, that have dropped what they had cached. `None`: the run began on this timeline, and everybody
    /// is with it.
    pub emptied: Option<BTreeSet<String>>,
}

impl Caches {
    /// Workers remembered for a run; one that is forgotten drops its cache once more.
    const EMPTIED_MAX: usize = 16;

    /// Of a run that begins now.
    pub(crate) fn fresh(timeline: u32) -> Self {
        Self { timeline, emptied: None }
    }

    /// Whether a worker's cache can be no further than the history.
    pub(crate) fn agree(&self, timeline: u32, identity: &str) -> bool {
        self.timeline == timeline && self.emptied.as_ref().is_none_or(|emptied| emptied.contains(identity))
    }

    /// After this worker was told to drop what it has.
    pub(crate) fn after_emptying(&self, timeline: u32, identity: &str) -> Self {
        let mut emptied = self.emptied.clone().filter(|_| self.timeline == timeline).unwrap_or_default();
        if emptied.len() >= Self::EMPTIED_MAX {
            emptied.pop_first();
        }
        emptied.insert(identity.to_owned());
        Self { timeline, emptied: Some(emptied) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_agrees_with_the_timeline_it_was_emptied_on() {
        let fresh = Caches::fresh(2);
        assert!(fresh.agree(2, "a") && !fresh.agree(3, "a"));
        let caches = fresh.after_emptying(3, "a");
        assert!(caches.agree(3, "a") && !caches.agree(3, "b") && !caches.agree(2, "a"));
        let caches = caches.after_emptying(3, "b");
        assert!(caches.agree(3, "a") && caches.agree(3, "b"));
        assert!(!caches.after_emptying(4, "b").agree(4, "a"), "of another timeline nothing is known");
    }

    #[test]
    fn only_so_many_workers_are_remembered() {
        let caches = (0..100).fold(Caches::fresh(0), |caches, worker| caches.after_emptying(1, &worker.to_string()));
        assert_eq!(caches.emptied.map(|emptied| emptied.len()), Some(Caches::EMPTIED_MAX));
    }
}
