//! `runs`: namespace id, workflow id, run id.
use super::codec::{Decoder, Encoder, KeyError};
use tempest_core::RunKey;

/// Appends the run's fields; a part's key begins with them.
pub(super) fn encode_into(fields: Encoder, run: &RunKey) -> Encoder {
    fields.string(run.namespace_id.as_str()).string(run.workflow_id.as_str()).string(run.run_id.as_str())
}

pub(super) fn decode_from(fields: &mut Decoder<'_>) -> Result<RunKey, KeyError> {
    Ok(RunKey {
        namespace_id: fields.string()?.into(),
        workflow_id: fields.string()?.into(),
        run_id: fields.string()?.into(),
    })
}

impl super::Key for RunKey {
    const TABLE: super::Table = super::Table::Runs;

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

    pub fn any_key() -> impl Strategy<Value = RunKey> {
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
