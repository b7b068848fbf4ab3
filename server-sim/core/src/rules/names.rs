//! Enum values as Temporal's messages spell them: `START_TO_CLOSE` is "StartToClose".
use temporalio_protos::temporal::api::enums::v1::{CommandType, TimeoutType, WorkflowTaskFailedCause};

pub fn workflow_task_failed_cause(cause: WorkflowTaskFailedCause) -> String {
    camel_case(cause.as_str_name(), "WORKFLOW_TASK_FAILED_CAUSE_")
}

pub fn timeout_type(timeout: TimeoutType) -> String {
    camel_case(timeout.as_str_name(), "TIMEOUT_TYPE_")
}

/// A value this build does not know is spelt as its number, as Go does.
pub fn command_type(command: i32) -> String {
    match CommandType::try_from(command) {
        Ok(known) => camel_case(known.as_str_name(), "COMMAND_TYPE_"),
        Err(_) => command.to_string(),
    }
}

fn camel_case(name: &str, prefix: &str) -> String {
    let words = name.strip_prefix(prefix).unwrap_or(name).split('_');
    words
        .map(|word| {
            let mut letters = word.chars();
            let first = letters.next().into_iter().flat_map(char::to_uppercase);
            first.chain(letters.flat_map(char::to_lowercase)).collect::<String>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: String, expect: &str) {
        assert_eq!(input, expect);
    }

    #[test]
    fn names_are_those_of_temporal() {
        check(timeout_type(TimeoutType::StartToClose), "StartToClose");
        check(timeout_type(TimeoutType::Heartbeat), "Heartbeat");
        check(workflow_task_failed_cause(WorkflowTaskFailedCause::UnhandledCommand), "UnhandledCommand");
        check(workflow_task_failed_cause(WorkflowTaskFailedCause::BadStartTimerAttributes), "BadStartTimerAttributes");
        check(command_type(CommandType::CompleteWorkflowExecution.into()), "CompleteWorkflowExecution");
        check(command_type(4711), "4711");
    }
}
