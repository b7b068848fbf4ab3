//! Aimed strikes: what goes wrong exactly where user code and server meet, in each run, however short a workflow is.
//!
//! A fault of the plan disturbs a host or a link for a while, and mostly misses the moment between an activity's side
//! effect and its completion. A strike waits for that moment. It is drawn by the type of the activity or workflow and the
//! number of its completion, so that it needs no knowledge of the workload and depends on nothing else.
//!
//! | strike | where | what user code sees of it |
//! |---|---|---|
//! | the worker dies | before it completes an activity | the activity is executed again; cached workflows are replayed |
//! | the worker dies | before it completes a workflow task | the workflow is replayed from its beginning |
//! | the completion is late | an activity with a short timeout | its timeout passes while it is executed, and it is again |
//! | the answer is lost | completions and starts | nothing: the server recognises the repeated call |
//! | it arrives twice | starts | nothing |
use super::{Host, now_ns};
use crate::draw::Decisions;
use prost::Message;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_artifact::{Event, TimelineEntry};

/// Of so many seeds that follow each other, one strikes the first completion of a type, one the second and so on.
const SURE_STRIKES: u64 = 3;
/// Deaths in a run: each costs seconds until the server notices.
const DEATHS_MAX: u64 = 6;
/// An activity that its server would miss for longer is not lost.
const TIMEOUT_MAX: Duration = Duration::from_secs(60);
/// What a late completion comes after the timeout.
const LATER: Duration = Duration::from_millis(500);

/// What becomes of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Strike {
    /// It is never made: its caller's host dies.
    Dies,
    /// It is made after this time.
    Late(Duration),
    /// It is executed, and the caller is told UNAVAILABLE.
    AnswerLost,
    /// It arrives once more, later.
    Twice,
}

/// Whether and what is struck. Asked by callers, looked at by the controller; cloning shares it.
#[derive(Clone, Debug)]
pub struct Aims {
    decisions: Decisions,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    active: bool,
    /// What workers were given, by task token.
    given: BTreeMap<Vec<u8>, Task>,
    /// Completions and starts, by site.
    calls: BTreeMap<String, u64>,
    /// Hosts that die, with what they were about to do.
    dying: Vec<(Host, String)>,
    deaths: u64,
    told: Vec<TimelineEntry>,
}

#[derive(Clone, Debug)]
enum Task {
    /// The shorter of the timeouts by which a server notices that its worker is gone.
    Activity {
        name: String,
        workflow_id: String,
        timeout: Option<Duration>,
    },
    Workflow {
        name: String,
        workflow_id: String,
        is_first: bool,
    },
}

impl Aims {
    pub fn new(decisions: Decisions) -> Aims {
        Aims { decisions, state: Arc::default() }
    }

    /// From now on calls are struck.
    pub fn begin(&self) {
        self.with(|state| state.active = true);
    }

    /// No call is struck any more.
    pub fn end(&self) {
        self.with(|state| state.active = false);
    }

    /// Notes what a worker got as the answer of a poll.
    pub fn given(&self, rpc: &str, answer: &[u8]) {
        let given = match rpc {
            "PollActivityTaskQueue" => activity(answer),
            "PollWorkflowTaskQueue" => workflow(answer),
            _ => None,
        };
        if let Some((token, task)) = given {
            self.with(|state| {
                if state.active {
                    state.given.insert(token, task);
                }
            });
        }
    }

    /// What becomes of a call that is about to be made.
    pub fn strike(&self, caller: &str, rpc: &str, request: &[u8]) -> Option<Strike> {
        self.with(|state| {
            if !state.active {
                return None;
            }
            let (strike, what) = match rpc {
                "RespondActivityTaskCompleted" => {
                    let token = api::RespondActivityTaskCompletedRequest::decode(request).ok()?.task_token;
                    self.completion(state, &token)?
                }
                "RespondWorkflowTaskCompleted" => {
                    let token = api::RespondWorkflowTaskCompletedRequest::decode(request).ok()?.task_token;
                    self.completion(state, &token)?
                }
                "StartWorkflowExecution" => self.start(state, request)?,
                _ => return None,
            };
            let event = match strike {
                Strike::Dies => {
                    state.deaths += 1;
                    state.dying.push((Host(caller.to_owned()), what));
                    return Some(strike);
                }
                Strike::Late(by) => format!("{caller} is {} ms late with {what}", by.as_millis()),
                Strike::AnswerLost => format!("{caller} gets no answer to {what}"),
                Strike::Twice => format!("{what} of {caller} arrives twice"),
            };
            super::inside::record_text("aimed", &event);
            let text = format!("aimed: {event}");
            state.told.push(TimelineEntry { at_ms: now_ns() / 1_000_000, event: Event::Told { text } });
            Some(strike)
        })
    }

    /// Hosts that are to die now, and what each was about to do.
    pub fn dying(&self) -> Vec<(Host, String)> {
        self.with(|state| std::mem::take(&mut state.dying))
    }

    /// How long the host that died so-manieth is down.
    pub fn down(&self, death: u64) -> Duration {
        Duration::from_millis(*self.decisions.pick("aim.down_ms", death, &[0, 500, 3_000]))
    }

    /// What was struck, in order; deaths are the nemesis's to tell.
    pub fn told(&self) -> Vec<TimelineEntry> {
        self.with(|state| state.told.clone())
    }

    fn with<T>(&self, body: impl FnOnce(&mut State) -> T) -> T {
        body(&mut self.state.lock().expect("no holder of this lock panics"))
    }

    fn completion(&self, state: &mut State, token: &[u8]) -> Option<(Strike, String)> {
        let may_die = state.deaths < DEATHS_MAX;
        match state.given.get(token)?.clone() {
            Task::Activity { name, workflow_id, timeout } => {
                let (site, number) = next(state, "activity", &name);
                let what = format!("the completion of {name} of {workflow_id}");
                let late = timeout.filter(|timeout| *timeout <= TIMEOUT_MAX);
                let Some(late) = late else {
                    return self.decisions.chance(&site, number, 1, 4).then_some((Strike::AnswerLost, what));
                };
                let kinds = [Strike::Dies, Strike::Late(late + LATER), Strike::AnswerLost];
                // The last of the kinds has the activity executed no second time.
                let kinds = if self.is_sure(&site, number) { &kinds[..2] } else { &kinds[..] };
                let is_struck = self.is_sure(&site, number) || self.decisions.chance(&site, number, 1, 8);
                let strike = self.decisions.pick(&format!("{site}.kind"), number, kinds).clone();
                let strike = if strike == Strike::Dies && !may_die { Strike::Late(late + LATER) } else { strike };
                is_struck.then_some((strike, what))
            }
            Task::Workflow { name, workflow_id, is_first } => {
                let what = format!("the completion of a workflow task of {workflow_id}, a {name}");
                let (site, number) = next(state, if is_first { "begins" } else { "goes-on" }, &name);
                let is_sure = !is_first && self.is_sure(&site, number);
                let strike = match self.decisions.below(&site, number, 16) {
                    _ if is_sure && may_die => Strike::Dies,
                    0 if may_die => Strike::Dies,
                    1 => Strike::AnswerLost,
                    _ => return None,
                };
                Some((strike, what))
            }
        }
    }

    fn start(&self, state: &mut State, request: &[u8]) -> Option<(Strike, String)> {
        let request = api::StartWorkflowExecutionRequest::decode(request).ok()?;
        let name = request.workflow_type.map(|kind| kind.name).unwrap_or_default();
        let (site, number) = next(state, "start", &name);
        let strike = match self.decisions.below(&site, number, 8) {
            _ if self.is_sure(&site, number) => Strike::Twice,
            0 => Strike::Twice,
            1 => Strike::AnswerLost,
            _ => return None,
        };
        Some((strike, format!("the start of {}", request.workflow_id)))
    }

    /// Whether this is the one call of a site that is struck in any case: the first of one seed, the second of the next.
    fn is_sure(&self, site: &str, number: u64) -> bool {
        let digest = Sha256::digest(site.as_bytes());
        number == (u64::from(digest[0]) + self.decisions.seed().0 % SURE_STRIKES) % SURE_STRIKES
    }
}

/// The site of a call and its number there, from 0.
fn next(state: &mut State, what: &str, name: &str) -> (String, u64) {
    let site = format!("aim.{what}.{name}");
    let calls = state.calls.entry(site.clone()).or_default();
    *calls += 1;
    (site, *calls - 1)
}

fn activity(answer: &[u8]) -> Option<(Vec<u8>, Task)> {
    let task = api::PollActivityTaskQueueResponse::decode(answer).ok()?;
    let set = |timeout: Option<prost_wkt_types::Duration>| {
        timeout.and_then(|timeout| Duration::try_from(timeout).ok()).filter(|timeout| !timeout.is_zero())
    };
    let timeout = [set(task.start_to_close_timeout), set(task.heartbeat_timeout)].into_iter().flatten().min();
    let name = task.activity_type?.name;
    let workflow_id = task.workflow_execution.map(|execution| execution.workflow_id).unwrap_or_default();
    Some((task.task_token, Task::Activity { name, workflow_id, timeout }))
}

fn workflow(answer: &[u8]) -> Option<(Vec<u8>, Task)> {
    let task = api::PollWorkflowTaskQueueResponse::decode(answer).ok()?;
    let is_first = task.previous_started_event_id == 0;
    let name = task.workflow_type?.name;
    let workflow_id = task.workflow_execution.map(|execution| execution.workflow_id).unwrap_or_default();
    Some((task.task_token, Task::Workflow { name, workflow_id, is_first }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Seed;
    use tempest_api::proto::common::v1::ActivityType;

    /// The strikes on the first completions of an activity with this timeout.
    fn strikes(seed: u64, timeout_s: i64) -> Vec<Option<Strike>> {
        let aims = Aims::new(Decisions::new(Seed(seed), []));
        aims.begin();
        let strike = |number: u8| {
            let given = api::PollActivityTaskQueueResponse {
                task_token: vec![number],
                activity_type: Some(ActivityType { name: "pay".to_owned() }),
                start_to_close_timeout: Some(prost_wkt_types::Duration { seconds: timeout_s, nanos: 0 }),
                ..Default::default()
            };
            aims.given("PollActivityTaskQueue", &given.encode_to_vec());
            let done = api::RespondActivityTaskCompletedRequest { task_token: vec![number], ..Default::default() };
            aims.strike("worker-1", "RespondActivityTaskCompleted", &done.encode_to_vec())
        };
        (0..20).map(strike).collect()
    }

    #[test]
    fn one_of_three_seeds_has_the_first_execution_repeated() {
        let repeats = |strike: &Option<Strike>| matches!(strike, Some(Strike::Dies | Strike::Late(_)));
        let firsts = (1..=3).filter(|seed| repeats(&strikes(*seed, 5)[0]));
        assert!(firsts.count() >= 1);
        for seed in 1..20 {
            assert!(strikes(seed, 5).iter().take(3).any(repeats), "seed {seed}");
            assert_eq!(strikes(seed, 5), strikes(seed, 5));
        }
    }

    #[test]
    fn an_activity_that_would_be_missed_too_late_is_not_lost() {
        for seed in 1..20 {
            let all = strikes(seed, 3_600);
            assert!(all.iter().flatten().all(|strike| *strike == Strike::AnswerLost), "{all:?}");
        }
    }

    #[test]
    fn nothing_is_struck_before_it_begins_and_after_it_ended() {
        let aims = Aims::new(Decisions::new(Seed(1), []));
        let start = api::StartWorkflowExecutionRequest::default().encode_to_vec();
        let struck = || (0..50).filter_map(|_| aims.strike("client", "StartWorkflowExecution", &start)).count();
        assert_eq!(struck(), 0);
        aims.begin();
        assert!(struck() > 0);
        aims.end();
        assert_eq!(struck(), 0);
    }
}
