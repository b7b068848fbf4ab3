//! Whether a customer was charged for nothing, or shipped to for nothing, or not refunded.
use super::shop::Shop;
use tempest::proto::enums::v1::EventType;
use tempest::{Observations, Violation};

pub fn judge(shop: &Shop, sagas: u64, observations: &Observations) -> Vec<Violation> {
    // Of an order whose history a failover has taken back the shop may know more than its workflow does.
    let harmed = observations.with_losses();
    let orders = (0..sagas).map(|number| format!("order-{number}")).filter(|id| !harmed.contains(id));
    orders.flat_map(|id| order(shop, &id, observations)).collect()
}

fn order(shop: &Shop, id: &str, observations: &Observations) -> Vec<Violation> {
    let chain = observations.chain(id);
    let Some(end) = chain.last().and_then(|run| run.stored.last()) else {
        return vec![Violation::of_model(format!("{id} was ordered, but no run of it exists"))];
    };
    let delivered = match end.event_type() {
        EventType::WorkflowExecutionCompleted => true,
        EventType::WorkflowExecutionFailed | EventType::WorkflowExecutionCanceled => false,
        // Still open: that is for `liveness` to say.
        _ => return Vec::new(),
    };
    let prefix = format!("{id}/");
    let mut violations = Vec::new();
    for (key, entry) in shop.book().into_iter().filter(|(key, _)| key.starts_with(&prefix)) {
        let what = match (delivered, entry.stands()) {
            (true, false) => format!("{id} was delivered, but {key} was not done or was undone"),
            (false, true) => format!("{id} was not delivered, but {key} was never undone ({} cents)", entry.cents),
            _ => continue,
        };
        violations.push(Violation::of_model(what).because(format!("{entry:?}")).about_each(chain.iter().copied()));
    }
    let keys = shop.book().keys().filter(|key| key.starts_with(&prefix)).count();
    if delivered && keys < 3 {
        let what = format!("{id} was delivered with {keys} steps done");
        violations.push(Violation::of_model(what).about_each(chain.iter().copied()));
    }
    violations.extend(reverse_order(shop, id).map(|violation| violation.about_each(chain)));
    violations
}

/// Compensation goes backwards: parcels before payments, later payments before earlier ones, the reservation last.
fn reverse_order(shop: &Shop, id: &str) -> Option<Violation> {
    let rank = |key: &String| -> u64 {
        let step = key.rsplit('/').next().unwrap_or_default();
        match step.strip_prefix("charge-") {
            Some(number) => number.parse().unwrap_or(0),
            None if step == "ship" => u64::MAX,
            None => 0,
        }
    };
    let undone = shop.undone(id);
    if undone.is_sorted_by(|earlier, later| rank(earlier) > rank(later)) {
        return None;
    }
    Some(Violation::of_model(format!("{id} was not undone in reverse order")).because(undone.join(", ")))
}
