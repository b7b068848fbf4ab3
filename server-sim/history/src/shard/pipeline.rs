//! Commits in flight, in order, and the answers that rest on them.
use super::request::Answer;
use std::collections::VecDeque;
use tempest_api::ServiceError;
use tempest_core::{HistoryTask, RunKey};
use tempest_store::{CommitFuture, CommitOutcome, TaskKey};

/// One commit between being staged and being durable.
pub(crate) struct Staged {
    pub sequence: u64,
    /// Of states and events.
    pub bytes: usize,
    /// The smallest task id it may have used: transfer tasks from here on are not durable yet.
    pub first_task_id: i64,
    pub future: CommitFuture,
    pub runs: Vec<RunKey>,
    pub transfer_tasks: Vec<(i64, HistoryTask)>,
    pub timer_tasks: Vec<(TaskKey, HistoryTask)>,
    /// The caller that caused it.
    pub answers: Vec<Answer>,
    /// Answers that wrote nothing but were decided on its state.
    pub dependants: Vec<Answer>,
}

/// The pipeline of one ownership: sequences rise by one, and become durable in that order.
pub(crate) struct Pipeline {
    staged: VecDeque<Staged>,
    /// Of all that is staged.
    bytes: usize,
    durable: u64,
    last: u64,
}

impl Pipeline {
    pub fn new(durable: u64) -> Self {
        Self { staged: VecDeque::new(), bytes: 0, durable, last: durable }
    }

    pub fn len(&self) -> usize {
        self.staged.len()
    }

    /// Bytes in flight.
    pub fn bytes(&self) -> usize {
        self.bytes
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

    /// The end of the oldest commit in flight; pending forever if there is none. Dropping this future loses nothing.
    pub async fn front_outcome(&mut self) -> CommitOutcome {
        match self.staged.front_mut() {
            Some(staged) => (&mut staged.future).await,
            None => std::future::pending().await,
        }
    }

    /// The oldest commit is durable.
    pub fn committed(&mut self) -> Staged {
        let staged = self.staged.pop_front().expect("an outcome comes from a commit in flight");
        self.durable = staged.sequence;
        self.bytes -= staged.bytes;
        staged
    }

    /// Gives an answer as soon as `sequence` is durable.
    pub fn answer_when_durable(&mut self, sequence: u64, answer: Answer) {
        if sequence <= self.durable {
            return answer.give();
        }
        let index = usize::try_from(sequence - self.durable - 1).expect("the pipeline is far shorter than 2^32");
        self.staged[index].dependants.push(answer);
    }

    /// Nothing in flight can be relied on: `caused` for those who caused commits, `depended` for those who only read.
    pub fn discard(self, caused: &ServiceError, depended: &ServiceError) {
        for staged in self.staged {
            staged.answers.into_iter().for_each(|answer| answer.withdraw(caused.clone()));
            staged.dependants.into_iter().for_each(|answer| answer.withdraw(depended.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    fn staged(sequence: u64) -> Staged {
        Staged {
            sequence,
            bytes: 100,
            first_task_id: i64::try_from(sequence).unwrap() * 10,
            future: Box::pin(async { CommitOutcome::Committed }),
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
        let mut replies: Vec<_> = [7, 8, 9]
            .into_iter()
            .map(|sequence| {
                let (to, reply) = oneshot::channel();
                pipeline.answer_when_durable(sequence, Answer::new(to, Ok(sequence)));
                reply
            })
            .collect();
        assert_eq!(pipeline.bytes(), 200);
        assert_eq!(replies[0].try_recv().unwrap(), Ok(7));
        assert!(replies[1].try_recv().is_err());
        pipeline.committed().dependants.into_iter().for_each(Answer::give);
        assert_eq!(replies[1].try_recv().unwrap(), Ok(8));
        assert!(replies[2].try_recv().is_err());
        assert_eq!((pipeline.first_task_id(), pipeline.bytes()), (Some(90), 100));
        let unknown = ServiceError::OutcomeUnknown("who knows".into());
        pipeline.discard(&unknown, &ServiceError::Unavailable("come back".into()));
        assert_eq!(replies[2].try_recv().unwrap(), Err(ServiceError::Unavailable("come back".into())));
    }
}
