//! `namespaces`: namespace id.
use super::codec::{Decoder, Encoder, KeyError};
use tempest_core::NamespaceId;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamespaceKey(pub NamespaceId);

impl super::Key for NamespaceKey {
    const TABLE: super::Table = super::Table::Namespaces;

    fn encode(&self) -> Vec<u8> {
        Encoder::default().string(self.0.as_str()).done()
    }

    fn decode(bytes: &[u8]) -> Result<Self, KeyError> {
        let mut fields = Decoder::new(bytes);
        let key = Self(fields.string()?.into());
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
            crate::keys::test::check(&NamespaceKey(a.into()), &NamespaceKey(b.into()));
        }
    }
}
