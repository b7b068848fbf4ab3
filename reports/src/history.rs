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

/// Reads both what the `temporal` tools write (`eventId`, `timerFiredEventAttributes`) and what the messages' own serde
/// writes (`event_id`, `attributes: {TimerFiredEventAttributes: ...}`).
fn event(event: &Value) -> Event {
    let field = |camel: &str, snake: &str| event.get(camel).or(event.get(snake)).map(plain).unwrap_or_default();
    let named = [Some(event), event.get("attributes")].into_iter().flatten().filter_map(Value::as_object);
    let attributes = named.flatten().find(|(name, _)| name.ends_with("EventAttributes"));
    let kind = match (event.get("eventType").and_then(Value::as_str), attributes) {
        (Some(kind), _) => kind.strip_prefix("EVENT_TYPE_").map_or(kind.to_string(), camel),
        (None, Some((name, _))) => capital(name.trim_end_matches("EventAttributes")),
        (None, None) => field("eventType", "event_type"),
    };
    let attributes = attributes.and_then(|(_, attributes)| telling(attributes));
    Event {
        id: field("eventId", "event_id"),
        time: to_milliseconds(&field("eventTime", "event_time")),
        bad: ["Failed", "TimedOut", "Terminated", "Canceled"].iter().any(|ending| kind.ends_with(ending)),
        kind,
        attributes: shorten(&attributes.map(|attributes| attributes.to_string()).unwrap_or_default()),
    }
}

/// What is left of attributes without fields that only say their default.
fn telling(value: &Value) -> Option<Value> {
    match value {
        Value::Null | Value::Bool(false) => None,
        Value::Number(number) => (number.as_f64() != Some(0.0)).then(|| value.clone()),
        Value::String(text) => (!text.is_empty() && text != "0.000000000s").then(|| value.clone()),
        Value::Array(list) => (!list.is_empty()).then(|| value.clone()),
        Value::Object(fields) => {
            let told: serde_json::Map<String, Value> =
                fields.iter().filter_map(|(name, value)| Some((name.clone(), telling(value)?))).collect();
            (!told.is_empty()).then_some(Value::Object(told))
        }
        Value::Bool(true) => Some(value.clone()),
    }
}

/// `2026-01-01T00:00:01.325572955Z` without what is smaller than a millisecond.
fn to_milliseconds(time: &str) -> String {
    match time.strip_suffix('Z').and_then(|time| time.split_once('.')) {
        Some((seconds, fraction)) => format!("{seconds}.{}Z", fraction.chars().take(3).collect::<String>()),
        None => time.to_string(),
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
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
    fn events_of_the_messages_own_json() {
        let history = serde_json::json!({"events": [
            {"event_id": 4, "event_time": "2026-01-01T00:00:01.325572955Z", "event_type": 17, "user_metadata": null,
             "attributes": {"TimerStartedEventAttributes": {"timer_id": "1", "start_to_fire_timeout": "0.000000000s",
                "header": {"fields": {}}, "workflow_task_completed_event_id": 0}}},
        ]});
        let (events, _) = events(&history);
        assert_eq!((events[0].id.as_str(), events[0].kind.as_str()), ("4", "TimerStarted"));
        assert_eq!(events[0].time, "2026-01-01T00:00:01.325Z");
        assert_eq!(events[0].attributes, r#"{"timer_id":"1"}"#);
    }

    #[test]
    fn what_is_no_history_has_no_events() {
        for value in [Value::Null, serde_json::json!({"events": 3}), serde_json::json!("<script>")] {
            assert!(events(&value).0.is_empty());
        }
    }
}
