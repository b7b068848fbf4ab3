//! Nodes of two builds in one cluster, while it is upgraded: this one is the older, and a later one is what calls it.
use super::KnownTimeline;
use super::peers::{NodeService, Peers};
use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempest_api::{
    Caller, Duplicate, HistoryService, MatchingAsk, MatchingReply, MatchingService, PROTOCOL_VERSION, Read,
    RemoteHistory, Reply, ServiceError, ServiceResult, Target, TaskQueueKey, View, WorkflowKey,
};
use tempest_core::{Input, RunId};
use tempest_rt::net::{self, Network, Tcp};
use tempest_rt::task::TaskGroup;
use tempest_store::ClusterRecord;
use tempest_store::redb::{RedbConfig, RedbStore};

/// A later build knows one input more.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum LaterInput {
    ResetStickiness,
    PauseWorkflow { reason: String },
}

/// And it knows more of a target.
#[derive(Serialize, Deserialize)]
struct LaterTarget {
    workflow: WorkflowKey,
    run_id: RunId,
    kind_of_entity: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct LaterEnvelope {
    to: LaterTarget,
    ask: LaterInput,
    traced_by: Option<String>,
}

fn target() -> Target {
    Target::new("namespace-id".into(), "order", "")
}

/// What a later node sends.
fn later(version: u8, ask: LaterInput) -> Bytes {
    let Target { workflow, run_id } = target();
    let to = LaterTarget { workflow, run_id, kind_of_entity: Some("workflow".into()) };
    let envelope = LaterEnvelope { to, ask, traced_by: Some("a trace".into()) };
    let mut bytes = vec![version];
    bytes.extend(rmp_serde::to_vec_named(&envelope).unwrap());
    bytes.into()
}

/// The older node's roles, which write down what they are asked.
#[derive(Default)]
struct Roles {
    asked: Mutex<Vec<String>>,
}

impl Roles {
    fn note(&self, asked: String) {
        self.asked.lock().unwrap().push(asked);
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

#[async_trait]
impl HistoryService for Roles {
    async fn call(&self, to: Target, input: Input) -> ServiceResult<Reply> {
        assert_eq!(to, target());
        self.note(format!("{input:?}"));
        Ok(Reply::Done)
    }

    async fn read(&self, _: Target, read: Read) -> ServiceResult<View> {
        self.note(format!("{read:?}"));
        Ok(View::Truth(true))
    }
}

#[async_trait]
impl MatchingService for Roles {
    async fn ask(&self, _: TaskQueueKey, what: MatchingAsk) -> ServiceResult<MatchingReply> {
        self.note(format!("{what:?}"));
        Ok(MatchingReply::Done)
    }
}

fn cluster() -> ClusterRecord {
    ClusterRecord { shard_count: 1, cluster_id: "one".into(), cluster_name: "active".into() }
}

/// The older node, as it serves others, and its address.
async fn older_node(tasks: &TaskGroup) -> (Arc<Roles>, String) {
    let store = Arc::new(RedbStore::in_memory(RedbConfig::default()).await.unwrap());
    let roles = Arc::new(Roles::default());
    let service = NodeService {
        history: roles.clone(),
        matching: roles.clone(),
        describe: Arc::new(|| unreachable!("no operator asks")),
        timeline: KnownTimeline::new(store, cluster()),
    };
    let listener = Tcp.listen("127.0.0.1:0".to_owned()).await.unwrap();
    let address = listener.local_address();
    let router = net::server().add_service(service);
    tasks.spawn(async move { net::serve(router, listener, std::future::pending()).await.unwrap() });
    (roles, address)
}

#[tokio::test]
async fn an_older_node_refuses_what_it_does_not_know_and_does_the_rest() {
    let tasks = TaskGroup::default();
    let (roles, address) = older_node(&tasks).await;
    let store = Arc::new(RedbStore::in_memory(RedbConfig::default()).await.unwrap());
    let peers = Peers::new(Arc::new(Tcp), Some(KnownTimeline::new(store, cluster())));
    let newer = |method: &'static str, body: Bytes| {
        let older = peers.caller_of_history(&address).unwrap();
        async move { older.call(method, body, Duration::from_secs(5), Duplicate::Harmless).await }
    };
    let unknown = LaterInput::PauseWorkflow { reason: "lunch".into() };
    for (method, body) in [
        ("call", later(PROTOCOL_VERSION, unknown)),
        ("call", later(PROTOCOL_VERSION + 1, LaterInput::ResetStickiness)),
        ("control", later(PROTOCOL_VERSION, LaterInput::ResetStickiness)),
        ("call", Bytes::new()),
        ("read", Bytes::from_static(&[PROTOCOL_VERSION, 0xc1])),
    ] {
        let refused = newer(method, body).await.unwrap_err();
        assert!(matches!(refused, ServiceError::OtherVersion { speaks: PROTOCOL_VERSION, .. }), "{refused:?}");
        assert!(refused.is_retryable() && refused.is_certainly_not_done());
        assert!(roles.asked().is_empty(), "nothing was done");
    }
    // The same call once more, of what the older one knows; the fields that it does not know change nothing.
    newer("call", later(PROTOCOL_VERSION, LaterInput::ResetStickiness)).await.unwrap();
    assert_eq!(roles.asked(), ["ResetStickiness"]);
    tasks.stop_and_wait().await;
}

/// What this build sends.
#[derive(Clone, Default)]
struct Sent(Arc<Mutex<Vec<Bytes>>>);

#[async_trait]
impl Caller for Sent {
    async fn call(&self, _: &'static str, body: Bytes, _: Duration, _: Duplicate) -> ServiceResult<Bytes> {
        self.0.lock().unwrap().push(body);
        Err(ServiceError::Unavailable("it is only written down".into()))
    }
}

#[tokio::test]
async fn a_newer_node_understands_an_older_one() {
    let sent = Sent::default();
    let refused = RemoteHistory(sent.clone()).offer(target(), Input::ResetStickiness).await.unwrap_err();
    assert_eq!(refused.ask.map(|back| back.0), Some(target()), "what was not done is given back");
    let envelope = sent.0.lock().unwrap().remove(0);
    assert_eq!(envelope[0], PROTOCOL_VERSION);
    let read: LaterEnvelope = rmp_serde::from_slice(&envelope[1..]).unwrap();
    let to = Target { workflow: read.to.workflow, run_id: read.to.run_id };
    assert_eq!((to, read.ask, read.traced_by), (target(), LaterInput::ResetStickiness, None));
}
