//! A regression: a run that failed once, kept forever with what was learnt from it.
//!
//! A bare seed rots: the next fault kind or option draws another storm from it. A regression holds the fault plan and all
//! sizes as well, so that it stays the storm that it was.
use super::Coverage;
use crate::run::RunReport;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use tempest_artifact::{Artifact, RunRequest, Settings};

/// A run on disk that must hold, as TOML.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Regression {
    /// What was wrong, and what found it.
    pub lesson: String,
    /// What must happen again, or the run is another one by now and proves nothing: `probe.NAME`, `fault.KIND`, `rpc.NAME`, as
    /// campaigns count them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub again: Vec<String>,
    /// What must happen in this order: words of the timeline's lines, each in a line after the one before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_order: Vec<String>,
    #[serde(flatten)]
    pub request: RunRequest,
}

/// Why there is no regression.
#[derive(Debug, thiserror::Error)]
pub enum RegressionError {
    #[error("cannot read {path}: {error}", path = path.display())]
    Read { path: PathBuf, error: std::io::Error },
    #[error("{path} is no regression: {error}", path = path.display())]
    Malformed { path: PathBuf, error: toml::de::Error },
}

impl Regression {
    /// Of a failed run: its plan and every size that was drawn. What was planted is left out, since it is to hold.
    pub fn of(artifact: &Artifact, lesson: String) -> Regression {
        let request = RunRequest { plants: Vec::new(), ..sized(artifact) };
        Regression { lesson, again: Vec::new(), in_order: Vec::new(), request }
    }

    /// What was to happen again and did not, in this run of it.
    pub fn lacking(&self, report: &RunReport) -> Vec<String> {
        let end = serde_json::to_value(report.summary(None)).expect("a summary is plain data");
        let coverage = Coverage::of_summaries([&end]);
        let mut lacking: Vec<String> = self
            .again
            .iter()
            .filter(|name| coverage.times(name) == 0)
            .map(|name| format!("{name} was not seen"))
            .collect();
        let lines: Vec<String> = report.timeline.iter().map(|entry| entry.event.in_words(&report.plan)).collect();
        lacking.extend(first_missing(&self.in_order, &lines).map(|words| format!("{words:?} did not follow")));
        lacking
    }

    /// # Errors
    /// It cannot be read, or is no regression.
    pub fn read(path: &Path) -> Result<Regression, RegressionError> {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|error| RegressionError::Read { path: path.to_owned(), error })?;
        toml::from_str(&text).map_err(|error| RegressionError::Malformed { path: path.to_owned(), error })
    }

    /// As it is written to a file.
    ///
    /// # Errors
    /// TOML has no number as large as its seed or a size.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string_pretty(self)
    }
}

/// The first words that no line has after the lines of those before them.
fn first_missing<'a>(in_order: &'a [String], lines: &[String]) -> Option<&'a String> {
    let mut rest = lines.iter();
    in_order.iter().find(|words| !rest.any(|line| line.contains(words.as_str())))
}

/// The request that repeats a run, with every size said: it stays the same when one more option is drawn.
pub(super) fn sized(artifact: &Artifact) -> RunRequest {
    // The plan says already which faults there are.
    let is_size = |name: &str| name != "faults" && !name.starts_with("fault.");
    let sizes = artifact.options.iter().filter(|option| is_size(&option.name));
    let settings = Settings(sizes.map(|option| (option.name.clone(), option.value)).collect());
    RunRequest { settings, ..artifact.repetition() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Fault, FaultPlan, PlannedFault, Reset};
    use crate::world::Host;

    #[test]
    fn a_regression_survives_its_file() {
        let fault = Fault::Reset(Reset { one: Host::server(), other: Host::worker(1) });
        let request = RunRequest {
            scenario: "hello".to_owned(),
            seed: 7,
            settings: Settings([("shards".to_owned(), 4)].into()),
            plan: Some(FaultPlan(vec![PlannedFault { at_ms: 1_500, fault }])),
            ..RunRequest::default()
        };
        let (again, in_order) = (vec!["probe.start-repeated".to_owned()], vec!["begin crash".to_owned()]);
        let kept = Regression { lesson: "a lesson\nof two lines".to_owned(), again, in_order, request };
        let read: Regression =
            toml::from_str(&kept.to_toml().expect("small numbers")).expect("what was written can be read");
        assert_eq!(read, kept);
    }

    #[test]
    fn lines_must_follow_each_other() {
        let lines = ["begin crash down_ms=1 host=db-1", "start db-1", "begin crash down_ms=1 host=db-2"];
        let lines = lines.map(str::to_owned);
        let check = |in_order: &[&str], missing: Option<&str>| {
            let in_order: Vec<String> = in_order.iter().map(|words| (*words).to_owned()).collect();
            assert_eq!(first_missing(&in_order, &lines).map(String::as_str), missing);
        };
        check(&[], None);
        check(&["begin crash", "start db-1", "host=db-2"], None);
        check(&["start db-1", "host=db-1"], Some("host=db-1"));
        check(&["start db-1", "start db-1"], Some("start db-1"));
    }
}
