//! `backlog`: partition, task id. A partition's backlog is one range, oldest first.
use super::codec::{Decoder, Encoder, KeyError};
use super::partition;
use crate::PartitionKey;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BacklogTaskKey {
    pub partition: PartitionKey,
    pub task_id: i64,
}

impl super::Key for BacklogTaskKey {
    const TABLE: super::Table = super::Table::Backlog;

    fn encode(&self) -> Vec<u8> {
        partition::encode_into(Encoder::default(), &self.partition).i64(self.task_id).done()
    }

    fn decode(bytes: &[u8]) -> Result<Self, KeyError> {
        let mut fields = Decoder::new(bytes);
        let key = Self { partition: partition::decode_from(&mut fields)?, task_id: fields.i64()? };
        fields.end()?;
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::partition::tests::any_partition;
    use proptest::prelude::*;

    fn any_key() -> impl Strategy<Value = BacklogTaskKey> {
        (any_partition(), prop_oneof![any::<i64>(), -2..2i64])
            .prop_map(|(partition, task_id)| BacklogTaskKey { partition, task_id })
    }

    proptest! {
        #[test]
        fn sorts_and_inverts(a in any_key(), b in any_key()) {
            crate::keys::test::check(&a, &b);
        }
    }
}
