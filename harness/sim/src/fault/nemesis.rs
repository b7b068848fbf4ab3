//! Performs a plan: begins each fault when its time has come, takes it back, starts again what died.
use super::{Event, FaultPlan, Later, TimelineEntry};
use crate::world::{Host, HostState, World};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How soon a host that ended by itself is started again, where no fault says otherwise.
const SUPERVISOR_DELAY: Duration = Duration::from_millis(500);

#[derive(Clone, Debug)]
enum Step {
    Begin(usize),
    End(usize),
    Start(Host, Option<u64>),
    Stop(Host, Duration),
    Join(Host),
    Reset(Host, Host),
}

/// Performs the faults of the plan, and heals.
pub struct Nemesis {
    plan: FaultPlan,
    /// By time, then in the order they were scheduled.
    due: BTreeMap<(Duration, u64), Step>,
    scheduled: u64,
    /// Faults that began and are to be taken back.
    active: Vec<usize>,
    restart_delays: BTreeMap<Host, Duration>,
    /// Hosts that are not there yet, or not any more.
    absent: BTreeSet<Host>,
    /// How many faults really began.
    began: usize,
    timeline: Vec<TimelineEntry>,
}

impl Nemesis {
    /// Spare hosts stay down until a fault of the plan brings them in.
    pub fn new(plan: FaultPlan, spares: &[Host]) -> Nemesis {
        let mut nemesis = Nemesis {
            plan,
            due: BTreeMap::new(),
            scheduled: 0,
            active: Vec::new(),
            restart_delays: BTreeMap::new(),
            absent: spares.iter().cloned().collect(),
            began: 0,
            timeline: Vec::new(),
        };
        for index in 0..nemesis.plan.0.len() {
            let at = Duration::from_millis(nemesis.plan.0[index].at_ms);
            nemesis.schedule(at, Step::Begin(index));
        }
        nemesis
    }

    /// When it acts next.
    pub fn next_at(&self) -> Option<Duration> {
        self.due.keys().next().map(|key| key.0)
    }

    /// How many faults began so far.
    pub fn faults_begun(&self) -> usize {
        self.began
    }

    pub fn timeline(&self) -> &[TimelineEntry] {
        &self.timeline
    }

    /// Does what is due, and looks after hosts that died.
    pub fn act(&mut self, world: &mut dyn World, hosts: &[Host]) {
        while let Some((&(at, number), _)) = self.due.first_key_value()
            && at <= world.now()
        {
            let step = self.due.remove(&(at, number)).expect("it was there just now");
            self.perform(step, world);
        }
        self.look_after(world, hosts);
    }

    /// Ends the storm: takes back all that lasts, begins nothing any more, starts the hosts that are down.
    pub fn heal(&mut self, world: &mut dyn World, hosts: &[Host]) {
        for index in std::mem::take(&mut self.active) {
            super::end(&self.plan.0[index].fault, world);
        }
        // Hosts that still run, but were asked to stop: their grace period ends here.
        let mut leaving = BTreeSet::new();
        for step in std::mem::take(&mut self.due).into_values() {
            match step {
                Step::Start(host, _) => {
                    leaving.insert(host);
                }
                Step::Join(host) => {
                    self.absent.remove(&host);
                }
                Step::Begin(_) | Step::End(_) | Step::Stop(..) | Step::Reset(..) => {}
            }
        }
        for host in hosts {
            if self.absent.contains(host) {
                continue;
            }
            world.power_loss_at(host, None);
            world.resume(host);
            match world.state(host) {
                HostState::Running | HostState::Paused if !leaving.contains(host) => continue,
                HostState::Down => {}
                HostState::Running | HostState::Paused | HostState::Ended | HostState::PowerLost => world.crash(host),
            }
            self.start(host, None, world);
        }
        self.tell(world, Event::Healed);
    }

    fn schedule(&mut self, at: Duration, step: Step) {
        self.scheduled += 1;
        self.due.insert((at, self.scheduled), step);
    }

    fn tell(&mut self, world: &mut dyn World, event: Event) {
        world.note("nemesis", &event.in_words(&self.plan));
        let at_ms = u64::try_from(world.now().as_millis()).unwrap_or(u64::MAX);
        self.timeline.push(TimelineEntry { at_ms, event });
    }

    fn perform(&mut self, step: Step, world: &mut dyn World) {
        match step {
            Step::Begin(index) => {
                let fault = self.plan.0[index].fault.clone();
                self.tell(world, Event::FaultBegan { fault: index });
                self.began += 1;
                for later in super::begin(&fault, world) {
                    self.follow(later, world);
                }
                if let Some(lasts) = fault.lasts() {
                    self.active.push(index);
                    self.schedule(world.now() + lasts, Step::End(index));
                }
            }
            Step::End(index) => {
                self.active.retain(|active| *active != index);
                self.tell(world, Event::FaultEnded { fault: index });
                super::end(&self.plan.0[index].fault, world);
            }
            Step::Stop(host, _) | Step::Start(host, _) if self.absent.contains(&host) => {}
            Step::Stop(host, grace) => {
                self.tell(world, Event::HostStopping { host: host.clone() });
                world.stop(&host);
                self.start_later(world.now() + grace, host, None);
            }
            Step::Reset(one, other) => {
                world.reset(&one, &other);
            }
            // It may have joined before, of another such fault.
            Step::Join(host) => {
                if self.absent.remove(&host) {
                    self.start(&host, None, world);
                }
            }
            Step::Start(host, failing_at) => match world.state(&host) {
                HostState::Down => self.start(&host, failing_at, world),
                // It was asked to stop and has not done so within its grace period, or it died meanwhile.
                HostState::Running | HostState::Paused | HostState::Ended | HostState::PowerLost => {
                    world.crash(&host);
                    self.start(&host, failing_at, world);
                }
            },
        }
    }

    fn follow(&mut self, later: Later, world: &mut dyn World) {
        let now = world.now();
        match later {
            Later::Start { host, after } => self.start_later(now + after, host, None),
            Later::StartOnFailingDisk { host, after, change } => {
                self.start_later(now + after, host, Some(change));
            }
            Later::Restart { host, after, grace } => self.schedule(now + after, Step::Stop(host, grace)),
            Later::Never { host } => {
                self.absent.insert(host);
            }
            Later::Join { host, after } => self.schedule(now + after, Step::Join(host)),
            Later::Reset { one, other, after } => self.schedule(now + after, Step::Reset(one, other)),
            Later::RestartDelay { host, delay } => {
                self.restart_delays.insert(host, delay);
            }
        }
    }

    /// A crash that is in no plan: a sweep's, at a scheduling point.
    pub fn crash_now(&mut self, host: &Host, down: Duration, world: &mut dyn World) {
        if self.absent.contains(host) {
            return;
        }
        self.tell(world, Event::CrashPoint { host: host.clone() });
        self.began += 1;
        world.crash(host);
        self.start_later(world.now() + down, host.clone(), None);
    }

    /// A worker dies by an aimed strike, which is in no plan: before it does this.
    pub fn strike_down(&mut self, host: &Host, doing: &str, down: Duration, world: &mut dyn World) {
        self.tell(world, Event::Told { text: format!("aimed: {host} dies before {doing}") });
        self.began += 1;
        world.crash(host);
        self.start_later(world.now() + down, host.clone(), None);
    }

    /// The latest word on when a host starts is the one that counts.
    fn start_later(&mut self, at: Duration, host: Host, failing_at: Option<u64>) {
        self.due.retain(|_, step| !matches!(step, Step::Start(other, _) if *other == host));
        self.schedule(at, Step::Start(host, failing_at));
    }

    fn start(&mut self, host: &Host, failing_at: Option<u64>, world: &mut dyn World) {
        self.tell(world, Event::HostStarted { host: host.clone() });
        world.start(host);
        if failing_at.is_some() {
            world.power_loss_at(host, failing_at);
        }
    }

    fn look_after(&mut self, world: &mut dyn World, hosts: &[Host]) {
        for host in hosts {
            let event = match world.state(host) {
                HostState::PowerLost => Event::PowerLost { host: host.clone() },
                HostState::Ended => Event::ProgramEnded { host: host.clone() },
                HostState::Down | HostState::Running | HostState::Paused => continue,
            };
            self.tell(world, event);
            world.crash(host);
            let expected = self.due.values().any(|step| matches!(step, Step::Start(other, _) if other == host));
            if !expected {
                let delay = self.restart_delays.remove(host).unwrap_or(SUPERVISOR_DELAY);
                self.start_later(world.now() + delay, host.clone(), None);
            }
        }
    }
}
