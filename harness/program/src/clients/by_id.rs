//! What clients say of activities whose id they know.
use super::{AS_THE_PROGRAM_SAYS, Outside};
use crate::ledger::Said;
use crate::plan::ById;
use crate::replay::{failure, payloads};
use tempest_api::proto::workflowservice::v1 as api;
use tonic::{Code, Status};

/// The result, or the beat, of a client: no attempt has that number.
const OF_NO_ATTEMPT: u32 = 0;

/// Of an activity of the workflow's current run. It is written down before it is said.
pub(super) async fn say(outside: &Outside, workflow_id: &str, says: ById, path: &str) -> Result<(), Status> {
    outside.ledger.said(Said { workflow_id: workflow_id.to_owned(), path: path.to_owned(), says });
    let (namespace, identity) = (outside.namespace.clone(), "client".to_owned());
    let (workflow_id, activity_id, of_client) = (workflow_id.to_owned(), path.to_owned(), payloads(&OF_NO_ATTEMPT));
    match says {
        ById::Completes => {
            let request = api::RespondActivityTaskCompletedByIdRequest {
                namespace,
                identity,
                workflow_id,
                activity_id,
                result: Some(of_client),
                ..Default::default()
            };
            let rpc = "RespondActivityTaskCompletedById";
            outside.known::<_, api::RespondActivityTaskCompletedByIdResponse>(rpc, &request).await.map(drop)
        }
        ById::Fails => {
            let request = api::RespondActivityTaskFailedByIdRequest {
                namespace,
                identity,
                workflow_id,
                activity_id,
                failure: Some(failure(AS_THE_PROGRAM_SAYS, true)),
                ..Default::default()
            };
            let rpc = "RespondActivityTaskFailedById";
            outside.known::<_, api::RespondActivityTaskFailedByIdResponse>(rpc, &request).await.map(drop)
        }
        ById::Cancelled => {
            let request = api::RespondActivityTaskCanceledByIdRequest {
                namespace,
                identity,
                workflow_id,
                activity_id,
                ..Default::default()
            };
            let rpc = "RespondActivityTaskCanceledById";
            match outside.known::<_, api::RespondActivityTaskCanceledByIdResponse>(rpc, &request).await {
                // It was not asked to stop.
                Err(status) if status.code() == Code::InvalidArgument => Ok(()),
                answered => answered.map(drop),
            }
        }
        ById::Beats => {
            let request = api::RecordActivityTaskHeartbeatByIdRequest {
                namespace,
                identity,
                workflow_id,
                activity_id,
                details: Some(of_client),
                ..Default::default()
            };
            let rpc = "RecordActivityTaskHeartbeatById";
            outside.known::<_, api::RecordActivityTaskHeartbeatByIdResponse>(rpc, &request).await.map(drop)
        }
    }
}
