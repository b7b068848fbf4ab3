//! What every decision ends with: nothing stays buffered without reason, and the limits hold.
use crate::Decision;
use temporalio_protos::temporal::api::enums::v1::WorkflowTaskFailedCause;

impl Decision<'_> {
    pub(crate) fn settle(&mut self) {
        if !self.state.is_open() {
            return;
        }
        let buffered = &self.state.auxiliary.buffered;
        let bytes: usize = buffered.iter().map(prost::Message::encoded_len).sum();
        let limits = &self.context.limits;
        if buffered.len() > limits.buffered_events_max || bytes > limits.buffered_bytes_max {
            self.probe("buffer-limit-reached");
            self.fail_started_workflow_task(WorkflowTaskFailedCause::ForceCloseCommand);
            self.schedule_workflow_task();
        }
        if !self.state.workflow_task_is_started() {
            self.flush_buffer();
        }
        if self.next_event_id() - 1 > self.context.limits.history_events_max {
            self.probe("history-limit-reached");
            self.terminate_run("Workflow history count exceeds limit.", None, crate::HISTORY_SERVICE, Vec::new());
        } else if self.state.durable.history_size_bytes > self.context.limits.history_bytes_max {
            self.probe("history-limit-reached");
            self.terminate_run("Workflow history size exceeds limit.", None, crate::HISTORY_SERVICE, Vec::new());
        } else if self.state.approximate_bytes() > self.context.limits.mutable_state_bytes_max {
            self.probe("mutable-state-limit-reached");
            let reason = "Workflow mutable state size exceeds limit.";
            self.terminate_run(reason, None, crate::HISTORY_SERVICE, Vec::new());
        }
    }
}
