//! What an operator wants of the database's monitor.
use super::Host;
use std::sync::{Arc, Mutex};

/// Set by the nemesis, asked by the monitor; cloning shares it.
#[derive(Clone, Debug, Default)]
pub struct Operator(Arc<Mutex<Option<Host>>>);

impl Operator {
    /// This host is to be primary. What was wanted before and not heard is forgotten.
    pub fn want(&self, host: &Host) {
        *self.0.lock().expect("no holder of this lock panics") = Some(host.clone());
    }

    /// Which host is to be primary; told once.
    pub fn wants(&self) -> Option<Host> {
        self.0.lock().expect("no holder of this lock panics").take()
    }
}
