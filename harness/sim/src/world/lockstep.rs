//! The default world: every host is real threads, scheduled one at a time in virtual time.
use super::{Ambiguities, Ambiguity, Host, HostState, LOG_FILE, Operator, PROMISE, Pause, REBUILDING, World};
use futures::future::LocalBoxFuture;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tempest_disk::{Ratio, SimDisk};
use tempest_lockstep::{HostId, HostStatus, RunEnd, Simulation};
use tokio::sync::watch;

/// What runs on a host, made anew for each incarnation. It ends when it is asked to, or when it fails.
pub type Program = Arc<dyn Fn(watch::Receiver<bool>) -> LocalBoxFuture<'static, ()> + Send + Sync>;

/// Blocking work that is still running when a program has ended gets this long.
const BLOCKING_GRACE: Duration = Duration::from_secs(5);

/// How far in the future the power fails of a disk whose power is not to fail.
const NEVER: u64 = u64::MAX / 2;

struct Slot {
    id: HostId,
    program: Program,
    disk: Option<SimDisk>,
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
pub struct LockstepWorld<'a> {
    simulation: &'a mut Simulation,
    slots: BTreeMap<Host, Slot>,
    blocks: BTreeMap<(Host, Host), u32>,
    clogs: BTreeMap<(Host, Host), u32>,
    ambiguities: Ambiguities,
    operator: Operator,
}

impl<'a> LockstepWorld<'a> {
    pub fn new(simulation: &'a mut Simulation, ambiguities: Ambiguities, operator: Operator) -> LockstepWorld<'a> {
        let (slots, blocks, clogs) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        LockstepWorld { simulation, slots, blocks, clogs, ambiguities, operator }
    }

    /// Adds a host; it is down.
    pub fn add(&mut self, host: Host, disk: Option<SimDisk>, program: Program) {
        if let Some(disk) = &disk {
            disk.on_power_cut(tempest_lockstep::request_stop);
        }
        let id = self.simulation.add_host(host.as_str());
        let ended = Arc::new(AtomicBool::new(false));
        self.slots.insert(host, Slot { id, program, disk, stop: None, ended });
    }

    fn slot(&self, host: &Host) -> &Slot {
        self.slots.get(host).expect("plans name hosts of their world only")
    }

    /// The next [`World::advance`] ends when so many scheduling points have passed since the beginning.
    pub fn stop_at_scheduling_point(&mut self, scheduling_points: Option<u64>) {
        self.simulation.set_crash_point(scheduling_points);
    }

    pub fn scheduling_points(&self) -> u64 {
        self.simulation.scheduling_points()
    }
}

impl World for LockstepWorld<'_> {
    fn now(&self) -> Duration {
        self.simulation.now()
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
        let slot = self.slots.get_mut(host).expect("plans name hosts of their world only");
        if let Some(disk) = &slot.disk {
            disk.restore_power();
        }
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
        let slot = self.slot(host);
        if let Some(disk) = &slot.disk {
            // First the power: nothing that a dying process still does may reach the medium.
            disk.cut_power();
        }
        let id = slot.id;
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
            _ if slot.disk.as_ref().is_some_and(|disk| !disk.is_powered()) => HostState::PowerLost,
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
        if more(&mut self.blocks, from, to) {
            self.simulation.block(one, other);
        }
    }

    fn unblock(&mut self, from: &Host, to: &Host) {
        let (one, other) = (self.slot(from).id, self.slot(to).id);
        if fewer(&mut self.blocks, from, to) {
            self.simulation.unblock(one, other);
        }
    }

    fn clog(&mut self, from: &Host, to: &Host) {
        let (one, other) = (self.slot(from).id, self.slot(to).id);
        if more(&mut self.clogs, from, to) {
            self.simulation.clog(one, other);
        }
    }

    fn unclog(&mut self, from: &Host, to: &Host) {
        let (one, other) = (self.slot(from).id, self.slot(to).id);
        if fewer(&mut self.clogs, from, to) {
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

    fn set_ambiguity(&mut self, host: &Host, kind: Ambiguity, per_million: u64) {
        self.ambiguities.set(host, kind, per_million);
    }

    fn promote(&mut self, host: &Host) {
        self.operator.want(host);
    }

    fn set_clock(&mut self, host: &Host, offset_ms: i64, rate_ppm: i64) {
        let id = self.slot(host).id;
        self.simulation.set_clock(id, offset_ms * 1_000_000, rate_ppm);
    }

    fn jump_clock(&mut self, host: &Host, by_ms: i64) {
        let id = self.slot(host).id;
        self.simulation.jump_clock(id, by_ms * 1_000_000);
    }

    fn slow_disk(&mut self, host: &Host, times: u32) {
        if let Some(disk) = &self.slot(host).disk {
            disk.change_faults(|faults| faults.slowness = times);
        }
    }

    fn limit_disk(&mut self, host: &Host, room_bytes: Option<u64>, overwriting: bool) {
        if let Some(disk) = &self.slot(host).disk {
            disk.set_capacity(room_bytes.map(|room| disk.used_bytes() + room));
            disk.change_faults(|faults| faults.overwrites_refused = !overwriting);
        }
    }

    fn replace_disk(&mut self, host: &Host) {
        if let Some(disk) = &self.slot(host).disk {
            disk.replace(&[Path::new(PROMISE)], &[(Path::new(REBUILDING), b"")]);
        }
    }

    fn rot_disk(&mut self, host: &Host, bits: u32) {
        if let Some(disk) = &self.slot(host).disk {
            // A node that is known to be damaged is rebuilt from what it has.
            disk.replace(&[Path::new(PROMISE), Path::new(LOG_FILE)], &[(Path::new(REBUILDING), b"")]);
            disk.rot(Path::new(LOG_FILE), bits);
        }
    }

    fn fail_operations(&mut self, host: &Host, per_million: u64) {
        if let Some(disk) = &self.slot(host).disk {
            disk.change_faults(|faults| faults.failing_operations = of_a_million(per_million));
        }
    }

    fn fail_syncs(&mut self, host: &Host, per_million: u64) {
        if let Some(disk) = &self.slot(host).disk {
            disk.change_faults(|faults| faults.failing_syncs = of_a_million(per_million));
        }
    }

    fn power_loss_at(&mut self, host: &Host, change: Option<u64>) {
        if let Some(disk) = &self.slot(host).disk {
            disk.cut_power_in(change.unwrap_or(NEVER));
        }
    }

    fn note(&mut self, kind: &str, text: &str) {
        tempest_lockstep::trace::record_text(kind, text);
    }
}

fn of_a_million(times: u64) -> Ratio {
    Ratio { times: u32::try_from(times).unwrap_or(u32::MAX), of: 1_000_000 }
}

/// Counts up; true if it is the first.
fn more(counts: &mut BTreeMap<(Host, Host), u32>, from: &Host, to: &Host) -> bool {
    let count = counts.entry((from.clone(), to.clone())).or_default();
    *count += 1;
    *count == 1
}

/// Counts down; true if it was the last.
fn fewer(counts: &mut BTreeMap<(Host, Host), u32>, from: &Host, to: &Host) -> bool {
    match counts.get_mut(&(from.clone(), to.clone())) {
        Some(count) if *count > 0 => {
            *count -= 1;
            *count == 0
        }
        _ => false,
    }
}
