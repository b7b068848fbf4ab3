//! What became of each host over time.
use super::effects::{Effect, effects};
use super::{Happened, Run};
use std::collections::{BTreeMap, BTreeSet};
use tempest_artifact::{Event, Family, Fault, Host};

/// One host over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostLane {
    pub host: Host,
    /// What its process was, from the beginning to the end without gaps.
    pub spans: Vec<Span>,
    /// What else was wrong with it, by time.
    pub marks: Vec<Mark>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    pub state: State,
    pub from_ms: u64,
    pub to_ms: u64,
}

/// What a host's process is; of several the last one here counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    Up,
    /// It is up, and no other host can be reached.
    CutOff,
    /// It was asked to stop.
    Stopping,
    Paused,
    Down,
}

/// Something that was wrong with a host while its process was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    pub kind: &'static str,
    pub family: Family,
    /// Of how many other hosts it is cut off; none if something else is wrong.
    pub cut_from: Option<usize>,
    pub from_ms: u64,
    pub to_ms: u64,
    pub how: String,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            State::Up => "up",
            State::CutOff => "cut-off",
            State::Stopping => "stopping",
            State::Paused => "paused",
            State::Down => "down",
        }
    }
}

impl Run {
    /// Every host that the run names, servers first, with what became of it.
    pub(crate) fn host_lanes(&self) -> Vec<HostLane> {
        let known = self.known_hosts();
        let mut lanes: BTreeMap<&Host, (Vec<Span>, Vec<Mark>)> = BTreeMap::new();
        for happened in self.happened() {
            for effect in effects(&happened.fault) {
                self.strike(&mut lanes, &known, &happened, effect);
            }
        }
        for (host, spans) in self.downtimes(&known) {
            lanes.entry(host).or_default().0.extend(spans);
        }
        let end_ms = self.end_ms();
        let lane = |host: &Host| {
            let (spans, marks) = lanes.remove(host).unwrap_or_default();
            HostLane { host: host.clone(), spans: without_gaps(spans, end_ms), marks }
        };
        in_order(&known).into_iter().map(lane).collect()
    }

    /// All hosts that anything in the artifact names.
    pub(crate) fn known_hosts(&self) -> BTreeSet<Host> {
        let planned = self.artifact.plan.0.iter().flat_map(|planned| planned.fault.named_hosts());
        let callers = self.artifact.operations.iter().map(|operation| Host(operation.caller.clone()));
        let owners = self.artifact.ownership.leases.iter().map(|lease| Host(lease.server.clone()));
        let told = self.artifact.timeline.iter().filter_map(|entry| match &entry.event {
            Event::HostStarted { host }
            | Event::HostStopping { host }
            | Event::PowerLost { host }
            | Event::ProgramEnded { host }
            | Event::CrashPoint { host } => Some(host.clone()),
            Event::Deposed { database } | Event::Promoted { database, .. } => Some(database.clone()),
            Event::FaultBegan { .. } | Event::FaultEnded { .. } | Event::Healed | Event::Told { .. } => None,
        });
        planned.chain(callers).chain(owners).chain(told).filter(|host| !host.0.is_empty()).collect()
    }

    /// Notes what an effect of a fault does to its host. When a host is down is not noted here: the timeline tells.
    fn strike<'run>(
        &self,
        lanes: &mut BTreeMap<&'run Host, (Vec<Span>, Vec<Mark>)>,
        known: &'run BTreeSet<Host>,
        happened: &Happened<'_>,
        effect: Effect,
    ) {
        let from_ms = happened.at_ms;
        let mut to_ms = happened.until_ms.unwrap_or(from_ms);
        let mut lane = |host: &Host, state: Option<State>, mark: Option<(Option<usize>, String)>, to_ms: u64| {
            let Some(host) = known.get(host) else { return };
            let (spans, marks) = lanes.entry(host).or_default();
            spans.extend(state.map(|state| Span { state, from_ms, to_ms }));
            let (kind, family) = (happened.fault.name(), happened.fault.family());
            marks.extend(mark.map(|(cut_from, how)| Mark { kind, family, cut_from, from_ms, to_ms, how }));
        };
        match effect {
            Effect::Down { .. } => {}
            // Of several hosts each is stopped at a time of its own, which the timeline tells.
            Effect::Stopping { host } => match *happened.fault {
                Fault::RollingRestart(_) | Fault::RestartUnderLoad(_) => {}
                _ => lane(&host, Some(State::Stopping), None, to_ms),
            },
            Effect::Paused { host } => lane(&host, Some(State::Paused), None, to_ms),
            Effect::Cut { host, from } => {
                let is_alone = known.iter().all(|other| *other == host || from.contains(other));
                let peers = from.iter().map(Host::as_str).collect::<Vec<_>>().join(", ");
                let how = if is_alone { "cut off from all others".into() } else { format!("cut from {peers}") };
                lane(&host, is_alone.then_some(State::CutOff), Some((Some(from.len()), how)), to_ms);
            }
            Effect::Disturbed { host, how } => {
                if let Fault::PowerLoss(_) = *happened.fault
                    && let Some(lost) = self.power_lost(happened.entry, &host)
                {
                    to_ms = to_ms.min(self.artifact.timeline[lost].at_ms);
                }
                lane(&host, None, Some((None, how)), to_ms);
            }
        }
    }

    /// When each host was down, or asked to stop with others, as the timeline tells.
    fn downtimes<'run>(&self, known: &'run BTreeSet<Host>) -> BTreeMap<&'run Host, Vec<Span>> {
        let mut downtimes: BTreeMap<&Host, Vec<Span>> = BTreeMap::new();
        for (entry, told) in self.artifact.timeline.iter().enumerate() {
            let (state, hosts) = match &told.event {
                Event::PowerLost { host } | Event::ProgramEnded { host } | Event::CrashPoint { host } => {
                    (State::Down, vec![host.clone()])
                }
                Event::HostStopping { host } => (State::Stopping, vec![host.clone()]),
                Event::FaultBegan { fault } => match self.artifact.plan.0.get(*fault) {
                    Some(planned) => (State::Down, down_from_its_beginning(&planned.fault)),
                    None => continue,
                },
                _ => continue,
            };
            for host in hosts.iter().filter_map(|host| known.get(host)) {
                let span = Span { state, from_ms: told.at_ms, to_ms: self.started_ms(entry, host) };
                downtimes.entry(host).or_default().push(span);
            }
            if let Some(joining) = self.joins(&told.event).and_then(|host| known.get(host)) {
                let span = Span { state: State::Down, from_ms: 0, to_ms: self.started_ms(entry, joining) };
                downtimes.entry(joining).or_default().push(span);
            }
        }
        downtimes
    }

    /// A host that was not there before.
    fn joins(&self, event: &Event) -> Option<&Host> {
        let Event::FaultBegan { fault } = event else { return None };
        match &self.artifact.plan.0.get(*fault)?.fault {
            Fault::ServerReplaced(replaced) => Some(&replaced.by),
            _ => None,
        }
    }
}

/// The hosts that a fault takes down at once, until they are started.
fn down_from_its_beginning(fault: &Fault) -> Vec<Host> {
    match fault {
        Fault::Crash(_)
        | Fault::CrashInRecovery(_)
        | Fault::ZoneLoss(_)
        | Fault::ServerGone(_)
        | Fault::DiskLost(_)
        | Fault::BitRot(_) => fault.hosts(),
        Fault::ServerReplaced(replaced) => vec![replaced.host.clone()],
        _ => Vec::new(),
    }
}

/// Of overlapping states the one that counts at each moment, and up where there is none. What is over in an instant is
/// kept.
fn without_gaps(spans: Vec<Span>, end_ms: u64) -> Vec<Span> {
    let mut bounds: Vec<u64> = spans.iter().flat_map(|span| [span.from_ms, span.to_ms]).collect();
    bounds.extend([0, end_ms]);
    bounds.sort_unstable();
    bounds.dedup();
    let mut whole: Vec<Span> = Vec::new();
    for piece in bounds.windows(2) {
        let (from_ms, to_ms) = (piece[0], piece[1]);
        let covering = spans.iter().filter(|span| span.from_ms <= from_ms && to_ms <= span.to_ms);
        let state = covering.map(|span| span.state).max().unwrap_or(State::Up);
        match whole.last_mut() {
            Some(last) if last.state == state => last.to_ms = to_ms,
            _ => whole.push(Span { state, from_ms, to_ms }),
        }
    }
    whole.extend(spans.into_iter().filter(|span| span.from_ms == span.to_ms));
    whole
}

/// Servers, workers, clients, databases and others, `server-2` before `server-10`.
fn in_order(hosts: &BTreeSet<Host>) -> Vec<&Host> {
    let rank = |host: &Host| {
        let is = |prefix: &str| host.0.starts_with(prefix);
        match () {
            () if is("server") => 0,
            () if is("worker") => 1,
            () if is("client") => 2,
            () if is("db") => 3,
            () => 4,
        }
    };
    let mut hosts: Vec<&Host> = hosts.iter().collect();
    hosts.sort_by_key(|host| (rank(host), host.0.chars().count()));
    hosts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(state: State, from_ms: u64, to_ms: u64) -> Span {
        Span { state, from_ms, to_ms }
    }

    #[test]
    fn of_overlapping_states_the_worst_counts() {
        let spans = vec![span(State::CutOff, 100, 500), span(State::Down, 200, 300), span(State::Paused, 150, 250)];
        let expect = [
            span(State::Up, 0, 100),
            span(State::CutOff, 100, 150),
            span(State::Paused, 150, 200),
            span(State::Down, 200, 300),
            span(State::CutOff, 300, 500),
            span(State::Up, 500, 900),
        ];
        assert_eq!(without_gaps(spans, 900), expect);
    }

    #[test]
    fn what_is_over_in_an_instant_is_kept() {
        let expect = [span(State::Up, 0, 900), span(State::Down, 40, 40)];
        assert_eq!(without_gaps(vec![span(State::Down, 40, 40)], 900), expect);
    }

    #[test]
    fn hosts_stand_in_the_order_of_their_numbers() {
        let names = ["db-1", "server-10", "client", "worker-1", "db-monitor", "server-2"];
        let hosts = names.iter().map(|name| Host((*name).into())).collect();
        let ordered: Vec<&str> = in_order(&hosts).into_iter().map(Host::as_str).collect();
        assert_eq!(ordered, ["server-2", "server-10", "worker-1", "client", "db-1", "db-monitor"]);
    }
}
