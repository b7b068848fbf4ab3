//! Transfer tasks whose call was tried with an unknown outcome, and when that try ended.
use super::DUPLICATE_LATE_MAX;
use std::collections::BTreeMap;
use tempest_rt::time::Instant;

/// By task id, the newest try. There are no more of them than tasks that are being tried, and of the previous ownership
/// those of the last [`DUPLICATE_LATE_MAX`].
#[derive(Default)]
pub(super) struct UnknownTries(BTreeMap<i64, Instant>);

impl UnknownTries {
    /// A later refusal does not call back what this try may have done, so nothing but the task's end removes it.
    pub fn note(&mut self, task_id: i64, ended: Instant) {
        self.0.insert(task_id, ended);
    }

    pub fn forget(&mut self, task_id: i64) {
        self.0.remove(&task_id);
    }

    /// When the newest such try of this task ended.
    pub fn newest(&self, task_id: i64) -> Option<Instant> {
        self.0.get(&task_id).copied()
    }

    /// As the next ownership must see it: the calls that are in flight now end unknown.
    pub fn with_in_flight(&self, now: Instant, in_flight: impl Iterator<Item = i64>) -> UnknownTries {
        let before = self.0.iter().map(|(id, ended)| (*id, *ended));
        let before = before.filter(|(_, ended)| now < *ended + DUPLICATE_LATE_MAX);
        UnknownTries(before.chain(in_flight.map(|id| (id, now))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_arrive_any_more_is_not_handed_on() {
        let start = Instant::now();
        let mut tries = UnknownTries::default();
        tries.note(1, start);
        tries.note(2, start);
        tries.note(3, start);
        tries.forget(3);
        let later = start + DUPLICATE_LATE_MAX;
        tries.note(2, later);
        let next = tries.with_in_flight(later, [4].into_iter());
        assert_eq!(next.0, [(2, later), (4, later)].into());
    }
}
