//! Faults of calls that no packet fault makes often enough: what is executed and what the caller learns come apart.
use super::{Harm, Later, Targets, millis};
use crate::explore::Dice;
use crate::world::{Ambiguity, Host, World};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Calls are executed, but their answers do not arrive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerLost {
    pub host: Host,
    /// How many of a million calls.
    pub per_million: u64,
    pub for_ms: u64,
}

impl Harm for AnswerLost {
    const NAME: &'static str = "answer-lost";
    const FAMILY: &'static str = "rpc";
    const ABOUT: &'static str = "some calls of a worker or client are executed, but the caller is told UNAVAILABLE";

    fn draw(dice: &mut Dice, targets: &Targets) -> Option<AnswerLost> {
        let host = targets.caller(dice)?;
        Some(AnswerLost {
            host,
            per_million: *dice.pick(&[20_000, 100_000, 400_000]),
            for_ms: dice.between(500..=15_000),
        })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        world.set_ambiguity(&self.host, Ambiguity::AnswerLost, self.per_million);
        Vec::new()
    }

    fn end(&self, world: &mut dyn World) {
        world.set_ambiguity(&self.host, Ambiguity::AnswerLost, 0);
    }

    fn lasts(&self) -> Option<Duration> {
        Some(millis(self.for_ms))
    }
}

/// Calls arrive twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveredTwice {
    pub host: Host,
    /// How many of a million calls.
    pub per_million: u64,
    pub for_ms: u64,
}

impl Harm for DeliveredTwice {
    const NAME: &'static str = "delivered-twice";
    const FAMILY: &'static str = "rpc";
    const ABOUT: &'static str =
        "some calls of a worker or client, polls aside, arrive twice, the copy up to seconds later and for nobody";

    fn draw(dice: &mut Dice, targets: &Targets) -> Option<DeliveredTwice> {
        let host = targets.caller(dice)?;
        let per_million = *dice.pick(&[20_000, 100_000, 400_000]);
        Some(DeliveredTwice { host, per_million, for_ms: dice.between(500..=15_000) })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        world.set_ambiguity(&self.host, Ambiguity::DeliveredTwice, self.per_million);
        Vec::new()
    }

    fn end(&self, world: &mut dyn World) {
        world.set_ambiguity(&self.host, Ambiguity::DeliveredTwice, 0);
    }

    fn lasts(&self) -> Option<Duration> {
        Some(millis(self.for_ms))
    }
}

/// Calls go out twice at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hedged {
    pub host: Host,
    /// How many of a million calls.
    pub per_million: u64,
    pub for_ms: u64,
}

impl Harm for Hedged {
    const NAME: &'static str = "hedged";
    const FAMILY: &'static str = "rpc";
    const ABOUT: &'static str = "some calls of a worker or client, polls aside, go out twice at once and the first good \
                                 answer counts, as with gRPC's hedging";

    fn draw(dice: &mut Dice, targets: &Targets) -> Option<Hedged> {
        let host = targets.caller(dice)?;
        let per_million = *dice.pick(&[100_000, 400_000, 1_000_000]);
        Some(Hedged { host, per_million, for_ms: dice.between(500..=15_000) })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        world.set_ambiguity(&self.host, Ambiguity::Hedged, self.per_million);
        Vec::new()
    }

    fn end(&self, world: &mut dyn World) {
        world.set_ambiguity(&self.host, Ambiguity::Hedged, 0);
    }

    fn lasts(&self) -> Option<Duration> {
        Some(millis(self.for_ms))
    }
}
