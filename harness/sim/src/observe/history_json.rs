//! Histories in protobuf's own JSON: what `temporal workflow show --output json` writes, and what the UI and replayers of
//! all SDKs read. (The Rust SDK's serde gives another form.)
use super::descriptors::DESCRIPTORS;
use prost::Message;
use prost_reflect::{DynamicMessage, SerializeOptions};
use tempest_api::proto::history::v1::{History, HistoryEvent};

/// `{"events": [...]}`.
pub fn history_json(events: &[HistoryEvent]) -> serde_json::Value {
    let descriptor =
        DESCRIPTORS.get_message_by_name("temporal.api.history.v1.History").expect("Temporal's messages have a history");
    let bytes = History { events: events.to_vec() }.encode_to_vec();
    let message = DynamicMessage::decode(descriptor, bytes.as_slice()).expect("a message reads what it has written");
    message
        .serialize_with_options(serde_json::value::Serializer, &SerializeOptions::new())
        .expect("events hold nothing that JSON cannot say")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempest_api::proto::enums::v1::EventType;
    use tempest_api::proto::history::v1::{TimerFiredEventAttributes, history_event::Attributes};

    #[test]
    fn it_is_protobufs_json() {
        let event = HistoryEvent {
            event_id: 7,
            event_time: Some(prost_wkt_types::Timestamp { seconds: 1_767_225_600, nanos: 5_000_000 }),
            event_type: EventType::TimerFired.into(),
            attributes: Some(Attributes::TimerFiredEventAttributes(TimerFiredEventAttributes {
                timer_id: "1".to_owned(),
                started_event_id: 5,
            })),
            ..Default::default()
        };
        insta::assert_snapshot!(
            history_json(&[event]),
            @r#"{"events":[{"eventId":"7","eventTime":"2026-01-01T00:00:00.005Z","eventType":"EVENT_TYPE_TIMER_FIRED","timerFiredEventAttributes":{"startedEventId":"5","timerId":"1"}}]}"#
        );
    }
}
