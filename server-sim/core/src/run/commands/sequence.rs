//! Which commands may follow which. A violation refuses the request itself: no event, no failed workflow task.
use super::closes;
use crate::{Rejection, rules::names};
use temporalio_protos::temporal::api::{command::v1::Command, enums::v1::CommandType};

/// Checks that all commands are known and that nothing follows one that closes the run.
///
/// # Errors
/// `InvalidArgument`.
pub(crate) fn sequence(commands: &[Command]) -> Result<(), Rejection> {
    let mut closing = None;
    for command in commands {
        if let Some(closing) = closing {
            let names: Vec<_> = commands.iter().map(|command| names::command_type(command.command_type)).collect();
            return Err(Rejection::InvalidArgument(format!(
                "invalid command sequence: [{}], command {} must be the last command.",
                names.join(", "),
                names::command_type(closing),
            )));
        }
        match CommandType::try_from(command.command_type) {
            Ok(CommandType::Unspecified) | Err(_) => {
                let name = names::command_type(command.command_type);
                return Err(Rejection::InvalidArgument(format!("unknown command type: {name}")));
            }
            Ok(kind) if closes(kind) => closing = Some(command.command_type),
            Ok(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &[i32], expect: Result<(), &str>) {
        let commands: Vec<_> =
            input.iter().map(|command_type| Command { command_type: *command_type, ..Default::default() }).collect();
        let expect = expect.map_err(|text| Rejection::InvalidArgument(text.into()));
        assert_eq!(sequence(&commands), expect, "{input:?}");
    }

    #[test]
    fn a_closing_command_is_the_last() {
        let (timer, complete) = (CommandType::StartTimer as i32, CommandType::CompleteWorkflowExecution as i32);
        let again = CommandType::ContinueAsNewWorkflowExecution as i32;
        check(&[], Ok(()));
        check(&[timer, timer, complete], Ok(()));
        check(
            &[timer, complete, timer],
            Err("invalid command sequence: [StartTimer, CompleteWorkflowExecution, StartTimer], \
                 command CompleteWorkflowExecution must be the last command."),
        );
        check(
            &[again, complete],
            Err("invalid command sequence: [ContinueAsNewWorkflowExecution, CompleteWorkflowExecution], \
                 command ContinueAsNewWorkflowExecution must be the last command."),
        );
    }

    #[test]
    fn unknown_commands_are_refused() {
        check(&[0], Err("unknown command type: Unspecified"));
        check(&[4711], Err("unknown command type: 4711"));
    }
}
