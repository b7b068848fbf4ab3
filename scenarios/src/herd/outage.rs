//! The outage: all servers lose their power in one moment, with nodes of the database or without, and come back in one.
use tempest::Draw;
use tempest::fault::{Crash, Fault, PlannedFault, Targets};
use tempest::world::Host;

/// Drawn for a run.
#[derive(Clone, Debug)]
pub struct Outage {
    /// Since the run began.
    pub at_ms: u64,
    pub down_ms: u64,
    /// So many nodes of the database go with the servers. Which one is primary then is unknown before; of three it is
    /// one.
    pub databases: u64,
}

impl Outage {
    /// The same however often it is asked for in a run.
    pub fn draw(draw: &mut Draw<'_>) -> Outage {
        Outage {
            at_ms: draw.number("outage_at_ms", 6_000..=20_000),
            down_ms: draw.number("outage_ms", 500..=10_000),
            databases: draw.one_of("outage_databases", &[0, 0, 1, 2, 3]),
        }
    }

    /// When everybody is there again, if nothing else goes wrong.
    pub fn over_ms(&self) -> u64 {
        self.at_ms + self.down_ms
    }

    pub fn faults(&self, targets: &Targets) -> Vec<PlannedFault> {
        let databases = usize::try_from(self.databases).unwrap_or(usize::MAX);
        // From the last: of nodes whose logs are alike the last is promoted.
        let hosts = targets.servers.iter().chain(targets.databases.iter().rev().take(databases));
        let crash = |host: &Host| Fault::Crash(Crash { host: host.clone(), down_ms: self.down_ms });
        hosts.map(|host| PlannedFault { at_ms: self.at_ms, fault: crash(host) }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(nodes: u64, databases: u64, expect: &[&str]) {
        let outage = Outage { at_ms: 7_000, down_ms: 3_000, databases };
        let faults = outage.faults(&Targets::new(nodes, 2));
        assert!(faults.iter().all(|planned| planned.at_ms == 7_000));
        let told: Vec<String> = faults.iter().map(|planned| planned.fault.to_string()).collect();
        let expect: Vec<String> = expect.iter().map(|host| format!("crash down_ms=3000 host={host}")).collect();
        assert_eq!(told, expect);
    }

    #[test]
    fn all_servers_crash_and_come_back_in_one_moment() {
        check(3, 0, &["server-1", "server-2", "server-3"]);
        check(3, 2, &["server-1", "server-2", "server-3", "db-3", "db-2"]);
        check(3, 9, &["server-1", "server-2", "server-3", "db-3", "db-2", "db-1"]);
    }

    #[test]
    fn a_server_that_is_alone_has_its_database_with_it() {
        check(1, 3, &["server"]);
    }
}
