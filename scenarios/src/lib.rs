//! Scenarios: what happens in a storm. One workload per file, written with the official SDK as users write theirs.
//!
//! [`all`] lists them; each is a [`tempest::Scenario`]. A scenario draws its sizes as options, so that `--set` changes
//! them, and keeps its model (who was charged how often) outside the hosts, where no crash reaches it.
#![forbid(unsafe_code)]

mod activity_crash_points;
mod approvals;
mod backlog;
mod bad_deploy;
mod control;
mod family;
mod hello;
mod herd;
mod hundred_children;
pub mod order_saga;
mod outcomes;
mod program;
mod registry;
mod signal_mesh;

use std::sync::Arc;
use tempest::draw::BadSetting;
use tempest::run::Settings;
use tempest::{Decisions, Draw, Scenario, Seed};

/// Every scenario, by name.
pub fn all() -> Vec<Arc<dyn Scenario>> {
    vec![
        Arc::new(hello::Hello),
        Arc::new(order_saga::OrderSaga),
        Arc::new(activity_crash_points::ActivityCrashPoints),
        Arc::new(bad_deploy::BadDeploy),
        Arc::new(family::Family),
        Arc::new(hundred_children::HundredChildren),
        Arc::new(signal_mesh::SignalMesh),
        Arc::new(backlog::Backlog),
        Arc::new(herd::Herd),
        Arc::new(approvals::Approvals),
        Arc::new(registry::Registry),
        Arc::new(program::Programs::default()),
        Arc::new(control::Control),
    ]
}

/// The scenario `program` with one program that was written down.
pub fn of_program(program: tempest_program::Program) -> Arc<dyn Scenario> {
    Arc::new(program::Programs::of(program))
}

/// The program that the scenario `program` draws from a seed, given options that a person chose.
///
/// # Errors
/// A setting names no option of a program.
pub fn drawn_program(seed: Seed, settings: &Settings) -> Result<tempest_program::Program, BadSetting> {
    let decisions = Decisions::new(seed, Vec::new());
    let mut draw = Draw::new(&decisions, settings);
    let program = program::drawn(&mut draw, &decisions);
    draw.finish()?;
    Ok(program)
}

/// The scenario of that name.
pub fn named(name: &str) -> Option<Arc<dyn Scenario>> {
    all().into_iter().find(|scenario| scenario.name() == name)
}
