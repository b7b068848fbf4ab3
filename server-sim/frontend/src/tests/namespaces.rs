//! Namespaces, and what the cluster says of itself.
use super::*;
use tempest_api::proto::enums::v1::NamespaceState;
use tempest_api::proto::namespace::v1::UpdateNamespaceInfo;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::services::workflow::workflow_service_server::WorkflowService;

#[tokio::test]
async fn a_namespace_is_registered_described_listed_and_updated() {
    let w = world().await;
    ok(w.service.register_namespace(Request::new(register("orders"))).await);
    assert_eq!(refused(w.service.register_namespace(Request::new(register("orders"))).await).0, Code::AlreadyExists);
    let describe = |name: &str, id: &str| {
        Request::new(api::DescribeNamespaceRequest { namespace: name.into(), id: id.into(), ..Default::default() })
    };
    let described = ok(w.service.describe_namespace(describe("orders", "")).await).namespace_info.unwrap();
    assert_eq!((described.name.as_str(), described.state()), ("orders", NamespaceState::Registered));
    let by_id = ok(w.service.describe_namespace(describe("", &described.id)).await).namespace_info.unwrap();
    assert_eq!(by_id.name, "orders");
    let listed = ok(w.service.list_namespaces(Request::new(Default::default())).await);
    assert_eq!(listed.namespaces.len(), 2);
    let update = api::UpdateNamespaceRequest {
        namespace: "orders".into(),
        update_info: Some(UpdateNamespaceInfo { description: "of people".into(), ..Default::default() }),
        ..Default::default()
    };
    ok(w.service.update_namespace(Request::new(update)).await);
    let described = ok(w.service.describe_namespace(describe("orders", "")).await).namespace_info.unwrap();
    assert_eq!(described.description, "of people");
}

#[tokio::test]
async fn a_deprecated_namespace_takes_no_new_runs() {
    let w = world().await;
    let update = api::UpdateNamespaceRequest {
        namespace: "default".into(),
        update_info: Some(UpdateNamespaceInfo { state: NamespaceState::Deprecated as i32, ..Default::default() }),
        ..Default::default()
    };
    ok(w.service.update_namespace(Request::new(update)).await);
    let start = api::StartWorkflowExecutionRequest { namespace: "default".into(), ..Default::default() };
    let status = w.service.start_workflow_execution(Request::new(start)).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert!(detail_of(&status).ends_with("NamespaceInvalidStateFailure"));
    let terminate = api::TerminateWorkflowExecutionRequest {
        namespace: "default".into(),
        workflow_execution: execution(""),
        ..Default::default()
    };
    ok(w.service.terminate_workflow_execution(Request::new(terminate)).await);
}

#[tokio::test]
async fn only_what_works_is_advertised() {
    let w = world().await;
    let system = ok(w.service.get_system_info(Request::new(Default::default())).await).capabilities.unwrap();
    assert!(system.activity_failure_include_heartbeat && system.encoded_failure_attributes);
    assert!(!system.supports_schedules && !system.nexus && !system.eager_workflow_start);
    assert!(!system.build_id_based_versioning && !system.count_group_by_execution_status);
}

#[test]
fn the_id_of_a_name_is_the_same_in_every_build() {
    // Databases have it written down.
    assert_eq!(crate::namespace::Namespace::id_of("default").as_str(), "b3932493-d5c6-552d-85dd-2a044d8b9f1c");
    assert_ne!(crate::namespace::Namespace::id_of("default"), crate::namespace::Namespace::id_of("orders"));
}
