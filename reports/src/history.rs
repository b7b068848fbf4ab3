//! Histories as the `temporal` tools write them, one line an event.

use serde::Serialize;
use serde_json::Value;

/// A page shows at most this many events of one history; the artifact holds all of them.
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
    let field = |name: &str| event.get(name).map(plain).unwrap_or_default();
    let attributes = event.as_object().into_iter().flatten().find(|(name, _)| name.ends_with("EventAttributes"));
    let attributes = attributes.and_then(|(_, attributes)| telling(attributes));
    let kind = field("eventType");
    let kind = kind.strip_prefix("EVENT_TYPE_").map_or(kind.clone(), camel);
    Event {
        id: field("eventId"),
        time: to_milliseconds(&field("eventTime")),
        bad: ["Failed", "TimedOut", "Terminated", "Canceled"].iter().any(|outcome| kind.ends_with(outcome)),
        kind,
        attributes: shorten(&attributes.map(|attributes| attributes.to_string()).unwrap_or_default()),
    }
}

/// Text without its quotes, anything else as JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}

/// What is left of attributes without fields that only say their default.
fn telling(value: &Value) -> Option<Value> {
    match value {
        Value::Null | Value::Bool(false) => None,
        Value::Number(number) => (number.as_f64() != Some(0.0)).then(|| value.clone()),
        Value::String(text) => (!text.is_empty() && text != "0s").then(|| value.clone()),
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
    fn defaults_and_microseconds_are_left_out() {
        let history = serde_json::json!({"events": [
            {"eventId": "4", "eventTime": "2026-01-01T00:00:01.325572955Z", "eventType": "EVENT_TYPE_TIMER_STARTED",
             "timerStartedEventAttributes": {"timerId": "1", "startToFireTimeout": "", "header": {"fields": {}},
                "workflowTaskCompletedEventId": 0}},
        ]});
        let (events, _) = events(&history);
        assert_eq!((events[0].id.as_str(), events[0].kind.as_str()), ("4", "TimerStarted"));
        assert_eq!(events[0].time, "2026-01-01T00:00:01.325Z");
        assert_eq!(events[0].attributes, r#"{"timerId":"1"}"#);
    }

    #[test]
    fn what_is_no_history_has_no_events() {
        for value in [Value::Null, serde_json::json!({"events": 3}), serde_json::json!("<script>")] {
            assert!(events(&value).0.is_empty());
        }
    }
}
