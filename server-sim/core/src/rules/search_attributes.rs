//! Which search attributes a workflow and its callers may set, and how large they may be. Which names a namespace has
//! registered, and of which type they are, is not known here yet: every name that could be registered passes.
use super::search_attribute_value::{Kind, problem_about_value};
use prost::Message;
use temporalio_protos::temporal::api::common::v1::{Payload, SearchAttributes};

/// Of one request, in number.
const COUNT_MAX: usize = 100;
/// Of one search attribute, in bytes.
const VALUE_BYTES_MAX: usize = 2 * 1024;
/// Of all search attributes of a run, in bytes.
const TOTAL_BYTES_MAX: usize = 40 * 1024;

/// Kept by the system for each run, or written by it alone.
const OF_THE_SYSTEM: &[&str] = &[
    "CloseTime",
    "ExecutionDuration",
    "ExecutionStatus",
    "ExecutionTime",
    "HistoryLength",
    "HistorySizeBytes",
    "ParentRunId",
    "ParentWorkflowId",
    "RootRunId",
    "RootWorkflowId",
    "RunId",
    "StartTime",
    "StateTransitionCount",
    "TaskQueue",
    "TemporalExternalPayloadCount",
    "TemporalExternalPayloadSizeBytes",
    "TemporalUsedWorkerDeploymentVersions",
    "TemporalWorkerDeployment",
    "TemporalWorkerDeploymentVersion",
    "TemporalWorkflowVersioningBehavior",
    "WorkflowId",
    "WorkflowType",
];

/// Defined everywhere; Temporal lets clients set them, since some do.
const SETTABLE: &[(&str, Kind)] = &[
    ("BatcherNamespace", Kind::Keyword),
    ("BatcherUser", Kind::Keyword),
    ("BinaryChecksums", Kind::KeywordList),
    ("BuildIds", Kind::KeywordList),
    ("TemporalChangeVersion", Kind::KeywordList),
    ("TemporalNamespaceDivision", Kind::Keyword),
    ("TemporalPauseInfo", Kind::KeywordList),
    ("TemporalReportedProblems", Kind::KeywordList),
    ("TemporalScheduledById", Kind::Keyword),
    ("TemporalScheduledStartTime", Kind::Datetime),
    ("TemporalSchedulePaused", Kind::Bool),
];

/// Names that cannot be registered, beside those with the prefix.
const RESERVED: &[&str] = &["Memo", "MemoEncoding", "NamespaceId", "VisibilityTaskKey"];
const RESERVED_PREFIX: &str = "Temporal";

/// # Errors
/// Temporal's words for their number, or for the first one, in alphabetical order, that cannot be set.
pub fn validate(attributes: Option<&SearchAttributes>) -> Result<(), String> {
    let Some(attributes) = attributes else { return Ok(()) };
    let count = attributes.indexed_fields.len();
    if count > COUNT_MAX {
        return Err(format!("number of search attributes {count} exceeds limit {COUNT_MAX}"));
    }
    let said =
        attributes.indexed_fields.iter().filter_map(|(name, value)| problem(name, value).map(|said| (name, said)));
    said.min().map_or(Ok(()), |(_, said)| Err(said))
}

fn problem(name: &str, value: &Payload) -> Option<String> {
    if OF_THE_SYSTEM.contains(&name) {
        return Some(format!("{name} attribute can't be set in SearchAttributes"));
    }
    if let Some((_, kind)) = SETTABLE.iter().find(|(settable, _)| *settable == name) {
        return problem_about_value(name, *kind, value);
    }
    let reserved = RESERVED.contains(&name) || name.starts_with(RESERVED_PREFIX);
    reserved.then(|| format!("search attribute {name} is not defined"))
}

/// What a run begins with, or has after a change.
///
/// # Errors
/// Temporal's words for the first value, in alphabetical order of names, or for the sum that is too large.
pub fn validate_size(attributes: &SearchAttributes) -> Result<(), String> {
    let too_large = attributes.indexed_fields.iter().filter(|(_, value)| value.data.len() > VALUE_BYTES_MAX);
    if let Some((name, value)) = too_large.min_by_key(|(name, _)| *name) {
        let size = value.data.len();
        return Err(format!("search attribute {name} value size {size} exceeds size limit {VALUE_BYTES_MAX}"));
    }
    let size = attributes.encoded_len();
    if size > TOTAL_BYTES_MAX {
        return Err(format!("total size of search attributes {size} exceeds size limit {TOTAL_BYTES_MAX}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(data: &str) -> Payload {
        let metadata = [("encoding".to_owned(), b"json/plain".to_vec())].into();
        Payload { metadata, data: data.as_bytes().to_vec(), ..Payload::default() }
    }

    fn attributes(fields: &[(&str, &str)]) -> SearchAttributes {
        let indexed_fields = fields.iter().map(|(name, data)| ((*name).to_owned(), json(data))).collect();
        SearchAttributes { indexed_fields }
    }

    #[test]
    fn the_system_keeps_its_own() {
        let check = |fields: &[(&str, &str)], expect: Result<(), &str>| {
            assert_eq!(validate(Some(&attributes(fields))), expect.map_err(str::to_owned));
        };
        check(&[], Ok(()));
        check(&[("CustomerId", "7"), ("TemporalScheduledById", r#""nightly""#), ("runid", "1")], Ok(()));
        check(&[("CustomerId", "7"), ("RunId", "1")], Err("RunId attribute can't be set in SearchAttributes"));
        check(&[("RunId", "1"), ("Memo", "1")], Err("search attribute Memo is not defined"));
        check(&[("TemporalSecret", "1")], Err("search attribute TemporalSecret is not defined"));
        check(
            &[("TemporalSchedulePaused", r#""yes""#)],
            Err("invalid value for search attribute TemporalSchedulePaused of type Bool: yes"),
        );
        assert_eq!(validate(None), Ok(()));
    }

    #[test]
    fn there_are_only_so_many() {
        let names: Vec<String> = (0..=COUNT_MAX).map(|n| format!("a{n}")).collect();
        let fields: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
        assert_eq!(validate(Some(&attributes(&fields[..COUNT_MAX]))), Ok(()));
        let expect = "number of search attributes 101 exceeds limit 100";
        assert_eq!(validate(Some(&attributes(&fields))), Err(expect.to_owned()));
    }

    #[test]
    fn they_are_only_so_large() {
        let check = |fields: &[(&str, &str)], expect: Result<(), &str>| {
            assert_eq!(validate_size(&attributes(fields)), expect.map_err(str::to_owned));
        };
        let (fits, too_large) = ("x".repeat(VALUE_BYTES_MAX), "x".repeat(VALUE_BYTES_MAX + 1));
        check(&[("a", &fits)], Ok(()));
        check(&[("a", &fits), ("b", &too_large)], Err("search attribute b value size 2049 exceeds size limit 2048"));
        let names: Vec<String> = (0..20).map(|n| format!("a{n:02}")).collect();
        let fields: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), fits.as_str())).collect();
        check(&fields, Err("total size of search attributes 41720 exceeds size limit 40960"));
    }
}
