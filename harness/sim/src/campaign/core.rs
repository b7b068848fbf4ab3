//! A core of its own for each run on this machine: a switch between threads is several times cheaper on one core.

/// The environment variable that names the core of a run: a number, or `none` for none.
pub const CORE: &str = "TEMPEST_CORE";

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
