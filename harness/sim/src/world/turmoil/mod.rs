//! A second opinion on network and turns: hosts, links and time of turmoil, on one thread.
//!
//! That thread belongs to a lockstep simulation without hosts: so randomness, hash maps and the wall clock, which turmoil
//! leaves as they are, follow from the seed and from virtual time, too. The simulation's controller only waits for it: it has
//! keys for hash maps from before the simulation.
//!
//! What is otherwise than in the default world: time goes in ticks, in which each host has its turn; what is sent over a
//! link that is blocked is lost and not sent again, so that connections over it hang until they are given up; a host that
//! crashes drops all it has, and its peers hear of it. The power of its disk is cut first, as everywhere.
mod inside;
mod network;

use inside::TurmoilInside;
use network::TurmoilNetwork;

use super::counts::LinkCounts;
use super::{Fixtures, Host, HostState, Pause, Place, Program, World, WorldError, WorldOptions, now_ns, owed};
use futures::FutureExt;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempest_disk::SimDisk;
use tempest_lockstep::Options;
use tokio::sync::watch;
use turmoil::Sim;

/// Everything that happens within one is at one time. Shorter ones cost more: each host has its turn in each.
const TICK: Duration = Duration::from_millis(2);
/// All hosts' turns are taken on one thread.
const STACK_BYTES: usize = 16 << 20;
/// Segments that wait at a connection's end. Beyond, turmoil panics: it is no window.
const TCP_CAPACITY: usize = 1 << 16;

struct Slot {
    program: Program,
    /// What the next incarnation of the host is asked to stop by.
    next: Arc<Mutex<Option<watch::Receiver<bool>>>>,
    stop: Option<watch::Sender<bool>>,
    incarnation: Arc<Mutex<u32>>,
    /// Whether turmoil knows the host: it runs what it hears of at once.
    known: bool,
    up: bool,
    ended: Arc<AtomicBool>,
}

/// A [`World`] of turmoil hosts.
struct TurmoilWorld {
    sim: Sim<'static>,
    inside: TurmoilInside,
    slots: BTreeMap<Host, Slot>,
    blocks: LinkCounts,
    fixtures: Fixtures,
}

/// Performs what `body` does with a world of turmoil hosts.
pub(super) fn take_place<T: Send + 'static>(
    place: Place,
    body: impl FnOnce(&mut dyn World) -> T + Send + 'static,
) -> Result<(T, String), WorldError> {
    let Place { seed, options, settings, shared } = place;
    let inside = TurmoilInside::default();
    super::inside::enter(inside.clone());
    let lockstep = Options {
        pin_to_core: settings.pin_to_core,
        trace_file: settings.trace_file,
        trace_scheduling_points: settings.trace_scheduling_points,
        ..Options::default()
    };
    Ok(tempest_lockstep::simulate(seed, lockstep, move |simulation| {
        let hosts = std::thread::Builder::new().name("turmoil".to_owned()).stack_size(STACK_BYTES).spawn(move || {
            let (slots, blocks) = (BTreeMap::new(), LinkCounts::default());
            let (sim, fixtures) = (sim(seed, &options), Fixtures::new(&shared));
            let mut world = TurmoilWorld { sim, inside, slots, blocks, fixtures };
            let done = body(&mut world);
            // What hosts drop when they end could still ask for time.
            std::mem::forget(world);
            done
        });
        let hosts = hosts.expect("the operating system gives us a thread");
        let done = hosts.join().unwrap_or_else(|panic| resume_unwind(panic));
        (done, simulation.trace_hash().to_string())
    })?)
}

fn sim(seed: u64, options: &WorldOptions) -> Sim<'static> {
    turmoil::Builder::new()
        .rng_seed(seed)
        .tick_duration(TICK)
        .simulation_duration(Duration::MAX)
        .min_message_latency(Duration::from_micros(options.latency_min_us))
        .max_message_latency(Duration::from_micros(options.latency_max_us.max(options.latency_min_us)))
        .tcp_capacity(TCP_CAPACITY)
        .enable_random_order()
        .build()
}

impl TurmoilWorld {
    fn slot(&mut self, host: &Host) -> &mut Slot {
        self.slots.get_mut(host).expect("plans name hosts of their world only")
    }
}

impl World for TurmoilWorld {
    fn now(&self) -> Duration {
        Duration::from_nanos(now_ns())
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
        let slot = Slot {
            program,
            next: Arc::default(),
            stop: None,
            incarnation: Arc::default(),
            known: false,
            up: false,
            ended: Arc::default(),
        };
        self.slots.insert(host, slot);
    }

    fn advance(&mut self, until: Duration) -> Pause {
        while self.now() < until {
            // A program that fails says so by itself; turmoil hears of none.
            self.sim.step().expect("no host gives turmoil an error");
            // Both clocks go together: the one of turmoil's runtimes and the one that the server reads. Each look at the latter
            // takes a nanosecond.
            std::thread::sleep(self.sim.elapsed().saturating_sub(self.now()));
            if self.inside.takes_attention() {
                return Pause::Attention;
            }
        }
        Pause::Deadline
    }

    fn start(&mut self, host: &Host) {
        self.fixtures.on_disk(host, SimDisk::restore_power);
        let inside = self.inside.clone();
        let name = host.to_string();
        let slot = self.slots.get_mut(host).expect("plans name hosts of their world only");
        let (stop, stopped) = watch::channel(false);
        slot.stop = Some(stop);
        *slot.next.lock().expect("no holder of this lock panics") = Some(stopped);
        *slot.incarnation.lock().expect("no holder of this lock panics") += 1;
        slot.ended.store(false, Ordering::SeqCst);
        slot.up = true;
        if slot.known {
            self.sim.bounce(name.as_str());
            return;
        }
        slot.known = true;
        let (program, next, ended) = (slot.program.clone(), slot.next.clone(), slot.ended.clone());
        let incarnation = slot.incarnation.clone();
        self.sim.host(name.clone(), move || {
            let (inside, name) = (inside.clone(), name.clone());
            let (program, ended) = (program.clone(), ended.clone());
            let stopped = next.lock().expect("no holder of this lock panics").take();
            let incarnation = *incarnation.lock().expect("no holder of this lock panics");
            async move {
                let Some(stopped) = stopped else { return Ok(()) };
                inside.begins(&name, incarnation);
                // The hook has noted a panic; the host is as one whose process died of it.
                let _ = AssertUnwindSafe(program(stopped)).catch_unwind().await;
                ended.store(true, Ordering::SeqCst);
                super::inside::Inside::ask_for_attention(&inside);
                Ok(())
            }
        });
    }

    fn crash(&mut self, host: &Host) {
        // First the power: turmoil runs destructors, and nothing that they do may reach the medium.
        self.fixtures.on_disk(host, SimDisk::cut_power);
        let slot = self.slot(host);
        slot.up = false;
        slot.stop = None;
        let (known, ended) = (slot.known, slot.ended.load(Ordering::SeqCst));
        match (known, ended) {
            (false, _) => {}
            (true, false) => self.sim.crash(host.as_str()),
            // Turmoil lets go of what a program has left behind when the next one begins: one that has nothing to do.
            (true, true) => self.sim.bounce(host.as_str()),
        }
    }

    fn stop(&mut self, host: &Host) {
        if let Some(stop) = &self.slot(host).stop {
            stop.send_replace(true);
        }
    }

    fn pause(&mut self, _: &Host) {
        unreachable!("a plan of this world has no pause");
    }

    fn resume(&mut self, _: &Host) {}

    fn state(&self, host: &Host) -> HostState {
        let slot = self.slots.get(host).expect("plans name hosts of their world only");
        let asked_to_stop = slot.stop.as_ref().is_some_and(|stop| *stop.borrow());
        let ended = slot.ended.load(Ordering::SeqCst);
        match () {
            () if !slot.up => HostState::Down,
            () if !self.fixtures.is_powered(host) => HostState::PowerLost,
            () if ended && asked_to_stop => HostState::Down,
            () if ended => HostState::Ended,
            () => HostState::Running,
        }
    }

    fn block(&mut self, from: &Host, to: &Host) {
        if self.blocks.more(from, to) {
            self.sim.partition_oneway(from.as_str(), to.as_str());
        }
    }

    fn unblock(&mut self, from: &Host, to: &Host) {
        if self.blocks.fewer(from, to) {
            self.sim.repair_oneway(from.as_str(), to.as_str());
        }
    }

    fn clog(&mut self, _: &Host, _: &Host) {
        unreachable!("a plan of this world clogs no link");
    }

    fn unclog(&mut self, _: &Host, _: &Host) {}

    fn slow_link(&mut self, _: &Host, _: &Host, _: Duration, _: u64) {
        unreachable!("a plan of this world slows no link");
    }

    fn reset(&mut self, _: &Host, _: &Host) -> usize {
        0
    }

    fn set_clock(&mut self, _: &Host, _: i64, _: i64) {
        unreachable!("a plan of this world sets no clock");
    }

    fn jump_clock(&mut self, _: &Host, _: i64) {
        unreachable!("a plan of this world sets no clock");
    }

    fn note(&mut self, kind: &str, text: &str) {
        tempest_lockstep::trace::record_text(kind, text);
    }
}
