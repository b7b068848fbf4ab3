//! What is asked of a run: with the binary, everything needed to repeat it.
use crate::{FaultPlan, WorldKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRequest {
    pub scenario: String,
    pub seed: u64,
    /// Where it takes place.
    #[serde(default, skip_serializing_if = "WorldKind::is_default")]
    pub world: WorldKind,
    /// Options that a person chose.
    #[serde(default)]
    pub settings: Settings,
    /// The text of the program that is run, in place of those that the seed would draw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// Planted bugs that are in.
    #[serde(default)]
    pub plants: Vec<String>,
    /// In place of the plan that the seed would draw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<FaultPlan>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Override>,
}

/// One choice that is not the seed's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    pub site: String,
    pub ordinal: u64,
    pub value: u64,
}

/// What a person sets with `--set name=value`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Settings(pub BTreeMap<String, u64>);

/// A text that is no `name=value`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no setting: write name=value, the value a whole number, true or false")]
pub struct MalformedSetting(pub String);

/// One option of a run as it came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drawn {
    pub name: String,
    pub value: u64,
    /// True if a person chose it.
    pub set: bool,
}

impl Settings {
    /// Adds one `name=value`.
    ///
    /// # Errors
    /// It is not of that form.
    pub fn add(&mut self, text: &str) -> Result<(), MalformedSetting> {
        let malformed = || MalformedSetting(text.to_owned());
        let (name, value) = text.split_once('=').ok_or_else(malformed)?;
        let value = match value.trim() {
            "true" | "yes" => 1,
            "false" | "no" => 0,
            number => number.replace('_', "").parse().map_err(|_| malformed())?,
        };
        self.0.insert(name.trim().to_owned(), value);
        Ok(())
    }
}

impl RunRequest {
    /// The command that repeats this run. A plan, a program or overrides of its own need the artifact instead.
    pub fn command(&self, artifact: Option<&str>) -> String {
        if self.plan.is_some() || self.program.is_some() || !self.overrides.is_empty() {
            return format!("tempest replay {}", artifact.unwrap_or("ARTIFACT"));
        }
        let mut command = format!("tempest run {} --seed {}", self.scenario, self.seed);
        if !self.world.is_default() {
            command += &format!(" --world {}", self.world);
        }
        for plant in &self.plants {
            command += &format!(" --plant {plant}");
        }
        for (name, value) in &self.settings.0 {
            command += &format!(" --set {name}={value}");
        }
        command
    }
}
