//! ModifyWorkflowProperties.
use super::{fields_size, merged};
use crate::run::{
    commands::{BadCommand, Commands, Handled, size_of},
    decision::Extras,
};
use temporalio_protos::temporal::api::{
    command::v1::ModifyWorkflowPropertiesCommandAttributes, common::v1::Memo,
    enums::v1::WorkflowTaskFailedCause as Cause, history::v1::WorkflowPropertiesModifiedEventAttributes,
};

pub(crate) fn handle(
    commands: &mut Commands<'_, '_>,
    command: ModifyWorkflowPropertiesCommandAttributes,
    extras: Extras,
) -> Handled {
    validate(&command)?;
    let (cause, upserted) = (Cause::BadModifyWorkflowPropertiesAttributes, command.upserted_memo.as_ref());
    let upserted = upserted.map(|memo| &memo.fields);
    commands.check_size(
        fields_size(upserted),
        cause,
        "ModifyWorkflowPropertiesCommandAttributes exceeds size limit.",
    )?;
    let memo = Memo { fields: merged(&commands.decision.state.durable.memo, upserted) };
    commands.check_size(
        size_of(Some(&memo)),
        cause,
        "ModifyWorkflowPropertiesCommandAttributes. Memo exceeds size limit.",
    )?;
    let attributes = WorkflowPropertiesModifiedEventAttributes {
        workflow_task_completed_event_id: commands.completed_event_id,
        upserted_memo: command.upserted_memo,
    };
    commands.decision.event_with(attributes, extras);
    Ok(())
}

fn validate(attributes: &ModifyWorkflowPropertiesCommandAttributes) -> Result<(), BadCommand> {
    let bad = |message: String| BadCommand::new(Cause::BadModifyWorkflowPropertiesAttributes, message);
    match &attributes.upserted_memo {
        None => Err(bad("UpsertedMemo is not set on ModifyWorkflowPropertiesCommand.".into())),
        Some(memo) if memo.fields.is_empty() => {
            Err(bad("UpsertedMemo.Fields is not set on ModifyWorkflowPropertiesCommand.".into()))
        }
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::commands::testing;
    use temporalio_protos::temporal::api::common::v1::Payload;

    #[test]
    fn a_modification_has_a_memo() {
        let check = |upserted_memo, expect| {
            testing::check(
                Cause::BadModifyWorkflowPropertiesAttributes,
                validate(&ModifyWorkflowPropertiesCommandAttributes { upserted_memo }),
                expect,
            );
        };
        check(Some(Memo { fields: [("note".to_owned(), Payload::default())].into() }), Ok(()));
        check(None, Err("UpsertedMemo is not set on ModifyWorkflowPropertiesCommand."));
        check(Some(Memo::default()), Err("UpsertedMemo.Fields is not set on ModifyWorkflowPropertiesCommand."));
    }
}
