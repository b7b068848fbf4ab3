//! Whether each application came to one end, and to a decision that a clerk wrote.
use super::desk::Desk;
use tempest::proto::enums::v1::EventType;
use tempest::proto::history::v1::history_event::Attributes;
use tempest::{Observations, Violation};

pub fn judge(desk: &Desk, applications: u64, observations: &Observations) -> Vec<Violation> {
    let harmed = observations.with_losses();
    let ids = (0..applications).map(|number| format!("application-{number}")).filter(|id| !harmed.contains(id));
    ids.filter_map(|id| application(desk, &id, observations)).collect()
}

fn application(desk: &Desk, id: &str, observations: &Observations) -> Option<Violation> {
    let [run] = observations.chain(id)[..] else {
        let runs = observations.chain(id);
        let what = format!("{id} was handed in once and has {} runs", runs.len());
        return Some(Violation::of_model(what).about_each(runs));
    };
    let end = run.stored.last()?;
    match (end.event_type(), end.attributes.as_ref()?) {
        (_, Attributes::WorkflowExecutionCompletedEventAttributes(a)) => {
            let payloads = a.result.as_ref()?;
            let decision: String = serde_json::from_slice(&payloads.payloads.first()?.data).ok()?;
            (!desk.was_written(id, &decision)).then(|| {
                Violation::of_model(format!("{id} was decided as {decision:?}, which no clerk wrote")).about(run)
            })
        }
        // Refused, withdrawn, or still open: that is for `liveness` to say.
        (EventType::WorkflowExecutionFailed | EventType::WorkflowExecutionCanceled, _) => None,
        _ => None,
    }
}
