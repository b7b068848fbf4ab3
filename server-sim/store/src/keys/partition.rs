//! `partitions`: namespace id, task queue name, task queue type, partition number.
use super::codec::{Decoder, Encoder, KeyError};
use crate::{PartitionKey, TaskQueueType};

/// Stored forever: never renumber. In the order of [`TaskQueueType`].
fn type_code(queue_type: TaskQueueType) -> u8 {
    match queue_type {
        TaskQueueType::Workflow => 1,
        TaskQueueType::Activity => 2,
    }
}

fn type_of(code: u8) -> Result<TaskQueueType, KeyError> {
    match code {
        1 => Ok(TaskQueueType::Workflow),
        2 => Ok(TaskQueueType::Activity),
        _ => Err(KeyError("no such task queue type")),
    }
}

/// Appends the partition's fields; a backlog task's key begins with them.
pub(super) fn encode_into(fields: Encoder, partition: &PartitionKey) -> Encoder {
    fields
        .string(partition.namespace_id.as_str())
        .string(&partition.name)
        .byte(type_code(partition.queue_type))
        .u32(partition.partition)
}

pub(super) fn decode_from(fields: &mut Decoder<'_>) -> Result<PartitionKey, KeyError> {
    Ok(PartitionKey {
        namespace_id: fields.string()?.into(),
        name: fields.string()?,
        queue_type: type_of(fields.byte()?)?,
        partition: fields.u32()?,
    })
}

impl super::Key for PartitionKey {
    const TABLE: super::Table = super::Table::Partitions;

    fn encode(&self) -> Vec<u8> {
        encode_into(Encoder::default(), self).done()
    }

    fn decode(bytes: &[u8]) -> Result<Self, KeyError> {
        let mut fields = Decoder::new(bytes);
        let key = decode_from(&mut fields)?;
        fields.end()?;
        Ok(key)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub fn any_partition() -> impl Strategy<Value = PartitionKey> {
        ("[ab\\x00]{0,2}", "[ab\\x00\\x01]{0,3}", 1..=2u8, 0..3u32).prop_map(|(namespace, name, code, partition)| {
            PartitionKey { namespace_id: namespace.into(), name, queue_type: type_of(code).unwrap(), partition }
        })
    }

    proptest! {
        #[test]
        fn sorts_and_inverts(a in any_partition(), b in any_partition()) {
            crate::keys::test::check(&a, &b);
        }
    }
}
