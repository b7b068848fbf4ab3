use crate::Invariant;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One way in which a run broke a promise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    pub invariant: Invariant,
    /// One sentence.
    pub what: String,
    /// Virtual time of the first piece of evidence that has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<u64>,
    /// Runs that it is about: their histories are shown with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub about: Vec<About>,
    /// What shows it: operations, events, commits.
    pub evidence: Vec<String>,
}

/// A run of a workflow that is concerned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    pub workflow_id: String,
    /// Empty if it may be any run of the workflow, as in a request that names none.
    pub run_id: String,
}

impl About {
    /// Whether this run is meant.
    pub fn means(&self, workflow_id: &str, run_id: &str) -> bool {
        self.workflow_id == workflow_id && (self.run_id.is_empty() || self.run_id == run_id)
    }
}

/// One piece of evidence: words, and what is known of when and whose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    pub text: String,
    pub at_ms: Option<u64>,
    pub about: Vec<About>,
}

impl Violation {
    pub fn new(invariant: Invariant, what: impl Into<String>) -> Violation {
        Violation { invariant, what: what.into(), at_ms: None, about: Vec::new(), evidence: Vec::new() }
    }

    /// Of a scenario's own model.
    pub fn of_model(what: impl Into<String>) -> Violation {
        Violation::new(Invariant::Model, what)
    }

    #[must_use]
    pub fn because(mut self, evidence: impl Into<Evidence>) -> Violation {
        let Evidence { text, at_ms, about } = evidence.into();
        self.evidence.push(text);
        self.at_ms = self.at_ms.or(at_ms);
        about.into_iter().for_each(|run| self.add(run));
        self
    }

    /// Of this run, whose history is shown with it.
    #[must_use]
    pub fn about(mut self, run: impl Into<About>) -> Violation {
        self.add(run.into());
        self
    }

    /// Of each of these runs.
    #[must_use]
    pub fn about_each<R: Into<About>>(self, runs: impl IntoIterator<Item = R>) -> Violation {
        runs.into_iter().fold(self, Violation::about)
    }

    fn add(&mut self, run: About) {
        if !self.about.contains(&run) {
            self.about.push(run);
        }
    }
}

impl From<String> for Evidence {
    fn from(text: String) -> Evidence {
        Evidence { text, ..Evidence::default() }
    }
}

impl From<&str> for Evidence {
    fn from(text: &str) -> Evidence {
        text.to_owned().into()
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
