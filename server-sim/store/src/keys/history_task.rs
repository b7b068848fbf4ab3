//! `history_tasks`: shard, category, fire time, task id. A shard's queue of one category is one range.
use super::codec::{Decoder, Encoder, KeyError};
use crate::{ShardId, TaskCategory, TaskKey};
use tempest_core::Time;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HistoryTaskKey {
    pub shard: ShardId,
    pub task: TaskKey,
}

/// Stored forever: never renumber. In the order of [`TaskCategory`].
fn category_code(category: TaskCategory) -> u8 {
    match category {
        TaskCategory::Transfer => 1,
        TaskCategory::Timer => 2,
        TaskCategory::Visibility => 3,
    }
}

fn category_of(code: u8) -> Result<TaskCategory, KeyError> {
    match code {
        1 => Ok(TaskCategory::Transfer),
        2 => Ok(TaskCategory::Timer),
        3 => Ok(TaskCategory::Visibility),
        _ => Err(KeyError("no such task category")),
    }
}

impl super::Key for HistoryTaskKey {
    const TABLE: super::Table = super::Table::HistoryTasks;

    fn encode(&self) -> Vec<u8> {
        Encoder::default()
            .u32(self.shard.0)
            .byte(category_code(self.task.category))
            .i64(self.task.fire_time.0)
            .i64(self.task.task_id)
            .done()
    }

    fn decode(bytes: &[u8]) -> Result<Self, KeyError> {
        let mut fields = Decoder::new(bytes);
        let shard = ShardId(fields.u32()?);
        let category = category_of(fields.byte()?)?;
        let task = TaskKey { category, fire_time: Time(fields.i64()?), task_id: fields.i64()? };
        fields.end()?;
        Ok(Self { shard, task })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_key() -> impl Strategy<Value = HistoryTaskKey> {
        let number = || prop_oneof![any::<i64>(), -2..2i64];
        (0..3u32, 1..=3u8, number(), number()).prop_map(|(shard, category, fire_time, task_id)| HistoryTaskKey {
            shard: ShardId(shard),
            task: TaskKey { category: category_of(category).unwrap(), fire_time: Time(fire_time), task_id },
        })
    }

    proptest! {
        #[test]
        fn sorts_and_inverts(a in any_key(), b in any_key()) {
            crate::keys::test::check(&a, &b);
        }
    }
}
