//! Faults of calls that no packet fault makes often enough: what is executed and what the caller learns come apart, where
//! workers and clients call servers, and where servers call each other.
use super::{Family, Kind, millis};
use crate::Host;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Each of these strikes some calls of one host for a while; they differ in what then becomes of a call.
macro_rules! struck_calls {
    ($($(#[$doc:meta])* $kind:ident, $name:literal of $family:ident: $about:literal;)+) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $kind {
            pub host: Host,
            /// How many of a million calls.
            pub per_million: u64,
            pub for_ms: u64,
        }

        impl Kind for $kind {
            const NAME: &'static str = $name;
            const FAMILY: Family = Family::$family;
            const ABOUT: &'static str = $about;

            fn hosts(&self) -> Vec<Host> {
                vec![self.host.clone()]
            }

            fn lasts(&self) -> Option<Duration> {
                Some(millis(self.for_ms))
            }
        }
    )+ };
}
pub(super) use struck_calls;

struck_calls! {
    /// Calls are executed, but their answers do not arrive.
    AnswerLost, "answer-lost" of Rpc:
    "some calls of a worker or client are executed, but the caller is told UNAVAILABLE";

    /// Calls arrive twice.
    DeliveredTwice, "delivered-twice" of Rpc:
    "some calls of a worker or client, polls aside, arrive twice, up to seconds later and then without a caller";

    /// Calls go out twice at once.
    Hedged, "hedged" of Rpc:
    "some calls of a worker or client, polls aside, go out twice at once and the first good answer counts, as with gRPC's hedging";

    /// Calls to other nodes do not arrive, or long after their caller gave up.
    PeerCallLost, "peer-call-lost" of Rpc:
    "some calls of a server to another, polls aside, do not arrive, or twenty seconds after their caller gave up";

    /// Calls to other nodes are overtaken by later ones.
    PeerCallLate, "peer-call-late" of Rpc:
    "some calls of a server to another, polls aside, arrive two seconds late: calls that were made later overtake them";

    /// Calls to other nodes arrive twice.
    PeerCallTwice, "peer-call-twice" of Rpc:
    "some calls of a server to another, polls aside, arrive twice: at once, or seconds later and then without a caller";

    /// Calls to other nodes are executed, but their answers do not arrive.
    PeerAnswerLost, "peer-answer-lost" of Rpc:
    "some calls of a server to another, polls aside, are executed, but the caller hears no answer";
}
