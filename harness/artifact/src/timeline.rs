use crate::{FaultPlan, Host};
use serde::{Deserialize, Serialize};

/// What happened when: what the nemesis did, and what hosts did by themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEntry {
    pub at_ms: u64,
    #[serde(flatten)]
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The fault at this place in the plan, counted from 0.
    FaultBegan {
        fault: usize,
    },
    /// It was taken back at its time.
    FaultEnded {
        fault: usize,
    },
    /// Everything that lasted was taken back: the storm is over.
    Healed,
    HostStarted {
        host: Host,
    },
    /// It was asked to stop, and may do so by itself until it is started again.
    HostStopping {
        host: Host,
    },
    /// The power of its disk failed, and the host with it.
    PowerLost {
        host: Host,
    },
    /// Its program ended by itself, or panicked.
    ProgramEnded {
        host: Host,
    },
    /// It was crashed at the crash point of a sweep, which is in no plan.
    CrashPoint {
        host: Host,
    },
    /// A node of the database is not primary any more.
    Deposed {
        database: Host,
    },
    /// A node of the database became primary.
    Promoted {
        database: Host,
        term: u64,
        log_end: LogEnd,
        /// An operator wanted it.
        forced: bool,
    },
    /// Words: of an artifact that had nothing else.
    Told {
        text: String,
    },
}

/// The last entry of a database node's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEnd {
    pub number: u64,
    pub term: u64,
}

impl Event {
    /// As a line for people, and for the trace.
    pub fn in_words(&self, plan: &FaultPlan) -> String {
        let of_plan = |number: &usize| plan.0.get(*number).map(|planned| &planned.fault);
        match self {
            Event::FaultBegan { fault } => match of_plan(fault) {
                Some(fault) => format!("begin {fault}"),
                None => format!("begin fault {fault}, which the plan does not have"),
            },
            Event::FaultEnded { fault } => match of_plan(fault) {
                Some(fault) => format!("end {}", fault.name()),
                None => format!("end fault {fault}, which the plan does not have"),
            },
            Event::Healed => "heal: no fault is left".to_owned(),
            Event::HostStarted { host } => format!("start {host}"),
            Event::HostStopping { host } => format!("stop {host}"),
            Event::PowerLost { host } => format!("{host} lost its power"),
            Event::ProgramEnded { host } => format!("{host} ended"),
            Event::CrashPoint { host } => format!("crash {host} at the crash point"),
            Event::Deposed { database } => format!("database: {database} is not primary any more"),
            Event::Promoted { database, term, log_end: LogEnd { number, term: of }, forced } => {
                let by = if *forced { ", as an operator wants" } else { "" };
                format!("database: {database} is primary of term {term}{by}, its log ends at {number} of term {of}")
            }
            Event::Told { text } => text.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Crash;
    use crate::{Fault, PlannedFault};

    #[test]
    fn an_entry_survives_json_and_is_told_in_words() {
        let host = || Host("server-1".to_owned());
        let crash = PlannedFault { at_ms: 7, fault: Fault::Crash(Crash { host: host(), down_ms: 1_500 }) };
        let plan = FaultPlan(vec![crash]);
        let promoted = |forced| Event::Promoted {
            database: Host("db-2".to_owned()),
            term: 3,
            log_end: LogEnd { number: 12, term: 2 },
            forced,
        };
        let told = [
            (Event::FaultBegan { fault: 0 }, "begin crash down_ms=1500 host=server-1"),
            (Event::FaultEnded { fault: 0 }, "end crash"),
            (Event::FaultBegan { fault: 1 }, "begin fault 1, which the plan does not have"),
            (Event::Healed, "heal: no fault is left"),
            (Event::HostStarted { host: host() }, "start server-1"),
            (Event::HostStopping { host: host() }, "stop server-1"),
            (Event::PowerLost { host: host() }, "server-1 lost its power"),
            (Event::ProgramEnded { host: host() }, "server-1 ended"),
            (Event::CrashPoint { host: host() }, "crash server-1 at the crash point"),
            (Event::Deposed { database: Host("db-1".to_owned()) }, "database: db-1 is not primary any more"),
            (promoted(false), "database: db-2 is primary of term 3, its log ends at 12 of term 2"),
            (promoted(true), "database: db-2 is primary of term 3, as an operator wants, its log ends at 12 of term 2"),
        ];
        for (event, words) in told {
            assert_eq!(event.in_words(&plan), words);
            let entry = TimelineEntry { at_ms: 7, event };
            let json = serde_json::to_string(&entry).expect("plain data");
            assert_eq!(serde_json::from_str::<TimelineEntry>(&json).expect("what was written can be read"), entry);
        }
    }
}
