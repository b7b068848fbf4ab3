//! `server-sim/COMPATIBILITY.md`, written from the routes, and from what is said here of commands and events (which of them
//! there are, the core says) and of capabilities.
//! The test compares; to write the file anew:
//!
//! ```text
//! UPDATE_COMPATIBILITY=1 cargo test -p tempest-frontend compatibility
//! ```
use crate::capabilities::{CAPABILITIES, Ground};
use crate::routes::{Effect, OPERATOR_SERVICE, Repeat, Role, Route, Support, WORKFLOW_SERVICE, Wait};
use Support::{NotYet, Partly, Works};
use std::fmt::Write;
use std::path::Path;
use tempest_api::proto::enums::v1::{CommandType, EventType};
use tempest_api::rpcs;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../COMPATIBILITY.md");

const HEAD: &str = "\
# What of Temporal works here

Written from the server's own tables by the command at the head of `frontend/src/compatibility.rs`; a test compares.
What is not named as different is meant to be as in Temporal, down to the order of events and the texts of errors.

| word | means |
|---|---|
| works | as in Temporal |
| partly | it works, but for what is said |
| not yet | the RPC answers `Unimplemented` with this sentence; a command of this type fails its workflow task |

";

/// Command types without a sentence are not there: a new one does not compile.
fn command(command: CommandType) -> Option<Support> {
    Some(match command {
        CommandType::Unspecified => return None,
        CommandType::ScheduleActivityTask => Partly("Never started eagerly. `use_workflow_build_id` has no effect."),
        CommandType::ContinueAsNewWorkflowExecution => Partly(
            "Cron fails the workflow task. `inherit_build_id` and the initial versioning behavior have no effect.",
        ),
        CommandType::StartChildWorkflowExecution => Partly("Cron and versioning overrides fail the workflow task."),
        CommandType::UpsertWorkflowSearchAttributes => Partly("Names and types are not checked against a registry."),
        CommandType::FailWorkflowExecution => Partly("Retries, but no cron."),
        CommandType::CompleteWorkflowExecution
        | CommandType::CancelWorkflowExecution
        | CommandType::RequestCancelActivityTask
        | CommandType::StartTimer
        | CommandType::CancelTimer
        | CommandType::ModifyWorkflowProperties
        | CommandType::RecordMarker => Works,
        CommandType::SignalExternalWorkflowExecution | CommandType::RequestCancelExternalWorkflowExecution => {
            Partly("The initiated event names the namespace also where the command does not.")
        }
        CommandType::ProtocolMessage => NotYet("Updates are not supported yet."),
        CommandType::ScheduleNexusOperation | CommandType::RequestCancelNexusOperation => {
            NotYet("Nexus is not supported yet.")
        }
    })
}

/// As with commands. An event that is written is also applied, when a run is rebuilt from its history.
fn event(event: EventType) -> Option<Support> {
    use EventType as E;
    Some(match event {
        E::Unspecified => return None,
        E::WorkflowExecutionStarted
        | E::WorkflowExecutionCompleted
        | E::WorkflowExecutionFailed
        | E::WorkflowExecutionTimedOut
        | E::WorkflowTaskScheduled
        | E::WorkflowTaskStarted
        | E::WorkflowTaskCompleted
        | E::WorkflowTaskTimedOut
        | E::WorkflowTaskFailed
        | E::ActivityTaskScheduled
        | E::ActivityTaskStarted
        | E::ActivityTaskCompleted
        | E::ActivityTaskFailed
        | E::ActivityTaskTimedOut
        | E::ActivityTaskCancelRequested
        | E::ActivityTaskCanceled
        | E::TimerStarted
        | E::TimerFired
        | E::TimerCanceled
        | E::WorkflowExecutionCancelRequested
        | E::WorkflowExecutionCanceled
        | E::RequestCancelExternalWorkflowExecutionInitiated
        | E::RequestCancelExternalWorkflowExecutionFailed
        | E::ExternalWorkflowExecutionCancelRequested
        | E::MarkerRecorded
        | E::WorkflowExecutionSignaled
        | E::WorkflowExecutionTerminated
        | E::WorkflowExecutionContinuedAsNew
        | E::StartChildWorkflowExecutionInitiated
        | E::StartChildWorkflowExecutionFailed
        | E::ChildWorkflowExecutionStarted
        | E::ChildWorkflowExecutionCompleted
        | E::ChildWorkflowExecutionFailed
        | E::ChildWorkflowExecutionCanceled
        | E::ChildWorkflowExecutionTimedOut
        | E::ChildWorkflowExecutionTerminated
        | E::SignalExternalWorkflowExecutionInitiated
        | E::SignalExternalWorkflowExecutionFailed
        | E::ExternalWorkflowExecutionSignaled
        | E::UpsertWorkflowSearchAttributes
        | E::WorkflowPropertiesModified => Works,
        E::WorkflowExecutionUpdateAdmitted
        | E::WorkflowExecutionUpdateAccepted
        | E::WorkflowExecutionUpdateRejected
        | E::WorkflowExecutionUpdateCompleted => NotYet("Updates are not supported yet."),
        E::WorkflowPropertiesModifiedExternally | E::ActivityPropertiesModifiedExternally => {
            NotYet("Temporal does not write it either.")
        }
        E::NexusOperationScheduled
        | E::NexusOperationStarted
        | E::NexusOperationCompleted
        | E::NexusOperationFailed
        | E::NexusOperationCanceled
        | E::NexusOperationTimedOut
        | E::NexusOperationCancelRequested
        | E::NexusOperationCancelRequestCompleted
        | E::NexusOperationCancelRequestFailed => NotYet("Nexus is not supported yet."),
        E::WorkflowExecutionOptionsUpdated => Partly("Written for `on_conflict_options` only."),
        E::WorkflowExecutionPaused | E::WorkflowExecutionUnpaused => NotYet("Workflows cannot be paused."),
        E::WorkflowExecutionTimeSkippingTransitioned => NotYet("Time skipping is not supported."),
    })
}

fn support(support: Support) -> (&'static str, &'static str) {
    match support {
        Works => ("works", ""),
        Partly(differs) => ("partly", differs),
        NotYet(sentence) => ("not yet", sentence),
    }
}

fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Reads => "reads",
        Effect::Mutates(Repeat::RequestId) => "request id",
        Effect::Mutates(Repeat::Token) => "task token",
        Effect::Mutates(Repeat::CompareAndSet) => "state",
        Effect::Mutates(Repeat::Never) => "not recognised",
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Reader => "reader",
        Role::Writer => "writer",
        Role::Worker => "worker",
        Role::Admin => "admin",
    }
}

fn write_service(text: &mut String, name: &str, routes: &[Route]) {
    let served = routes.iter().filter(|route| route.is_served()).count();
    let _ = writeln!(text, "## {name}: {served} of {} RPCs\n", routes.len());
    let _ = writeln!(text, "A repeat is recognised by what the fourth column says. Long polls are marked with *.\n");
    let _ =
        writeln!(text, "| RPC | | what differs | reads, or a repeat is recognised by | for |\n|---|---|---|---|---|");
    for route in routes {
        let (word, remark) = support(route.support);
        let poll = if matches!(route.wait, Wait::Within(_)) { "" } else { " *" };
        let _ = writeln!(
            text,
            "| {}{poll} | {word} | {remark} | {} | {} |",
            route.name,
            effect(route.effect),
            role(route.role)
        );
    }
    text.push('\n');
}

fn write_enum(text: &mut String, title: &str, column: &str, rows: &[(&'static str, Support)]) {
    let _ = writeln!(text, "## {title}\n\n| {column} | | what differs |\n|---|---|---|");
    for (name, of_it) in rows {
        let (word, remark) = support(*of_it);
        let _ = writeln!(text, "| {name} | {word} | {remark} |");
    }
    text.push('\n');
}

/// Every value of one of Temporal's enums.
fn every<T: TryFrom<i32>>() -> impl Iterator<Item = T> {
    const BEYOND: i32 = 1000;
    (0..BEYOND).filter_map(|number| T::try_from(number).ok())
}

fn written() -> String {
    let mut text = HEAD.to_owned();
    write_service(&mut text, "WorkflowService", WORKFLOW_SERVICE);
    write_service(&mut text, "OperatorService", OPERATOR_SERVICE);
    let name = |name: &'static str, prefix: &str| name.strip_prefix(prefix).expect("names have their enum's prefix");
    let commands: Vec<_> = every::<CommandType>()
        .filter_map(|kind| Some((name(kind.as_str_name(), "COMMAND_TYPE_"), command(kind)?)))
        .collect();
    write_enum(&mut text, "Commands", "command", &commands);
    let events: Vec<_> =
        every::<EventType>().filter_map(|kind| Some((name(kind.as_str_name(), "EVENT_TYPE_"), event(kind)?))).collect();
    write_enum(&mut text, "Event types", "event", &events);
    let _ =
        writeln!(text, "## Capabilities of GetSystemInfo\n\n| capability | | means | because of |\n|---|---|---|---|");
    for (field, ground, means) in CAPABILITIES {
        let word = if ground.holds() { "yes" } else { "no" };
        let because = match ground {
            Ground::Always(_) => "",
            Ground::With(route) => route.name,
        };
        let _ = writeln!(text, "| {field} | {word} | {means} | {because} |");
    }
    text
}

#[test]
fn compatibility_is_written_from_the_tables() {
    let written = written();
    if std::env::var_os("UPDATE_COMPATIBILITY").is_some() {
        std::fs::write(FILE, &written).expect("the file can be written");
    }
    let stored = std::fs::read_to_string(Path::new(FILE)).unwrap_or_default();
    let first = stored.lines().zip(written.lines()).find(|(stored, written)| stored != written);
    assert!(stored == written, "COMPATIBILITY.md is old: the head of compatibility.rs says what to do; {first:?}");
}

#[test]
fn every_rpc_of_the_descriptor_has_one_row() {
    let names = |routes: &[Route]| routes.iter().map(|route| route.name).collect::<Vec<_>>();
    assert_eq!(names(WORKFLOW_SERVICE), rpcs::workflow_service::NAMES);
    assert_eq!(names(OPERATOR_SERVICE), rpcs::operator_service::NAMES);
}

#[test]
fn rows_agree_with_themselves() {
    for route in WORKFLOW_SERVICE.iter().chain(OPERATOR_SERVICE) {
        let sentence = match route.support {
            Works => continue,
            Partly(sentence) | NotYet(sentence) => sentence,
        };
        assert!(sentence.ends_with('.') && !sentence.contains('|'), "{}: {sentence}", route.name);
        let by_token = route.effect == Effect::Mutates(Repeat::Token);
        assert!(!by_token || route.role == Role::Worker, "{}: only workers have task tokens", route.name);
        assert!(route.wait != Wait::TaskPoll || route.role == Role::Worker, "{}: only workers poll", route.name);
    }
}

/// The core's registries say what is supported, this file only in which words.
#[test]
fn not_yet_is_said_of_what_the_core_does_not_support() {
    let is_said = |support: Option<Support>| support.is_none_or(|support| matches!(support, NotYet(_)));
    for kind in every::<CommandType>() {
        assert_eq!(is_said(command(kind)), !tempest_core::supports_command(kind), "{kind:?}");
    }
    for kind in every::<EventType>() {
        assert_eq!(is_said(event(kind)), !tempest_core::supports_event(kind), "{kind:?}");
    }
}
