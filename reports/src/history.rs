//! Histories as the `temporal` tools write them, one line an event.

use serde::Serialize;
use serde_json::Value;

use crate::run::plain;

/// A page shows at most this many events of one history; the artefact holds all of them.
const EVENTS_MAX: usize = 400;
const ATTRIBUTES_LETTERS_MAX: usize = 220;

#[derive(Debug, Serialize)]
pub(crate) struct Event {
    pub id: String,
    pub time: String,
    pub kind: String,
    pub attributes: String,
    /// The event is of a kind that closes something badly.
    pub bad: bool,
}

/// The events of a history, and how many were left out at the end.
pub(crate) fn events(history: &Value) -> (Vec<Event>, usize) {
    let list = history.get("events").and_then(Value::as_array).or(history.as_array());
    let all = list.map_or(&[][..], Vec::as_slice);
    let shown = all.iter().take(EVENTS_MAX).map(event).collect();
    (shown, all.len().saturating_sub(EVENTS_MAX))
}

fn event(event: &Value) -> Event {
    let kind = event.get("eventType").map(plain).unwrap_or_default();
    let kind = kind.strip_prefix("EVENT_TYPE_").map_or(kind.clone(), camel);
    let attributes = event
        .as_object()
        .and_then(|fields| fields.iter().find(|(name, _)| name.ends_with("EventAttributes")))
        .map(|(_, attributes)| attributes.to_string())
        .unwrap_or_default();
    Event {
        id: event.get("eventId").map(plain).unwrap_or_default(),
        time: event.get("eventTime").map(plain).unwrap_or_default(),
        bad: ["Failed", "TimedOut", "Terminated", "Canceled"].iter().any(|ending| kind.ends_with(ending)),
        kind,
        attributes: shorten(&attributes),
    }
}

/// `WORKFLOW_TASK_SCHEDULED` as `WorkflowTaskScheduled`.
fn camel(screaming: &str) -> String {
    screaming
        .split('_')
        .map(|word| {
            let mut letters = word.chars();
            letters.next().into_iter().chain(letters.map(|letter| letter.to_ascii_lowercase())).collect::<String>()
        })
        .collect()
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= ATTRIBUTES_LETTERS_MAX {
        return text.to_string();
    }
    text.chars().take(ATTRIBUTES_LETTERS_MAX).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_the_temporal_json() {
        let history = serde_json::json!({"events": [
            {"eventId": "1", "eventTime": "2026-01-01T00:00:00Z", "eventType": "EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT",
             "activityTaskTimedOutEventAttributes": {"scheduledEventId": "5"}},
            {"eventId": 2, "eventType": "WorkflowExecutionCompleted"},
        ]});
        let (events, left_out) = events(&history);
        assert_eq!(left_out, 0);
        assert_eq!(events[0].kind, "ActivityTaskTimedOut");
        assert!(events[0].bad);
        assert_eq!(events[0].attributes, r#"{"scheduledEventId":"5"}"#);
        assert_eq!(events[1].id, "2");
    }

    #[test]
    fn what_is_no_history_has_no_events() {
        for value in [Value::Null, serde_json::json!({"events": 3}), serde_json::json!("<script>")] {
            assert!(events(&value).0.is_empty());
        }
    }
}
