//! `shards`: shard id.
use super::codec::{Decoder, Encoder, KeyError};
use crate::ShardId;

impl super::Key for ShardId {
    const TABLE: super::Table = super::Table::Shards;

    fn encode(&self) -> Vec<u8> {
        Encoder::default().u32(self.0).done()
    }

    fn decode(bytes: &[u8]) -> Result<Self, KeyError> {
        let mut fields = Decoder::new(bytes);
        let shard = Self(fields.u32()?);
        fields.end()?;
        Ok(shard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sorts_and_inverts(a: u32, b: u32) {
            crate::keys::test::check(&ShardId(a), &ShardId(b));
        }
    }
}
