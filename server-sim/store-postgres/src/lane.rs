//! A lane: one connection that writes one batch after the other, while the next one gathers.
//!
//! When something in a batch is at fault, nothing of it is stored; its halves are then tried, and theirs, so that only
//! the guilty request fails and its place in the order is kept.
use crate::connection::Connection;
use crate::statements::WriteStatements;
use crate::target::Target;
use crate::transaction::{Ended, write_batch};
use crate::trouble::{Guilt, Trouble};
use futures::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tempest_rt::task::TaskGroup;
use tempest_rt::time::sleep;
use tempest_store::judge::after_unknown_commit;
use tempest_store::write_queue::WriteQueue;
use tempest_store::{StoreError, WriteAnswer, WriteRequest};

const BEGIN: &str = "BEGIN";
/// Opens a transaction while the one who waits for a lock is looked for: who could not get it in full time before will
/// hardly get it now, and everybody else in the batch is waiting.
const BEGIN_HASTILY: &str = "BEGIN; SET LOCAL lock_timeout = '50ms'";
/// Lock timeouts in one batch before all that is left of it is refused.
const LOCK_TIMEOUTS_MAX: u32 = 32;

pub struct Lane {
    queue: WriteQueue<WriteRequest>,
}

impl Lane {
    /// A lane that runs in `tasks`.
    pub fn start(target: Arc<Target>, tasks: &TaskGroup) -> Arc<Self> {
        let lane = Arc::new(Self { queue: WriteQueue::new(target.config.queue_limits(), "the database") });
        let writer = Writer { target, tasks: tasks.clone(), connection: None };
        tasks.spawn(lane.clone().run(writer));
        lane
    }

    /// Queues a request now; the future is its answer.
    pub fn push(&self, request: WriteRequest) -> impl Future<Output = WriteAnswer> + Send + use<> {
        let bytes = request.bytes();
        self.queue.push(request, bytes)
    }

    /// Accepts nothing more; resolves when what was accepted is answered.
    pub async fn close(&self) {
        self.queue.close().await;
    }

    async fn run(self: Arc<Self>, mut writer: Writer) {
        while let Some((requests, replies)) = self.queue.batch().await {
            let Ok(answers) = AssertUnwindSafe(writer.write(&requests)).catch_unwind().await else {
                // Dropping the replies makes these callers see `OutcomeUnknown`. The next batch is served.
                tracing::error!(
                    requests = requests.len(),
                    "writing to PostgreSQL panicked: the connection is given up"
                );
                writer.connection = None;
                continue;
            };
            replies.send(answers);
        }
        self.queue.drained();
    }
}

struct Writer {
    target: Arc<Target>,
    tasks: TaskGroup,
    connection: Option<Connection<WriteStatements>>,
}

impl Writer {
    /// One answer each, in order.
    async fn write(&mut self, requests: &[WriteRequest]) -> Vec<WriteAnswer> {
        let mut answers = Vec::with_capacity(requests.len());
        // What is still to be written, the next at the end.
        let mut slices = vec![requests];
        let mut lock_timeouts = 0;
        while let Some(slice) = slices.pop() {
            let begin = if lock_timeouts == 0 { BEGIN } else { BEGIN_HASTILY };
            let refusal = match self.try_repeatedly(begin, slice).await {
                Ended::Answered(answered) => {
                    answers.extend(answered);
                    continue;
                }
                Ended::Nothing(Trouble::Guilty(guilt, why)) => {
                    lock_timeouts += u32::from(guilt == Guilt::Locked);
                    if lock_timeouts < LOCK_TIMEOUTS_MAX {
                        match slice.split_at(slice.len() / 2) {
                            ([], _) => answers.push(Err(guilt.error(why))),
                            (first, second) => slices.extend([second, first]),
                        }
                        continue;
                    }
                    why
                }
                Ended::Nothing(Trouble::Again(why) | Trouble::Unavailable(why)) => why,
                Ended::Unknown(unknown) => {
                    answers.extend(unknown);
                    "the outcome of an earlier write in this batch is unknown".to_owned()
                }
            };
            answers.resize(requests.len(), Err(StoreError::Unavailable(refusal)));
            break;
        }
        answers
    }

    /// Tries until it is clear what the end is, as long as nothing was stored and there is hope.
    async fn try_repeatedly(&mut self, begin: &str, requests: &[WriteRequest]) -> Ended {
        let mut tries = 0;
        loop {
            tries += 1;
            let ended = self.try_once(begin, requests).await;
            let hope = match &ended {
                Ended::Nothing(Trouble::Again(_)) => true,
                // Alone, it is judged once more: the row that was in its way can be read now.
                Ended::Nothing(Trouble::Guilty(Guilt::Taken, _)) => requests.len() == 1 && tries == 1,
                Ended::Answered(_) | Ended::Nothing(_) | Ended::Unknown(_) => false,
            };
            if !hope || tries >= self.target.config.attempts_max {
                return ended;
            }
            sleep(self.target.config.attempt_pause).await;
        }
    }

    async fn try_once(&mut self, begin: &str, requests: &[WriteRequest]) -> Ended {
        let connection = match self.connection.take().filter(|connection| connection.is_usable(&self.target)) {
            Some(connection) => connection,
            None => match Connection::open(&self.target, &self.tasks).await {
                Ok(connection) => connection,
                Err(error) => return Ended::Nothing(Trouble::Unavailable(self.target.out_of_reach(&error))),
            },
        };
        let ended = match write_batch(&connection, begin, requests).await {
            // A new primary was promoted during the commit; whether it has replicated the commit is unknown.
            Ended::Answered(answers) if !self.target.is_newest(connection.timeline) => {
                let why = "a newer primary of PostgreSQL is known";
                Ended::Unknown(answers.into_iter().map(|answer| after_unknown_commit(answer, why)).collect())
            }
            ended => ended,
        };
        let reusable = match &ended {
            Ended::Answered(_) => true,
            Ended::Nothing(_) => connection.rollback().await,
            Ended::Unknown(_) => false,
        };
        if reusable {
            self.connection = Some(connection);
        }
        ended
    }
}
