//! `cluster`: the table's only row.
use super::codec::{Decoder, Encoder, KeyError};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClusterKey;

const ONLY: u8 = 1;

impl super::Key for ClusterKey {
    const TABLE: super::Table = super::Table::Cluster;

    fn encode(&self) -> Vec<u8> {
        Encoder::default().byte(ONLY).done()
    }

    fn decode(bytes: &[u8]) -> Result<Self, KeyError> {
        let mut fields = Decoder::new(bytes);
        if fields.byte()? != ONLY {
            return Err(KeyError("there is one cluster"));
        }
        fields.end()?;
        Ok(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverts() {
        crate::keys::test::check(&ClusterKey, &ClusterKey);
    }
}
