//! Activities, and what each of their attempts does.
use serde::{Deserialize, Serialize};

/// An activity and the script of its attempts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// What each attempt does; the last entry says it of all that follow.
    pub attempts: Vec<Attempt>,
    /// Tries at most; 0 is no bound.
    pub attempts_max: u32,
    pub backoff: Backoff,
    /// From the beginning of an attempt to its end.
    pub start_to_close_ms: u64,
    /// From the first schedule to the last end; `None` is no bound.
    pub schedule_to_close_ms: Option<u64>,
    /// From a schedule to the beginning of an attempt; `None` is no bound.
    pub schedule_to_start_ms: Option<u64>,
    /// Silence between heartbeats; `None` is no bound.
    pub heartbeat_ms: Option<u64>,
    pub cancel: CancelType,
    /// Put on a queue that no worker polls: what is left is a timeout.
    pub unattended: bool,
}

/// The pause before the next attempt: `initial_ms`, times `coefficient` with each, `max_ms` at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backoff {
    pub initial_ms: u64,
    pub coefficient: u32,
    pub max_ms: u64,
}

impl Backoff {
    /// The pause after attempt number `attempt`, which counts from 1.
    pub fn after(self, attempt: u32) -> u64 {
        let times = u64::from(self.coefficient.max(1)).saturating_pow(attempt.saturating_sub(1));
        self.initial_ms.saturating_mul(times).min(self.max_ms)
    }
}

/// What a workflow that cancels an activity waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CancelType {
    /// Asks it to stop and goes on at once.
    Try,
    /// Asks it to stop and waits until it has ended.
    Wait,
    /// Goes on at once and does not ask.
    Abandon,
}

/// What one attempt does: it beats so many times in all attempts together, works, and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The attempt goes on counting where the details of the last heartbeat stand, and ends with this number.
    pub beats: u32,
    /// The pause between heartbeats.
    pub every_ms: u64,
    /// How long it works after that.
    pub after_ms: u64,
    pub end: End,
}

/// How an attempt ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    Succeeds,
    /// May be tried again.
    Fails,
    /// Must not be tried again.
    FailsForGood,
    /// Says nothing any more: a timeout ends it.
    Silent,
}

impl Activity {
    /// What attempt number `attempt` does, which counts from 1.
    pub fn attempt(&self, attempt: u32) -> Attempt {
        let index = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
        *self.attempts.get(index).or(self.attempts.last()).unwrap_or(&Attempt::SIMPLE)
    }
}

impl Attempt {
    pub const SIMPLE: Attempt = Attempt { beats: 0, every_ms: 0, after_ms: 0, end: End::Succeeds };
}
