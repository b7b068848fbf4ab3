//! `history`: tree, branch, node. A branch is one range, its nodes in event order.
use super::codec::{Decoder, Encoder, KeyError};
use crate::{BranchId, HistoryAppend};
use tempest_core::EventId;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HistoryNodeKey {
    pub branch: BranchId,
    pub node: EventId,
}

impl HistoryNodeKey {
    pub fn of(append: &HistoryAppend) -> Self {
        Self { branch: append.branch.clone(), node: append.node }
    }
}

impl super::Key for HistoryNodeKey {
    const TABLE: super::Table = super::Table::History;

    fn encode(&self) -> Vec<u8> {
        Encoder::default().string(&self.branch.tree).string(&self.branch.branch).i64(self.node).done()
    }

    fn decode(bytes: &[u8]) -> Result<Self, KeyError> {
        let mut fields = Decoder::new(bytes);
        let branch = BranchId { tree: fields.string()?, branch: fields.string()? };
        let key = Self { branch, node: fields.i64()? };
        fields.end()?;
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_key() -> impl Strategy<Value = HistoryNodeKey> {
        ("[ab\\x00]{0,2}", "[ab\\x00]{0,2}", prop_oneof![any::<i64>(), -3..3i64])
            .prop_map(|(tree, branch, node)| HistoryNodeKey { branch: BranchId { tree, branch }, node })
    }

    proptest! {
        #[test]
        fn sorts_and_inverts(a in any_key(), b in any_key()) {
            crate::keys::test::check(&a, &b);
        }
    }
}
