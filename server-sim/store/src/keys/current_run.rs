//! `current_runs`: namespace id, workflow id.
use super::codec::{Decoder, Encoder, KeyError};
use crate::CurrentRunWrite;
use tempest_core::{NamespaceId, WorkflowId};

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CurrentRunKey {
    pub namespace_id: NamespaceId,
    pub workflow_id: WorkflowId,
}

impl CurrentRunKey {
    pub fn of(current: &CurrentRunWrite) -> Self {
        Self { namespace_id: current.namespace_id.clone(), workflow_id: current.workflow_id.clone() }
    }
}

impl super::Key for CurrentRunKey {
    const TABLE: super::Table = super::Table::CurrentRuns;

    fn encode(&self) -> Vec<u8> {
        Encoder::default().string(self.namespace_id.as_str()).string(self.workflow_id.as_str()).done()
    }

    fn decode(bytes: &[u8]) -> Result<Self, KeyError> {
        let mut fields = Decoder::new(bytes);
        let key = Self { namespace_id: fields.string()?.into(), workflow_id: fields.string()?.into() };
        fields.end()?;
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_key() -> impl Strategy<Value = CurrentRunKey> {
        ("[ab\\x00]{0,3}", "[ab\\x00\\x01]{0,3}").prop_map(|(namespace, workflow)| CurrentRunKey {
            namespace_id: namespace.into(),
            workflow_id: workflow.into(),
        })
    }

    proptest! {
        #[test]
        fn sorts_and_inverts(a in any_key(), b in any_key()) {
            crate::keys::test::check(&a, &b);
        }
    }
}
