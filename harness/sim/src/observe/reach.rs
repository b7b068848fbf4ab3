//! What of the API a run has touched: fields of requests that were set, commands, events.
use super::descriptors::DESCRIPTORS;
use super::{Observations, Operation, RpcKind, events};
use prost::Message;
use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor, ReflectMessage};
use tempest_api::proto::enums::v1::{CommandType, EventType};
use tempest_api::proto::workflowservice::v1::RespondWorkflowTaskCompletedRequest;
use tempest_artifact::Reach;

/// What a run has touched.
pub fn of(observations: &Observations) -> Reach {
    let mut reach = Reach::default();
    observations.operations.iter().for_each(|operation| add_call(&mut reach, operation));
    let stored = observations.runs.values().flat_map(|run| &run.stored);
    stored.for_each(|event| *reach.events.entry(events::name(event)).or_default() += 1);
    reach
}

fn add_call(reach: &mut Reach, operation: &Operation) {
    let rpc = operation.rpc.name();
    if let Some(message) = request_of(rpc).and_then(|request| read(request, &operation.request)) {
        add_set(reach, rpc, &message);
    }
    let completed = operation.request::<RespondWorkflowTaskCompletedRequest>();
    let Some(completed) = completed.filter(|_| operation.rpc == RpcKind::RespondWorkflowTaskCompleted) else { return };
    for command in completed.commands {
        let kind = command.command_type();
        *reach.commands.entry(command_name(kind)).or_default() += 1;
        let attributes = attributes_of(kind);
        let command = read(command_descriptor(), &command.encode_to_vec());
        if let (Some(attributes), Some(command)) = (attributes, command) {
            let is_of_it = |field: &FieldDescriptor| field.kind().as_message() == Some(&attributes);
            let field = command_descriptor().fields().find(is_of_it);
            if let Some(set) = field.as_ref().map(|field| command.get_field(field))
                && let Some(set) = set.as_message()
            {
                add_set(reach, attributes_name(&attributes), set);
            }
        }
    }
}

fn read(descriptor: MessageDescriptor, bytes: &[u8]) -> Option<DynamicMessage> {
    DynamicMessage::decode(descriptor, bytes).ok()
}

fn add_set(reach: &mut Reach, name: &str, message: &DynamicMessage) {
    for field in message.descriptor().fields().filter(|field| message.has_field(field)) {
        *reach.fields.entry(format!("{name}.{}", field.name())).or_default() += 1;
    }
}

fn request_of(rpc: &str) -> Option<MessageDescriptor> {
    DESCRIPTORS.get_message_by_name(&format!("temporal.api.workflowservice.v1.{rpc}Request"))
}

fn command_descriptor() -> MessageDescriptor {
    DESCRIPTORS.get_message_by_name("temporal.api.command.v1.Command").expect("Temporal's messages have a command")
}

fn command_name(kind: CommandType) -> String {
    kind.as_str_name().trim_start_matches("COMMAND_TYPE_").to_owned()
}

/// The attributes' message of a kind of command: their names follow from each other.
fn attributes_of(kind: CommandType) -> Option<MessageDescriptor> {
    let camel: String = command_name(kind)
        .split('_')
        .map(|word| word.chars().take(1).chain(word.to_lowercase().chars().skip(1)).collect::<String>())
        .collect();
    DESCRIPTORS.get_message_by_name(&format!("temporal.api.command.v1.{camel}CommandAttributes"))
}

fn attributes_name(attributes: &MessageDescriptor) -> &str {
    attributes.name().trim_end_matches("CommandAttributes")
}

/// Higher than any number of a command or an event; between them there are gaps.
const NUMBERS_MAX: i32 = 255;

/// All that there is to touch of what this server serves: fields, commands, events.
pub fn everything() -> (Vec<String>, Vec<String>, Vec<String>) {
    let mut fields = Vec::new();
    let mut add = |name: &str, message: MessageDescriptor| {
        fields.extend(message.fields().map(|field| format!("{name}.{}", field.name())));
    };
    for rpc in RpcKind::SERVED {
        if let Some(request) = request_of(rpc.name()) {
            add(rpc.name(), request);
        }
    }
    let kinds = || (1..=NUMBERS_MAX).filter_map(|number| CommandType::try_from(number).ok());
    for attributes in kinds().filter_map(attributes_of) {
        add(attributes_name(&attributes.clone()), attributes);
    }
    let of_event = |number| EventType::try_from(number).ok();
    let events = (1..=NUMBERS_MAX)
        .filter_map(of_event)
        .map(|kind| kind.as_str_name().trim_start_matches("EVENT_TYPE_").to_owned());
    (fields, kinds().map(command_name).collect(), events.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::samples::sound;

    #[test]
    fn what_a_run_touches_is_among_all_that_there_is() {
        let reach = of(&sound());
        let (fields, commands, events) = everything();
        assert!(reach.fields.contains_key("SignalWorkflowExecution.request_id"), "{reach:?}");
        assert!(reach.events.contains_key("WORKFLOW_EXECUTION_STARTED"), "{reach:?}");
        assert!(reach.fields.keys().all(|name| fields.contains(name)));
        assert!(reach.events.keys().all(|name| events.contains(name)));
        assert!(commands.iter().any(|name| name == "MODIFY_WORKFLOW_PROPERTIES"), "{commands:?}");
        assert!(events.iter().any(|name| name == "WORKFLOW_EXECUTION_UPDATE_ACCEPTED"), "{events:?}");
        assert!(fields.iter().any(|name| name == "ScheduleActivityTask.heartbeat_timeout"));
    }

    #[test]
    fn commands_and_their_fields_are_seen() {
        use tempest_api::proto::command::v1::{Command, StartTimerCommandAttributes, command::Attributes};
        let timer = StartTimerCommandAttributes { timer_id: "1".to_owned(), ..Default::default() };
        let command = Command {
            command_type: CommandType::StartTimer.into(),
            attributes: Some(Attributes::StartTimerCommandAttributes(timer)),
            ..Default::default()
        };
        let request = RespondWorkflowTaskCompletedRequest { commands: vec![command], ..Default::default() };
        let operation = Operation {
            rpc: RpcKind::RespondWorkflowTaskCompleted,
            request: request.encode_to_vec().into(),
            ..crate::check::samples::signal("signal")
        };
        let mut reach = Reach::default();
        add_call(&mut reach, &operation);
        assert_eq!(reach.commands, [("START_TIMER".to_owned(), 1)].into());
        assert_eq!(reach.fields.get("StartTimer.timer_id"), Some(&1));
        assert_eq!(reach.fields.get("StartTimer.start_to_fire_timeout"), None);
    }
}
