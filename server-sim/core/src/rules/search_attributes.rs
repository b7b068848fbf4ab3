//! Which search attributes a workflow and its callers may set. Which names a namespace has registered, and of which type
//! they are, is not known here yet: every name that could be registered passes.
use std::collections::HashMap;
use temporalio_protos::temporal::api::common::v1::{Payload, SearchAttributes};

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
const SETTABLE: &[&str] = &[
    "TemporalChangeVersion",
    "TemporalNamespaceDivision",
    "TemporalPauseInfo",
    "TemporalReportedProblems",
    "TemporalScheduledById",
    "TemporalScheduledStartTime",
    "TemporalSchedulePaused",
];

/// Names that cannot be registered, beside those with the prefix.
const RESERVED: &[&str] = &["Memo", "MemoEncoding", "NamespaceId", "VisibilityTaskKey"];
const RESERVED_PREFIX: &str = "Temporal";

/// # Errors
/// Temporal's words for the first name, in alphabetical order, that cannot be set.
pub fn validate(attributes: Option<&SearchAttributes>) -> Result<(), String> {
    attributes.map_or(Ok(()), |attributes| validate_fields(&attributes.indexed_fields))
}

fn validate_fields(fields: &HashMap<String, Payload>) -> Result<(), String> {
    let said = fields.keys().filter_map(|name| problem(name).map(|said| (name, said)));
    said.min().map_or(Ok(()), |(_, said)| Err(said))
}

fn problem(name: &str) -> Option<String> {
    if OF_THE_SYSTEM.contains(&name) {
        return Some(format!("{name} attribute can't be set in SearchAttributes"));
    }
    let reserved = RESERVED.contains(&name) || name.starts_with(RESERVED_PREFIX) && !SETTABLE.contains(&name);
    reserved.then(|| format!("search attribute {name} is not defined"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_keeps_its_own() {
        let check = |names: &[&str], expect: Result<(), &str>| {
            let indexed_fields = names.iter().map(|name| ((*name).to_owned(), Payload::default())).collect();
            assert_eq!(validate(Some(&SearchAttributes { indexed_fields })), expect.map_err(str::to_owned));
        };
        check(&[], Ok(()));
        check(&["CustomerId", "BuildIds", "TemporalScheduledById", "runid"], Ok(()));
        check(&["CustomerId", "RunId"], Err("RunId attribute can't be set in SearchAttributes"));
        check(&["RunId", "Memo"], Err("search attribute Memo is not defined"));
        check(&["TemporalSecret"], Err("search attribute TemporalSecret is not defined"));
        assert_eq!(validate(None), Ok(()));
    }
}
