//! Faults of calls that no packet fault makes often enough: what is executed and what the caller learns come apart.
use super::{Harm, Later, Targets, millis};
use crate::explore::Dice;
use crate::world::{Ambiguity, Host, World};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Each of these strikes some calls of one caller for a while; they differ in what then becomes of a call.
macro_rules! ambiguities {
    ($($(#[$doc:meta])* $kind:ident, $name:literal, of_a_million $rates:expr, $about:literal;)+) => { $(
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
            const FAMILY: &'static str = "rpc";
            const ABOUT: &'static str = $about;

            fn draw(dice: &mut Dice, targets: &Targets) -> Option<$kind> {
                let host = targets.caller(dice)?;
                let per_million = *dice.pick(&$rates);
                Some($kind { host, per_million, for_ms: dice.between(500..=15_000) })
            }

            fn begin(&self, world: &mut dyn World) -> Vec<Later> {
                world.set_ambiguity(&self.host, Ambiguity::$kind, self.per_million);
                Vec::new()
            }

            fn end(&self, world: &mut dyn World) {
                world.set_ambiguity(&self.host, Ambiguity::$kind, 0);
            }

            fn lasts(&self) -> Option<Duration> {
                Some(millis(self.for_ms))
            }
        }
    )+ };
}

ambiguities! {
    /// Calls are executed, but their answers do not arrive.
    AnswerLost, "answer-lost", of_a_million [20_000, 100_000, 400_000],
    "some calls of a worker or client are executed, but the caller is told UNAVAILABLE";

    /// Calls arrive twice.
    DeliveredTwice, "delivered-twice", of_a_million [20_000, 100_000, 400_000],
    "some calls of a worker or client, polls aside, arrive twice, the copy up to seconds later and for nobody";

    /// Calls go out twice at once.
    Hedged, "hedged", of_a_million [100_000, 400_000, 1_000_000],
    "some calls of a worker or client, polls aside, go out twice at once and the first good answer counts, as with gRPC's hedging";
}
