//! Commits in flight, in order, and what rests on them.
use super::cross_calls::OutboundCall;
use super::request::Answer;
use std::collections::VecDeque;
use tempest_core::{HistoryTask, RunKey};
use tempest_store::TaskKey;

/// One commit between being staged and being durable.
pub(crate) struct Staged {
    pub sequence: u64,
    /// Of states and events.
    pub bytes: usize,
    /// The smallest task id it may have used: transfer tasks from here on are not durable yet.
    pub first_task_id: i64,
    pub runs: Vec<RunKey>,
    pub transfer_tasks: Vec<(i64, HistoryTask)>,
    pub timer_tasks: Vec<(TaskKey, HistoryTask)>,
    /// The caller that caused it.
    pub answers: Vec<Answer>,
    /// What was decided on its state and wrote nothing.
    pub dependants: Vec<Dependant>,
}

/// What was decided on staged state and waits until that is durable, and where nothing was written until the shard is
/// proven to be owned.
pub(crate) enum Dependant {
    Answer(Answer),
    /// Other runs would be told of what may never be. And a superseded owner that writes nothing would go on calling
    /// forever, long after its successor believed a refusal.
    Call(Box<OutboundCall>),
}

/// The pipeline of one ownership: sequences rise by one, and become durable in that order.
pub(crate) struct Pipeline {
    staged: VecDeque<Staged>,
    /// Of all that is staged.
    bytes: usize,
    /// How many things rest on what is staged.
    dependants: usize,
    durable: u64,
    last: u64,
}

impl Pipeline {
    pub fn new(durable: u64) -> Self {
        Self { staged: VecDeque::new(), bytes: 0, dependants: 0, durable, last: durable }
    }

    pub fn len(&self) -> usize {
        self.staged.len()
    }

    /// Bytes in flight.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// What was decided, wrote nothing and waits for commits in flight.
    pub fn dependants(&self) -> usize {
        self.dependants
    }

    pub fn is_empty(&self) -> bool {
        self.staged.is_empty()
    }

    /// Sequence of the newest durable commit.
    pub fn durable(&self) -> u64 {
        self.durable
    }

    pub fn next_sequence(&self) -> u64 {
        self.last + 1
    }

    pub fn push(&mut self, staged: Staged) {
        assert_eq!(staged.sequence, self.last + 1, "commits are staged in sequence");
        self.last = staged.sequence;
        self.bytes += staged.bytes;
        self.staged.push_back(staged);
    }

    /// The first task id that is not durable, if anything is in flight.
    pub fn first_task_id(&self) -> Option<i64> {
        self.staged.front().map(|staged| staged.first_task_id)
    }

    /// The oldest commit is durable.
    pub fn committed(&mut self) -> Staged {
        let staged = self.staged.pop_front().expect("an outcome comes from a commit in flight");
        self.durable = staged.sequence;
        self.bytes -= staged.bytes;
        self.dependants -= staged.dependants.len();
        staged
    }

    /// Keeps what rests on `sequence` until that is durable; gives it back if it is already.
    pub fn when_durable(&mut self, sequence: u64, dependant: Dependant) -> Option<Dependant> {
        if sequence <= self.durable {
            return Some(dependant);
        }
        let index = usize::try_from(sequence - self.durable - 1).expect("the pipeline is far shorter than 2^32");
        self.dependants += 1;
        self.staged[index].dependants.push(dependant);
        None
    }

    /// Nothing in flight can be relied on: these are the answers of callers that caused commits, and what depended on those.
    pub fn discard(self) -> impl Iterator<Item = (Vec<Answer>, Vec<Dependant>)> {
        self.staged.into_iter().map(|staged| (staged.answers, staged.dependants))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempest_api::ServiceError;
    use tokio::sync::oneshot;

    fn staged(sequence: u64) -> Staged {
        Staged {
            sequence,
            bytes: 100,
            first_task_id: i64::try_from(sequence).unwrap() * 10,
            runs: vec![],
            transfer_tasks: vec![],
            timer_tasks: vec![],
            answers: vec![],
            dependants: vec![],
        }
    }

    #[test]
    fn an_answer_waits_for_its_commit_and_no_other() {
        let mut pipeline = Pipeline::new(7);
        pipeline.push(staged(8));
        pipeline.push(staged(9));
        let mut at_once = Vec::new();
        for sequence in [7, 8, 9] {
            let answer = Dependant::Answer(Answer::new(oneshot::channel::<Result<(), ServiceError>>().0, Ok(())));
            at_once.push(pipeline.when_durable(sequence, answer).is_some());
        }
        assert_eq!(at_once, [true, false, false]);
        assert_eq!((pipeline.bytes(), pipeline.dependants()), (200, 2));
        assert_eq!(pipeline.committed().dependants.len(), 1);
        assert_eq!((pipeline.first_task_id(), pipeline.bytes(), pipeline.dependants()), (Some(90), 100, 1));
        let left = pipeline.discard().map(|(answers, dependants)| (answers.len(), dependants.len()));
        assert_eq!(left.collect::<Vec<_>>(), [(0, 1)]);
    }
}
