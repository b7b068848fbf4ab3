//! What a shard does with a request whose run is in memory.
use super::cross_calls::Business;
use super::effects::Work;
use super::executions::Found;
use super::late_duplicates::{CallId, CallOutcome};
use super::owned::Owned;
use super::pipeline::Dependant;
use super::request::{Answer, Ask, Caller, Decided, ReplyTo, Request};
use super::stage::Step;
use super::waiters::Poll;
use crate::Counters;
use tempest_api::{
    HistoryPosition, HistoryWait, Read, Refused, ServiceError, ServiceResult, Target, View, WorkflowKey,
};
use tempest_core::{
    AnswerKey, BranchRef, Context, HistoryTask, Input, KnownEvents, MutableState, Rejection, Reply, RunId, RunKey,
    TaskKind, Transition,
};
use tempest_store::TaskKey;

impl Owned {
    /// Takes a request: decides it now, or lets it wait until its run was read.
    pub(super) fn take_up(&mut self, request: Request) {
        if request.ask.is_abandoned() {
            tempest_rt::probe!("history-request-abandoned");
            return;
        }
        let (workflow, run_id) = (&request.target.workflow, &request.target.run_id);
        match self.executions.find(workflow, run_id) {
            Found::Ready(run_id) => self.execute(request, run_id),
            Found::Loading => self.executions.wait(request),
            Found::Cold => {
                self.executions.begin_load(workflow);
                self.begin(Work::Load { workflow: workflow.clone(), run_id: run_id.clone() });
                self.executions.wait(request);
            }
        }
    }

    fn execute(&mut self, request: Request, run_id: Option<RunId>) {
        let Some((request, events)) = self.with_events(request, run_id.as_ref()) else { return };
        let Target { workflow, run_id: asked } = request.target;
        match request.ask {
            Ask::Decide(input, confirmed, reply) => {
                match self.late_duplicates.may_be_late(self.now.instant, &workflow, &input, confirmed) {
                    Some(call) => {
                        let target = Target { workflow, run_id: asked };
                        self.ask_sender(&call, Request { target, ask: Ask::Decide(input, confirmed, reply) });
                    }
                    None => self.decide(&workflow, run_id, *input, events, reply),
                }
            }
            Ask::Read(read, reply) => self.read(Target { workflow, run_id: asked }, run_id, read, reply),
            Ask::FireTimer(key, task) => self.fire_timer(&workflow, key, task, events),
            Ask::SendTransfer(id, task) => self.send_transfer(&workflow, id, task, &events),
        }
    }

    fn decide(
        &mut self,
        workflow: &WorkflowKey,
        run_id: Option<RunId>,
        input: Input,
        events: KnownEvents,
        reply: Caller,
    ) {
        Counters::add(&self.setup.counters.requests);
        let call = self.late_duplicates.call(workflow, &input);
        if !input.may_open_run()
            && let Err(missing) = self.existing(workflow, run_id.as_ref())
        {
            return self.turn_away(workflow, reply, call, missing);
        }
        let context = self.context(workflow, events);
        let state = self.state(workflow, run_id.as_ref());
        let transition = match tempest_core::decide(state, input, &context) {
            Ok(transition) => transition,
            Err(rejection) => return self.rejected(workflow, reply, call, rejection),
        };
        self.carry_out(workflow, run_id.as_ref(), transition, reply, call);
    }

    /// Stages what was decided on an input of this run, if anything changes, and has its callers told.
    pub(super) fn carry_out(
        &mut self,
        workflow: &WorkflowKey,
        run_id: Option<&RunId>,
        transition: Transition,
        reply: Caller,
        call: Option<CallId>,
    ) {
        // What is there already stays a success: only what would be done now comes too late.
        if !transition.runs.is_empty()
            && let Some((call, outcome)) = self.ended_before(call.as_ref())
        {
            tempest_rt::probe!("history-cross-call-after-its-end");
            let before = as_before(outcome.clone()).map_err(Refused::from);
            let answer = self.ends(call, outcome, Answer::new(reply, before));
            return self.answer_unstaged(workflow, answer);
        }
        let opened = transition.opened().map(|run| &*run.state);
        let subject =
            self.state(workflow, run_id).or(opened).expect("a decision is about a run that is or comes to be");
        let (run, branch) = (subject.key().clone(), subject.branch());
        hit(&transition.probes);
        let answer = match transition.reply {
            Reply::Refused(rejection) => {
                let error = ServiceError::from(rejection);
                let answer = Answer::new(reply, Err(error.clone().into()));
                // The run may be terminated by this: a late duplicate would find another run of its workflow id.
                Some(self.ends_any(call.map(|call| (call, CallOutcome::Refused(error))), answer))
            }
            Reply::Later(_) if !self.waiters.has_room_at(&run) => {
                return self.answer_read(workflow, reply, Err(too_many_wait_for_run().into()));
            }
            Reply::Later(_) if !self.waiters.has_room() => {
                return self.answer_read(workflow, reply, Err(too_many_wait().into()));
            }
            Reply::Later(key) => {
                self.waiters.add_caller(run.clone(), key, reply);
                None
            }
            said => {
                let decided = Decided { run: run.clone(), branch: branch.clone(), reply: said };
                // Also where nothing is left to do: a duplicate may find another run, to which it was not done.
                let done = call.map(|call| (call, CallOutcome::Done(Box::new(decided.clone()))));
                Some(self.ends_any(done, Answer::new(reply, Ok(decided))))
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
            return self.give(Answer::new(reply, Err(too_many_wait())));
        }
        // From now on the question is about this run, also when another becomes current.
        let rests_on = self.executions.workflow(&workflow).last_sequence();
        self.waiters.add_poll(run, Poll { asked, rests_on, ask: Ask::Read(Read::HistoryPosition(wait), reply) });
    }

    fn fire_timer(&mut self, workflow: &WorkflowKey, key: TaskKey, task: HistoryTask, events: KnownEvents) {
        self.timers.done(key);
        let TaskKind::Timer(timer) = task.kind else { unreachable!("the timer queue holds timers only") };
        let context = self.context(workflow, events);
        let run_id = task.run.run_id;
        let state = self.state(workflow, Some(&run_id));
        match tempest_core::decide_timer(state, timer, &context) {
            Some(transition) => {
                Counters::add(&self.setup.counters.timers_fired);
                hit(&transition.probes);
                let state = self.state(workflow, Some(&run_id)).expect("it was decided on");
                let (run, branch) = (state.key().clone(), state.branch());
                let answer = self.answers(&run, &branch, transition.answers);
                self.stage(Step { workflow, runs: transition.runs, ended: Some(key), answer });
            }
            // Stale. It was judged by staged state, but its deletion is staged behind that and shares its outcome.
            None => {
                Counters::add(&self.setup.counters.timers_stale);
                self.delete_later(key);
            }
        }
    }

    fn send_transfer(&mut self, workflow: &WorkflowKey, id: i64, task: HistoryTask, events: &KnownEvents) {
        let TaskKind::Transfer(transfer) = task.kind else { unreachable!("the transfer queue holds transfers only") };
        let Some(state) = self.state(workflow, Some(&task.run.run_id)) else { return self.transfer_done(id) };
        if let Some(cross_call) = state.cross_call(&transfer, events) {
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

    pub(super) fn state(&self, workflow: &WorkflowKey, run_id: Option<&RunId>) -> Option<&MutableState> {
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

    /// Answers what rests on nothing that is staged.
    pub(super) fn answer_when_proven<T, E>(&mut self, to: ReplyTo<T, E>, result: Result<T, E>)
    where
        T: Send + 'static,
        E: From<ServiceError> + Send + 'static,
    {
        self.when_proven(self.pipeline.durable(), Dependant::Answer(Answer::new(to, result)));
    }

    fn answer_unstaged(&mut self, workflow: &WorkflowKey, answer: Answer) {
        let sequence = self.executions.workflow(workflow).last_sequence();
        self.when_proven(sequence, Dependant::Answer(answer));
    }

    fn rejected(&mut self, workflow: &WorkflowKey, to: Caller, call: Option<CallId>, rejection: Rejection) {
        // What the sender of such a call records as its failure.
        let ends = match &rejection {
            Rejection::NotFound(_) | Rejection::AlreadyStarted { .. } => true,
            Rejection::InvalidArgument(_) => call.as_ref().is_some_and(CallId::fails_if_invalid),
            _ => false,
        };
        if ends {
            self.turn_away(workflow, to, call, rejection.into());
        } else {
            self.answer_read(workflow, to, Err(ServiceError::from(rejection).into()));
        }
    }

    /// Refuses what names no run, or none that is open, or one that is there already. That counts as said once it is: until
    /// then what it was decided on may come to nothing. A call that was performed stays performed.
    fn turn_away(&mut self, workflow: &WorkflowKey, to: Caller, call: Option<CallId>, why: ServiceError) {
        let answer = match (self.ended_before(call.as_ref()), call) {
            (Some((call, CallOutcome::Done(decided))), _) => {
                tempest_rt::probe!("history-cross-call-done-before");
                let answer = Answer::new(to, Ok((*decided).clone()));
                self.ends(call, CallOutcome::Done(decided), answer)
            }
            (_, Some(call)) => self.ends(call, CallOutcome::Refused(why.clone()), Answer::new(to, Err(why.into()))),
            (_, None) => Answer::new(to, Err(why.into())),
        };
        self.answer_unstaged(workflow, answer);
    }

    /// Remembers how a call ends: at once for this ownership, and for those that follow once it is told.
    fn ends(&self, call: CallId, outcome: CallOutcome, answer: Answer) -> Answer {
        self.late_duplicates.decided(self.now.instant, call.clone(), outcome.clone());
        answer.with_outcome(call, outcome)
    }

    /// The same, if it is such a call.
    fn ends_any(&self, call: Option<(CallId, CallOutcome)>, answer: Answer) -> Answer {
        match call {
            Some((call, outcome)) => self.ends(call, outcome, answer),
            None => answer,
        }
    }

    fn ended_before(&self, call: Option<&CallId>) -> Option<(CallId, CallOutcome)> {
        call.and_then(|call| Some((call.clone(), self.late_duplicates.outcome(call)?)))
    }

    /// Lets the request wait for its sender's word.
    fn ask_sender(&mut self, call: &CallId, request: Request) {
        match self.late_duplicates.ask(request) {
            Ok(question) => {
                let (sender, task) = call.sent_by();
                self.begin(Work::AskSender { question, sender, task });
            }
            Err(request) => {
                tempest_rt::probe!("history-too-many-possible-duplicates");
                self.refuse(request, ServiceError::Unavailable("too many senders of calls are being asked".into()));
            }
        }
    }

    pub(super) fn sender_asked(&mut self, question: u64, awaited: ServiceResult<bool>) {
        let Request { target, ask: Ask::Decide(input, _, reply) } = self.late_duplicates.asked(question) else {
            unreachable!("only inputs are calls");
        };
        let request = Request { target, ask: Ask::Decide(input, Some(self.range), reply) };
        match awaited {
            Ok(true) => self.take_up(request),
            Ok(false) | Err(ServiceError::NotFound(_) | ServiceError::NamespaceNotFound(_)) => {
                tempest_rt::probe!("history-cross-call-not-awaited");
                let why = "the sender of this call does not wait for it any more";
                self.refuse(request, ServiceError::Unavailable(why.into()));
            }
            Err(error) => {
                let why = format!("the sender of this call cannot be asked whether it still waits for it: {error}");
                self.refuse(request, ServiceError::Unavailable(why));
            }
        }
    }

    pub(super) fn context(&mut self, workflow: &WorkflowKey, events: KnownEvents) -> Context {
        let mut limits = self.setup.config.limits.clone();
        if tempest_rt::buggify!("history-parts-apart") {
            limits.parts_in_row_bytes_max = 0;
        }
        Context {
            now: self.clock.at(self.now),
            namespace_id: workflow.namespace_id.clone(),
            new_run_id: (self.setup.new_run_id)(),
            timeline: self.range.timeline().0,
            events,
            limits,
            flags: self.setup.flags.clone(),
        }
    }
}

fn too_many_wait() -> ServiceError {
    ServiceError::ResourceExhausted {
        cause: tempest_api::ResourceExhaustedCause::SystemOverloaded,
        message: "too many callers wait at this shard for something to happen".into(),
    }
}

fn too_many_wait_for_run() -> ServiceError {
    ServiceError::ResourceExhausted {
        cause: tempest_api::ResourceExhaustedCause::ConcurrentLimit,
        message: "too many callers wait for this workflow execution to answer".into(),
    }
}

/// What the duplicate of a call hears that has ended: the same once more.
fn as_before(outcome: CallOutcome) -> ServiceResult<Decided> {
    match outcome {
        CallOutcome::Done(decided) => Ok(*decided),
        CallOutcome::Refused(error) => Err(error),
    }
}

/// Rare paths that the core took.
fn hit(probes: &[&'static str]) {
    #[cfg(feature = "chaos")]
    probes.iter().for_each(|probe| tempest_rt::hit(probe));
    #[cfg(not(feature = "chaos"))]
    let _ = probes;
}
