//! A core of its own for each run on this machine: a switch between threads is several times cheaper on one core.
//!
//! A claim holds among the processes that see each other. Another container, or a program that pins itself, may be on the
//! same core all the same: a run that waits for its core while another is idle moves there.
use std::collections::BTreeMap;
use std::time::Duration;

/// The environment variable that names the core of a run: a number, or `none` for none.
pub const CORE: &str = "TEMPEST_CORE";

/// How often it is looked whether the core is shared.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A run that waits for its core for more of a second than this, so many seconds in a row, shares it.
const WAITING_MAX: Duration = Duration::from_millis(400);
const SHARED_AFTER: u32 = 3;
/// A core is idle if it was for so many of a second's ticks, which are a hundred.
const IDLE_TICKS_MIN: u64 = 60;

/// A core that no other run uses while this is kept.
#[derive(Debug)]
pub struct OwnCore {
    pub number: usize,
    _claim: Option<Claim>,
}

impl OwnCore {
    /// The one that [`CORE`] names, or else the first that is free; none if no core is, or if that cannot be told.
    pub fn claim() -> Option<Self> {
        match std::env::var(CORE) {
            Ok(told) => told.trim().parse().ok().map(|number| Self { number, _claim: None }),
            Err(_) => allowed_cores().into_iter().find_map(|number| {
                let claim = Claim::of(number)?;
                Some(Self { number, _claim: Some(claim) })
            }),
        }
    }
}

/// Watches, on a thread outside the simulation, whether the threads of this process wait for its core, and moves them to
/// one that is idle: two runs never wait for each other for long.
pub fn leave_a_shared_core() {
    // What this process may use is to be known before it is pinned.
    let cores = allowed_cores();
    if cores.len() < 2 {
        return;
    }
    std::thread::spawn(move || {
        let (mut waited_before, mut idle_before, mut shared_for) = (waited(), idle_ticks(), 0);
        loop {
            std::thread::sleep(LOOK_EVERY);
            let (waited, idle) = (waited(), idle_ticks());
            let is_shared = waited.saturating_sub(waited_before) > WAITING_MAX;
            shared_for = if is_shared { shared_for + 1 } else { 0 };
            if shared_for >= SHARED_AFTER
                && let Some(core) = idlest(&cores, &idle_before, &idle)
            {
                run_on(core);
                shared_for = 0;
            }
            (waited_before, idle_before) = (waited, idle);
        }
    });
}

#[cfg(not(madsim))]
fn run_on(core: usize) {
    tempest_lockstep::let_run_on(&[core]);
}

/// A run by madsim is one thread, which the kernel moves by itself.
#[cfg(madsim)]
fn run_on(_: usize) {}

/// The core that was idle for longest between two looks, if one was for most of the time.
fn idlest(cores: &[usize], before: &BTreeMap<usize, u64>, now: &BTreeMap<usize, u64>) -> Option<usize> {
    let idle = |core: &usize| Some((now.get(core)?.saturating_sub(*before.get(core)?), *core));
    let (ticks, core) = cores.iter().filter_map(idle).max()?;
    (ticks >= IDLE_TICKS_MIN).then_some(core)
}

/// For how many ticks each core has had nothing to do.
fn idle_ticks() -> BTreeMap<usize, u64> {
    idle_of(&std::fs::read_to_string("/proc/stat").unwrap_or_default())
}

/// Reads what the kernel says of each core: its number, then ticks by what it did, the fourth of them idle.
fn idle_of(text: &str) -> BTreeMap<usize, u64> {
    let core = |line: &str| {
        // The line of all cores together has no number.
        let (core, ticks) = line.strip_prefix("cpu")?.split_once(' ')?;
        Some((core.parse().ok()?, ticks.split_whitespace().nth(3)?.parse().ok()?))
    };
    text.lines().filter_map(core).collect()
}

/// For how long threads of this process have been ready to run and did not.
fn waited() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let statistics = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("schedstat")).ok());
    statistics.filter_map(|text| waiting_of(&text)).sum()
}

/// Reads what the kernel says of a thread: time on a core, time waiting for one, turns.
fn waiting_of(text: &str) -> Option<Duration> {
    text.split_whitespace().nth(1)?.parse().ok().map(Duration::from_nanos)
}

/// A socket with the core's name, outside the file system: no other process can have it, and it goes with the process
/// however that ends.
#[cfg(target_os = "linux")]
#[derive(Debug)]
struct Claim(#[expect(dead_code, reason = "it is there to be kept")] std::os::unix::net::UnixListener);

#[cfg(target_os = "linux")]
impl Claim {
    fn of(core: usize) -> Option<Self> {
        use std::os::linux::net::SocketAddrExt;
        use std::os::unix::net::{SocketAddr, UnixListener};
        let name = SocketAddr::from_abstract_name(format!("tempest-core-{core}")).ok()?;
        UnixListener::bind_addr(&name).ok().map(Self)
    }
}

#[cfg(not(target_os = "linux"))]
#[derive(Debug)]
struct Claim;

#[cfg(not(target_os = "linux"))]
impl Claim {
    fn of(_: usize) -> Option<Self> {
        None
    }
}

/// The cores this process may use, in order. Empty where that cannot be told.
fn allowed_cores() -> Vec<usize> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap_or_default();
    listed(list)
}

/// Reads what the kernel writes: "0-2,5".
fn listed(list: &str) -> Vec<usize> {
    let number = |text: &str| text.trim().parse::<usize>().ok();
    let range = |part: &str| -> Vec<usize> {
        match part.split_once('-') {
            Some((first, last)) => number(first).zip(number(last)).map_or(Vec::new(), |(a, b)| (a..=b).collect()),
            None => number(part).into_iter().collect(),
        }
    };
    list.split(',').flat_map(range).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_cores_are_read() {
        assert_eq!(listed("\t0-2,5\n"), [0, 1, 2, 5]);
        assert_eq!(listed("7"), [7]);
        assert!(listed("").is_empty());
        assert!(listed("all").is_empty());
    }

    #[test]
    fn a_run_moves_to_the_idlest_core_if_one_is_idle() {
        let before = idle_of("cpu  9 9 9 300 9\ncpu0 1 2 3 100 5\ncpu1 1 2 3 200 5\nintr 7\n");
        assert_eq!(before, [(0, 100), (1, 200)].into());
        assert_eq!(idlest(&[0, 1], &before, &[(0, 105), (1, 290)].into()), Some(1));
        assert_eq!(idlest(&[0, 1], &before, &[(0, 105), (1, 230)].into()), None);
        assert_eq!(idlest(&[0], &before, &[(0, 105), (1, 290)].into()), None);
    }

    #[test]
    fn waiting_is_the_second_number() {
        assert_eq!(waiting_of("77 1500 3\n"), Some(Duration::from_nanos(1_500)));
        assert_eq!(waiting_of(""), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_core_has_one_owner_at_a_time() {
        // No machine has so many: no run is in the way.
        let core = usize::MAX - 7;
        let first = Claim::of(core);
        assert!(first.is_some());
        assert!(Claim::of(core).is_none());
        drop(first);
        assert!(Claim::of(core).is_some());
    }
}
