//! What is seen of children: what they are owed, their size, what describes them.
use super::Child;
use crate::{MutableState, Owed, TransferTask, parts::Weigh, run::size::ENTRY_BYTES};
use prost::Message;
use temporalio_protos::temporal::api::workflow::v1::PendingChildExecutionInfo;

impl Weigh for Child {
    fn bytes(&self) -> usize {
        let start = self.started.as_ref().map_or(0, |start| start.run_id.as_str().len());
        ENTRY_BYTES + self.attributes.encoded_len() + start
    }
}

impl MutableState {
    /// A child whose start is recorded may still have to be told to begin: its task knows.
    pub(crate) fn children_are_owed(&self, owed: &mut Vec<Owed>) {
        let unstarted = self.pending_children().filter(|child| self.child_start(child.initiated_event_id).is_none());
        owed.extend(
            unstarted
                .map(|child| Owed::Transfer(TransferTask::StartChild { initiated_event_id: child.initiated_event_id })),
        );
    }

    pub(crate) fn describe_children(&self) -> Vec<PendingChildExecutionInfo> {
        self.pending_children().map(|child| self.describe_child(child)).collect()
    }

    fn describe_child(&self, child: &Child) -> PendingChildExecutionInfo {
        let start = self.child_start(child.initiated_event_id);
        let attributes = child.attributes.as_ref();
        PendingChildExecutionInfo {
            workflow_id: attributes.workflow_id.clone(),
            run_id: start.map_or(String::new(), |start| start.run_id.0),
            workflow_type_name: attributes.workflow_type.as_ref().map_or(String::new(), |kind| kind.name.clone()),
            initiated_id: child.initiated_event_id,
            parent_close_policy: attributes.parent_close_policy,
        }
    }
}
