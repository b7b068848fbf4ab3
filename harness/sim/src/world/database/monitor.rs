//! The failover monitor: gives leases, raises terms, and makes the most advanced of a majority the primary.
use super::wire::{Order, Position, Report, receive, send};
use super::{LEASE, LEASE_GRACE, MONITOR_PORT, Replication, address};
use crate::world::{Host, Program, Shared};
use futures::FutureExt;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tempest_artifact::{Event, LogEnd};
use tempest_rt::net::{ByteStream, Network};
use tempest_rt::time::{Duration, Instant};

/// How long an operator waits for the node to be there that is to be promoted.
const OPERATOR_PATIENCE: Duration = Duration::from_secs(10);

/// What runs on the monitor's host. It keeps nothing on a disk: a new one waits until every lease of an earlier one is
/// over, and learns the terms from the nodes.
pub(crate) fn monitor(shared: Shared, network: Arc<dyn Network>, nodes: usize, replication: Replication) -> Program {
    Arc::new(move |_stop| {
        let (shared, network) = (shared.clone(), network.clone());
        async move {
            let host = Host(crate::world::inside::host_name().unwrap_or_default());
            let mut listener = match network.listen(address(&host, MONITOR_PORT)).await {
                Ok(listener) => listener,
                Err(error) => return shared.report_problem(format!("the database's monitor cannot listen: {error}")),
            };
            let state = Arc::new(Mutex::new(Monitor::new(nodes, replication, Instant::now())));
            loop {
                if let Ok(stream) = listener.accept().await {
                    tempest_rt::task::spawn(answer(stream, state.clone(), shared.clone()));
                }
            }
        }
        .boxed_local()
    })
}

async fn answer(mut stream: Box<dyn ByteStream>, state: Arc<Mutex<Monitor>>, shared: Shared) {
    while let Ok(report) = receive::<Report>(&mut stream).await {
        let (order, news) = {
            let mut monitor = state.lock().expect("no holder of this lock panics");
            let demanded = shared.operator.wants().and_then(|host| monitor.demand(host.as_str(), Instant::now()));
            let news = monitor.take(report, Instant::now());
            (monitor.order(), demanded.into_iter().chain(news))
        };
        for news in news {
            match news {
                News::Deposed(name) => shared.tell(Event::Deposed { database: Host(name) }),
                News::Promoted { name, term, log_ends_at: Position { number, term: of }, forced } => {
                    shared.promoted(&name, term);
                    let log_end = LogEnd { number, term: of };
                    shared.tell(Event::Promoted { database: Host(name), term, log_end, forced });
                }
            }
        }
        if send(&mut stream, &order).await.is_err() {
            return;
        }
    }
}

/// What is worth telling.
enum News {
    Deposed(String),
    Promoted { name: String, term: u64, log_ends_at: Position, forced: bool },
}

/// Pure: reports in, orders out.
struct Monitor {
    nodes: usize,
    replication: Replication,
    term: u64,
    primary: Option<String>,
    /// No other primary may be made before.
    leased_until: Instant,
    reports: BTreeMap<String, Report>,
    heard_at: BTreeMap<String, Instant>,
    standby: Option<String>,
    demand: Option<Demand>,
    /// Whether the primary was made so by an operator.
    forced: bool,
}

/// An operator wants this node to be primary.
struct Demand {
    host: String,
    until: Instant,
    /// Whose lease must be over first, unless it promises the new term.
    deposed: Option<String>,
}

impl Monitor {
    fn new(nodes: usize, replication: Replication, now: Instant) -> Monitor {
        let leased_until = now + LEASE + LEASE_GRACE;
        Monitor {
            nodes,
            replication,
            term: 0,
            primary: None,
            leased_until,
            reports: BTreeMap::new(),
            heard_at: BTreeMap::new(),
            standby: None,
            demand: None,
            forced: false,
        }
    }

    fn majority(&self) -> usize {
        self.nodes / 2 + 1
    }

    fn order(&self) -> Order {
        Order {
            term: self.term,
            primary: self.primary.clone(),
            forced: self.forced,
            standby: self.standby.clone().filter(|_| matches!(self.replication, Replication::NamedStandby { .. })),
        }
    }

    /// An operator wants `host` to be primary: the one there is gives way, and for a while no other is chosen. Where
    /// terms are no timelines a node that lacks something cannot be promoted, and nothing happens.
    fn demand(&mut self, host: &str, now: Instant) -> Option<News> {
        if self.primary.is_none() || self.primary.as_deref() == Some(host) || !self.replication.has_timelines() {
            return None;
        }
        self.term += 1;
        self.reports.clear();
        let deposed = self.primary.take();
        self.demand = Some(Demand { host: host.to_owned(), until: now + OPERATOR_PATIENCE, deposed: deposed.clone() });
        deposed.map(News::Deposed)
    }

    /// Names another standby when the one that commits wait for is silent.
    fn name_standby(&mut self, now: Instant) {
        let is_heard = |name: &String| self.heard_at.get(name).is_some_and(|at| now < *at + LEASE);
        let may_be = |name: &&String| self.primary.as_ref() != Some(*name);
        if !self.standby.as_ref().is_some_and(|standby| may_be(&standby) && is_heard(standby)) {
            self.standby = self.heard_at.keys().find(|name| may_be(name) && is_heard(name)).cloned();
        }
    }

    /// Takes a report in; returns what is worth telling.
    fn take(&mut self, report: Report, now: Instant) -> Option<News> {
        // A primary whose disk is new is none any more.
        let is_whole = !report.rebuilding;
        let renews = is_whole && self.primary.as_ref() == Some(&report.name) && report.promised == self.term;
        if is_whole {
            self.heard_at.insert(report.name.clone(), now);
        } else {
            self.heard_at.remove(&report.name);
        }
        self.name_standby(now);
        self.reports.insert(report.name.clone(), report);
        if renews && now < self.leased_until {
            self.leased_until = now + LEASE + LEASE_GRACE;
        }
        // Where a majority has never promised anything there was never a primary.
        let is_new = |reports: &BTreeMap<String, Report>| reports.values().all(|report| report.promised == 0);
        let never_leased = self.term == 0 && self.reports.len() >= self.majority() && is_new(&self.reports);
        if now < self.leased_until && !never_leased && (self.term == 0 || self.primary.is_some()) {
            return None;
        }
        if (self.term == 0 || self.primary.is_some()) && self.reports.len() >= self.majority() {
            // The lease is over, or this monitor is new: there is no primary any more.
            let highest = self.reports.values().map(|report| report.promised).max().unwrap_or(0);
            self.term = self.term.max(highest) + 1;
            let deposed = self.primary.take();
            // What was reported before the promise may have changed since.
            self.reports.clear();
            return deposed.map(News::Deposed);
        }
        if let Some(highest) = self.reports.values().map(|report| report.promised).max()
            && highest > self.term
        {
            self.term = highest + 1;
            self.reports.clear();
            return None;
        }
        // That is long after the lease of the primary that was deposed for it.
        self.demand.take_if(|demand| now >= demand.until);
        // What a node does not have whose disk is new says nothing of what there is.
        let has_promised = |report: &&Report| report.promised == self.term && self.term > 0 && !report.rebuilding;
        let promised = self.reports.values().filter(has_promised);
        if let Some(demand) = &self.demand {
            let let_go = |name: &String| promised.clone().any(|report| report.name == *name);
            if now < self.leased_until && !demand.deposed.as_ref().is_none_or(let_go) {
                return None;
            }
            let chosen = promised.clone().find(|report| report.name == demand.host)?.clone();
            self.demand = None;
            return Some(self.promote(chosen, true, now));
        }
        // A database that replicates asynchronously chose to be back soon rather than complete.
        let any_standby =
            self.replication.is_asynchronous() || tempest_rt::is_planted(super::plants::ANY_STANDBY_IS_PROMOTED.name);
        let enough = if any_standby { 1 } else { self.majority() };
        if promised.clone().count() < enough {
            return None;
        }
        let chosen = promised.max_by_key(|report| (report.last, report.name.clone()))?.clone();
        Some(self.promote(chosen, false, now))
    }

    fn promote(&mut self, chosen: Report, forced: bool, now: Instant) -> News {
        let Report { name, last: log_ends_at, .. } = chosen;
        self.primary = Some(name.clone());
        self.forced = forced;
        self.leased_until = now + LEASE + LEASE_GRACE;
        self.name_standby(now);
        News::Promoted { name, term: self.term, log_ends_at, forced }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn report(name: &str, promised: u64, term: u64, number: u64) -> Report {
        Report { name: name.to_owned(), promised, last: Position { term, number }, rebuilding: false }
    }

    fn primary(monitor: &Monitor) -> Option<&str> {
        monitor.primary.as_deref()
    }

    #[test]
    fn the_most_advanced_of_a_majority_that_promised_is_primary() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut monitor = Monitor::new(3, Replication::Quorum, start);
        monitor.take(report("a", 4, 4, 9), at(1));
        monitor.take(report("b", 3, 3, 20), at(2));
        assert_eq!(monitor.order(), Order::default(), "leases of an earlier monitor may last");
        monitor.take(report("a", 4, 4, 9), at(5));
        assert_eq!(monitor.order(), Order { term: 5, ..Order::default() });
        monitor.take(report("b", 5, 3, 20), at(5));
        monitor.take(report("c", 4, 4, 11), at(5));
        assert_eq!(primary(&monitor), None, "c has not promised");
        monitor.take(report("a", 5, 4, 9), at(5));
        assert_eq!(primary(&monitor), Some("a"), "of a later term, however short");
    }

    #[test]
    fn a_new_database_waits_for_no_lease() {
        let start = Instant::now();
        let mut monitor = Monitor::new(3, Replication::Quorum, start);
        monitor.take(report("a", 0, 0, 0), start);
        assert_eq!(monitor.order(), Order::default());
        monitor.take(report("b", 0, 0, 0), start);
        assert_eq!(monitor.order(), Order { term: 1, ..Order::default() });
    }

    #[test]
    fn a_primary_that_reports_stays_and_a_silent_one_is_replaced_when_its_lease_is_over() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut monitor = Monitor::new(3, Replication::Quorum, start);
        for promised in [0, 1] {
            for name in ["a", "b"] {
                monitor.take(report(name, promised, 0, 0), at(5));
            }
        }
        assert_eq!(primary(&monitor), Some("b"));
        monitor.take(report("b", 1, 1, 1), at(8));
        monitor.take(report("a", 1, 1, 1), at(11));
        assert_eq!(primary(&monitor), Some("b"), "its lease lasts");
        monitor.take(report("a", 1, 1, 1), at(12));
        assert_eq!(monitor.order(), Order { term: 2, ..Order::default() });
        monitor.take(report("b", 1, 1, 1), at(13));
        assert_eq!(primary(&monitor), None, "it has not promised to let go");
        monitor.take(report("a", 2, 1, 1), at(13));
        monitor.take(report("c", 2, 1, 0), at(13));
        assert_eq!(primary(&monitor), Some("a"));
    }

    /// Three nodes, of which "b" was made primary of term 1 at 5 s.
    fn named(start: Instant) -> Monitor {
        let mut monitor = Monitor::new(3, Replication::NamedStandby { lag: Duration::ZERO }, start);
        for promised in [0, 1] {
            for name in ["a", "b", "c"] {
                monitor.take(report(name, promised, 0, 0), start + Duration::from_secs(5));
            }
        }
        assert_eq!(primary(&monitor), Some("b"), "two of three had promised");
        monitor
    }

    #[test]
    fn the_standby_that_commits_wait_for_is_one_that_is_heard() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut monitor = named(start);
        assert_eq!(monitor.order().standby.as_deref(), Some("a"));
        monitor.take(report("c", 1, 1, 1), at(7));
        assert_eq!(monitor.order().standby.as_deref(), Some("a"), "nobody else is named without need");
        monitor.take(report("b", 1, 1, 1), at(8));
        assert_eq!(monitor.order().standby.as_deref(), Some("c"), "it is silent");
        monitor.take(report("a", 1, 1, 1), at(9));
        assert_eq!(monitor.order().standby.as_deref(), Some("c"));
    }

    #[test]
    fn an_operators_choice_waits_until_the_primary_has_let_go_and_for_nothing_else() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut monitor = named(start);
        assert!(matches!(monitor.demand("c", at(6)), Some(News::Deposed(name)) if name == "b"));
        monitor.take(report("a", 2, 1, 9), at(6));
        monitor.take(report("c", 2, 1, 1), at(6));
        assert_eq!(monitor.order(), Order { term: 2, standby: Some("a".to_owned()), ..Order::default() });
        monitor.take(report("b", 2, 1, 9), at(6));
        assert_eq!(primary(&monitor), Some("c"), "others have more, but this one was asked for");
        assert!(monitor.order().forced);

        let mut monitor = named(start);
        monitor.demand("c", at(6));
        monitor.take(report("c", 2, 1, 1), at(8));
        assert_eq!(primary(&monitor), None, "the lease of the other lasts");
        monitor.take(report("c", 2, 1, 1), at(9));
        assert_eq!(primary(&monitor), Some("c"));
    }

    #[test]
    fn an_operator_who_asks_in_vain_gives_up() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut monitor = named(start);
        assert!(monitor.demand("b", at(6)).is_none(), "it is primary");
        monitor.demand("c", at(6));
        for second in [10, 16] {
            monitor.take(report("a", 2, 1, 9), at(second));
            monitor.take(report("b", 2, 1, 9), at(second));
        }
        assert_eq!((primary(&monitor), monitor.order().forced), (Some("b"), false));
        let mut monitor = Monitor::new(3, Replication::Quorum, start);
        for promised in [0, 1] {
            for name in ["a", "b"] {
                monitor.take(report(name, promised, 0, 0), at(5));
            }
        }
        assert!(monitor.demand("a", at(6)).is_none(), "where terms are no timelines there is nothing to choose");
    }

    #[test]
    fn a_node_with_a_new_disk_is_neither_primary_nor_counted() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut monitor = named(start);
        let empty = |promised| Report { rebuilding: true, ..report("b", promised, 0, 0) };
        monitor.take(report("a", 1, 1, 9), at(6));
        monitor.take(empty(1), at(8));
        monitor.take(empty(1), at(9));
        monitor.take(report("a", 1, 1, 9), at(9));
        monitor.take(report("c", 1, 1, 9), at(9));
        assert_eq!(monitor.order().term, 2, "its lease was not renewed");
        monitor.take(empty(2), at(10));
        monitor.take(report("a", 2, 1, 9), at(10));
        assert_eq!(primary(&monitor), None, "one that is rebuilt makes no majority");
        monitor.take(report("c", 2, 1, 9), at(10));
        assert_eq!(primary(&monitor), Some("c"));
    }
}
