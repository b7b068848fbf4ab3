//! `namespace_names`: a namespace's human name; the value is its id. What makes names unique.
use super::codec::{Decoder, Encoder, KeyError};

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamespaceNameKey(pub String);

impl super::Key for NamespaceNameKey {
    const TABLE: super::Table = super::Table::NamespaceNames;

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
            crate::keys::test::check(&NamespaceNameKey(a), &NamespaceNameKey(b));
        }
    }
}
