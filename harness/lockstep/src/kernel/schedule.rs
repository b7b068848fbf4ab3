//! Who runs next, and when: the ready queue, the timers, and the passing of the turn.

use super::{CONTROLLER, HostStatus, Kernel, State, Stream, current_thread, is_quiet, with};
use crate::HostId;
use crate::options::Pick;
use crate::sys::Baton;
use std::collections::{BTreeSet, VecDeque};
use std::task::Waker;

/// A thread that reads the clock, or looks for events, this often without ever giving its turn away is spinning on
/// something that only another thread can change.
const SPINS_MAX: u32 = 4096;

/// Virtual time that one `sched_yield` takes, so that a loop of yields reaches any deadline.
const YIELD_NS: u64 = 1_000;

/// Why a run came back to the controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunEnd {
    /// Virtual time reached the deadline.
    Deadline,
    /// A host called [`request_stop`](crate::request_stop).
    Requested,
    /// No thread of any host is left.
    Finished,
    /// Threads are left, but nothing can wake any of them: all wait for each other, or are paused.
    Stuck,
    /// The scheduling point asked for by [`Simulation::set_crash_point`](crate::Simulation::set_crash_point) was reached.
    CrashPoint,
}

/// Why a blocked thread runs again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResumeReason {
    Notified,
    Deadline,
}

pub(crate) struct Schedule {
    ready: VecDeque<usize>,
    /// (deadline, sequence number, thread)
    timers: BTreeSet<(u64, u64, usize)>,
    timer_sequence: u64,
    /// Of the run in progress.
    run_deadline: u64,
    run_end: Option<RunEnd>,
    stop_requested: bool,
    scheduling_points: u64,
    crash_point: Option<u64>,
    picks: Stream,
    /// Folds every scheduling point: who, and when.
    fingerprint: u64,
}

impl Schedule {
    pub fn new(seed: u64) -> Schedule {
        Schedule {
            ready: VecDeque::new(),
            timers: BTreeSet::new(),
            timer_sequence: 0,
            run_deadline: u64::MAX,
            run_end: None,
            stop_requested: false,
            scheduling_points: 0,
            crash_point: None,
            picks: Stream::new(seed, "scheduler"),
            fingerprint: 0xcbf2_9ce4_8422_2325,
        }
    }
}

/// Gives the turn away until the thread is woken or `deadline` (simulator's time, `u64::MAX` for never) has come.
/// Must be called outside [`with`], on a thread of the simulation.
pub(crate) fn block(state: State, deadline: u64) -> ResumeReason {
    let mine = with(|kernel| kernel.suspend(state, deadline)).expect("a thread of the simulation blocks");
    if let Some((next, mine)) = mine {
        next.post();
        mine.wait();
    }
    with(Kernel::resume).expect("a thread of the simulation resumes")
}

/// Lets others run; the caller stays ready.
pub(crate) fn yield_turn() {
    with(|kernel| {
        kernel.now += YIELD_NS;
        kernel.make_ready(current_thread());
    });
    block(State::Sleeping, u64::MAX);
}

/// The calling thread is at its end: passes its turn on for good.
pub(crate) fn leave() {
    let next = with(|kernel| {
        let me = current_thread();
        kernel.threads[me].state = State::Exited;
        for other in 0..kernel.threads.len() {
            if kernel.threads[other].state == (State::Joining { thread: me }) {
                kernel.notify(other);
            }
        }
        let host = kernel.threads[me].host;
        if kernel.live_threads(host) == 0 && kernel.host(host).status == HostStatus::Running {
            kernel.host(host).status = HostStatus::Exited;
        }
        let next = kernel.pick();
        kernel.count_scheduling_point(next);
        kernel.threads[next].baton
    });
    super::quit();
    if let Some(next) = next {
        next.post();
    }
}

/// The calling thread read a clock, or looked for events without waiting. That takes so many nanoseconds, and the turn
/// if the thread spins.
pub(crate) fn tick(nanos: u64) {
    let spinning = with(|kernel| {
        if is_quiet() {
            return false;
        }
        kernel.now += nanos;
        let thread = &mut kernel.threads[current_thread()];
        thread.spins += 1;
        thread.spins >= SPINS_MAX
    });
    if spinning == Some(true) {
        yield_turn();
    }
}

/// Called after the current thread woke another: takes its turn away as often as the options say.
pub(crate) fn maybe_preempt() {
    let preempted = with(|kernel| {
        let me = current_thread();
        if me == CONTROLLER || is_quiet() || !kernel.schedule.picks.chance(kernel.options.preemption) {
            return false;
        }
        kernel.make_ready(me);
        true
    });
    if preempted == Some(true) {
        block(State::Sleeping, u64::MAX);
    }
}

impl Kernel {
    pub fn scheduling_points(&self) -> u64 {
        self.schedule.scheduling_points
    }

    pub fn schedule_fingerprint(&self) -> u64 {
        self.schedule.fingerprint
    }

    pub fn set_crash_point(&mut self, at: Option<u64>) {
        self.schedule.crash_point = at;
    }

    pub fn request_stop(&mut self) {
        self.schedule.stop_requested = true;
    }

    /// Readies the controller's run; it then blocks as `Directing` and finds the result in `finish_run`.
    pub fn prepare_run(&mut self, deadline: u64) {
        self.schedule.run_deadline = deadline;
        self.schedule.run_end = None;
    }

    pub fn finish_run(&mut self) -> RunEnd {
        let end = self.schedule.run_end.take().expect("the controller gets its turn back only at the end of a run");
        self.schedule.run_deadline = u64::MAX;
        match end {
            RunEnd::Requested => self.schedule.stop_requested = false,
            RunEnd::CrashPoint => self.schedule.crash_point = None,
            _ => {}
        }
        end
    }

    /// Blocks the current thread. Returns whose baton to post and which to wait on, or nothing if it runs on.
    fn suspend(&mut self, state: State, deadline: u64) -> Option<(&'static Baton, &'static Baton)> {
        let me = current_thread();
        let thread = &mut self.threads[me];
        thread.state = state;
        thread.notified = false;
        thread.spins = 0;
        match state {
            State::Polling { .. } => {
                let host = thread.host;
                self.host(host).pollers.insert(me);
            }
            State::WaitingFutex { address } => self.futex_waiters.entry(address).or_default().push_back(me),
            _ => {}
        }
        if deadline != u64::MAX {
            self.schedule.timer_sequence += 1;
            let sequence = self.schedule.timer_sequence;
            self.schedule.timers.insert((deadline, sequence, me));
            self.threads[me].timer = Some((deadline, sequence));
        }
        let next = self.pick();
        if next == me {
            return None;
        }
        self.count_scheduling_point(next);
        Some((self.threads[next].baton, self.threads[me].baton))
    }

    fn resume(&mut self) -> ResumeReason {
        let me = current_thread();
        #[cfg(lockstep_supported)]
        crate::spinning::turn_taken(me == CONTROLLER);
        self.stop_waiting(me);
        self.threads[me].state = State::Running;
        if self.threads[me].notified { ResumeReason::Notified } else { ResumeReason::Deadline }
    }

    /// Takes a thread out of whatever queue its state put it in.
    fn stop_waiting(&mut self, index: usize) {
        let thread = &mut self.threads[index];
        let host = thread.host;
        match thread.state {
            State::Polling { .. } => {
                self.host(host).pollers.remove(&index);
            }
            State::WaitingFutex { address } => {
                if let Some(waiters) = self.futex_waiters.get_mut(&address) {
                    waiters.retain(|waiter| *waiter != index);
                    if waiters.is_empty() {
                        self.futex_waiters.remove(&address);
                    }
                }
            }
            _ => {}
        }
        if let Some((deadline, sequence)) = self.threads[index].timer.take() {
            self.schedule.timers.remove(&(deadline, sequence, index));
        }
    }

    pub(super) fn freeze(&mut self, index: usize) {
        self.stop_waiting(index);
        self.threads[index].frozen = true;
        if std::mem::take(&mut self.threads[index].ready) {
            self.schedule.ready.retain(|ready| *ready != index);
        }
    }

    pub fn make_ready(&mut self, index: usize) {
        let thread = &mut self.threads[index];
        if thread.ready || !thread.is_live() {
            return;
        }
        thread.ready = true;
        let host = &mut self.hosts[thread.host.0 as usize];
        if host.status == HostStatus::Paused {
            host.held.push(index);
        } else {
            self.schedule.ready.push_back(index);
        }
    }

    /// Wakes a thread before its deadline.
    fn notify(&mut self, index: usize) {
        self.stop_waiting(index);
        self.threads[index].notified = true;
        self.make_ready(index);
    }

    pub fn wake_futex(&mut self, address: usize, count_max: u32) -> u32 {
        let mut woken = 0;
        while woken < count_max
            && let Some(&thread) = self.futex_waiters.get(&address).and_then(VecDeque::front)
        {
            self.notify(thread);
            woken += 1;
        }
        woken
    }

    pub fn wake_poller(&mut self, epoll: i32) {
        let polling = self.hosts.iter().flat_map(|host| &host.pollers).copied().find(|thread| {
            matches!(self.threads[*thread].state, State::Polling { epoll: waits } if self.descriptors.same_epoll(waits, epoll))
        });
        if let Some(thread) = polling {
            self.notify(thread);
        }
    }

    /// Has `waker` woken on a thread of `host`.
    pub fn interrupt(&mut self, host: HostId, waker: Waker) {
        self.host(host).interrupts.push(waker);
        if let Some(&poller) = self.host(host).pollers.first() {
            self.notify(poller);
        }
    }

    pub fn pause(&mut self, id: HostId) {
        self.host(id).status = HostStatus::Paused;
        let (held, ready): (Vec<usize>, Vec<usize>) =
            std::mem::take(&mut self.schedule.ready).into_iter().partition(|thread| self.threads[*thread].host == id);
        self.host(id).held = held;
        self.schedule.ready = VecDeque::from(ready);
        self.record(id, "pause", &[]);
    }

    pub fn resume_host(&mut self, id: HostId) {
        self.host(id).status = HostStatus::Running;
        let held = std::mem::take(&mut self.host(id).held);
        self.schedule.ready.extend(held);
        self.record(id, "resume", &[]);
    }

    fn count_scheduling_point(&mut self, next: usize) {
        self.schedule.scheduling_points += 1;
        for word in [self.now, next as u64] {
            self.schedule.fingerprint =
                (self.schedule.fingerprint ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
        }
        if self.options.trace_scheduling_points {
            let host = &self.hosts[self.threads[next].host.0 as usize];
            let what = format!("thread {next} {:?}", self.threads[next].state);
            self.trace.comment(self.now - super::BOOT, &host.name, "turn", &what);
        }
    }

    /// Which thread runs next? Lets time pass when none is ready.
    fn pick(&mut self) -> usize {
        loop {
            if let Some(end) = self.run_ends() {
                self.schedule.run_end = Some(end);
                return CONTROLLER;
            }
            self.fire_due();
            if !self.schedule.ready.is_empty() {
                let place = match self.options.pick {
                    Pick::Random => self.schedule.picks.below(self.schedule.ready.len() as u64) as usize,
                    Pick::Fifo => 0,
                };
                let next = self.schedule.ready.remove(place).expect("drawn from within the queue");
                self.threads[next].ready = false;
                return next;
            }
            let timer = self.schedule.timers.first().map_or(u64::MAX, |timer| timer.0);
            let due = timer.min(self.network.next_event_at());
            if due == u64::MAX || due > self.schedule.run_deadline {
                self.nothing_before_deadline(due);
            } else {
                self.now = self.now.max(due);
            }
        }
    }

    /// Whether the controller's run is over, if there is one.
    fn run_ends(&mut self) -> Option<RunEnd> {
        if self.threads[CONTROLLER].state != State::Directing {
            return None;
        }
        if self.schedule.run_end.is_some() {
            self.schedule.run_end
        } else if self.schedule.crash_point.is_some_and(|at| self.schedule.scheduling_points >= at) {
            Some(RunEnd::CrashPoint)
        } else if self.schedule.stop_requested {
            Some(RunEnd::Requested)
        } else if self.now >= self.schedule.run_deadline {
            Some(RunEnd::Deadline)
        } else {
            None
        }
    }

    fn fire_due(&mut self) {
        while let Some(&(deadline, sequence, thread)) = self.schedule.timers.first()
            && deadline <= self.now
        {
            self.schedule.timers.remove(&(deadline, sequence, thread));
            self.threads[thread].timer = None;
            self.stop_waiting(thread);
            self.make_ready(thread);
        }
        if self.network.next_event_at() <= self.now {
            self.run_network();
        }
    }

    /// The next thing that can happen lies behind the deadline of the run, or nowhere.
    fn nothing_before_deadline(&mut self, due: u64) {
        if self.threads[CONTROLLER].state != State::Directing {
            crate::sys::report_problem("deadlock: the controller waits for something that no host can do any more");
            std::process::abort();
        }
        let left = self.threads.iter().skip(1).any(|thread| thread.is_live() && thread.host != HostId::CONTROLLER);
        let deadline = self.schedule.run_deadline;
        let end = match (due != u64::MAX, left) {
            (true, _) => RunEnd::Deadline,
            (false, true) => RunEnd::Stuck,
            (false, false) => RunEnd::Finished,
        };
        // The controller may have plans for the deadline, such as healing what everybody waits for.
        if deadline != u64::MAX && end != RunEnd::Finished {
            self.now = self.now.max(deadline);
        }
        self.schedule.run_end = Some(end);
    }
}
