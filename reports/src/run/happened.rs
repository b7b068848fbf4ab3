//! Which faults really happened, and until when: the plan says what was meant, the timeline what came of it.
use super::Run;
use crate::words::plural;
use std::borrow::Cow;
use tempest_artifact::fault::Crash;
use tempest_artifact::{Event, Fault, Host};

/// A fault that began.
#[derive(Debug, Clone)]
pub(crate) struct Happened<'run> {
    pub fault: Cow<'run, Fault>,
    pub at_ms: u64,
    /// When it was taken back, or what it struck was there again; none for what happens in an instant.
    pub until_ms: Option<u64>,
    /// It is the crash of a sweep, which is in no plan.
    pub at_crash_point: bool,
    /// Its place in the timeline.
    pub(super) entry: usize,
}

impl Happened<'_> {
    pub fn lasted_ms(&self) -> Option<u64> {
        Some(self.until_ms?.saturating_sub(self.at_ms))
    }

    /// Where it is, shortly: of what strikes many hosts, how they are apart.
    pub fn place(&self) -> String {
        match &*self.fault {
            Fault::Partition(cut) => match (&cut.one_side[..], &cut.other_side[..]) {
                ([one], [other]) => format!("{one} | {other}"),
                ([one], others) | (others, [one]) => format!("{one} | {}", others.len()),
                (ones, others) => format!("{} | {}", ones.len(), others.len()),
            },
            Fault::Isolate(cut) => format!("{} | all others", cut.host),
            Fault::IsolateDatabase(cut) => format!("{} | {}", cut.host, cut.others.len()),
            Fault::Bridge(cut) => format!("{} – {} – {}", cut.one_side.len(), cut.bridge, cut.other_side.len()),
            Fault::Ring(cut) => format!("of {}", plural(cut.ring.len() as u64, "host")),
            Fault::OneWay(_) | Fault::Clog(_) | Fault::Latency(_) => {
                let links = self.fault.links();
                links.iter().map(|link| format!("{} → {}", link.from, link.to)).collect::<Vec<_>>().join(", ")
            }
            Fault::Reset(cut) => format!("{} – {}", cut.one, cut.other),
            Fault::RollingRestart(restart) => plural(restart.hosts.len() as u64, "server"),
            Fault::ZoneLoss(zone) => plural(zone.hosts.len() as u64, "host"),
            Fault::ServerReplaced(replaced) => format!("{} by {}", replaced.host, replaced.by),
            Fault::RestartUnderLoad(restart) => plural(restart.hosts.len() as u64, "server"),
            other => other.hosts().iter().map(Host::as_str).collect::<Vec<_>>().join(", "),
        }
    }

    /// Its parameters in words.
    pub fn detail(&self) -> String {
        if self.at_crash_point { "at the crash point".into() } else { super::describe(&self.fault) }
    }
}

impl Run {
    /// The faults that began, in order.
    pub(crate) fn happened(&self) -> Vec<Happened<'_>> {
        let timeline = self.artifact.timeline.iter().enumerate();
        timeline
            .filter_map(|(entry, told)| {
                let (fault, until_ms, at_crash_point) = match &told.event {
                    Event::FaultBegan { fault: number } => {
                        let fault = &self.artifact.plan.0.get(*number)?.fault;
                        (Cow::Borrowed(fault), self.until_ms(entry, *number, fault), false)
                    }
                    Event::CrashPoint { host } => {
                        let crash = Fault::Crash(Crash { host: host.clone(), down_ms: 0 });
                        (Cow::Owned(crash), Some(self.started_ms(entry, host)), true)
                    }
                    _ => return None,
                };
                Some(Happened { fault, at_ms: told.at_ms, until_ms, at_crash_point, entry })
            })
            .collect()
    }

    /// Faults of the plan that the run did not come to.
    pub(crate) fn only_planned(&self) -> u64 {
        let begun = self.happened().iter().filter(|happened| !happened.at_crash_point).count();
        // Of a run without a timeline nothing is known of what began.
        if self.artifact.timeline.is_empty() { 0 } else { self.artifact.plan.0.len().saturating_sub(begun) as u64 }
    }

    /// When the fault of this number was over that began at this entry of the timeline.
    fn until_ms(&self, entry: usize, number: usize, fault: &Fault) -> Option<u64> {
        match fault {
            // The host is down until it is started; if its power did not fail, it was about to all the time.
            Fault::PowerLoss(loss) => {
                let taken_back = self.taken_back(entry, number);
                match self.power_lost(entry, &loss.host).filter(|lost| *lost < taken_back.0) {
                    Some(lost) => Some(self.started_ms(lost, &loss.host)),
                    None => Some(taken_back.1),
                }
            }
            Fault::ServerReplaced(replaced) => Some(self.started_ms(entry, &replaced.by)),
            Fault::Crash(_)
            | Fault::CrashInRecovery(_)
            | Fault::Restart(_)
            | Fault::ZoneLoss(_)
            | Fault::DiskLost(_)
            | Fault::BitRot(_)
            | Fault::ServerGone(_) => fault.hosts().iter().map(|host| self.started_ms(entry, host)).max(),
            Fault::RollingRestart(restart) => {
                let stopped = restart.hosts.iter().filter_map(|host| Some((self.stopping(entry, host)?, host)));
                stopped
                    .map(|(stop, host)| self.started_ms(stop, host))
                    .max()
                    .or(Some(self.artifact.timeline[entry].at_ms))
            }
            lasting if lasting.lasts().is_some() => Some(self.taken_back(entry, number).1),
            _ => None,
        }
    }

    /// Where in the timeline, and when, a fault that began at this entry was taken back: at its time, or with all others,
    /// or when the run ended.
    fn taken_back(&self, began: usize, number: usize) -> (usize, u64) {
        let is_over = |event: &Event| *event == Event::FaultEnded { fault: number } || *event == Event::Healed;
        let end = (self.artifact.timeline.len(), self.end_ms());
        self.after(began, is_over).map_or(end, |entry| (entry, self.artifact.timeline[entry].at_ms))
    }

    /// When a host was started after this entry; the end of the run if it never was.
    pub(super) fn started_ms(&self, after: usize, host: &Host) -> u64 {
        let is_start = |event: &Event| matches!(event, Event::HostStarted { host: started } if started == host);
        self.after(after, is_start).map_or_else(|| self.end_ms(), |entry| self.artifact.timeline[entry].at_ms)
    }

    /// Where a host lost its power after this entry.
    pub(super) fn power_lost(&self, after: usize, host: &Host) -> Option<usize> {
        self.after(after, |event| matches!(event, Event::PowerLost { host: lost } if lost == host))
    }

    /// Where a host was asked to stop after this entry.
    pub(super) fn stopping(&self, after: usize, host: &Host) -> Option<usize> {
        self.after(after, |event| matches!(event, Event::HostStopping { host: stopping } if stopping == host))
    }

    fn after(&self, entry: usize, is_it: impl Fn(&Event) -> bool) -> Option<usize> {
        let later = self.artifact.timeline.iter().enumerate().skip(entry + 1);
        later.filter(|(_, told)| is_it(&told.event)).map(|(entry, _)| entry).next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempest_artifact::fault::{Clog, Pause, PowerLoss, Restart, RollingRestart};
    use tempest_artifact::{Artifact, FaultPlan, PlannedFault, TimelineEntry};

    fn host(name: &str) -> Host {
        Host(name.into())
    }

    fn run(faults: Vec<Fault>, timeline: &[(u64, Event)]) -> Run {
        let plan = FaultPlan(faults.into_iter().map(|fault| PlannedFault { at_ms: 7, fault }).collect());
        let entry = |(at_ms, event): &(u64, Event)| TimelineEntry { at_ms: *at_ms, event: event.clone() };
        let timeline = timeline.iter().map(entry).collect();
        Artifact { plan, timeline, virtual_ms: 90_000, ..Artifact::default() }.into()
    }

    /// When what happened began and ended.
    fn check(run: &Run, expect: &[(&str, u64, Option<u64>)]) {
        let happened = run.happened();
        let found: Vec<_> = happened.iter().map(|one| (one.fault.name(), one.at_ms, one.until_ms)).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn a_fault_lasts_until_it_is_taken_back_or_all_are() {
        let pause = Fault::Pause(Pause { host: host("server"), for_ms: 100 });
        let clog = Fault::Clog(Clog { from: host("client"), to: host("server"), for_ms: 50_000 });
        let began = |fault| Event::FaultBegan { fault };
        let timeline =
            [(100, began(1)), (110, began(0)), (210, Event::FaultEnded { fault: 0 }), (5_000, Event::Healed)];
        let run = run(vec![pause.clone(), clog, pause], &timeline);
        check(&run, &[("clog", 100, Some(5_000)), ("pause", 110, Some(210))]);
        assert_eq!(run.only_planned(), 1, "the second pause was only planned");
    }

    #[test]
    fn a_host_is_down_until_it_is_started() {
        let (server, worker) = (host("server"), host("worker-1"));
        let loss = Fault::PowerLoss(PowerLoss { host: server.clone(), change: 3, down_ms: 1_000 });
        let restart = Fault::Restart(Restart { host: worker.clone(), grace_ms: 900 });
        let timeline = [
            (60, Event::CrashPoint { host: worker.clone() }),
            (160, Event::HostStarted { host: worker.clone() }),
            (1_000, Event::FaultBegan { fault: 0 }),
            (1_000, Event::FaultBegan { fault: 1 }),
            (1_500, Event::PowerLost { host: server.clone() }),
            (1_900, Event::HostStarted { host: worker }),
            (2_500, Event::HostStarted { host: server.clone() }),
            (3_000, Event::FaultBegan { fault: 0 }),
            (23_000, Event::FaultEnded { fault: 0 }),
            (24_000, Event::PowerLost { host: server }),
        ];
        let expect = [
            ("crash", 60, Some(160)),
            ("power-loss", 1_000, Some(2_500)),
            ("restart", 1_000, Some(1_900)),
            ("power-loss", 3_000, Some(23_000)),
        ];
        let run = run(vec![loss, restart], &timeline);
        check(&run, &expect);
        assert!(run.happened()[0].at_crash_point);
    }

    #[test]
    fn servers_are_restarted_one_after_the_other() {
        let hosts = vec![host("server-1"), host("server-2")];
        let fault = Fault::RollingRestart(RollingRestart { hosts, pace_ms: 500, grace_ms: 100 });
        let stop = |name| Event::HostStopping { host: host(name) };
        let start = |name| Event::HostStarted { host: host(name) };
        let timeline = [
            (10, Event::FaultBegan { fault: 0 }),
            (10, stop("server-1")),
            (110, start("server-1")),
            (510, stop("server-2")),
            (610, start("server-2")),
        ];
        check(&run(vec![fault.clone()], &timeline), &[("rolling-restart", 10, Some(610))]);
        check(&run(vec![fault], &timeline[..1]), &[("rolling-restart", 10, Some(10))]);
    }

    #[test]
    fn what_the_plan_does_not_have_did_not_happen() {
        check(&run(Vec::new(), &[(1, Event::FaultBegan { fault: 3 })]), &[]);
    }
}
