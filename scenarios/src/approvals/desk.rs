//! The desk between workers and clerks: no crash reaches it.
use std::collections::BTreeMap;
use std::sync::Mutex;

/// A try of an application's activity, as one names it from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paper {
    pub run_id: String,
    pub activity_id: String,
    pub attempt: u32,
}

/// What lies on the desk, and what clerks wrote.
#[derive(Default)]
pub struct Desk(Mutex<Contents>);

#[derive(Default)]
struct Contents {
    /// The newest try of each application.
    papers: BTreeMap<String, Paper>,
    /// What clerks wrote on each application, acknowledged or not.
    written: BTreeMap<String, Vec<String>>,
}

impl Desk {
    fn with<T>(&self, body: impl FnOnce(&mut Contents) -> T) -> T {
        body(&mut self.0.lock().expect("no holder of this lock panics"))
    }

    /// A try that is given to a worker late, after its successor, is not laid on top.
    pub fn lay(&self, application: &str, paper: Paper) {
        self.with(|contents| {
            let newest = contents.papers.entry(application.to_owned()).or_insert_with(|| paper.clone());
            if newest.attempt < paper.attempt {
                *newest = paper;
            }
        });
    }

    pub fn newest(&self, application: &str) -> Option<Paper> {
        self.with(|contents| contents.papers.get(application).cloned())
    }

    pub fn write(&self, application: &str, decision: &str) {
        self.with(|contents| {
            contents.written.entry(application.to_owned()).or_default().push(decision.to_owned());
        });
    }

    pub fn was_written(&self, application: &str, decision: &str) -> bool {
        self.with(|contents| {
            contents.written.get(application).is_some_and(|written| written.iter().any(|one| one == decision))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_try_lies_on_top() {
        let desk = Desk::default();
        let paper = |attempt| Paper { run_id: "run".to_owned(), activity_id: "1".to_owned(), attempt };
        assert_eq!(desk.newest("a"), None);
        for attempt in [1, 3, 2] {
            desk.lay("a", paper(attempt));
        }
        assert_eq!(desk.newest("a"), Some(paper(3)));
        assert_eq!(desk.newest("b"), None);
    }
}
