//! A third opinion, in a build of its own: scheduler, clock and randomness of madsim, on one thread.
//!
//! What is otherwise than in the default world: any ready task of any host may be the next, drawn from the seed, so that
//! tasks of one host overtake each other; a host that crashes drops what it has, destructors and all, after the power of
//! its disk is cut and its connections are gone; gRPC goes without HTTP/2 ([`tempest_rt::net`]) over a network of ours. The
//! wall clock begins at a time drawn from the seed. Time only goes on when no task is ready: idle time is free.
mod inside;
mod network;

pub(super) use inside::NoWorld;
use inside::{Known, MadsimInside};
use network::MadsimNetwork;

use super::counts::LinkCounts;
use super::{Fixtures, Host, HostState, Pause, Place, Program, World, WorldError, owed};
use futures::FutureExt;
use madsim::runtime::{Handle, Runtime};
use madsim::task::NodeId;
use madsim::time::TimeHandle;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, UNIX_EPOCH};
use tempest_disk::SimDisk;
use tempest_trace::Trace;
use tokio::sync::watch;

/// What a killed host has is dropped when its tasks have their turn, which they have had long before.
const DROPPING: Duration = Duration::from_millis(1);
/// Tasks that panic in one stretch of time: if more do, it is the world itself that does.
const PANICS_MAX: u32 = 1_000;
/// After so many stretches of time madsim forgets tasks that have ended.
const SWEEP_EVERY: u64 = 1_000;

struct Slot {
    program: Program,
    node: Option<NodeId>,
    incarnation: u32,
    stop: Option<watch::Sender<bool>>,
    paused: bool,
    ended: Arc<AtomicBool>,
}

/// A [`World`] of madsim nodes.
struct MadsimWorld {
    runtime: Runtime,
    inside: MadsimInside,
    slots: BTreeMap<Host, Slot>,
    blocks: LinkCounts,
    clogs: LinkCounts,
    fixtures: Fixtures,
    advances: u64,
}

/// Performs what `body` does with a world of madsim nodes.
pub(super) fn take_place<T: Send + 'static>(
    place: Place,
    body: impl FnOnce(&mut dyn World) -> T + Send + 'static,
) -> Result<(T, String), WorldError> {
    // The keys of hash maps are the thread's: a new one's follow from the seed.
    let run = std::thread::Builder::new().name("madsim".to_owned()).spawn(move || {
        let mut world = MadsimWorld::new(place)?;
        let done = body(&mut world);
        let hash = {
            let mut trace = world.inside.trace();
            trace.flush();
            trace.hash().to_string()
        };
        // What hosts drop when they end would still ask for time.
        std::mem::forget(world);
        Ok((done, hash))
    });
    match run.map_err(WorldError::Thread)?.join() {
        Ok(done) => done,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

impl MadsimWorld {
    fn new(place: Place) -> Result<MadsimWorld, WorldError> {
        let Place { seed, options, settings, shared } = place;
        let runtime = Runtime::with_seed_and_config(seed, madsim::Config::default());
        let time = runtime.block_on(async { TimeHandle::current() });
        let trace = match &settings.trace_file {
            Some(file) => Trace::to_file(file, |problem| eprintln!("note: {problem}"))
                .map_err(|error| WorldError::TraceFile { file: file.clone(), error })?,
            None => Trace::default(),
        };
        let latency_min = Duration::from_micros(options.latency_min_us);
        let latency_max = Duration::from_micros(options.latency_max_us.max(options.latency_min_us));
        let inside = MadsimInside::enter(Known {
            epoch: time.now_time().duration_since(UNIX_EPOCH).unwrap_or_default() - time.elapsed(),
            time,
            network: MadsimNetwork::new(seed, (latency_min, latency_max)),
            trace: trace.into(),
            attention: tokio::sync::Notify::new(),
            nodes: BTreeMap::new().into(),
        });
        let (blocks, clogs) = (LinkCounts::default(), LinkCounts::default());
        let fixtures = Fixtures::new(&shared);
        Ok(MadsimWorld { runtime, inside, slots: BTreeMap::new(), blocks, clogs, fixtures, advances: 0 })
    }

    fn slot(&self, host: &Host) -> &Slot {
        self.slots.get(host).expect("plans name hosts of their world only")
    }

    fn slot_mut(&mut self, host: &Host) -> &mut Slot {
        self.slots.get_mut(host).expect("plans name hosts of their world only")
    }

    /// Runs hosts until `future` is done. A task that panics ends, as everywhere; madsim lets the panic out, and the hook has
    /// noted it by then.
    fn run<T, F: Future<Output = T>>(&self, future: impl Fn() -> F) -> T {
        let mut panics = 0;
        loop {
            match std::panic::catch_unwind(AssertUnwindSafe(|| self.runtime.block_on(future()))) {
                Ok(done) => return done,
                Err(panic) if panics == PANICS_MAX => std::panic::resume_unwind(panic),
                Err(_) => panics += 1,
            }
        }
    }

    fn links(&self) -> &MadsimNetwork {
        self.inside.network()
    }
}

impl World for MadsimWorld {
    fn now(&self) -> Duration {
        self.inside.now()
    }

    fn fixtures(&self) -> &Fixtures {
        &self.fixtures
    }

    fn add(&mut self, host: Host, disk: Option<SimDisk>, program: Program) {
        if let Some(disk) = disk {
            let inside = self.inside.clone();
            disk.on_power_cut(move || super::inside::Inside::ask_for_attention(&inside));
            owed::lend(&disk);
            self.fixtures.disks.insert(host.clone(), disk);
        }
        let slot = Slot { program, node: None, incarnation: 0, stop: None, paused: false, ended: Arc::default() };
        self.slots.insert(host, slot);
    }

    fn advance(&mut self, until: Duration) -> Pause {
        self.advances += 1;
        if self.advances.is_multiple_of(SWEEP_EVERY) {
            self.runtime.handle().metrics().num_tasks();
        }
        self.run(|| {
            let inside = self.inside.clone();
            async move {
                let deadline = madsim::time::sleep(until.saturating_sub(inside.now()));
                tokio::select! {
                    biased;
                    () = inside.attention() => Pause::Attention,
                    () = deadline => Pause::Deadline,
                }
            }
        })
    }

    fn start(&mut self, host: &Host) {
        self.fixtures.on_disk(host, SimDisk::restore_power);
        let (inside, name) = (self.inside.clone(), host.to_string());
        let slot = self.slots.get_mut(host).expect("plans name hosts of their world only");
        let (stop, stopped) = watch::channel(false);
        slot.stop = Some(stop);
        slot.incarnation += 1;
        slot.ended = Arc::default();
        slot.paused = false;
        let (program, ended) = (slot.program.clone(), slot.ended.clone());
        let of_program = inside.clone();
        let node = self.runtime.create_node().name(name.as_str()).init(move || {
            let (program, stopped) = (program.clone(), stopped.clone());
            let (ended, inside) = (ended.clone(), of_program.clone());
            async move {
                // The hook has noted a panic; the host is as one whose process died of it.
                let program = tempest_rt::Contained::new(async move { program(stopped).await });
                let _ = AssertUnwindSafe(program).catch_unwind().await;
                ended.store(true, Ordering::SeqCst);
                super::inside::Inside::ask_for_attention(&inside);
            }
        });
        let node = node.build().id();
        inside.begins(node, &name, slot.incarnation);
        slot.node = Some(node);
    }

    fn crash(&mut self, host: &Host) {
        // First the power and the connections: madsim runs destructors, and nothing of what they do may be seen.
        self.fixtures.on_disk(host, SimDisk::cut_power);
        let now = self.now();
        let slot = self.slot_mut(host);
        slot.stop = None;
        slot.paused = false;
        let Some(node) = slot.node.take() else { return };
        let incarnation = slot.incarnation;
        self.links().tear(host.as_str(), incarnation, now);
        let handle: Handle = self.runtime.handle().clone();
        // Paused tasks would be dropped by the controller, and not as tasks of their node.
        handle.resume(node);
        handle.kill(node);
        self.run(|| async { madsim::time::sleep(DROPPING).await });
    }

    fn stop(&mut self, host: &Host) {
        if let Some(stop) = &self.slot(host).stop {
            stop.send_replace(true);
        }
    }

    fn pause(&mut self, host: &Host) {
        let slot = self.slot_mut(host);
        slot.paused = true;
        if let Some(node) = slot.node {
            self.runtime.handle().pause(node);
        }
    }

    fn resume(&mut self, host: &Host) {
        let slot = self.slot_mut(host);
        slot.paused = false;
        if let Some(node) = slot.node {
            self.runtime.handle().resume(node);
        }
    }

    fn state(&self, host: &Host) -> HostState {
        let slot = self.slot(host);
        let asked_to_stop = slot.stop.as_ref().is_some_and(|stop| *stop.borrow());
        let ended = slot.ended.load(Ordering::SeqCst);
        match () {
            () if slot.node.is_none() => HostState::Down,
            () if !self.fixtures.is_powered(host) => HostState::PowerLost,
            () if ended && asked_to_stop => HostState::Down,
            () if ended => HostState::Ended,
            () if slot.paused => HostState::Paused,
            () => HostState::Running,
        }
    }

    fn block(&mut self, from: &Host, to: &Host) {
        if self.blocks.more(from, to) {
            self.links().block(from.as_str(), to.as_str(), self.now());
        }
    }

    fn unblock(&mut self, from: &Host, to: &Host) {
        if self.blocks.fewer(from, to) {
            self.links().unblock(from.as_str(), to.as_str(), self.now());
        }
    }

    fn clog(&mut self, from: &Host, to: &Host) {
        if self.clogs.more(from, to) {
            self.links().clog(from.as_str(), to.as_str());
        }
    }

    fn unclog(&mut self, from: &Host, to: &Host) {
        if self.clogs.fewer(from, to) {
            self.links().unclog(from.as_str(), to.as_str(), self.now());
        }
    }

    fn slow_link(&mut self, from: &Host, to: &Host, extra: Duration, bytes_per_second: u64) {
        self.links().slow(from.as_str(), to.as_str(), extra, bytes_per_second);
    }

    fn reset(&mut self, one: &Host, other: &Host) -> usize {
        self.links().reset(one.as_str(), other.as_str(), self.now())
    }

    fn set_clock(&mut self, _: &Host, _: i64, _: i64) {
        unreachable!("a plan of this world sets no clock");
    }

    fn jump_clock(&mut self, _: &Host, _: i64) {
        unreachable!("a plan of this world sets no clock");
    }

    fn note(&mut self, kind: &str, text: &str) {
        super::inside::Inside::record_text(&self.inside, kind, text);
    }
}
