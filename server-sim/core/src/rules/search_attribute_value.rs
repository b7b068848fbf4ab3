//! Values of search attributes whose type is known. SDKs write them as JSON; a field may have one value of its type, or a
//! list of them, and nil removes it.
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use temporalio_protos::temporal::api::common::v1::Payload;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    Datetime,
    Keyword,
    KeywordList,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Bool => "Bool",
            Self::Datetime => "Datetime",
            Self::Keyword => "Keyword",
            Self::KeywordList => "KeywordList",
        }
    }

    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Bool => is_one_or_many::<bool>(value),
            Self::Datetime => is_one_or_many::<prost_wkt_types::Timestamp>(value),
            Self::Keyword => is_one_or_many::<String>(value),
            Self::KeywordList => is_one_or_many::<Vec<Option<String>>>(value),
        }
    }
}

/// As Temporal tries them: the type itself or nil, else a list of such.
fn is_one_or_many<T: DeserializeOwned>(value: &Value) -> bool {
    Option::<T>::deserialize(value).is_ok() || Vec::<Option<T>>::deserialize(value).is_ok()
}

/// Temporal's words if the value is not of this type.
pub(crate) fn problem_about_value(name: &str, kind: Kind, payload: &Payload) -> Option<String> {
    let shown = match decode(payload) {
        Some(value) if kind.fits(&value) => return None,
        Some(value) => shown(&value),
        None => format!("value from <{} bytes that are no JSON>", payload.data.len()),
    };
    Some(format!("invalid value for search attribute {name} of type {}: {shown}", kind.name()))
}

/// Only what the default data converters can read of these types.
fn decode(payload: &Payload) -> Option<Value> {
    match payload.metadata.get("encoding")?.as_slice() {
        b"json/plain" => serde_json::from_slice(&payload.data).ok(),
        b"binary/null" => Some(Value::Null),
        _ => None,
    }
}

/// As Go prints it.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(" ")),
        Value::Object(fields) => {
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}:{}", shown(value))).collect();
            format!("map[{}]", fields.join(" "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: Kind, encoding: &str, data: &str, expect: Option<&str>) {
        let metadata = [("encoding".to_owned(), encoding.as_bytes().to_vec())].into();
        let payload = Payload { metadata, data: data.as_bytes().to_vec(), ..Payload::default() };
        let prefix = format!("invalid value for search attribute A of type {}: ", kind.name());
        let expect = expect.map(|shown| prefix + shown);
        assert_eq!(problem_about_value("A", kind, &payload), expect, "{kind:?} {data}");
    }

    #[test]
    fn values_are_of_their_type_or_lists_of_it() {
        let json = |kind, data: &str, expect: Option<&str>| check(kind, "json/plain", data, expect);
        for (kind, fits) in [
            (Kind::Bool, "true"),
            (Kind::Datetime, r#""2026-01-02T03:04:05.6Z""#),
            (Kind::Keyword, r#""shipped""#),
            (Kind::KeywordList, r#"["shipped","paid"]"#),
        ] {
            json(kind, fits, None);
            json(kind, &format!("[{fits}]"), None);
            json(kind, &format!("[{fits},{fits}]"), None);
            json(kind, "null", None);
            json(kind, "[]", None);
            check(kind, "binary/null", "", None);
            check(kind, "binary/plain", fits, Some(&format!("value from <{} bytes that are no JSON>", fits.len())));
        }
        json(Kind::Bool, r#""true""#, Some("true"));
        json(Kind::Datetime, r#""tomorrow""#, Some("tomorrow"));
        json(Kind::Datetime, "7", Some("7"));
        json(Kind::Keyword, r#"{"b":1,"a":[true,null]}"#, Some("map[a:[true <nil>] b:1]"));
        json(Kind::Keyword, "7", Some("7"));
        json(Kind::KeywordList, r#""shipped""#, Some("shipped"));
        json(Kind::KeywordList, "[1]", Some("[1]"));
        json(Kind::Keyword, "{", Some("value from <1 bytes that are no JSON>"));
    }
}
