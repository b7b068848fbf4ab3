//! What clients wait for.
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex};

/// What clients wait for right now, for the report on why a run does not end.
#[derive(Clone, Debug, Default)]
pub struct Waiting(Arc<Mutex<BTreeMap<u64, String>>>);

impl Waiting {
    fn with<T>(&self, body: impl FnOnce(&mut BTreeMap<u64, String>) -> T) -> T {
        body(&mut self.0.lock().expect("no holder of this lock panics"))
    }

    /// In the order in which they began to wait.
    pub fn list(&self) -> Vec<String> {
        self.with(|waiting| waiting.values().cloned().collect())
    }

    /// Notes `what` for as long as the future takes.
    pub(crate) async fn on<T>(&self, what: String, future: impl Future<Output = T>) -> T {
        let id = self.with(|waiting| {
            let id = waiting.last_key_value().map_or(0, |(last, _)| last + 1);
            waiting.insert(id, what);
            id
        });
        let result = future.await;
        self.with(|waiting| waiting.remove(&id));
        result
    }
}
