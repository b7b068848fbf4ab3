//! `runs`: namespace id, workflow id, run id.
use super::codec::{Decoder, Encoder, KeyError};
use tempest_core::RunKey;

impl super::Key for RunKey {
    const TABLE: super::Table = super::Table::Runs;

    fn encode(&self) -> Vec<u8> {
        Encoder::default()
            .string(self.namespace_id.as_str())
            .string(self.workflow_id.as_str())
            .string(self.run_id.as_str())
            .done()
    }

    fn decode(bytes: &[u8]) -> Result<Self, KeyError> {
        let mut fields = Decoder::new(bytes);
        let key = Self {
            namespace_id: fields.string()?.into(),
            workflow_id: fields.string()?.into(),
            run_id: fields.string()?.into(),
        };
        fields.end()?;
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_key() -> impl Strategy<Value = RunKey> {
        ("[a\\x00\u{ff}]{0,3}", "[ab\\x00]{0,3}", "[ab\\x00\\x01]{0,3}").prop_map(|(namespace, workflow, run)| RunKey {
            namespace_id: namespace.into(),
            workflow_id: workflow.into(),
            run_id: run.into(),
        })
    }

    proptest! {
        #[test]
        fn sorts_and_inverts(a in any_key(), b in any_key()) {
            crate::keys::test::check(&a, &b);
        }
    }
}
