//! The pending things of a run: activities, timers, children, signals, cancellations. Each is known by the event that
//! began it.
use crate::{CopyOnWrite, EventId};
use std::{collections::BTreeMap, fmt, ops::Index};

/// What a part of a state counts for against the limits, in bytes.
pub trait Weigh {
    fn bytes(&self) -> usize;
}

/// A kind of thing that is stored: the registry of parts (`run/part.rs`) has a row for it.
pub trait Kind {}

/// What a state has for the parts of one kind.
pub(crate) trait Keeps<T> {
    fn parts(&self) -> &Parts<T>;

    /// Takes one back that was stored by itself.
    fn put(&mut self, id: EventId, part: CopyOnWrite<T>);
}

/// Things whose ids are that close together are copied together.
const CHUNK: EventId = 64;

type Chunk<T> = BTreeMap<EventId, CopyOnWrite<T>>;

/// All pending things of one kind. Copies share what neither has changed, thing by thing: a run with a thousand
/// activities whose one activity beats copies that one, the pointers to its neighbours, and a list of chunks.
#[derive(Clone, PartialEq)]
pub struct Parts<T> {
    /// Each by what the ids of its things have in common. None is empty.
    chunks: CopyOnWrite<BTreeMap<EventId, CopyOnWrite<Chunk<T>>>>,
    len: usize,
    /// The sum of what they weigh: asked for with each decision.
    bytes: usize,
}

fn chunk_of(id: EventId) -> EventId {
    id.div_euclid(CHUNK)
}

impl<T> Parts<T> {
    pub fn get(&self, id: &EventId) -> Option<&T> {
        self.shared(id).map(|part| &**part)
    }

    /// The same as a copy of its own, which costs nothing until one of both is changed.
    pub(crate) fn shared(&self, id: &EventId) -> Option<&CopyOnWrite<T>> {
        self.chunks.get(&chunk_of(*id))?.get(id)
    }

    pub fn contains_key(&self, id: &EventId) -> bool {
        self.shared(id).is_some()
    }

    pub fn keys(&self) -> impl Iterator<Item = &EventId> {
        self.chunks.values().flat_map(|chunk| chunk.keys())
    }

    pub(crate) fn last_key(&self) -> Option<EventId> {
        self.chunks.values().next_back()?.keys().next_back().copied()
    }

    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.iter().map(|(_, part)| part)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&EventId, &T)> {
        self.chunks.values().flat_map(|chunk| chunk.iter()).map(|(id, part)| (id, &**part))
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What all of them count for.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl<T: Clone + Weigh> Parts<T> {
    /// Changes one of them, if it is there; returns what `change` does.
    pub(crate) fn change<R>(&mut self, id: &EventId, change: impl FnOnce(&mut T) -> R) -> Option<R> {
        // Looked up before the maps are changed, since that copies them.
        let before = self.get(id)?.bytes();
        let chunk = self.chunks.get_mut(&chunk_of(*id)).expect("it was just found");
        let part = &mut **chunk.get_mut(id).expect("it was just found");
        let result = change(part);
        self.bytes = self.bytes - before + part.bytes();
        Some(result)
    }

    pub(crate) fn insert(&mut self, id: EventId, part: impl Into<CopyOnWrite<T>>) {
        let part = part.into();
        self.bytes += part.bytes();
        match self.chunks.entry(chunk_of(id)).or_default().insert(id, part) {
            Some(before) => self.bytes -= before.bytes(),
            None => self.len += 1,
        }
    }

    /// False if there is no such thing.
    pub(crate) fn remove(&mut self, id: &EventId) -> bool {
        if !self.contains_key(id) {
            return false;
        }
        let chunk = self.chunks.get_mut(&chunk_of(*id)).expect("it was just found");
        let removed = chunk.remove(id).expect("it was just found");
        if chunk.is_empty() {
            self.chunks.remove(&chunk_of(*id));
        }
        self.len -= 1;
        self.bytes -= removed.bytes();
        true
    }
}

impl<T: Clone + Weigh> Keeps<T> for Parts<T> {
    fn parts(&self) -> &Self {
        self
    }

    fn put(&mut self, id: EventId, part: CopyOnWrite<T>) {
        self.insert(id, part);
    }
}

impl<T: PartialEq> Parts<T> {
    /// What was added, removed or changed since `before`.
    pub(crate) fn changed_since(&self, before: &Self) -> Vec<EventId> {
        if self.chunks.is_shared_with(&before.chunks) {
            return Vec::new();
        }
        let removed = before.keys().filter(|id| !self.contains_key(id));
        let changed = self.keys().filter(|id| self.shared(id) != before.shared(id));
        changed.chain(removed).copied().collect()
    }
}

impl<T> Index<&EventId> for Parts<T> {
    type Output = T;

    fn index(&self, id: &EventId) -> &T {
        self.get(id).expect("only what is pending is indexed")
    }
}

/// Only what has a row in the registry, so that no kind of part is forgotten where all of them are asked.
impl<T: Kind> Default for Parts<T> {
    fn default() -> Self {
        Self { chunks: CopyOnWrite::default(), len: 0, bytes: 0 }
    }
}

impl<T: fmt::Debug> fmt::Debug for Parts<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Weigh for String {
        fn bytes(&self) -> usize {
            self.len()
        }
    }

    impl Kind for String {}

    fn check(parts: &Parts<String>) {
        assert_eq!(parts.len(), parts.iter().count());
        assert_eq!(parts.bytes(), parts.values().map(String::len).sum::<usize>());
        assert!(parts.chunks.values().all(|chunk| !chunk.is_empty()));
        assert!(parts.keys().is_sorted());
        assert_eq!(parts.last_key(), parts.keys().last().copied());
    }

    #[test]
    fn a_copy_shares_what_it_has_not_changed() {
        let mut before = Parts::default();
        (1..=1000).for_each(|id| before.insert(id, format!("part {id}")));
        let mut after = before.clone();
        assert!(after.changed_since(&before).is_empty());
        assert!(!after.remove(&1001) && after.change(&1001, |_| ()).is_none());
        assert!(after.chunks.is_shared_with(&before.chunks), "a miss copies nothing");

        after.change(&7, |part| part.push('!')).unwrap();
        after.insert(1001, "part 1001".to_owned());
        after.insert(1001, "the new part 1001".to_owned());
        assert!(after.remove(&9));
        assert_eq!(after.changed_since(&before), [7, 1001, 9]);
        assert_eq!((before[&7].as_str(), after[&7].as_str()), ("part 7", "part 7!"));
        let shared = before.keys().filter(|id| match (before.shared(id), after.shared(id)) {
            (Some(before), Some(after)) => before.is_shared_with(after),
            _ => false,
        });
        assert_eq!(shared.count(), 998);
        [&before, &after].into_iter().for_each(check);
        let chunks = |parts: &Parts<String>| parts.chunks.len();
        (960..=1001).for_each(|id| assert!(after.remove(&id)));
        assert_eq!((chunks(&before), chunks(&after)), (16, 15), "an empty chunk goes");
        check(&after);
    }
}
