//! One run, as its artefact tells it. Every field may be missing; times are virtual and in milliseconds.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::Ownership;

/// A fault of which a summary says only that it happened.
pub(crate) const UNLISTED: &str = "unlisted";

/// One simulated universe: what was drawn, what happened, what was found.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Run {
    /// Version of the artefact's format.
    pub version: u32,
    pub scenario: String,
    #[serde(deserialize_with = "number")]
    pub seed: u64,
    pub world: String,
    /// The planted bug that was armed, if one was.
    pub plant: Option<String>,
    pub verdict: Verdict,
    pub violations: Vec<Violation>,
    pub trace_hash: String,
    pub workflows: u64,
    /// What was drawn from the seed: sizes, limits, cache sizes, intensities.
    #[serde(deserialize_with = "options")]
    pub options: Vec<DrawnOption>,
    #[serde(deserialize_with = "faults")]
    pub faults: Vec<Fault>,
    /// Faults of the plan that the run did not come to. Not part of the artefact.
    #[serde(skip)]
    pub only_planned: u64,
    /// Rare paths by name, and how often each was taken. Zero is worth telling.
    pub probes: BTreeMap<String, u64>,
    pub checks: Vec<Check>,
    pub phases: Vec<Phase>,
    pub hosts: Vec<HostLane>,
    /// What the nemesis did and saw, in words, by time.
    pub timeline: Vec<TimelineEntry>,
    pub operations: Vec<Operation>,
    /// Who owned which shard, and what became of the database; empty for a server that was alone.
    pub ownership: Ownership,
    /// Histories in the JSON that the `temporal` tools load, by `workflow id/run id`.
    pub histories: BTreeMap<String, Value>,
    pub virtual_ms: f64,
    pub wall_ms: f64,
    /// The one command that repeats the run.
    pub reproduce: String,
    /// Commit of the build that ran, and hash of its lock file.
    pub commit: String,
    pub lock_hash: String,
    /// Where the artefact was read from, relative to the directory of the report. Not part of the artefact.
    #[serde(skip)]
    pub source: Option<String>,
    /// Where this run's own page is, relative to the campaign page. Not part of the artefact.
    #[serde(skip)]
    pub page: Option<String>,
}

/// One size or switch of the run as it came out.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DrawnOption {
    pub name: String,
    pub value: Value,
    /// True if a person chose it.
    pub set: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every invariant held.
    #[serde(alias = "ok", alias = "passed", alias = "pass")]
    Held,
    #[serde(alias = "failed", alias = "violation", alias = "fail")]
    Violated,
    /// Two executions of the same seed gave different traces.
    #[serde(alias = "not_deterministic")]
    Nondeterministic,
    /// The artefact does not say, for example because the process died.
    #[default]
    #[serde(other)]
    Unknown,
}

/// One invariant that did not hold.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Violation {
    pub invariant: String,
    #[serde(alias = "what")]
    pub message: String,
    pub at_ms: Option<f64>,
    pub workflow_id: Option<String>,
    pub run_id: Option<String>,
    /// What the checker saw, one piece a line: text, or any JSON.
    #[serde(deserialize_with = "one_or_many")]
    pub evidence: Vec<Value>,
}

/// One wrong thing that the world did on purpose. In the artefact the parameters of a kind stand beside its name, or,
/// as in a fault plan, in an object `fault` of their own.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "serde_json::Map<String, Value>")]
pub struct Fault {
    pub kind: String,
    pub at_ms: f64,
    /// When it ended or was healed; none for what happens in an instant.
    pub until_ms: Option<f64>,
    pub hosts: Vec<String>,
    /// The other parameters, in words.
    pub detail: String,
}

impl From<serde_json::Map<String, Value>> for Fault {
    fn from(mut fields: serde_json::Map<String, Value>) -> Fault {
        if let Some(Value::Object(planned)) = fields.remove("fault") {
            fields.extend(planned);
        }
        let mut fault = Fault::default();
        let mut details: Vec<String> = Vec::new();
        let (mut lasts_ms, mut down_ms) = (None, None);
        let sides = sides(&fields);
        for (name, value) in fields {
            match name.as_str() {
                // In data a pause is called by its type.
                "kind" => fault.kind = plain(&value),
                "at_ms" => fault.at_ms = value.as_f64().unwrap_or_default(),
                "until_ms" => fault.until_ms = value.as_f64(),
                "for_ms" => lasts_ms = value.as_f64(),
                "down_ms" => down_ms = value.as_f64(),
                // Everybody else is no place.
                "others" => {}
                "host" | "hosts" | "one" | "other" | "from" | "to" | "one_side" | "other_side" | "bridge" | "ring" => {
                    let hosts = if let Value::Array(hosts) = value { hosts } else { vec![value] };
                    fault.hosts.extend(hosts.iter().map(plain).filter(|host| !host.is_empty()));
                }
                _ if value.is_null() || value == "" => {}
                "detail" => details.push(plain(&value)),
                other => details.push(match other.strip_suffix("_ms") {
                    Some(name) => format!("{} {} ms", name.replace('_', " "), plain(&value)),
                    None => format!("{} {}", other.replace('_', " "), plain(&value)),
                }),
            }
        }
        // A power loss comes at some later operation: the plan does not know when its host is down.
        match down_ms {
            Some(down) if fault.kind == "power-loss" => details.push(format!("down {down} ms")),
            Some(down) => lasts_ms = lasts_ms.or(Some(down)),
            None => {}
        }
        fault.until_ms = fault.until_ms.or(lasts_ms.map(|lasts| fault.at_ms + lasts));
        details.extend(sides);
        fault.detail = details.join(", ");
        fault
    }
}

/// Who is cut off from whom, where a fault has two sides, and who sees both.
fn sides(fields: &serde_json::Map<String, Value>) -> Option<String> {
    let side = |name: &str| -> Option<String> {
        let hosts: Vec<String> = fields.get(name)?.as_array()?.iter().map(plain).collect();
        Some(hosts.join(" "))
    };
    let (one, other) = (side("one_side")?, side("other_side")?);
    Some(match fields.get("bridge") {
        Some(bridge) => format!("{one} | {other}, and {} sees both", plain(bridge)),
        None => format!("{one} | {other}"),
    })
}

impl TimelineEntry {
    /// The host that this line is about, and what became of it, if it went down or came up.
    fn host(&self) -> Option<(&str, HostState)> {
        let what = self.what.as_str();
        if let Some(host) = what.strip_prefix("start ") {
            return Some((host, HostState::Up));
        }
        if let Some(host) = what.strip_suffix(" lost its power").or(what.strip_suffix(" ended")) {
            return Some((host, HostState::Down));
        }
        if let Some(host) = what.strip_prefix("crash ").and_then(|rest| rest.strip_suffix(" at the crash point")) {
            return Some((host, HostState::Down));
        }
        let crashed = what.strip_prefix("begin crash ").or(what.strip_prefix("begin crash-in-recovery "))?;
        let host = crashed.split(' ').find_map(|parameter| parameter.strip_prefix("host="))?;
        Some((host, HostState::Down))
    }
}

impl Violation {
    /// Whether the history of this key, `workflow id/run id`, is of a run that it names, in its fields or in its text.
    pub fn concerns(&self, key: &str) -> bool {
        let (workflow_id, run_id) = key.rsplit_once('/').unwrap_or((key, ""));
        if let Some(named) = &self.workflow_id {
            return named == workflow_id && self.run_id.as_deref().is_none_or(|named| named == run_id);
        }
        let mut texts =
            std::iter::once(&self.message).chain(self.evidence.iter().filter_map(|evidence| match evidence {
                Value::String(text) => Some(text),
                _ => None,
            }));
        // A run id is long enough to be nothing else; a workflow id counts only where it stands alone.
        texts.any(|text| {
            let names_run = run_id.len() >= 8 && text.contains(run_id);
            let mut words = text.split(|letter: char| letter.is_whitespace() || "\"'`,;:()/".contains(letter));
            names_run || words.any(|word| !word.is_empty() && word == workflow_id)
        })
    }

    /// When it was seen, or the first moment that its evidence names.
    pub fn moment_ms(&self) -> Option<f64> {
        let texts = std::iter::once(self.message.as_str()).chain(self.evidence.iter().filter_map(Value::as_str));
        self.at_ms.or_else(|| texts.into_iter().find_map(named_moment_ms))
    }
}

/// The first `at 12.345 s` of a text.
fn named_moment_ms(text: &str) -> Option<f64> {
    text.match_indices("at ").find_map(|(start, before)| {
        let (number, _) = text[start + before.len()..].split_once(" s")?;
        let well_formed = number.len() < 16 && number.chars().all(|letter| letter.is_ascii_digit() || letter == '.');
        well_formed.then(|| number.parse::<f64>().ok()).flatten().map(|seconds| seconds * 1000.0)
    })
}

impl Fault {
    /// What its hosts are while it lasts. A power loss only arms the disk: the host dies of it at an operation that the
    /// plan does not know.
    fn host_state(&self) -> Option<HostState> {
        match self.kind.as_str() {
            "crash" | "crash-in-recovery" | "restart" => Some(HostState::Down),
            "pause" => Some(HostState::Paused),
            "partition" | "one-way" | "clog" => Some(HostState::Partitioned),
            _ => None,
        }
    }
}

/// How often an invariant was judged.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Check {
    pub invariant: String,
    /// What was looked at, counted in the checker's own unit, where it counts.
    pub checked: Option<u64>,
    pub violations: u64,
    /// What was looked at, in words, or why it was suspended or weakened in this run.
    pub note: String,
}

impl Check {
    /// Whether anything was looked at.
    pub fn was_judged(&self) -> bool {
        self.violations > 0 || (self.checked != Some(0) && !self.note.starts_with("not judged"))
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Phase {
    pub name: String,
    pub from_ms: f64,
    pub to_ms: f64,
}

/// One line of what happened: `begin crash host=worker-1`, `server lost its power`, `start server`, `heal: ...`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TimelineEntry {
    pub at_ms: f64,
    pub what: String,
}

/// What became of one host over time. A host is up wherever no span says otherwise.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HostLane {
    pub name: String,
    pub spans: Vec<HostSpan>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HostSpan {
    pub from_ms: f64,
    pub to_ms: f64,
    pub state: HostState,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostState {
    Up,
    Down,
    Paused,
    /// Up, but some of the network does not reach it.
    Partitioned,
    #[default]
    #[serde(other)]
    Unknown,
}

/// One call of a client, from its start to what the client learnt.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "OperationLine")]
pub struct Operation {
    pub caller: String,
    pub rpc: String,
    pub at_ms: f64,
    pub done_ms: Option<f64>,
    pub outcome: Outcome,
    /// The gRPC status, where there was one that is not OK.
    pub code: String,
}

/// An operation as the artefact has it: its outcome is `ok`, `pending`, or `failed` or `unknown` with `CODE: message`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct OperationLine {
    caller: String,
    rpc: String,
    #[serde(alias = "at_ms")]
    invoked_ms: f64,
    #[serde(alias = "done_ms")]
    completed_ms: Option<f64>,
    outcome: String,
    code: String,
}

impl From<OperationLine> for Operation {
    fn from(line: OperationLine) -> Operation {
        let (word, status) = line.outcome.split_once(' ').unwrap_or((&line.outcome, ""));
        let outcome = match word {
            "ok" => Outcome::Ok,
            "failed" => Outcome::Failed,
            _ => Outcome::Unknown,
        };
        let code = status.split_once(':').map_or(status, |(code, _)| code).to_string();
        Operation {
            caller: line.caller,
            rpc: line.rpc,
            at_ms: line.invoked_ms,
            done_ms: line.completed_ms,
            outcome,
            code: if line.code.is_empty() { code } else { line.code },
        }
    }
}

/// *Unknown* is never folded into *failed*: the call may have been executed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Ok,
    Failed,
    #[default]
    Unknown,
}

impl Run {
    /// The invariant that failed first, if one did.
    pub fn first_violation(&self) -> Option<&Violation> {
        self.violations.first()
    }

    pub fn failed(&self) -> bool {
        self.verdict != Verdict::Held || !self.violations.is_empty()
    }

    /// The end of the picture: the latest moment that anything in the artefact names.
    pub fn end_ms(&self) -> f64 {
        let phases = self.phases.iter().map(|phase| phase.to_ms);
        let faults = self.faults.iter().map(|fault| self.fault_end_ms(fault).unwrap_or(fault.at_ms));
        let spans = self.hosts.iter().flat_map(|host| host.spans.iter().map(|span| span.to_ms));
        let operations = self.operations.iter().map(|operation| operation.done_ms.unwrap_or(operation.at_ms));
        let violations = self.violations.iter().filter_map(Violation::moment_ms);
        let tenures = self.ownership.tenures.iter().map(|tenure| tenure.to_ms);
        let failovers = self.ownership.failovers.iter().map(|failover| failover.at_ms);
        phases
            .chain(faults)
            .chain(spans)
            .chain(operations)
            .chain(violations)
            .chain(tenures)
            .chain(failovers)
            .filter(|at| at.is_finite())
            .fold(self.virtual_ms, f64::max)
    }

    /// The faults that the artefact lists, by time.
    pub fn faults_in_order(&self) -> Vec<&Fault> {
        let mut faults: Vec<&Fault> = self.faults.iter().filter(|fault| fault.kind != UNLISTED).collect();
        faults.sort_by(|a, b| a.at_ms.total_cmp(&b.at_ms));
        faults
    }

    /// An artefact lists the faults that were planned, and its timeline says which of them began: only these are shown.
    /// A crash at a crash point is in the timeline alone.
    pub(crate) fn keep_what_happened(&mut self) {
        if self.timeline.is_empty() {
            return;
        }
        let mut begun: BTreeMap<&str, u64> = BTreeMap::new();
        let mut crashes = Vec::new();
        for entry in &self.timeline {
            if let Some(kind) = entry.what.strip_prefix("begin ").and_then(|fault| fault.split(' ').next()) {
                *begun.entry(kind).or_default() += 1;
            }
            if let Some(host) =
                entry.what.strip_prefix("crash ").and_then(|rest| rest.strip_suffix(" at the crash point"))
            {
                let (kind, hosts, detail) = ("crash".into(), vec![host.into()], "at the crash point".into());
                crashes.push(Fault { kind, at_ms: entry.at_ms, until_ms: None, hosts, detail });
            }
        }
        self.faults.sort_by(|a, b| a.at_ms.total_cmp(&b.at_ms));
        let planned = self.faults.len();
        // Faults of one kind begin in the order of the plan.
        self.faults.retain(|fault| {
            let left = begun.get_mut(fault.kind.as_str()).filter(|left| **left > 0);
            left.is_some_and(|left| {
                *left -= 1;
                true
            })
        });
        self.only_planned = (planned - self.faults.len()) as u64;
        self.faults.extend(crashes);
    }

    /// What was judged, violations counted, and what was violated without having been listed among the checks.
    pub fn judged(&self) -> Vec<Check> {
        let mut checks = self.checks.clone();
        for violation in &self.violations {
            if !checks.iter().any(|check| check.invariant == violation.invariant) {
                checks.push(Check { invariant: violation.invariant.clone(), ..Check::default() });
            }
        }
        for check in &mut checks {
            let found = self.violations.iter().filter(|violation| violation.invariant == check.invariant).count();
            check.violations = check.violations.max(found as u64);
        }
        checks
    }

    /// When everything that lasted was taken back.
    fn healed_ms(&self) -> Option<f64> {
        self.timeline.iter().find(|entry| entry.what.starts_with("heal")).map(|entry| entry.at_ms)
    }

    /// When a fault was over: as planned, or when all were healed.
    pub fn fault_end_ms(&self, fault: &Fault) -> Option<f64> {
        let until = fault.until_ms?;
        Some(self.healed_ms().map_or(until, |healed| until.min(healed.max(fault.at_ms))))
    }

    /// The hosts as the artefact tells them, or as faults and timeline imply.
    pub fn host_lanes(&self) -> Vec<HostLane> {
        if !self.hosts.is_empty() {
            return self.hosts.clone();
        }
        let mut lanes: BTreeMap<&str, Vec<HostSpan>> = BTreeMap::new();
        for fault in &self.faults {
            for host in &fault.hosts {
                let spans = lanes.entry(host).or_default();
                // Where there is a timeline, it says when a host was really down.
                let state = fault.host_state().filter(|state| self.timeline.is_empty() || *state != HostState::Down);
                if let Some(state) = state {
                    let to_ms = self.fault_end_ms(fault).unwrap_or(fault.at_ms);
                    spans.push(HostSpan { from_ms: fault.at_ms, to_ms, state });
                }
            }
        }
        for operation in self.operations.iter().filter(|operation| !operation.caller.is_empty()) {
            lanes.entry(&operation.caller).or_default();
        }
        let end = self.end_ms();
        let mut down: BTreeMap<&str, f64> = BTreeMap::new();
        for entry in &self.timeline {
            match entry.host() {
                Some((host, HostState::Down)) => {
                    down.entry(host).or_insert(entry.at_ms);
                }
                Some((host, _)) => {
                    if let Some(from_ms) = down.remove(host) {
                        let span = HostSpan { from_ms, to_ms: entry.at_ms, state: HostState::Down };
                        lanes.entry(host).or_default().push(span);
                    }
                }
                None => {}
            }
        }
        for (host, from_ms) in down {
            lanes.entry(host).or_default().push(HostSpan { from_ms, to_ms: end, state: HostState::Down });
        }
        lanes.into_iter().map(|(name, spans)| HostLane { name: name.into(), spans }).collect()
    }

    /// The command that repeats the run: the artefact's own, or the one that its scenario and seed make.
    pub fn reproduce_command(&self) -> String {
        if !self.reproduce.is_empty() {
            return self.reproduce.clone();
        }
        let mut command = format!("tempest run {} --seed {}", self.scenario, self.seed);
        if !self.world.is_empty() && self.world != "lockstep" {
            command += &format!(" --world {}", self.world);
        }
        if let Some(plant) = &self.plant {
            command += &format!(" --plant {plant}");
        }
        command
    }
}

/// Seeds go beyond what JavaScript's numbers hold, so some writers quote them.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
    .ok_or_else(|| serde::de::Error::custom("a seed is an unsigned number of at most 64 bits"))
}

/// The one-object summary of `--json` only counts its faults; the artefact lists them.
fn faults<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Fault>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Number(count) => {
            let count = count.as_u64().unwrap_or(0).min(10_000) as usize;
            Ok(vec![Fault { kind: UNLISTED.into(), ..Fault::default() }; count])
        }
        value => serde_json::from_value(value).map_err(serde::de::Error::custom),
    }
}

/// Options as a list in the order they were drawn, or as a map.
fn options<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<DrawnOption>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Object(fields) => {
            Ok(fields.into_iter().map(|(name, value)| DrawnOption { name, value, set: false }).collect())
        }
        value => serde_json::from_value(value).map_err(serde::de::Error::custom),
    }
}

/// Text without its quotes, anything else as JSON.
pub(crate) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}

fn one_or_many<'de, D: Deserializer<'de>, T: serde::de::DeserializeOwned>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let value = match Value::deserialize(deserializer)? {
        Value::Null => Value::Array(Vec::new()),
        Value::Array(values) => Value::Array(values),
        single => Value::Array(vec![single]),
    };
    serde_json::from_value(value).map_err(serde::de::Error::custom)
}
