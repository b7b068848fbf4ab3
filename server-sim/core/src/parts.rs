//! The pending things of a run: activities, timers, children, signals, cancellations. Each is known by the event that
//! began it.
use crate::{CopyOnWrite, EventId};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{collections::BTreeMap, fmt, ops::Index};

/// A part of a run's state that can be stored by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartKey {
    /// The run's own row: everything that is none of the others.
    Run,
    /// By its scheduled event.
    Activity(EventId),
    /// By its started event.
    Timer(EventId),
    /// By its initiated event, as are a signal to another run and a request that one be cancelled.
    Child(EventId),
    Signal(EventId),
    Cancel(EventId),
}

/// All pending things of one kind. Copies share what neither has changed, thing by thing: a run with a thousand
/// activities whose one activity beats copies that one, and a list of pointers.
#[derive(Clone, PartialEq)]
pub struct Parts<T>(CopyOnWrite<BTreeMap<EventId, CopyOnWrite<T>>>);

impl<T> Parts<T> {
    pub fn get(&self, id: &EventId) -> Option<&T> {
        self.0.get(id).map(|part| &**part)
    }

    pub fn contains_key(&self, id: &EventId) -> bool {
        self.0.contains_key(id)
    }

    pub fn keys(&self) -> impl Iterator<Item = &EventId> {
        self.0.keys()
    }

    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.0.values().map(|part| &**part)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&EventId, &T)> {
        self.0.iter().map(|(id, part)| (id, &**part))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Clone> Parts<T> {
    pub(crate) fn get_mut(&mut self, id: &EventId) -> Option<&mut T> {
        // Looked up before the map is changed, since that copies it.
        self.0.contains_key(id).then(|| &mut **self.0.get_mut(id).expect("it was just found"))
    }

    pub(crate) fn insert(&mut self, id: EventId, part: T) {
        self.0.insert(id, part.into());
    }

    /// False if there is no such thing.
    pub(crate) fn remove(&mut self, id: &EventId) -> bool {
        self.0.contains_key(id) && self.0.remove(id).is_some()
    }
}

impl<T: PartialEq> Parts<T> {
    /// What was added, removed or changed since `before`.
    pub(crate) fn changed_since<'a>(&'a self, before: &'a Self) -> Vec<EventId> {
        if self.0.is_shared_with(&before.0) {
            return Vec::new();
        }
        let all = self.0.keys().chain(before.0.keys().filter(|id| !self.0.contains_key(id)));
        all.filter(|id| self.0.get(id) != before.0.get(id)).copied().collect()
    }
}

impl<T> Index<&EventId> for Parts<T> {
    type Output = T;

    fn index(&self, id: &EventId) -> &T {
        &self.0[id]
    }
}

impl<T> Default for Parts<T> {
    fn default() -> Self {
        Self(CopyOnWrite::default())
    }
}

impl<T: fmt::Debug> fmt::Debug for Parts<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Serialize> Serialize for Parts<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Parts<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        CopyOnWrite::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_shares_what_it_has_not_changed() {
        let mut before = Parts::default();
        (1..=1000).for_each(|id| before.insert(id, format!("part {id}")));
        let mut after = before.clone();
        assert!(after.changed_since(&before).is_empty());
        assert!(!after.remove(&1001) && after.get_mut(&1001).is_none());
        assert!(after.0.is_shared_with(&before.0), "a miss copies nothing");

        after.get_mut(&7).unwrap().push('!');
        after.insert(1001, "part 1001".into());
        assert!(after.remove(&9));
        assert_eq!(after.changed_since(&before), [7, 1001, 9]);
        assert_eq!((before[&7].as_str(), after[&7].as_str()), ("part 7", "part 7!"));
        let shared = before.0.iter().filter(|(id, part)| after.0.get(id).is_some_and(|copy| copy.is_shared_with(part)));
        assert_eq!(shared.count(), 998);
    }
}
