//! What the hosts of a world share with its controller, and what survives them.
use super::{Aims, Ambiguities, Operator, inside};
use crate::draw::Decisions;
use crate::observe::{CommitFeed, Duplicates, OperationLog, Waiting, seconds};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tempest_api::proto::history::v1::HistoryEvent;
use tempest_api::proto::namespace::v1::NamespaceInfo;
use tempest_artifact::{Event, FaultPlan, Promotion, TimelineEntry};
use tempest_core::RunKey;
use tempest_store::RunRecord;

/// Virtual time since the run began.
pub(crate) fn now_ns() -> u64 {
    inside::now_ns().unwrap_or(0)
}

/// What hosts leave behind for checkers and reports. It belongs to no host and survives all crashes.
#[derive(Clone)]
pub(crate) struct Shared {
    pub operations: OperationLog,
    pub commits: CommitFeed,
    pub duplicates: Duplicates,
    pub waiting: Waiting,
    pub ambiguities: Ambiguities,
    pub aims: Aims,
    pub operator: Operator,
    problems: Arc<Mutex<Vec<String>>>,
    news: Arc<Mutex<Vec<TimelineEntry>>>,
    promotions: Arc<Mutex<Vec<Promotion>>>,
    clients_done: Arc<AtomicBool>,
    inspection: Arc<Mutex<Inspection>>,
}

impl Shared {
    pub fn new(decisions: Decisions) -> Shared {
        Shared {
            operations: OperationLog::default(),
            commits: CommitFeed::default(),
            duplicates: Duplicates::default(),
            waiting: Waiting::default(),
            aims: Aims::new(decisions.clone()),
            ambiguities: Ambiguities::new(decisions),
            operator: Operator::default(),
            problems: Arc::default(),
            news: Arc::default(),
            promotions: Arc::default(),
            clients_done: Arc::default(),
            inspection: Arc::default(),
        }
    }

    pub fn report_problem(&self, what: String) {
        self.problems.lock().expect("no holder of this lock panics").push(what);
    }

    /// Notes what a part of the world did by itself, for the timeline.
    pub fn tell(&self, event: Event) {
        // No such event is about the plan.
        inside::record_text("news", &event.in_words(&FaultPlan::default()));
        let at_ms = now_ns() / 1_000_000;
        self.news.lock().expect("no holder of this lock panics").push(TimelineEntry { at_ms, event });
    }

    /// Notes that a database node became primary.
    pub fn promoted(&self, database: &str, term: u64) {
        let promotion =
            Promotion { at_ms: now_ns() / 1_000_000, database: database.to_owned(), term, without_commits_ms: 0 };
        self.promotions.lock().expect("no holder of this lock panics").push(promotion);
    }

    /// In order.
    pub fn promotions(&self) -> Vec<Promotion> {
        self.promotions.lock().expect("no holder of this lock panics").clone()
    }

    /// What has happened so far, in order.
    pub fn news(&self) -> Vec<TimelineEntry> {
        self.news.lock().expect("no holder of this lock panics").clone()
    }

    /// Virtual time, for people.
    pub fn now(&self) -> String {
        seconds(now_ns())
    }

    pub fn problems(&self) -> Vec<String> {
        self.problems.lock().expect("no holder of this lock panics").clone()
    }

    pub fn clients_done(&self) -> bool {
        self.clients_done.load(Ordering::SeqCst)
    }

    /// Notes that clients have come to their end.
    pub fn clients_are_done(&self) {
        self.clients_done.store(true, Ordering::SeqCst);
    }

    pub fn inspection(&self) -> Inspection {
        self.inspection.lock().expect("no holder of this lock panics").clone()
    }

    pub fn inspect(&self, add: impl FnOnce(&mut Inspection)) {
        add(&mut self.inspection.lock().expect("no holder of this lock panics"));
    }
}

/// What was read back after a run.
#[derive(Clone, Default)]
pub(crate) struct Inspection {
    /// Through the API, by run id.
    pub served: BTreeMap<String, Vec<HistoryEvent>>,
    /// From the disk: the run, its events, whether it is current.
    pub stored: Vec<(RunKey, RunRecord, Vec<HistoryEvent>, bool)>,
    /// From the disk, by name; nothing if they could not be read.
    pub namespaces: Option<BTreeMap<String, NamespaceInfo>>,
    pub served_done: bool,
    pub stored_done: bool,
}
