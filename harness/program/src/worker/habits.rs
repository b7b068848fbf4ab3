//! Bad habits of workers: what a server has to live with.
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Longer than most timeouts of programs, shorter than that of a workflow task.
const DAWDLING: Duration = Duration::from_secs(6);

/// One bad habit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Habit {
    /// Says the same once more, after it was heard.
    AnswersTwice,
    /// Answers so late that the task may belong to another.
    AnswersLate,
    /// Forgets the runs that it promised to keep.
    ForgetsRuns,
    /// Answers first with a token that no server gave.
    SpoilsTokens,
    /// Says that a workflow task failed that did not.
    FailsTasks,
}

impl Habit {
    pub const ALL: [Habit; 5] =
        [Habit::AnswersTwice, Habit::AnswersLate, Habit::ForgetsRuns, Habit::SpoilsTokens, Habit::FailsTasks];

    /// Also the name of the decision whether the worker gives in to it.
    pub fn name(self) -> &'static str {
        match self {
            Habit::AnswersTwice => "answers-twice",
            Habit::AnswersLate => "answers-late",
            Habit::ForgetsRuns => "forgets-runs",
            Habit::SpoilsTokens => "spoils-tokens",
            Habit::FailsTasks => "fails-tasks",
        }
    }
}

/// Decides, given a habit's name and how often it was asked, whether the worker gives in.
pub type GivesIn = Arc<dyn Fn(&'static str, u64) -> bool + Send + Sync>;

/// The habits of a worker.
#[derive(Clone, Default)]
pub struct Habits(Option<Bad>);

#[derive(Clone)]
struct Bad {
    gives_in: GivesIn,
    asked: Arc<[AtomicU64; Habit::ALL.len()]>,
}

impl fmt::Debug for Habits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "bad" } else { "good" })
    }
}

impl Habits {
    pub fn bad(gives_in: GivesIn) -> Habits {
        Habits(Some(Bad { gives_in, asked: Arc::default() }))
    }

    pub(super) fn has(&self, habit: Habit) -> bool {
        let Some(bad) = &self.0 else { return false };
        let index = Habit::ALL.iter().position(|other| *other == habit).unwrap_or(0);
        let times = bad.asked[index].fetch_add(1, Ordering::SeqCst);
        (bad.gives_in)(habit.name(), times)
    }

    pub(super) async fn dawdle(&self) {
        if self.has(Habit::AnswersLate) {
            tempest_rt::time::sleep(DAWDLING).await;
        }
    }

    /// Changes a byte in the middle.
    pub(super) fn spoil_token(&self, token: &mut [u8]) {
        let middle = token.len() / 2;
        if self.has(Habit::SpoilsTokens)
            && let Some(byte) = token.get_mut(middle)
        {
            *byte ^= 0x55;
        }
    }
}
