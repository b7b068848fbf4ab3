//! The default world: every host is real threads, scheduled one at a time in virtual time.
mod inside;
mod network;

pub(crate) use inside::LockstepInside;
pub use network::LockstepNetwork;

use super::counts::LinkCounts;
use super::{Fixtures, Host, HostState, Pause, Place, Program, RunSettings, World, WorldError, WorldOptions};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tempest_disk::SimDisk;
use tempest_lockstep::{HostId, HostStatus, Options, Pick, Ratio, RunEnd, Simulation};
use tokio::sync::watch;

/// Blocking work that is still running when a program has ended gets this long.
const BLOCKING_GRACE: Duration = Duration::from_secs(5);

struct Slot {
    id: HostId,
    program: Program,
    stop: Option<watch::Sender<bool>>,
    /// Set by the host when its program has returned.
    ended: Arc<AtomicBool>,
}

impl Slot {
    /// Dropping the sender would wake tasks of a host that is frozen forever.
    fn forget_stop(&mut self) {
        std::mem::forget(self.stop.take());
    }
}

impl Drop for LockstepWorld<'_> {
    fn drop(&mut self) {
        self.slots.values_mut().for_each(Slot::forget_stop);
    }
}

/// A [`World`] of lockstep hosts.
struct LockstepWorld<'a> {
    simulation: &'a mut Simulation,
    slots: BTreeMap<Host, Slot>,
    blocks: LinkCounts,
    clogs: LinkCounts,
    fixtures: Fixtures,
}

impl<'a> LockstepWorld<'a> {
    fn new(simulation: &'a mut Simulation, fixtures: Fixtures) -> LockstepWorld<'a> {
        let (blocks, clogs) = (LinkCounts::default(), LinkCounts::default());
        LockstepWorld { simulation, slots: BTreeMap::new(), blocks, clogs, fixtures }
    }

    fn slot(&self, host: &Host) -> &Slot {
        self.slots.get(host).expect("plans name hosts of their world only")
    }
}

impl World for LockstepWorld<'_> {
    fn now(&self) -> Duration {
        self.simulation.now()
    }

    fn fixtures(&self) -> &Fixtures {
        &self.fixtures
    }

    fn add(&mut self, host: Host, disk: Option<SimDisk>, program: Program) {
        if let Some(disk) = disk {
            disk.on_power_cut(tempest_lockstep::request_stop);
            self.fixtures.disks.insert(host.clone(), disk);
        }
        let id = self.simulation.add_host(host.as_str());
        let ended = Arc::new(AtomicBool::new(false));
        self.slots.insert(host, Slot { id, program, stop: None, ended });
    }

    fn advance(&mut self, until: Duration) -> Pause {
        match self.simulation.run_until(until) {
            RunEnd::Deadline => Pause::Deadline,
            RunEnd::Requested => Pause::Attention,
            RunEnd::CrashPoint => Pause::SchedulingPoint,
            RunEnd::Finished | RunEnd::Stuck => Pause::Stuck,
        }
    }

    fn start(&mut self, host: &Host) {
        self.fixtures.on_disk(host, SimDisk::restore_power);
        let slot = self.slots.get_mut(host).expect("plans name hosts of their world only");
        let (stop, stopped) = watch::channel(false);
        slot.forget_stop();
        slot.stop = Some(stop);
        slot.ended.store(false, Ordering::SeqCst);
        let (program, ended) = (slot.program.clone(), slot.ended.clone());
        self.simulation.start(slot.id, move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime needs descriptors and nothing else");
            runtime.block_on(program(stopped));
            runtime.shutdown_timeout(BLOCKING_GRACE);
            ended.store(true, Ordering::SeqCst);
            tempest_lockstep::request_stop();
        });
    }

    fn crash(&mut self, host: &Host) {
        // First the power: nothing that a dying process still does may reach the medium.
        self.fixtures.on_disk(host, SimDisk::cut_power);
        let id = self.slot(host).id;
        self.simulation.crash(id);
        self.slots.get_mut(host).expect("it was there just now").forget_stop();
    }

    fn stop(&mut self, host: &Host) {
        if let Some(stop) = &self.slot(host).stop {
            stop.send_replace(true);
        }
    }

    fn pause(&mut self, host: &Host) {
        let id = self.slot(host).id;
        self.simulation.pause(id);
    }

    fn resume(&mut self, host: &Host) {
        let id = self.slot(host).id;
        self.simulation.resume(id);
    }

    fn state(&self, host: &Host) -> HostState {
        let slot = self.slot(host);
        let asked_to_stop = slot.stop.as_ref().is_some_and(|stop| *stop.borrow());
        match self.simulation.status(slot.id) {
            HostStatus::New | HostStatus::Crashed => HostState::Down,
            _ if !self.fixtures.is_powered(host) => HostState::PowerLost,
            HostStatus::Exited if asked_to_stop => HostState::Down,
            HostStatus::Exited | HostStatus::Panicked => HostState::Ended,
            HostStatus::Running | HostStatus::Paused if slot.ended.load(Ordering::SeqCst) && !asked_to_stop => {
                HostState::Ended
            }
            HostStatus::Running => HostState::Running,
            HostStatus::Paused => HostState::Paused,
        }
    }

    fn block(&mut self, from: &Host, to: &Host) {
        let (one, other) = (self.slot(from).id, self.slot(to).id);
        if self.blocks.more(from, to) {
            self.simulation.block(one, other);
        }
    }

    fn unblock(&mut self, from: &Host, to: &Host) {
        let (one, other) = (self.slot(from).id, self.slot(to).id);
        if self.blocks.fewer(from, to) {
            self.simulation.unblock(one, other);
        }
    }

    fn clog(&mut self, from: &Host, to: &Host) {
        let (one, other) = (self.slot(from).id, self.slot(to).id);
        if self.clogs.more(from, to) {
            self.simulation.clog(one, other);
        }
    }

    fn unclog(&mut self, from: &Host, to: &Host) {
        let (one, other) = (self.slot(from).id, self.slot(to).id);
        if self.clogs.fewer(from, to) {
            self.simulation.unclog(one, other);
        }
    }

    fn slow_link(&mut self, from: &Host, to: &Host, extra: Duration, bytes_per_second: u64) {
        let (one, other) = (self.slot(from).id, self.slot(to).id);
        self.simulation.slow_link(one, other, extra, bytes_per_second);
    }

    fn reset(&mut self, one: &Host, other: &Host) -> usize {
        let (one, other) = (self.slot(one).id, self.slot(other).id);
        self.simulation.reset(one, other)
    }

    fn set_clock(&mut self, host: &Host, offset_ms: i64, rate_ppm: i64) {
        let id = self.slot(host).id;
        self.simulation.set_clock(id, offset_ms * 1_000_000, rate_ppm);
    }

    fn jump_clock(&mut self, host: &Host, by_ms: i64) {
        let id = self.slot(host).id;
        self.simulation.jump_clock(id, by_ms * 1_000_000);
    }

    fn note(&mut self, kind: &str, text: &str) {
        tempest_lockstep::trace::record_text(kind, text);
    }

    fn stop_at_scheduling_point(&mut self, scheduling_points: Option<u64>) {
        self.simulation.set_crash_point(scheduling_points);
    }

    fn scheduling_points(&self) -> u64 {
        self.simulation.scheduling_points()
    }
}

/// Performs what `body` does with a world of lockstep hosts.
pub(super) fn take_place<T: Send + 'static>(
    place: Place,
    body: impl FnOnce(&mut dyn World) -> T + Send + 'static,
) -> Result<(T, String), WorldError> {
    let Place { seed, options, settings, shared } = place;
    let options = lockstep_options(&options, &settings);
    Ok(tempest_lockstep::simulate(seed, options, move |simulation| {
        let done = body(&mut LockstepWorld::new(simulation, Fixtures::new(&shared)));
        (done, simulation.trace_hash().to_string())
    })?)
}

fn lockstep_options(options: &WorldOptions, settings: &RunSettings) -> Options {
    Options {
        pick: if options.random_schedule { Pick::Random } else { Pick::Fifo },
        preemption: Ratio { numerator: options.preemption_per_million, denominator: 1_000_000 },
        latency: (
            Duration::from_micros(options.latency_min_us),
            Duration::from_micros(options.latency_max_us.max(options.latency_min_us)),
        ),
        window_bytes: usize::try_from(options.window_bytes).unwrap_or(usize::MAX),
        pin_to_core: settings.pin_to_core,
        trace_file: settings.trace_file.clone(),
        trace_scheduling_points: settings.trace_scheduling_points,
        ..Options::default()
    }
}
