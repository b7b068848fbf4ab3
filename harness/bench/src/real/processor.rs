//! Processor time, as Linux tells it: of this process by the names of its threads, and of the machine.

use std::time::Duration;

/// One tick of the kernel's counters in /proc/stat: a hundredth of a second on every Linux that Rust runs on.
const TICK: Duration = Duration::from_millis(10);

/// Threads of the real server in this process; those of the load have other names.
pub const SERVER_THREADS: &str = "bench-server";
pub const LOAD_THREADS: &str = "bench-load";

/// Processor time used so far. Where there is no /proc, everything is zero.
#[derive(Clone, Copy, Debug, Default)]
pub struct UsedSoFar {
    pub server: Duration,
    pub load: Duration,
    /// Of the whole machine: busy, and busy or idle, over all its cores.
    pub machine_busy: Duration,
    pub machine: Duration,
}

impl UsedSoFar {
    pub fn read() -> Self {
        let mut used = Self::default();
        for task in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
            let read = |file: &str| std::fs::read_to_string(task.path().join(file)).unwrap_or_default();
            let ns = read("schedstat").split_whitespace().next().and_then(|ns| ns.parse().ok()).unwrap_or(0);
            match read("comm").trim() {
                SERVER_THREADS => used.server += Duration::from_nanos(ns),
                LOAD_THREADS => used.load += Duration::from_nanos(ns),
                _ => {}
            }
        }
        (used.machine_busy, used.machine) = machine(&std::fs::read_to_string("/proc/stat").unwrap_or_default());
        used
    }

    pub fn since(self, before: Self) -> Self {
        Self {
            server: self.server.saturating_sub(before.server),
            load: self.load.saturating_sub(before.load),
            machine_busy: self.machine_busy.saturating_sub(before.machine_busy),
            machine: self.machine.saturating_sub(before.machine),
        }
    }
}

/// The first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal.
fn machine(stat: &str) -> (Duration, Duration) {
    let fields = stat.lines().next().unwrap_or_default().split_whitespace().skip(1).take(8);
    let ticks: Vec<u32> = fields.map(|field| field.parse().unwrap_or(0)).collect();
    let all: u32 = ticks.iter().sum();
    let idle: u32 = ticks.iter().skip(3).take(2).sum();
    (TICK * (all - idle), TICK * all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_that_waits_for_its_disk_is_idle() {
        let read = machine("cpu  100 0 50 700 150 0 0 0 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\n");
        assert_eq!(read, (Duration::from_millis(1_500), Duration::from_secs(10)));
        assert_eq!(machine(""), (Duration::ZERO, Duration::ZERO));
    }
}
