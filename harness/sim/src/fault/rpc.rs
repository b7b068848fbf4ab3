//! Faults of calls that no packet fault makes often enough: what is executed and what the caller learns come apart, where
//! workers and clients call servers, and where servers call their database.
use super::{Harm, Later, Targets, millis};
use crate::explore::Dice;
use crate::world::{Ambiguity, Host, World};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Each of these strikes some calls of one host for a while; they differ in what then becomes of a call.
macro_rules! ambiguities {
    ($($(#[$doc:meta])* $kind:ident: $ambiguity:ident, $name:literal of $family:literal, drawn by $draw:ident,
        of_a_million $rates:expr, $about:literal;)+) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $kind {
            pub host: Host,
            /// How many of a million calls.
            pub per_million: u64,
            pub for_ms: u64,
        }

        impl Harm for $kind {
            const NAME: &'static str = $name;
            const FAMILY: &'static str = $family;
            const ABOUT: &'static str = $about;

            fn draw(dice: &mut Dice, targets: &Targets) -> Option<$kind> {
                let host = targets.$draw(dice)?;
                let per_million = *dice.pick(&$rates);
                Some($kind { host, per_million, for_ms: dice.between(500..=15_000) })
            }

            fn begin(&self, world: &mut dyn World) -> Vec<Later> {
                world.set_ambiguity(&self.host, Ambiguity::$ambiguity, self.per_million);
                Vec::new()
            }

            fn end(&self, world: &mut dyn World) {
                world.set_ambiguity(&self.host, Ambiguity::$ambiguity, 0);
            }

            fn lasts(&self) -> Option<Duration> {
                Some(millis(self.for_ms))
            }
        }
    )+ };
}

ambiguities! {
    /// Calls are executed, but their answers do not arrive.
    AnswerLost: AnswerLost, "answer-lost" of "rpc", drawn by caller, of_a_million [20_000, 100_000, 400_000],
    "some calls of a worker or client are executed, but the caller is told UNAVAILABLE";

    /// Calls arrive twice.
    DeliveredTwice: DeliveredTwice, "delivered-twice" of "rpc", drawn by caller, of_a_million [20_000, 100_000, 400_000],
    "some calls of a worker or client, polls aside, arrive twice, the copy up to seconds later and for nobody";

    /// Calls go out twice at once.
    Hedged: Hedged, "hedged" of "rpc", drawn by caller, of_a_million [100_000, 400_000, 1_000_000],
    "some calls of a worker or client, polls aside, go out twice at once and the first good answer counts, as with gRPC's hedging";

    /// Commits are done, but their answers do not arrive.
    CommitInDoubt: AnswerLost, "commit-in-doubt" of "database", drawn by database, of_a_million [5_000, 50_000, 400_000],
    "if the node is primary, connections to it break when some of its writes are done, before it says so";

    /// Commits are done, and their answers take long.
    SlowCommits: AnswerLate, "slow-commits" of "database", drawn by database, of_a_million [5_000, 50_000, 400_000],
    "if the node is primary, it answers some of its writes up to twenty seconds after they are done";

    /// The database is there, and takes no writes.
    ReadOnly: WriteRefused, "read-only" of "database", drawn by database, of_a_million [1_000_000, 1_000_000, 300_000],
    "if the node is primary, it refuses all writes or some, and answers reads, for a while";
}
