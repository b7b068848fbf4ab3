//! The world outside: payment, inventory and shipping as services that no crash of a worker or server reaches.
//!
//! Each honours idempotency keys, as such services do: a key is acted upon once however often it is asked for, and once
//! undone it stays undone, also for a straggler that asks late.
use super::Sizes;
use super::workflow::Step;
use std::collections::BTreeMap;
use std::sync::Mutex;
use tempest::Decisions;

/// What became of one idempotency key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// How often it was asked for.
    pub asked: u64,
    pub done: bool,
    pub undone: bool,
    pub cents: u64,
}

impl Entry {
    /// Done and not undone.
    pub fn stands(&self) -> bool {
        self.done && !self.undone
    }
}

/// The services' books.
pub struct Shop {
    sizes: Sizes,
    decisions: Decisions,
    /// By idempotency key.
    book: Mutex<BTreeMap<String, Entry>>,
    /// Keys in the order in which they were first undone, by order.
    undone: Mutex<BTreeMap<String, Vec<String>>>,
}

impl Shop {
    pub fn new(sizes: Sizes, decisions: Decisions) -> Shop {
        Shop { sizes, decisions, book: Mutex::default(), undone: Mutex::default() }
    }

    pub fn decisions(&self) -> &Decisions {
        &self.decisions
    }

    pub fn book(&self) -> BTreeMap<String, Entry> {
        self.book.lock().expect("no holder of this lock panics").clone()
    }

    /// Keys of an order in the order in which they were undone.
    pub fn undone(&self, order: &str) -> Vec<String> {
        let undone = self.undone.lock().expect("no holder of this lock panics");
        undone.get(order).cloned().unwrap_or_default()
    }

    pub fn fails_now(&self, step: &Step, attempt: u32) -> bool {
        let site = format!("saga.fails.{}", step.key);
        self.decisions.chance(&site, attempt.into(), self.sizes.step_fails_percent, 100)
    }

    /// Whether this is the step of its order that fails for good.
    pub fn fails_for_good(&self, step: &Step) -> bool {
        let site = format!("saga.refused.{}", step.order);
        let refused = self.decisions.chance(&site, 0, self.sizes.fails_for_good_percent, 100);
        let which = self.decisions.pick(&site, 1, &["reserve", "charge-1", "charge-2", "ship"]);
        refused && step.key.ends_with(which)
    }

    pub fn letter_is_lost(&self, step: &Step, attempt: u32) -> bool {
        self.decisions.chance(&format!("saga.letter.{}", step.key), attempt.into(), 3, 5)
    }

    pub fn ship_steps(&self, step: &Step) -> u64 {
        self.decisions.between(&format!("saga.ship_steps.{}", step.order), 0, 1..=self.sizes.ship_steps_max.max(1))
    }

    pub fn reserve(&self, step: &Step) {
        self.act(step);
    }

    pub fn charge(&self, step: &Step) {
        self.act(step);
    }

    pub fn ship(&self, step: &Step) {
        self.act(step);
    }

    pub fn release(&self, step: &Step) {
        self.undo(step);
    }

    pub fn refund(&self, step: &Step) {
        self.undo(step);
    }

    pub fn recall(&self, step: &Step) {
        self.undo(step);
    }

    fn act(&self, step: &Step) {
        let mut book = self.book.lock().expect("no holder of this lock panics");
        let entry = book.entry(step.key.clone()).or_default();
        entry.asked += 1;
        entry.cents = step.cents;
        // A straggler of an order that was undone gets nothing.
        entry.done |= !entry.undone;
    }

    fn undo(&self, step: &Step) {
        let first = {
            let mut book = self.book.lock().expect("no holder of this lock panics");
            let entry = book.entry(step.key.clone()).or_default();
            !std::mem::replace(&mut entry.undone, true)
        };
        if first {
            let mut undone = self.undone.lock().expect("no holder of this lock panics");
            undone.entry(step.order.clone()).or_default().push(step.key.clone());
        }
    }
}
