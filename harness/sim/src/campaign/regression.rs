//! A regression: a run that failed once, kept forever with what was learnt from it.
//!
//! A bare seed rots: the next fault kind or option draws another storm from it. A regression holds the fault plan and all
//! sizes as well, so that it stays the storm that it was.
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use tempest_artifact::{Artifact, RunRequest, Settings};

/// A run on disk that must hold, as TOML.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Regression {
    /// What was wrong, and what found it.
    pub lesson: String,
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
        Regression { lesson, request: RunRequest { plants: Vec::new(), ..sized(artifact) } }
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
        let kept = Regression { lesson: "a lesson\nof two lines".to_owned(), request };
        let read: Regression =
            toml::from_str(&kept.to_toml().expect("small numbers")).expect("what was written can be read");
        assert_eq!(read, kept);
    }
}
