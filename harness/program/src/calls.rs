//! How a program's clients and workers reach a server: over whatever network a world has.
use bytes::Bytes;
use futures::future::BoxFuture;
use prost::Message;
use tonic::{Code, Status};

/// A connection to the servers.
pub trait Calls: Send + Sync + 'static {
    /// Makes one call of Temporal's workflow service.
    fn call(&self, rpc: &'static str, request: Bytes) -> BoxFuture<'_, Result<Bytes, Status>>;
}

/// Makes a call with typed messages.
pub(crate) async fn ask<Request, Response>(
    calls: &dyn Calls,
    rpc: &'static str,
    request: &Request,
) -> Result<Response, Status>
where
    Request: Message,
    Response: Message + Default,
{
    let answer = calls.call(rpc, request.encode_to_vec().into()).await?;
    Response::decode(answer).map_err(|error| Status::data_loss(error.to_string()))
}

/// Whether a call may have been executed although it failed, or would succeed if it were made again.
pub(crate) fn is_unknown(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unavailable
            | Code::Unknown
            | Code::Cancelled
            | Code::DeadlineExceeded
            | Code::Aborted
            | Code::ResourceExhausted
            | Code::Internal
            | Code::DataLoss
    )
}
