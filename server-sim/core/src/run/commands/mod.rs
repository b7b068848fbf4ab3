//! The registry of commands: what a worker commands when it completes a workflow task. Each command is one file of the
//! part that it belongs to, which validates it, fills in its defaults (as history shall show them) and decides it.
//!
//! [`sequence`] comes first and refuses the whole request. Then a command sees what the commands before it did; if one is
//! bad, nothing of any of them happens and the workflow task fails instead.
mod bad_command;
mod sequence;
#[cfg(test)]
pub(crate) mod testing;

pub(crate) use bad_command::{
    BadCommand, Failed, Handled, RunFacts, check_search_attributes_size, does_not_fit, refuse_other_namespace, size_of,
};
pub(crate) use sequence::sequence;

use crate::{Decision, EventId, run::decision::Extras};
use bad_command::{not_set, unsupported};
use std::collections::BTreeSet;
use temporalio_protos::temporal::api::{
    command::v1::{Command, command::Attributes},
    enums::v1::{CommandType, WorkflowTaskFailedCause as Cause},
};

/// Where a command may stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Anywhere,
    /// It closes the run: nothing follows it.
    Last,
}

/// One row for each kind of command: its attributes, where it may stand, the cause with which its workflow task fails if
/// they are missing, and the file that handles it. A kind without a row does not compile.
macro_rules! commands {
    (
        supported { $( $kind:ident $attributes:ident $place:ident $cause:ident $part:ident::$file:ident; )* }
        unsupported { $( $unknown:ident $unknown_cause:ident; )* }
    ) => {
        fn dispatch(
            commands: &mut Commands<'_, '_>,
            kind: CommandType,
            attributes: Option<Attributes>,
            extras: Extras,
        ) -> Handled {
            match kind {
                $( CommandType::$kind => match attributes {
                    Some(Attributes::$attributes(attributes)) => {
                        crate::run::$part::$file::handle(commands, attributes, extras)
                    }
                    // Attributes of another type than the command claims count as none, as in Temporal.
                    _ => Err(not_set(Cause::$cause, stringify!($kind))),
                }, )*
                $( CommandType::$unknown => Err(unsupported(Cause::$unknown_cause, stringify!($unknown))), )*
            }
        }

        /// Whether a worker may command it. What is not supported fails the workflow task.
        pub fn supports_command(kind: CommandType) -> bool {
            matches!(kind, $( CommandType::$kind )|*)
        }

        /// Whether it closes the run.
        fn closes(kind: CommandType) -> bool {
            let place = match kind {
                $( CommandType::$kind => Place::$place, )*
                $( CommandType::$unknown => Place::Anywhere, )*
            };
            place == Place::Last
        }
    };
}

commands! {
    supported {
        ScheduleActivityTask                   ScheduleActivityTaskCommandAttributes                   Anywhere BadScheduleActivityAttributes                      activity::schedule;
        RequestCancelActivityTask              RequestCancelActivityTaskCommandAttributes              Anywhere BadRequestCancelActivityAttributes                 activity::request_cancel;
        StartTimer                             StartTimerCommandAttributes                             Anywhere BadStartTimerAttributes                            timer::start;
        CancelTimer                            CancelTimerCommandAttributes                            Anywhere BadCancelTimerAttributes                           timer::cancel;
        RecordMarker                           RecordMarkerCommandAttributes                           Anywhere BadRecordMarkerAttributes                          marker::record;
        UpsertWorkflowSearchAttributes         UpsertWorkflowSearchAttributesCommandAttributes         Anywhere BadSearchAttributes                                properties::upsert_search_attributes;
        ModifyWorkflowProperties               ModifyWorkflowPropertiesCommandAttributes               Anywhere BadModifyWorkflowPropertiesAttributes              properties::modify;
        StartChildWorkflowExecution            StartChildWorkflowExecutionCommandAttributes            Anywhere BadStartChildExecutionAttributes                   child::start;
        SignalExternalWorkflowExecution        SignalExternalWorkflowExecutionCommandAttributes        Anywhere BadSignalWorkflowExecutionAttributes               external::signal;
        RequestCancelExternalWorkflowExecution RequestCancelExternalWorkflowExecutionCommandAttributes Anywhere BadRequestCancelExternalWorkflowExecutionAttributes external::cancel;
        CompleteWorkflowExecution              CompleteWorkflowExecutionCommandAttributes              Last     BadCompleteWorkflowExecutionAttributes             close::complete;
        FailWorkflowExecution                  FailWorkflowExecutionCommandAttributes                  Last     BadFailWorkflowExecutionAttributes                 close::fail;
        CancelWorkflowExecution                CancelWorkflowExecutionCommandAttributes                Last     BadCancelWorkflowExecutionAttributes               close::cancel;
        ContinueAsNewWorkflowExecution         ContinueAsNewWorkflowExecutionCommandAttributes         Last     BadContinueAsNewAttributes                         close::continue_as_new;
    }
    unsupported {
        ProtocolMessage            BadUpdateWorkflowExecutionMessage;
        ScheduleNexusOperation     BadScheduleNexusOperationAttributes;
        RequestCancelNexusOperation BadRequestCancelNexusOperationAttributes;
        Unspecified                Unspecified;
    }
}

/// One completion's commands at work.
pub(crate) struct Commands<'d, 'c> {
    pub(crate) decision: &'d mut Decision<'c>,
    pub(crate) completed_event_id: EventId,
    pub(crate) identity: String,
    /// The name of the run's namespace, as the worker knows it.
    pub(crate) namespace: String,
    /// News came while the worker decided: it must not close a run whose end it has not seen.
    pub(crate) has_news: bool,
    /// An activity ended without ever having been offered, which the workflow must hear of.
    pub(crate) cancelled_unstarted_activity: bool,
    /// Workflow ids of children that these commands ask for.
    pub(crate) children_initiated: BTreeSet<String>,
}

impl<'d, 'c> Commands<'d, 'c> {
    pub(crate) fn new(
        decision: &'d mut Decision<'c>,
        completed_event_id: EventId,
        identity: &str,
        namespace: &str,
    ) -> Self {
        Self {
            has_news: !decision.state.auxiliary.buffered.is_empty(),
            decision,
            completed_event_id,
            identity: identity.to_owned(),
            namespace: namespace.to_owned(),
            cancelled_unstarted_activity: false,
            children_initiated: BTreeSet::new(),
        }
    }

    pub(crate) fn handle(&mut self, command: Command) -> Handled {
        let kind = command.command_type();
        if closes(kind) && self.has_news {
            return Err(BadCommand::new(Cause::UnhandledCommand, "").into());
        }
        let extras = Extras { user_metadata: command.user_metadata, ..Extras::default() };
        dispatch(self, kind, command.attributes, extras)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RunKey;

    #[test]
    fn a_command_without_its_own_attributes_has_none() {
        let context = testing::context();
        let check = |kind: CommandType, expect: &str| {
            let strange = Attributes::ProtocolMessageCommandAttributes(Default::default());
            for attributes in [None, Some(strange)] {
                let mut decision = Decision::opening(RunKey::default(), &context);
                let mut commands = Commands::new(&mut decision, 0, "", "shop");
                let command = Command { command_type: kind.into(), attributes, ..Default::default() };
                let failed = commands.handle(command).expect_err("it has no attributes");
                assert_eq!((failed.bad.full_message().as_str(), failed.terminates), (expect, false));
            }
        };
        use CommandType::*;
        check(
            ScheduleActivityTask,
            "BadScheduleActivityAttributes: \
             ScheduleActivityTaskCommandAttributes is not set on ScheduleActivityTaskCommand.",
        );
        check(
            RequestCancelActivityTask,
            "BadRequestCancelActivityAttributes: \
             RequestCancelActivityTaskCommandAttributes is not set on RequestCancelActivityTaskCommand.",
        );
        check(StartTimer, "BadStartTimerAttributes: StartTimerCommandAttributes is not set on StartTimerCommand.");
        check(CancelTimer, "BadCancelTimerAttributes: CancelTimerCommandAttributes is not set on CancelTimerCommand.");
        check(
            RecordMarker,
            "BadRecordMarkerAttributes: RecordMarkerCommandAttributes is not set on RecordMarkerCommand.",
        );
        check(
            CompleteWorkflowExecution,
            "BadCompleteWorkflowExecutionAttributes: \
             CompleteWorkflowExecutionCommandAttributes is not set on CompleteWorkflowExecutionCommand.",
        );
        check(
            FailWorkflowExecution,
            "BadFailWorkflowExecutionAttributes: \
             FailWorkflowExecutionCommandAttributes is not set on FailWorkflowExecutionCommand.",
        );
        check(
            CancelWorkflowExecution,
            "BadCancelWorkflowExecutionAttributes: \
             CancelWorkflowExecutionCommandAttributes is not set on CancelWorkflowExecutionCommand.",
        );
        check(
            ContinueAsNewWorkflowExecution,
            "BadContinueAsNewAttributes: \
             ContinueAsNewWorkflowExecutionCommandAttributes is not set on ContinueAsNewWorkflowExecutionCommand.",
        );
        check(
            UpsertWorkflowSearchAttributes,
            "BadSearchAttributes: \
             UpsertWorkflowSearchAttributesCommandAttributes is not set on UpsertWorkflowSearchAttributesCommand.",
        );
        check(
            ModifyWorkflowProperties,
            "BadModifyWorkflowPropertiesAttributes: \
             ModifyWorkflowPropertiesCommandAttributes is not set on ModifyWorkflowPropertiesCommand.",
        );
        check(
            StartChildWorkflowExecution,
            "BadStartChildExecutionAttributes: \
             StartChildWorkflowExecutionCommandAttributes is not set on StartChildWorkflowExecutionCommand.",
        );
        check(
            SignalExternalWorkflowExecution,
            "BadSignalWorkflowExecutionAttributes: \
             SignalExternalWorkflowExecutionCommandAttributes is not set on SignalExternalWorkflowExecutionCommand.",
        );
        check(
            RequestCancelExternalWorkflowExecution,
            "BadRequestCancelExternalWorkflowExecutionAttributes: \
             RequestCancelExternalWorkflowExecutionCommandAttributes is not set on \
             RequestCancelExternalWorkflowExecutionCommand.",
        );
        check(
            ScheduleNexusOperation,
            "BadScheduleNexusOperationAttributes: ScheduleNexusOperation is not supported yet.",
        );
    }
}
