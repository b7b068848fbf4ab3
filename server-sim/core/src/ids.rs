//! Names of things, as types, so that a run id is never passed where a workflow id belongs.
use serde::{Deserialize, Serialize};

macro_rules! string_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }

            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        impl From<&str> for $name {
            fn from(value: &str) -> Self {
                Self(value.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(value: String) -> Self {
                Self(value)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

string_id!(
    /// A namespace's UUID; its human name lives in the registry only.
    NamespaceId
);
string_id!(
    /// Chosen by the user, at most 1000 bytes, unique among the open runs of a namespace.
    WorkflowId
);
string_id!(
    /// A run's UUID.
    RunId
);

/// One run, fully named.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunKey {
    pub namespace_id: NamespaceId,
    pub workflow_id: WorkflowId,
    pub run_id: RunId,
}

/// The history branch a run writes to: a tree (planted by one run) and a branch in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BranchRef {
    pub tree: String,
    pub branch: String,
}

/// Position in a run's history, from 1. 0 means "none", as on the wire.
pub type EventId = i64;
/// Id of the first event that has not been written (Temporal's `EmptyEventID`/buffered marker on the wire is -123).
pub const BUFFERED_EVENT_ID: EventId = -123;

/// Shard time: nanoseconds since the Unix epoch, as judged by the owner of the shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(pub i64);

impl Time {
    pub const ZERO: Time = Time(0);

    pub fn plus(self, duration: std::time::Duration) -> Time {
        Time(self.0.saturating_add(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub fn since(self, earlier: Time) -> std::time::Duration {
        std::time::Duration::from_nanos(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The nearest whole millisecond; the later one if both are as near.
    pub(crate) fn to_whole_ms(self) -> Time {
        const MS: i64 = 1_000_000;
        Time(self.0.saturating_add(MS / 2).div_euclid(MS) * MS)
    }

    pub fn to_proto(self) -> prost_wkt_types::Timestamp {
        prost_wkt_types::Timestamp {
            seconds: self.0.div_euclid(1_000_000_000),
            nanos: i32::try_from(self.0.rem_euclid(1_000_000_000)).expect("a remainder below 1e9 fits i32"),
        }
    }

    pub fn from_proto(timestamp: &prost_wkt_types::Timestamp) -> Time {
        Time(timestamp.seconds.saturating_mul(1_000_000_000).saturating_add(i64::from(timestamp.nanos)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_to_milliseconds() {
        for (time, expect) in
            [(0, 0), (499_999, 0), (500_000, 1_000_000), (1_499_999, 1_000_000), (7_000_000, 7_000_000)]
        {
            assert_eq!(Time(time).to_whole_ms(), Time(expect));
        }
    }
}
