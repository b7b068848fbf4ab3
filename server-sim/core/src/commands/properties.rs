//! UpsertWorkflowSearchAttributes and ModifyWorkflowProperties.
use super::{Commands, Handled};
use crate::decision::Extras;
use std::collections::HashMap;
use temporalio_protos::temporal::api::{
    command::v1::{ModifyWorkflowPropertiesCommandAttributes, UpsertWorkflowSearchAttributesCommandAttributes},
    common::v1::Payload,
    enums::v1::WorkflowTaskFailedCause as Cause,
    history::v1::{UpsertWorkflowSearchAttributesEventAttributes, WorkflowPropertiesModifiedEventAttributes},
};

impl Commands<'_, '_> {
    pub(super) fn upsert_search_attributes(
        &mut self,
        command: UpsertWorkflowSearchAttributesCommandAttributes,
        extras: Extras,
    ) -> Handled {
        self.check_size(
            fields_size(command.search_attributes.as_ref().map(|fields| &fields.indexed_fields)),
            Cause::BadSearchAttributes,
            "UpsertWorkflowSearchAttributesCommandAttributes exceeds size limit.",
        )?;
        let attributes = UpsertWorkflowSearchAttributesEventAttributes {
            workflow_task_completed_event_id: self.completed_event_id,
            search_attributes: command.search_attributes,
        };
        self.decision.event_with(attributes, extras);
        Ok(())
    }

    pub(super) fn modify_properties(
        &mut self,
        command: ModifyWorkflowPropertiesCommandAttributes,
        extras: Extras,
    ) -> Handled {
        self.check_size(
            fields_size(command.upserted_memo.as_ref().map(|memo| &memo.fields)),
            Cause::BadModifyWorkflowPropertiesAttributes,
            "ModifyWorkflowPropertiesCommandAttributes exceeds size limit.",
        )?;
        let attributes = WorkflowPropertiesModifiedEventAttributes {
            workflow_task_completed_event_id: self.completed_event_id,
            upserted_memo: command.upserted_memo,
        };
        self.decision.event_with(attributes, extras);
        Ok(())
    }
}

fn fields_size(fields: Option<&HashMap<String, Payload>>) -> usize {
    fields.into_iter().flatten().map(|(name, value)| name.len() + value.data.len()).sum()
}
