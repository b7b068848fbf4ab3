//! What is seen of timers: what they are owed, their size, what holds of them.
use super::UserTimer;
use crate::{MutableState, Owed, TimerKind, parts::Weigh, run::size::ENTRY_BYTES};

impl Weigh for UserTimer {
    fn bytes(&self) -> usize {
        ENTRY_BYTES + self.timer_id.len()
    }
}

impl MutableState {
    pub(crate) fn timers_are_owed(&self, owed: &mut Vec<Owed>) {
        for timer in self.pending_timers() {
            let kind = TimerKind::UserTimer { started_event_id: timer.started_event_id };
            owed.push(Owed::Timer { by: timer.expiry, kind });
        }
    }

    pub(crate) fn timers_violation(&self) -> Option<String> {
        let mut firing = self.auxiliary.buffered.timers_firing.iter();
        let unknown = firing.find(|id| !self.durable.timers.contains_key(id))?;
        Some(format!("timer {unknown} fires without having been started"))
    }
}
