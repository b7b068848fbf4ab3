//! What the runs of a campaign have seen, and what they have not: a campaign proves nothing of that.
use super::SeedEnd;
use crate::fault::KINDS;
use crate::observe::{PROBES, RpcKind, reach};
use std::collections::BTreeMap;

/// The groups of what can be seen, and what their members are called.
pub const GROUPS: &[(&str, &str)] = &[
    ("fault", "kinds of faults"),
    ("probe", "probes"),
    ("rpc", "RPCs"),
    ("command", "commands of workers"),
    ("event", "events"),
    ("field", "fields of requests and commands"),
];

/// Where a summary has the counts of a group.
const PLACES: &[(&str, &str)] = &[
    ("fault", "/fault_kinds"),
    ("probe", "/probes"),
    ("rpc", "/calls"),
    ("command", "/reach/commands"),
    ("event", "/reach/events"),
    ("field", "/reach/fields"),
];

/// How often all runs together have seen what, as `group.name`: `fault.crash`, `probe.start-repeated`,
/// `rpc.PollWorkflowTaskQueue`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage(BTreeMap<String, u64>);

/// A name that a person requires, and that is not there to be seen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is nothing that a campaign can see: write fault, probe or rpc for all of a kind, or one of: {known}")]
pub struct NotToBeSeen {
    name: String,
    known: String,
}

impl Coverage {
    /// Of all runs that ended with a summary.
    pub fn of(ends: &[SeedEnd]) -> Coverage {
        Coverage::of_summaries(ends.iter().filter_map(|end| end.summary.as_ref()))
    }

    pub(super) fn of_summaries<'a>(summaries: impl IntoIterator<Item = &'a serde_json::Value>) -> Coverage {
        let mut seen: BTreeMap<String, u64> = everything().into_iter().map(|name| (name, 0)).collect();
        for summary in summaries {
            for (group, place) in PLACES {
                let counts = summary.pointer(place).and_then(serde_json::Value::as_object).into_iter().flatten();
                for (name, times) in counts {
                    *seen.entry(format!("{group}.{name}")).or_default() += times.as_u64().unwrap_or(0);
                }
            }
        }
        Coverage(seen)
    }

    /// How often this has been seen: `probe.start-repeated`.
    pub fn times(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    /// Names of a group, without it, that no run has seen.
    pub fn not_seen(&self, group: &str) -> Vec<&str> {
        self.of_group(group).filter(|(_, times)| *times == 0).map(|(name, _)| name).collect()
    }

    /// How many names a group has.
    pub fn count(&self, group: &str) -> usize {
        self.of_group(group).count()
    }

    /// Those of the required names that no run has seen; a group alone stands for all that it has.
    pub fn lacking(&self, required: &[String]) -> Vec<&str> {
        let is_required = |name: &str| {
            required
                .iter()
                .any(|required| required == name || name.split_once('.').is_some_and(|(of, _)| of == required))
        };
        self.0.iter().filter(|(name, times)| **times == 0 && is_required(name)).map(|(name, _)| name.as_str()).collect()
    }

    /// Names of a group, without it, and how often all runs together have seen each.
    pub fn of_group(&self, group: &str) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().filter_map(move |(name, times)| {
            let (of, name) = name.split_once('.')?;
            (of == group).then_some((name, *times))
        })
    }
}

/// # Errors
/// Nothing has that name.
pub fn can_be_seen(required: &str) -> Result<(), NotToBeSeen> {
    let is_group = GROUPS.iter().any(|(group, _)| *group == required);
    let mut known = everything();
    if is_group || known.iter().any(|name| name == required) {
        return Ok(());
    }
    let group = required.split('.').next().unwrap_or_default();
    if GROUPS.iter().any(|(name, _)| *name == group) {
        known.retain(|name| name.starts_with(group));
    }
    Err(NotToBeSeen { name: required.to_owned(), known: known.join(", ") })
}

fn everything() -> Vec<String> {
    let faults = KINDS.iter().map(|kind| format!("fault.{}", kind.name));
    let probes = PROBES.iter().map(|name| format!("probe.{name}"));
    let (fields, commands, events) = reach::everything();
    let of = |group: &'static str, names: Vec<String>| names.into_iter().map(move |name| format!("{group}.{name}"));
    let touched = of("field", fields).chain(of("command", commands)).chain(of("event", events));
    faults.chain(probes).chain(RpcKind::SERVED.iter().map(|rpc| format!("rpc.{rpc}"))).chain(touched).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(summary: serde_json::Value) -> SeedEnd {
        SeedEnd {
            scenario: "hello".to_owned(),
            world: tempest_artifact::WorldKind::default(),
            seed: 1,
            status: Some(0),
            summary: Some(summary),
            said: String::new(),
            too_long: false,
            wall_ms: 1,
        }
    }

    #[test]
    fn what_no_run_has_seen_is_told() {
        let crash = end(serde_json::json!({ "fault_kinds": { "crash": 2 }, "probes": { "start-repeated": 0 } }));
        let pause = end(serde_json::json!({ "fault_kinds": { "pause": 1 }, "calls": { "GetSystemInfo": 3 } }));
        let coverage = Coverage::of(&[crash, pause]);
        let unseen = coverage.not_seen("fault");
        assert!(!unseen.contains(&"crash") && !unseen.contains(&"pause") && unseen.contains(&"reset"), "{unseen:?}");
        assert_eq!(unseen.len() + 2, coverage.count("fault"));
        let required = ["fault.crash", "fault.reset", "probe.start-repeated", "rpc.GetSystemInfo"].map(str::to_owned);
        assert_eq!(coverage.lacking(&required), ["fault.reset", "probe.start-repeated"]);
        assert_eq!(coverage.lacking(&["fault".to_owned()]).len(), unseen.len());
    }

    #[test]
    fn what_cannot_be_seen_is_refused() {
        for name in ["fault", "probe", "rpc", "fault.crash", "rpc.GetSystemInfo"] {
            assert_eq!(can_be_seen(name), Ok(()), "{name}");
        }
        let said = can_be_seen("fault.crsh").expect_err("there is none").to_string();
        assert!(said.contains("fault.crash, ") && !said.contains("rpc.Get"), "{said}");
    }
}
