//! Fewer faults, and simpler ones.
use super::trials::Stop;
use super::{StillFails, take_first};
use crate::fault::{FaultPlan, PlannedFault};
use tempest_artifact::RunRequest;

/// A number of a fault is made smaller so often at most.
const SMALLER_MAX: usize = 8;

fn plan(request: &RunRequest) -> &[PlannedFault] {
    request.plan.as_ref().map_or(&[], |plan| &plan.0)
}

fn with_plan(request: &RunRequest, plan: Vec<PlannedFault>) -> RunRequest {
    RunRequest { plan: Some(FaultPlan(plan)), ..request.clone() }
}

/// Takes away what is not needed: all, then halves, quarters and so on, until no fault can go alone.
pub(super) fn fewer(current: &mut RunRequest, still_fails: &mut StillFails<'_>) -> Result<(), Stop> {
    let without_any = vec![with_plan(current, Vec::new())];
    if plan(current).is_empty() || take_first(current, without_any, still_fails)? {
        return Ok(());
    }
    let mut parts = 2;
    while plan(current).len() > 1 {
        let size = plan(current).len().div_ceil(parts);
        let (alone, without) = subsets(plan(current), size);
        let candidates = alone.into_iter().chain(without).map(|plan| with_plan(current, plan)).collect();
        if take_first(current, candidates, still_fails)? {
            parts = 2.max(parts - 1);
        } else if size == 1 {
            break;
        } else {
            parts *= 2;
        }
    }
    Ok(())
}

/// Each part of so many faults alone, and all without each part.
fn subsets(plan: &[PlannedFault], size: usize) -> (Vec<Vec<PlannedFault>>, Vec<Vec<PlannedFault>>) {
    let alone = plan.chunks(size).map(<[PlannedFault]>::to_vec).collect();
    let without = (0..plan.len()).step_by(size).map(|from| {
        let to = plan.len().min(from + size);
        [&plan[..from], &plan[to..]].concat()
    });
    (alone, without.collect())
}

/// Shorter and rounder times and rates, one number after the other.
pub(super) fn simpler(current: &mut RunRequest, still_fails: &mut StillFails<'_>) -> Result<(), Stop> {
    for index in 0..plan(current).len() {
        for name in numbers(&plan(current)[index]) {
            for _ in 0..SMALLER_MAX {
                let value = number(&plan(current)[index], &name);
                let with = |value| {
                    let mut faults = plan(current).to_vec();
                    faults[index] = with_number(&faults[index], &name, value)?;
                    Some(with_plan(current, faults))
                };
                let candidates = simpler_numbers(value).into_iter().filter_map(with).collect();
                if !take_first(current, candidates, still_fails)? {
                    break;
                }
            }
        }
    }
    Ok(())
}

/// What may be tried in place of a number, the best first. When a fault begins and how long it lasts need not be exact.
fn simpler_numbers(value: u64) -> Vec<u64> {
    let magnitude = 10_u64.pow(value.checked_ilog10().unwrap_or(0));
    let mut simpler = vec![0, value / 4, value / 2, value / magnitude * magnitude];
    simpler.dedup();
    simpler.retain(|simpler| *simpler < value);
    simpler
}

/// The names of the numbers that say how long or how much.
fn numbers(planned: &PlannedFault) -> Vec<String> {
    let json = serde_json::to_value(&planned.fault).expect("a fault is plain data");
    let fields = json.as_object().into_iter().flatten();
    let is_positive = |value: &serde_json::Value| value.as_u64().is_some_and(|value| value > 0);
    fields.filter(|(_, value)| is_positive(value)).map(|(name, _)| name.clone()).collect()
}

fn number(planned: &PlannedFault, name: &str) -> u64 {
    let json = serde_json::to_value(&planned.fault).expect("a fault is plain data");
    json.get(name).and_then(serde_json::Value::as_u64).unwrap_or(0)
}

fn with_number(planned: &PlannedFault, name: &str, value: u64) -> Option<PlannedFault> {
    let mut json = serde_json::to_value(&planned.fault).ok()?;
    json[name] = value.into();
    Some(PlannedFault { fault: serde_json::from_value(json).ok()?, ..planned.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_get_smaller_and_rounder() {
        assert_eq!(simpler_numbers(5_437), [0, 1_359, 2_718, 5_000]);
        assert_eq!(simpler_numbers(1), [0]);
        assert_eq!(simpler_numbers(0), Vec::<u64>::new());
    }

    #[test]
    fn a_plan_falls_into_parts() {
        let request = super::super::tests::request(1);
        let sizes = |plans: Vec<Vec<PlannedFault>>| plans.iter().map(Vec::len).collect::<Vec<_>>();
        let (alone, without) = subsets(plan(&request), 3);
        assert_eq!((sizes(alone), sizes(without)), (vec![3, 1], vec![1, 3]));
    }
}
