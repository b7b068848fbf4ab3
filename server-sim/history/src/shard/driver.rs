//! The driver of a shard that is owned: waits for the next thing to happen, hands it to the machine, and performs what
//! that asks for.
use super::clock::Moment;
use super::cross_calls::CrossCalls;
use super::effects::{Effect, TaskPage, Work};
use super::events::Event;
use super::owned::{Dissolved, Exit, Owned};
use super::request::Request;
use super::{Door, Node, ask_sender, reads, send};
use crate::history_read::read_batch;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use tempest_core::HistoryTask;
use tempest_rt::time::{Instant, Sleep, sleep, sleep_until};
use tempest_store::{CommitFuture, CommitOutcome, ShardId, StoreCalls, TaskKey};

/// Serves until ownership ends. Commits first: they free what waits for them. New requests last.
pub(crate) async fn serve(node: &Arc<Node>, owned: &mut Owned, carried: VecDeque<Request>, door: &mut Door) -> Exit {
    let mut driver = Driver::new(node, owned);
    driver.turn(owned, Event::Acquired(carried));
    loop {
        if let Some(exit) = owned.exit() {
            return exit.clone();
        }
        let event = driver.next(owned, door).await;
        driver.turn(owned, event);
    }
}

/// Ends an ownership: its callers hear what is known, and what was not decided is returned.
pub(crate) fn dissolve(owned: Owned, exit: &Exit) -> VecDeque<Request> {
    let Dissolved { withdrawn, undecided } = owned.dissolve(exit);
    withdrawn.into_iter().for_each(|(answer, error)| answer.withdraw(error));
    undecided
}

/// What is under way for one ownership. Dropping it loses nothing but work: commits go on in the store, and tasks are
/// read again from there.
struct Driver<'a> {
    node: &'a Arc<Node>,
    shard: ShardId,
    /// In the order in which they were enqueued, which is that of their ends.
    commits: VecDeque<CommitFuture>,
    work: FuturesUnordered<BoxFuture<'static, Event>>,
    alarm: Alarm,
}

impl<'a> Driver<'a> {
    fn new(node: &'a Arc<Node>, owned: &Owned) -> Self {
        let (commits, work) = (VecDeque::new(), FuturesUnordered::new());
        Self { node, shard: owned.shard, commits, work, alarm: Alarm::default() }
    }

    /// The next thing that happens.
    async fn next(&mut self, owned: &mut Owned, door: &mut Door) -> Event {
        self.alarm.set(owned.next_wake(Moment::read(&self.node.wall)));
        let (accepts, stopping) = (owned.accepts(), owned.is_leaving());
        tokio::select! {
            biased;
            outcome = oldest_outcome(&mut self.commits), if !self.commits.is_empty() => {
                self.commits.pop_front();
                Event::CommitEnded(outcome)
            }
            Some(event) = self.work.next(), if !self.work.is_empty() => event,
            () = self.alarm.ring() => Event::Alarm,
            _ = door.stop.wait_for(|stop| *stop), if !stopping => Event::Leave(Exit::Stopped),
            _ = door.placement.wait_for(|placement| !placement.is_here()), if !stopping => {
                Event::Leave(Exit::HandedOver)
            }
            request = door.mailbox.recv(), if accepts => match request {
                Some(request) => Event::Request(request),
                None => Event::Leave(Exit::Stopped),
            },
        }
    }

    fn turn(&mut self, owned: &mut Owned, event: Event) {
        let node = self.node;
        node.actor_times.turn(self.shard, || self.perform(owned.handle(Moment::read(&node.wall), event)));
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                // `commit` enqueues before it returns: the order of these calls is the order of the commits.
                Effect::Commit(commit) => self.commits.push_back(self.node.store.commit(*commit)),
                Effect::Give(answer) => answer.give(),
                Effect::Withdraw(answer, error) => answer.withdraw(error),
                Effect::Refuse(request, error) => request.refuse(error),
                Effect::PostLag(posted) => self.node.lags.post(self.shard, posted),
                Effect::Begin(work) => self.work.push(self.begin(work)),
            }
        }
    }

    fn begin(&self, work: Work) -> BoxFuture<'static, Event> {
        let node = self.node.clone();
        match work {
            Work::Load { workflow, run_id } => Box::pin(async move {
                let loaded = reads::load(&*node.store, workflow.clone(), run_id).await;
                Event::Loaded(workflow, loaded)
            }),
            Work::ReadEvents { workflow, branch, event_id } => Box::pin(async move {
                let nodes_per_read = node.config.history_nodes_per_read;
                let events = read_batch(&*node.store, &branch, event_id, nodes_per_read).await;
                Event::EventsRead { workflow, branch, events }
            }),
            Work::ReadTransfers(page) => {
                let rows = self.read_tasks(page);
                let TaskPage { before, limit, .. } = page;
                Box::pin(async move {
                    let rows = rows.await.into_iter().map(|(key, task)| (key.task_id, task)).collect();
                    Event::TransferPage { before, limit, rows }
                })
            }
            Work::ReadTimers(page) => {
                let rows = self.read_tasks(page);
                Box::pin(async move { Event::TimerPage { limit: page.limit, rows: rows.await } })
            }
            Work::Prove { believed: Some(range) } => Box::pin(std::future::ready(Event::Proven(Ok(range)))),
            Work::Prove { believed: None } => {
                let proof = node.read_index.prove(self.shard);
                Box::pin(async move { Event::Proven(proof.await) })
            }
            Work::Send { id, run, task } => {
                let late = tempest_rt::buggify!("history-transfer-sent-late");
                Box::pin(async move { Event::TransferSent(id, send::send(&*node.matching, run, task, late).await) })
            }
            Work::Call(call) => Box::pin(async move {
                let cross_calls = CrossCalls::of(&node, call.duplicates_follow);
                Event::TransferSent(call.id, cross_calls.run(call.business).await)
            }),
            Work::AskSender { question, sender, task } => {
                Box::pin(async move { Event::SenderAsked(question, ask_sender::ask(&node.peers, &sender, task).await) })
            }
            Work::Later { pause, event } => Box::pin(async move {
                sleep(pause).await;
                *event
            }),
        }
    }

    fn read_tasks(&self, page: TaskPage) -> impl Future<Output = Vec<(TaskKey, HistoryTask)>> + Send + 'static {
        let config = &self.node.config;
        reads::tasks(self.node.store.clone(), self.shard, page, (config.task_retry_initial, config.task_retry_max))
    }
}

/// Dropping this future loses nothing.
async fn oldest_outcome(commits: &mut VecDeque<CommitFuture>) -> CommitOutcome {
    match commits.front_mut() {
        Some(commit) => commit.await,
        None => std::future::pending().await,
    }
}

/// One sleep, renewed only when its end changes: most turns of the loop do not touch the runtime's timers.
#[derive(Default)]
struct Alarm {
    at: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Alarm {
    fn set(&mut self, at: Option<Instant>) {
        let sleeps_on = self.at.is_some() && tempest_rt::planted!(crate::plants::TIMER_SLEEP_NOT_RENEWED);
        if self.at != at && !sleeps_on {
            self.at = at;
            self.sleep = at.map(|at| Box::pin(sleep_until(at)));
        }
    }

    async fn ring(&mut self) {
        match &mut self.sleep {
            Some(sleep) => {
                sleep.as_mut().await;
                (self.at, self.sleep) = (None, None);
            }
            None => std::future::pending().await,
        }
    }
}
