//! `run_parts`: namespace id, workflow id, run id, kind, id. The parts of a run are one range, behind the key of its run.
use super::codec::{Decoder, Encoder, KeyError};
use super::{Key, run};
use crate::{PartId, PartKey};
use tempest_core::RunKey;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunPartKey {
    pub run: RunKey,
    pub part: PartKey,
}

/// Stored forever: never renumber. In the order of [`PartId`].
const NUMBER: u8 = 1;
const NAME: u8 = 2;

impl RunPartKey {
    /// The bounds of all parts of a run, both exclusive.
    pub fn all_of(run: &RunKey) -> (Vec<u8>, Vec<u8>) {
        // Behind each kind stands one of the two numbers above.
        let past_the_last_kind = [u8::MAX, u8::MAX];
        let after = run.encode();
        let before = [after.as_slice(), &past_the_last_kind].concat();
        (after, before)
    }
}

impl Key for RunPartKey {
    const TABLE: super::Table = super::Table::RunParts;

    fn encode(&self) -> Vec<u8> {
        let fields = run::encode_into(Encoder::default(), &self.run).byte(self.part.kind);
        match &self.part.id {
            PartId::Number(number) => fields.byte(NUMBER).i64(*number),
            PartId::Name(name) => fields.byte(NAME).string(name),
        }
        .done()
    }

    fn decode(bytes: &[u8]) -> Result<Self, KeyError> {
        let mut fields = Decoder::new(bytes);
        let (run, kind) = (run::decode_from(&mut fields)?, fields.byte()?);
        let id = match fields.byte()? {
            NUMBER => PartId::Number(fields.i64()?),
            NAME => PartId::Name(fields.string()?),
            _ => return Err(KeyError("no such id of a part")),
        };
        fields.end()?;
        Ok(Self { run, part: PartKey { kind, id } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::run::tests::any_key as any_run;
    use proptest::prelude::*;

    fn any_part() -> impl Strategy<Value = PartKey> {
        let number = prop_oneof![any::<i64>(), -2..2i64].prop_map(PartId::Number);
        let id = prop_oneof![number, "[ab\\x00]{0,2}".prop_map(PartId::Name)];
        (prop_oneof![0..3u8, Just(u8::MAX)], id).prop_map(|(kind, id)| PartKey { kind, id })
    }

    proptest! {
        #[test]
        fn sorts_and_inverts(a in any_run(), b in any_run(), part_a in any_part(), part_b in any_part()) {
            let (a, b) = (RunPartKey { run: a, part: part_a }, RunPartKey { run: b, part: part_b });
            crate::keys::test::check(&a, &b);
        }

        #[test]
        fn bounds_hold_the_parts_of_one_run(a in any_run(), b in any_run(), part in any_part()) {
            let (after, before) = RunPartKey::all_of(&a);
            let key = RunPartKey { run: b.clone(), part }.encode();
            prop_assert_eq!(after < key && key < before, a == b);
        }
    }
}
