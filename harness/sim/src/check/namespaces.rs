//! A part of `acked-durable`: a namespace whose registration was acknowledged is there, and has what was last set of it.
//!
//! Where a failover may have lost something, nothing is judged: namespaces are written beside the commits whose loss is
//! known.
use super::register::{Look, Write, may_stand};
use super::{Invariant, Observations, Operation, RpcKind, Violation};
use std::collections::BTreeMap;
use tempest_api::proto::namespace::v1::NamespaceInfo;
use tempest_api::proto::workflowservice::v1 as api;

/// What a namespace has of each kind, as text.
type Values = BTreeMap<String, String>;

/// What calls set, by namespace and by what of it they set.
type Set<'a> = BTreeMap<(String, String), Vec<Write<'a, String>>>;

pub fn judge(observations: &Observations) -> Vec<Violation> {
    let Some(stored) = &observations.namespaces else { return Vec::new() };
    if observations.timelines.iter().any(|began| began.may_lose) {
        return Vec::new();
    }
    let registered = observations.acknowledged(RpcKind::RegisterNamespace).filter_map(|operation| {
        let request: api::RegisterNamespaceRequest = operation.request()?;
        let what = format!("namespace {} was registered, but does not exist", request.namespace);
        let is_missing = !stored.contains_key(&request.namespace);
        is_missing.then(|| Violation::new(Invariant::AckedDurable, what).because(operation.line()))
    });
    registered.chain(lost(observations, stored)).collect()
}

fn lost(observations: &Observations, stored: &BTreeMap<String, NamespaceInfo>) -> Vec<Violation> {
    let mut set: Set<'_> = Set::new();
    for operation in &observations.operations {
        let Some((namespace, values)) = values_set(operation) else { continue };
        for (key, value) in values {
            set.entry((namespace.clone(), key)).or_default().push(Write { operation, value });
        }
    }
    let is_lost = |((namespace, key), writes): ((String, String), Vec<Write<'_, String>>)| {
        let found = values(stored.get(&namespace)?).remove(&key).unwrap_or_default();
        let may_stand = may_stand(&writes, Look::IN_THE_END);
        // Where all calls were refused, or their outcome is unknown, whatever was there before may still be.
        let nothing_certain = !writes.iter().any(|write| write.operation.outcome.is_ok());
        if nothing_certain || may_stand.iter().any(|write| write.value == found) {
            return None;
        }
        let what = format!("namespace {namespace} has {key} {found:?}, which is not what was last set");
        let violation = Violation::new(Invariant::AckedDurable, what);
        Some(may_stand.iter().fold(violation, |violation, write| violation.because(write.operation.line())))
    };
    set.into_iter().filter_map(is_lost).collect()
}

/// What a call sets of which namespace.
fn values_set(operation: &Operation) -> Option<(String, Values)> {
    match &operation.rpc {
        RpcKind::RegisterNamespace => {
            let request: api::RegisterNamespaceRequest = operation.request()?;
            let (description, owner_email, data) = (request.description, request.owner_email, request.data);
            let info = NamespaceInfo { description, owner_email, data, ..Default::default() };
            // A call that finds the namespace registered is refused, and sets nothing.
            operation.outcome.is_ok().then(|| (request.namespace, values(&info)))
        }
        RpcKind::UpdateNamespace => {
            let request: api::UpdateNamespaceRequest = operation.request()?;
            let update = request.update_info?;
            let (description, owner_email, data) = (update.description, update.owner_email, update.data);
            let info = NamespaceInfo { description, owner_email, data, ..Default::default() };
            // Empty texts leave what is there.
            let set = values(&info).into_iter().filter(|(_, value)| !value.is_empty()).collect();
            Some((request.namespace, set))
        }
        // Not judged: what they read of namespaces comes from the frontend's cache, which may be old.
        RpcKind::DescribeNamespace | RpcKind::ListNamespaces => None,
        // They have nothing to do with what is known of namespaces.
        RpcKind::DescribeTaskQueue
        | RpcKind::DescribeWorkflowExecution
        | RpcKind::GetClusterInfo
        | RpcKind::GetSystemInfo
        | RpcKind::GetWorkflowExecutionHistory
        | RpcKind::GetWorkflowExecutionHistoryReverse
        | RpcKind::PollActivityTaskQueue
        | RpcKind::PollWorkflowTaskQueue
        | RpcKind::RecordActivityTaskHeartbeat
        | RpcKind::RecordActivityTaskHeartbeatById
        | RpcKind::RecordWorkerHeartbeat
        | RpcKind::ResetStickyTaskQueue
        | RpcKind::RequestCancelWorkflowExecution
        | RpcKind::RespondActivityTaskCanceled
        | RpcKind::RespondActivityTaskCanceledById
        | RpcKind::RespondActivityTaskCompleted
        | RpcKind::RespondActivityTaskCompletedById
        | RpcKind::RespondActivityTaskFailed
        | RpcKind::RespondActivityTaskFailedById
        | RpcKind::RespondWorkflowTaskCompleted
        | RpcKind::RespondWorkflowTaskFailed
        | RpcKind::ShutdownWorker
        | RpcKind::SignalWithStartWorkflowExecution
        | RpcKind::SignalWorkflowExecution
        | RpcKind::StartWorkflowExecution
        | RpcKind::TerminateWorkflowExecution
        | RpcKind::NotServed(_) => None,
    }
}

fn values(info: &NamespaceInfo) -> Values {
    let texts = [("description", &info.description), ("owner", &info.owner_email)];
    let texts = texts.into_iter().map(|(key, value)| (key.to_owned(), value.clone()));
    let data = info.data.iter().map(|(key, value)| (format!("data {key}"), value.clone()));
    texts.chain(data).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Outcome;
    use crate::check::TimelineBegan;
    use crate::check::samples::{self, SECOND_NS};
    use tempest_api::proto::namespace::v1::UpdateNamespaceInfo;
    use tempest_store::Timeline;

    fn info(description: &str) -> NamespaceInfo {
        let data = [("team".to_owned(), "shipping".to_owned())].into();
        NamespaceInfo { description: description.to_owned(), data, ..Default::default() }
    }

    fn register(name: &str) -> Operation {
        let NamespaceInfo { description, data, .. } = info("new");
        let request =
            api::RegisterNamespaceRequest { namespace: name.to_owned(), description, data, ..Default::default() };
        let answer = samples::ok(&api::RegisterNamespaceResponse::default());
        let called = samples::called(RpcKind::RegisterNamespace, &request, answer);
        Operation { invoked_ns: SECOND_NS, completed_ns: Some(2 * SECOND_NS), ..called }
    }

    fn update(description: &str, from_s: u64) -> Operation {
        let update = UpdateNamespaceInfo { description: description.to_owned(), ..Default::default() };
        let request = api::UpdateNamespaceRequest {
            namespace: "shop".to_owned(),
            update_info: Some(update),
            ..Default::default()
        };
        let answer = samples::ok(&api::UpdateNamespaceResponse::default());
        let called = samples::called(RpcKind::UpdateNamespace, &request, answer);
        Operation { invoked_ns: from_s * SECOND_NS, completed_ns: Some((from_s + 1) * SECOND_NS), ..called }
    }

    fn check(stored: NamespaceInfo, operations: &[Operation], expect: &[&str]) {
        let change = |observations: &mut Observations| {
            observations.namespaces = Some([("shop".to_owned(), stored)].into());
            observations.operations.extend_from_slice(operations);
        };
        samples::check(judge, change, expect);
    }

    #[test]
    fn what_was_registered_exists_as_it_was_asked_for() {
        check(info("new"), &[register("shop")], &[]);
        check(info("new"), &[register("mill")], &["namespace mill was registered, but does not exist"]);
        check(
            NamespaceInfo { data: Default::default(), ..info("new") },
            &[register("shop")],
            &["namespace shop has data team \"\", which is not what was last set"],
        );
    }

    #[test]
    fn the_last_update_stands() {
        let lost = ["namespace shop has description \"new\", which is not what was last set"];
        check(info("busy"), &[register("shop"), update("busy", 3)], &[]);
        check(info("new"), &[register("shop"), update("busy", 3)], &lost);
        check(info("busy"), &[register("shop"), update("busy", 3), update("calm", 3)], &[]);
    }

    #[test]
    fn an_update_that_was_not_acknowledged_may_be_lost() {
        let outcome = Outcome::Unknown { code: tonic::Code::Unavailable, message: String::new() };
        let unknown = Operation { outcome, ..update("busy", 3) };
        check(info("new"), &[register("shop"), unknown.clone()], &[]);
        check(info("busy"), &[register("shop"), unknown], &[]);
    }

    #[test]
    fn where_something_may_be_lost_nothing_is_judged() {
        let change = |observations: &mut Observations| {
            observations.namespaces = Some(BTreeMap::new());
            observations.timelines.push(TimelineBegan { timeline: Timeline(1), at_ns: 0, may_lose: true });
            observations.operations.push(register("shop"));
        };
        samples::check(judge, change, &[]);
    }
}
