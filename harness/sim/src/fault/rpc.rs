//! Faults of calls that no packet fault makes often enough: what is executed and what the caller learns come apart, where
//! workers and clients call servers, where servers call each other, and where they call their database.
use super::{Injectable, Later, Targets};
use crate::draw::Dice;
use crate::world::{Ambiguity, World};
use tempest_artifact::fault::{
    AnswerLost, CommitInDoubt, DeliveredTwice, Hedged, OwnershipTaken, PeerAnswerLost, PeerCallLate, PeerCallLost,
    PeerCallTwice, ReadOnly, SlowCommits, SlowReads,
};

/// Each of these strikes some calls of one host for a while; they differ in what then becomes of a call.
macro_rules! ambiguities {
    ($($kind:ident: $ambiguity:ident, drawn by $draw:ident, of_a_million $rates:expr;)+) => { $(
        impl Injectable for $kind {
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
        }
    )+ };
}

ambiguities! {
    AnswerLost: AnswerLost, drawn by caller, of_a_million [20_000, 100_000, 400_000];
    DeliveredTwice: DeliveredTwice, drawn by caller, of_a_million [20_000, 100_000, 400_000];
    Hedged: Hedged, drawn by caller, of_a_million [100_000, 400_000, 1_000_000];
    PeerCallLost: PeerCallLost, drawn by node_of_many, of_a_million [20_000, 100_000, 400_000];
    PeerCallLate: PeerCallLate, drawn by node_of_many, of_a_million [20_000, 100_000, 400_000];
    PeerCallTwice: PeerCallTwice, drawn by node_of_many, of_a_million [20_000, 100_000, 400_000];
    PeerAnswerLost: PeerAnswerLost, drawn by node_of_many, of_a_million [20_000, 100_000, 400_000];
    CommitInDoubt: AnswerLost, drawn by database, of_a_million [5_000, 50_000, 400_000];
    SlowCommits: AnswerLate, drawn by database, of_a_million [5_000, 50_000, 400_000];
    SlowReads: ReadLate, drawn by database, of_a_million [50_000, 300_000, 1_000_000];
    OwnershipTaken: OwnershipTaken, drawn by node_of_many, of_a_million [5_000, 50_000, 300_000];
    ReadOnly: WriteRefused, drawn by database, of_a_million [1_000_000, 1_000_000, 300_000];
}
