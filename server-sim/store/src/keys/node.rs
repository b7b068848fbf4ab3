//! `nodes`: the nodes of the cluster by name; the value is a node's row.
use super::codec::{Decoder, Encoder, KeyError};

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeKey(pub String);

impl super::Key for NodeKey {
    const TABLE: super::Table = super::Table::Nodes;

    fn encode(&self) -> Vec<u8> {
        Encoder::default().string(&self.0).done()
    }

    fn decode(bytes: &[u8]) -> Result<Self, KeyError> {
        let mut fields = Decoder::new(bytes);
        let key = Self(fields.string()?);
        fields.end()?;
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sorts_and_inverts(a: String, b: String) {
            crate::keys::test::check(&NodeKey(a), &NodeKey(b));
        }
    }
}
