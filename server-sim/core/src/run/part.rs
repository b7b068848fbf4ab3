//! The parts of a run as values of their own: a store keeps them beside the run's row, once there is much of them.
use super::{
    Activity, ActivityProgress, BufferedEvent, Child, ExternalCancel, ExternalSignal, SignalRequests, UserTimer,
};
use crate::{
    CopyOnWrite, EventId, MutableState,
    parts::{Keeps, Kind, Weigh},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Parts come back into their run's row only when they have become so much less than would make them leave it, or a run at
/// the border would move them with each step.
const BACK_IN_ROW: usize = 4;

/// One row for each kind of part: of what it consists, the field that its key is made of, and where a state keeps it. What
/// has no row cannot be kept in [`crate::Parts`].
macro_rules! parts {
    ($(
        $(#[$doc:meta])*
        $kind:ident(
            $first:ident.$id:ident: $type:ident in $half:ident.$field:ident
            $(, $with:ident: $with_type:ident in $with_half:ident.$with_field:ident)*
        );
    )*) => {
        /// Names a part of a run's state that can be stored by itself.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum PartKey {
            /// The run's own row: everything that is none of the others.
            Run,
            $($(#[$doc])* $kind(EventId),)*
        }

        /// A pending thing, all that is known of it. It shares with its state what neither has changed.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub enum Part {
            $($kind(CopyOnWrite<$type> $(, CopyOnWrite<$with_type>)*),)*
        }

        $(
            impl Kind for $type {}
            $(impl Kind for $with_type {})*
        )*

        impl Part {
            pub fn key(&self) -> PartKey {
                match self {
                    $(Self::$kind($first, ..) => PartKey::$kind($first.$id),)*
                }
            }

            /// What it counts for in [`MutableState::approximate_bytes`].
            pub fn approximate_bytes(&self) -> usize {
                match self {
                    $(Self::$kind($first $(, $with)*) => $first.bytes() $(+ $with.bytes())*,)*
                }
            }
        }

        impl MutableState {
            /// A part by itself; `None` if there is no such thing (any more), and for the run's own row.
            pub fn part(&self, key: PartKey) -> Option<Part> {
                Some(match key {
                    PartKey::Run => return None,
                    $(PartKey::$kind(id) => Part::$kind(
                        self.$half.$field.parts().shared(&id)?.clone()
                        $(, self.$with_half.$with_field.parts().shared(&id)?.clone())*
                    ),)*
                })
            }

            pub fn part_count(&self) -> usize {
                0 $(+ self.$half.$field.parts().len())*
            }

            /// All of them, in the order of their keys.
            pub fn part_keys(&self) -> impl Iterator<Item = PartKey> {
                let mut keys = Vec::with_capacity(self.part_count());
                $(keys.extend(self.$half.$field.parts().keys().copied().map(PartKey::$kind));)*
                keys.into_iter()
            }

            /// Puts a part back that was stored by itself: what serde reads of a state is without its parts.
            pub fn restore(&mut self, part: Part) {
                match part {
                    $(Part::$kind($first $(, $with)*) => {
                        let id = $first.$id;
                        self.$half.$field.put(id, $first);
                        $(self.$with_half.$with_field.put(id, $with);)*
                    })*
                }
            }

            /// What the parts count for against the limits; the rest is the row's.
            pub(crate) fn parts_bytes(&self) -> usize {
                0 $(+ self.$half.$field.parts().bytes() $(+ self.$with_half.$with_field.parts().bytes())*)*
            }

            /// The parts that were added, removed or changed since `before`.
            pub(crate) fn parts_changed_since(&self, before: &Self) -> BTreeSet<PartKey> {
                let mut keys = BTreeSet::new();
                $(
                    let changed = self.$half.$field.parts().changed_since(before.$half.$field.parts());
                    keys.extend(changed.into_iter().map(PartKey::$kind));
                    $(
                        let with = &before.$with_half.$with_field;
                        let changed = self.$with_half.$with_field.parts().changed_since(with.parts());
                        keys.extend(changed.into_iter().map(PartKey::$kind));
                    )*
                )*
                keys
            }
        }
    };
}

parts! {
    /// By its scheduled event.
    Activity(
        activity.scheduled_event_id: Activity in durable.activities,
        progress: ActivityProgress in auxiliary.activities
    );
    /// By its started event.
    Timer(timer.started_event_id: UserTimer in durable.timers);
    /// By its initiated event, as are a signal to another run and a request that one be cancelled.
    Child(child.initiated_event_id: Child in durable.children);
    Signal(signal.initiated_event_id: ExternalSignal in durable.signals);
    Cancel(cancel.initiated_event_id: ExternalCancel in durable.cancels);
    /// Of signals that the run has had, by bucket.
    SignalRequests(requests.bucket: SignalRequests in auxiliary.signal_request_ids);
    /// An event that waits for the end of a workflow task, by its place among those that wait.
    Buffered(event.number: BufferedEvent in auxiliary.buffered);
}

impl MutableState {
    /// Whether each part has a row of its own; else the run's row holds them all.
    pub fn parts_are_apart(&self) -> bool {
        self.parts_apart
    }

    /// Decides where the parts are stored from now on. True if that is not where they were.
    pub(crate) fn place_parts(&mut self, in_row_bytes_max: usize) -> bool {
        let max = if self.parts_apart { in_row_bytes_max / BACK_IN_ROW } else { in_row_bytes_max };
        let moves = self.parts_apart != (self.parts_bytes() > max);
        self.parts_apart ^= moves;
        moves
    }
}
