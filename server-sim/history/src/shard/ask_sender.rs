//! Asks the sender of a cross-workflow call whether it still waits for it.
use std::sync::Weak;
use tempest_api::{HistoryService, ServiceError, ServiceResult};
use tempest_core::{RunKey, TransferTask};
use tempest_rt::time::{Duration, timeout};

/// How long a sender may take to say whether it waits: about as long as its own call does.
const ASK_PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn ask(peers: &Weak<dyn HistoryService>, sender: &RunKey, task: TransferTask) -> ServiceResult<bool> {
    let Some(peers) = peers.upgrade() else {
        return Err(ServiceError::Unavailable("the node is stopping".into()));
    };
    match timeout(ASK_PATIENCE, peers.awaits_outbound_call(sender, task)).await {
        Ok(awaited) => awaited,
        Err(_) => Err(ServiceError::Unavailable(format!("no answer within {ASK_PATIENCE:?}"))),
    }
}
