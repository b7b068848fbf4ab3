//! Fewer nodes, workers and shards, and a world without what is not needed.
use super::sizes::with;
use super::trials::Stop;
use super::{StillFails, take_first};
use crate::fault::{Fault, FaultPlan, PlannedFault, Targets};
use crate::world::Host;
use serde_json::Value;
use tempest_artifact::RunRequest;

/// Options of the world and what is plainest; a run that has another value may not need it.
const PLAINEST: &[(&str, u64)] = &[
    ("crash_at_scheduling_point", 0),
    ("promotions", 0),
    ("asynchronous", 0),
    ("named_standby", 0),
    ("buggify", 0),
    ("preemption_per_million", 0),
    ("latency_spread_us", 0),
    ("worker_cache", 1_000),
];
/// Which nodes have which role, a bit for each.
const ROLES: &[&str] = &["frontend_nodes", "history_nodes", "matching_nodes"];

/// As few nodes, workers and shards as can be, then every option as plain as it can be.
pub(super) fn plainer(current: &mut RunRequest, still_fails: &mut StillFails<'_>) -> Result<(), Stop> {
    let nodes = value(current, "nodes");
    let fewer = (1..nodes).map(|nodes| with_hosts(current, nodes, value(current, "workers"))).collect();
    take_first(current, fewer, still_fails)?;
    let workers = value(current, "workers");
    let fewer = (1..workers).map(|workers| with_hosts(current, value(current, "nodes"), workers)).collect();
    take_first(current, fewer, still_fails)?;
    let shards = value(current, "shards");
    let fewer = [1, 2, 4, 16, 64].into_iter().filter(|fewer| *fewer < shards);
    let fewer = fewer.map(|shards| with(current, "shards", shards)).collect();
    take_first(current, fewer, still_fails)?;
    if value(current, "split_roles") > 0 {
        let with_all = vec![with_all_roles(current)];
        take_first(current, with_all, still_fails)?;
    }
    for (name, plain) in PLAINEST {
        if current.settings.0.contains_key(*name) {
            let plainer = vec![with(current, name, *plain)];
            take_first(current, plainer, still_fails)?;
        }
    }
    Ok(())
}

/// At least one node and one worker there always is.
fn value(request: &RunRequest, name: &str) -> u64 {
    request.settings.0.get(name).copied().unwrap_or(0)
}

/// Every node has every role.
fn with_all_roles(request: &RunRequest) -> RunRequest {
    let all = all_nodes(value(request, "nodes"));
    ROLES.iter().fold(with(request, "split_roles", 0), |request, role| with(&request, role, all))
}

fn all_nodes(nodes: u64) -> u64 {
    (1 << nodes.min(63)) - 1
}

/// With fewer nodes and workers. Faults of hosts that are gone meet the first of their kind, if they can.
fn with_hosts(request: &RunRequest, nodes: u64, workers: u64) -> RunRequest {
    let mut fewer = with(&with(request, "nodes", nodes), "workers", workers);
    for role in ROLES {
        if let Some(mask) = fewer.settings.0.get_mut(*role) {
            let left = *mask & all_nodes(nodes);
            *mask = if left == 0 { all_nodes(nodes) } else { left };
        }
    }
    let hosts = Targets::new(nodes, workers).all();
    let faults = request.plan.iter().flat_map(|plan| &plan.0);
    let moved =
        |planned: &PlannedFault| Some(PlannedFault { fault: moved(&planned.fault, &hosts)?, at_ms: planned.at_ms });
    fewer.plan = Some(FaultPlan(faults.filter_map(moved).collect()));
    fewer
}

/// The fault in a world of these hosts; nothing if it makes no sense there.
fn moved(fault: &Fault, hosts: &[Host]) -> Option<Fault> {
    let json = serde_json::to_value(fault).ok()?;
    let fields = json.as_object()?.iter();
    let moved = fields.map(|(name, value)| Some((name.clone(), renamed(value, hosts)?))).collect::<Option<_>>()?;
    let moved: Fault = serde_json::from_value(Value::Object(moved)).ok()?;
    let is_known = moved.named_hosts().iter().all(|host| hosts.contains(host));
    let links = fault.links().len();
    let is_sound = moved.links().iter().all(|link| link.from != link.to) && (links == 0 || !moved.links().is_empty());
    (is_known && is_sound).then_some(moved)
}

/// A field of a fault with other names of hosts in it; in a list each host is once.
fn renamed(value: &Value, hosts: &[Host]) -> Option<Value> {
    match value {
        Value::String(name) => match stand_in(name, hosts) {
            Some(host) => Some(Value::String(host)),
            None if is_host(name) => None,
            None => Some(value.clone()),
        },
        Value::Array(list) => {
            let mut kept: Vec<Value> = Vec::new();
            for value in list.iter().filter_map(|value| renamed(value, hosts)) {
                if !kept.contains(&value) {
                    kept.push(value);
                }
            }
            Some(Value::Array(kept))
        }
        _ => Some(value.clone()),
    }
}

fn is_host(name: &str) -> bool {
    ["server", "worker-", "db-", "client"].iter().any(|prefix| name.starts_with(prefix))
}

/// The host that has this one's part in a world of those hosts.
fn stand_in(name: &str, hosts: &[Host]) -> Option<String> {
    if hosts.iter().any(|host| host.as_str() == name) {
        return Some(name.to_owned());
    }
    let part = match name.split_once('-') {
        Some(("server", _)) => "server",
        Some(("worker", _)) => "worker",
        // A lone server keeps its data itself.
        Some(("db", number)) if number != "monitor" => "server",
        _ => return None,
    };
    hosts.iter().find(|host| host.as_str().starts_with(part)).map(|host| host.0.clone())
}

#[cfg(test)]
mod tests {
    use super::super::tests::request;
    use super::*;

    #[test]
    fn faults_move_to_the_hosts_that_are_left() {
        let alone = with_hosts(&request(1), 1, 1);
        let faults = alone.plan.as_ref().expect("it has a plan").0.iter();
        let said: Vec<String> = faults.map(|planned| planned.fault.to_string()).collect();
        // The reset between two servers is gone: there is one.
        assert_eq!(
            said,
            ["crash down_ms=4321 host=worker-1", "crash down_ms=4321 host=worker-1", "crash down_ms=4321 host=server"]
        );
        let roles: Vec<u64> = ROLES.iter().map(|role| value(&alone, role)).collect();
        assert_eq!(roles, [1, 1, 1]);
    }

    #[test]
    fn every_kind_of_fault_can_move_or_goes() {
        use crate::draw::{Decisions, Seed};
        let mut dice = Decisions::new(Seed(1), []).dice("moved".to_owned());
        for (nodes, workers) in [(1, 1), (2, 1), (2, 2)] {
            let hosts = Targets::new(nodes, workers).all();
            for kind in crate::fault::KINDS {
                let fault = crate::fault::draw(kind.name, &mut dice, &Targets::new(5, 3)).expect("there is everybody");
                if let Some(moved) = moved(&fault, &hosts) {
                    assert!(moved.named_hosts().iter().all(|host| hosts.contains(host)), "{fault} became {moved}");
                }
            }
        }
    }
}
