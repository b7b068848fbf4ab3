//! What a shard does with a request whose run is in memory.
use super::cross_call_memory::{CrossCall, Ended};
use super::cross_calls::Business;
use super::executions::Found;
use super::owned::Owned;
use super::request::{Answer, Ask, Caller, Decided, ReplyTo, Request};
use super::stage::Step;
use super::waiters::Poll;
use crate::Counters;
use tempest_api::{
    HistoryPosition, HistoryWait, Read, Refused, ServiceError, ServiceResult, Target, View, WorkflowKey,
};
use tempest_core::{
    AnswerKey, BranchRef, Context, HistoryTask, Input, MutableState, Rejection, Reply, RunId, RunKey, TaskKind,
    TimerKind,
};
use tempest_store::TaskKey;

impl Owned {
    /// Takes a request: decides it now, or lets it wait until its run was read.
    pub fn handle(&mut self, request: Request) {
        if request.ask.is_abandoned() {
            tempest_rt::probe!("history-request-abandoned");
            return;
        }
        let (workflow, run_id) = (&request.target.workflow, &request.target.run_id);
        match self.executions.find(workflow, run_id) {
            Found::Ready(run_id) => self.execute(request, run_id),
            Found::Loading => self.wait(request),
            Found::Cold => {
                self.executions.begin_load(workflow);
                self.begin_load(workflow.clone(), run_id.clone());
                self.wait(request);
            }
        }
    }

    fn wait(&mut self, request: Request) {
        self.waiting += 1;
        self.executions.wait(request);
    }

    fn execute(&mut self, request: Request, run_id: Option<RunId>) {
        let Target { workflow, run_id: asked } = request.target;
        match request.ask {
            Ask::Decide(input, confirmed, reply) => match self.possible_duplicate(&workflow, &input, confirmed) {
                Some(cross_call) => {
                    let target = Target { workflow, run_id: asked };
                    self.ask_sender(&cross_call, Request { target, ask: Ask::Decide(input, confirmed, reply) });
                }
                None => self.decide(&workflow, run_id, *input, reply),
            },
            Ask::Read(read, reply) => self.read(Target { workflow, run_id: asked }, run_id, read, reply),
            Ask::FireTimer(key, task) => self.fire_timer(&workflow, key, task),
            Ask::SendTransfer(id, task) => self.send_transfer(&workflow, id, task),
        }
    }

    fn decide(&mut self, workflow: &WorkflowKey, run_id: Option<RunId>, input: Input, reply: Caller) {
        Counters::add(&self.node.counters.requests);
        let opens = matches!(input, Input::Start(_) | Input::SignalWithStart(_) | Input::StartChild(_));
        let cross_call = CrossCall::of(self.range.timeline(), workflow, &input);
        if !opens && let Err(missing) = self.existing(workflow, run_id.as_ref()) {
            return self.turn_away(workflow, reply, cross_call, missing);
        }
        let context = self.context(workflow);
        let state = self.state(workflow, run_id.as_ref());
        let transition = match tempest_core::decide(state, input, &context) {
            Ok(transition) => transition,
            Err(rejection) => {
                return match rejection {
                    Rejection::NotFound(_) | Rejection::AlreadyStarted { .. } => {
                        self.turn_away(workflow, reply, cross_call, rejection.into())
                    }
                    rejection => self.answer_read(workflow, reply, Err(ServiceError::from(rejection).into())),
                };
            }
        };
        // What is there already stays a success: only what would be done now comes too late.
        if !transition.runs.is_empty()
            && let Some((cross_call, ended)) = self.ended_before(cross_call.as_ref())
        {
            tempest_rt::probe!("history-cross-call-after-its-end");
            let before = as_before(ended.clone(), opens).map_err(Refused::from);
            let answer = self.ends(cross_call, ended, Answer::new(reply, before));
            return self.answer_unstaged(workflow, answer);
        }
        let opened = transition.opened().map(|run| &*run.state);
        let subject = state.or(opened).expect("a decision is about a run that is or comes to be");
        let (run, branch) = (subject.key().clone(), subject.branch());
        hit(&transition.probes);
        let answer = match transition.reply {
            Reply::Refused(rejection) => Some(Answer::new(reply, Err(ServiceError::from(rejection).into()))),
            Reply::Later(_) if !self.waiters.has_room() => {
                return self.answer_read(workflow, reply, Err(too_many_wait().into()));
            }
            Reply::Later(key) => {
                self.waiters.add_caller(run.clone(), key, reply);
                None
            }
            said => {
                let decided = Decided { run: run.clone(), branch: branch.clone(), reply: said };
                // Also where nothing is left to do: a copy may find another run, to which it was not done.
                let done = cross_call.map(|cross_call| (cross_call, Ended::Done(Box::new(decided.clone()))));
                let answer = Answer::new(reply, Ok(decided));
                Some(match done {
                    Some((cross_call, ended)) => self.ends(cross_call, ended, answer),
                    None => answer,
                })
            }
        };
        let later = self.answers(&run, &branch, transition.answers);
        let answer = answer.into_iter().chain(later).reduce(Answer::and);
        if transition.runs.is_empty() {
            answer.into_iter().for_each(|answer| self.answer_unstaged(workflow, answer));
            return;
        }
        self.stage(Step { workflow, runs: transition.runs, ended: None, answer });
    }

    /// Answers to earlier inputs, for the callers that still wait for them.
    fn answers(
        &mut self,
        run: &RunKey,
        branch: &BranchRef,
        answers: Vec<(AnswerKey, Result<Reply, Rejection>)>,
    ) -> Option<Answer> {
        let answers = answers.into_iter().flat_map(|(key, answer)| {
            let answer = answer.map(|reply| Decided { run: run.clone(), branch: branch.clone(), reply });
            let answer = answer.map_err(ServiceError::from);
            let callers = self.waiters.answered(run, &key).into_iter();
            callers.map(move |caller| Answer::new(caller, answer.clone().map_err(Refused::from)))
        });
        answers.reduce(Answer::and)
    }

    fn read(&mut self, asked: Target, run_id: Option<RunId>, read: Read, reply: ReplyTo<View>) {
        let workflow = &asked.workflow;
        let view = match read {
            Read::Describe => {
                let described = self.existing(workflow, run_id.as_ref()).map(MutableState::describe);
                described.map(|described| View::Described(Box::new(described)))
            }
            Read::AwaitsOutboundCall(task) => {
                self.existing(workflow, run_id.as_ref()).map(|state| View::Truth(state.awaits(&task)))
            }
            Read::HistoryPosition(wait) => return self.position(asked, run_id, wait, reply),
            Read::HistoryPage { .. } | Read::HistoryPageReverse { .. } => {
                Err(ServiceError::Internal("pages of a history are read beside the shard".into()))
            }
        };
        self.answer_read(&asked.workflow, reply, view);
    }

    fn position(&mut self, asked: Target, run_id: Option<RunId>, wait: Option<HistoryWait>, reply: ReplyTo<View>) {
        let workflow = asked.workflow.clone();
        let state = match self.existing(&workflow, run_id.as_ref()) {
            Ok(state) => state,
            Err(missing) => return self.answer_read(&workflow, reply, Err(missing)),
        };
        let run = state.key().clone();
        let must_wait = wait
            .is_some_and(|wait| state.is_open() && (wait.until_closed || state.next_event_id() <= wait.next_event_id));
        if !must_wait {
            let position = HistoryPosition {
                branch: state.branch(),
                next_event_id: state.next_event_id(),
                status: state.status(),
                transient_events: state.transient_events(),
                run,
            };
            return self.answer_read(&workflow, reply, Ok(View::HistoryPosition(Box::new(position))));
        }
        if !self.waiters.has_room() {
            tempest_rt::probe!("history-waiters-full");
            drop(reply.send(Err(too_many_wait())));
            return;
        }
        // From now on the question is about this run, also when another becomes current.
        let rests_on = self.executions.workflow(&workflow).last_sequence();
        self.waiters.add_poll(run, Poll { asked, rests_on, ask: Ask::Read(Read::HistoryPosition(wait), reply) });
    }

    fn fire_timer(&mut self, workflow: &WorkflowKey, key: TaskKey, task: HistoryTask) {
        self.timers.done(key);
        let TaskKind::Timer(timer) = task.kind else { unreachable!("the timer queue holds timers only") };
        let context = self.context(workflow);
        let run_id = task.run.run_id;
        let decided = match self.state(workflow, Some(&run_id)) {
            // Retention has no effect yet: the closed run stays where it is.
            Some(state) if timer.kind != TimerKind::DeleteHistory => {
                tempest_core::decide(Some(state), Input::FireTimer(timer), &context).ok()
            }
            _ => None,
        };
        match decided {
            Some(transition) if !transition.runs.is_empty() => {
                Counters::add(&self.node.counters.timers_fired);
                hit(&transition.probes);
                let state = self.state(workflow, Some(&run_id)).expect("it was decided on");
                let (run, branch) = (state.key().clone(), state.branch());
                let answer = self.answers(&run, &branch, transition.answers);
                self.stage(Step { workflow, runs: transition.runs, ended: Some(key), answer });
            }
            // Stale. It was judged by staged state, but its deletion is staged behind that and shares its outcome.
            _ => {
                Counters::add(&self.node.counters.timers_stale);
                self.delete_later(key);
            }
        }
    }

    fn send_transfer(&mut self, workflow: &WorkflowKey, id: i64, task: HistoryTask) {
        let TaskKind::Transfer(transfer) = task.kind else { unreachable!("the transfer queue holds transfers only") };
        let Some(state) = self.state(workflow, Some(&task.run.run_id)) else { return self.transfer_done(id) };
        if let Some(cross_call) = state.cross_call(&transfer) {
            let (branch, next_event_id) = (state.branch(), state.next_event_id());
            let business = Business { run: task.run, branch, next_event_id, cross_call };
            return self.begin_cross_call(id, workflow, business);
        }
        if transfer.is_for_matching() && state.task_is_due(&transfer) {
            self.begin_send(id, task.run, transfer);
        } else {
            self.transfer_done(id);
        }
    }

    fn state(&self, workflow: &WorkflowKey, run_id: Option<&RunId>) -> Option<&MutableState> {
        self.executions.workflow(workflow).state(run_id?)
    }

    fn existing(&self, workflow: &WorkflowKey, run_id: Option<&RunId>) -> ServiceResult<&MutableState> {
        self.state(workflow, run_id).ok_or_else(|| {
            let WorkflowKey { workflow_id, .. } = workflow;
            ServiceError::NotFound(match run_id {
                None => format!("workflow not found for ID: {workflow_id}"),
                Some(run_id) => {
                    format!("workflow execution not found for workflow ID \"{workflow_id}\" and run ID \"{run_id}\"")
                }
            })
        })
    }

    /// Answers what changed nothing: when the state it was read from is durable, and ownership proven.
    fn answer_read<T, E>(&mut self, workflow: &WorkflowKey, to: ReplyTo<T, E>, result: Result<T, E>)
    where
        T: Send + 'static,
        E: From<ServiceError> + Send + 'static,
    {
        self.answer_unstaged(workflow, Answer::new(to, result));
    }

    fn answer_unstaged(&mut self, workflow: &WorkflowKey, answer: Answer) {
        let sequence = self.executions.workflow(workflow).last_sequence();
        self.answer_unwritten(sequence, answer);
    }

    /// Refuses what names no run, or none that is open, or one that is there already. That counts as said once it is: until
    /// then what it was decided on may come to nothing. A cross-workflow call that was done stays done.
    fn turn_away(&mut self, workflow: &WorkflowKey, to: Caller, cross_call: Option<CrossCall>, why: ServiceError) {
        let answer = match (self.ended_before(cross_call.as_ref()), cross_call) {
            (Some((cross_call, Ended::Done(decided))), _) => {
                tempest_rt::probe!("history-cross-call-done-before");
                let answer = Answer::new(to, Ok((*decided).clone()));
                self.ends(cross_call, Ended::Done(decided), answer)
            }
            (_, Some(cross_call)) => self.ends(cross_call, Ended::Refused, Answer::new(to, Err(why.into()))),
            (_, None) => Answer::new(to, Err(why.into())),
        };
        self.answer_unstaged(workflow, answer);
    }

    /// Remembers how a cross-workflow call ends: at once for this ownership, and for those that follow once it was told.
    fn ends(&self, cross_call: CrossCall, ended: Ended, answer: Answer) -> Answer {
        self.cross_calls_ending.note(cross_call.clone(), ended.clone());
        let node = self.node.clone();
        answer.before(move || node.cross_calls_ended.note(cross_call, ended))
    }

    fn ended_before(&self, cross_call: Option<&CrossCall>) -> Option<(CrossCall, Ended)> {
        cross_call.and_then(|cross_call| Some((cross_call.clone(), self.end_of(cross_call)?)))
    }

    pub(super) fn end_of(&self, cross_call: &CrossCall) -> Option<Ended> {
        let ended =
            self.node.cross_calls_ended.end_of(cross_call).or_else(|| self.cross_calls_ending.end_of(cross_call));
        ended.filter(|ended| {
            matches!(ended, Ended::Refused) || !tempest_rt::planted!(crate::plants::DONE_CROSS_CALL_FORGOTTEN)
        })
    }

    fn context(&mut self, workflow: &WorkflowKey) -> Context {
        Context {
            now: self.clock.now(),
            namespace_id: workflow.namespace_id.clone(),
            new_run_id: RunId(tempest_rt::entropy::uuid()),
            timeline: self.range.timeline().0,
            limits: self.node.config.limits.clone(),
            flags: self.node.flags.clone(),
        }
    }
}

fn too_many_wait() -> ServiceError {
    ServiceError::ResourceExhausted {
        cause: tempest_api::ResourceExhaustedCause::SystemOverloaded,
        message: "too many callers wait at this shard for something to happen".into(),
    }
}

/// What the copy of a cross-workflow call hears that has ended: the same once more.
fn as_before(ended: Ended, opens: bool) -> ServiceResult<Decided> {
    match ended {
        Ended::Done(decided) => Ok(*decided),
        Ended::Refused if !opens => {
            Err(ServiceError::NotFound("an earlier try of this found no such workflow".to_owned()))
        }
        Ended::Refused => Err(ServiceError::WorkflowExecutionAlreadyStarted {
            message: "an earlier try of this found such a workflow".to_owned(),
            start_request_id: String::new(),
            run_id: String::new(),
            first_execution_run_id: String::new(),
        }),
    }
}

/// Rare paths that the core took.
fn hit(probes: &[&'static str]) {
    #[cfg(feature = "chaos")]
    probes.iter().for_each(|probe| tempest_rt::hit(probe));
    #[cfg(not(feature = "chaos"))]
    let _ = probes;
}
