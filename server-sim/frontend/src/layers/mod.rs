//! What happens to a request around its own code, in this order. Each layer reads the RPC's row in [`crate::routes`].
//!
//! | layer | reads of the row | where |
//! |---|---|---|
//! | metrics | name, and the outcome | not there yet: around all of [`serve`] |
//! | the whole message's size | | `message_size.rs`, at the transport |
//! | the deadline | `Within(...)` | [`serve`]: around all that follows |
//! | authorisation | role | not there yet: the first thing in [`serve`], by the metadata that [`Caller`] is made of |
//! | rate limits | role, effect | not there yet: after authorisation, so that one caller cannot use up another's |
//! | the namespace, or the worker's task | `in ...` | `namespace.rs` |
//! | the RPC's own checks, where Temporal has them before its limits | `after ...` | its file |
//! | sizes of fields | `refuses(...)`, `fails_activity(...)`, `cuts(...)` | `sizes.rs` |
mod message_size;
pub(crate) mod namespace;
pub(crate) mod sizes;

pub use message_size::SizeErrors;

use crate::Frontend;
use crate::caller::Caller;
use crate::routes::Handle;
use tempest_api::{ServiceError, ServiceResult};
use tempest_rt::time::timeout;
use tonic::{Request, Response, Status};

pub(crate) async fn serve<R: Handle>(
    frontend: &Frontend,
    request: Request<R::Request>,
) -> Result<Response<R::Response>, Status> {
    let caller = Caller::of(request.metadata());
    let answer = in_time::<R>(frontend, &caller, request.into_inner()).await;
    answer.map(Response::new).map_err(Status::from)
}

/// A caller that gives no deadline gets the one of the row: it would wait forever for a shard that is stuck. One that gives
/// its own stops waiting by itself. Either way what it asked for may have been done.
async fn in_time<R: Handle>(frontend: &Frontend, caller: &Caller, request: R::Request) -> ServiceResult<R::Response> {
    let answer = R::handle(frontend, caller, request);
    match R::ROUTE.wait.allowance(frontend) {
        Some(allowance) if caller.remaining().is_none() => match timeout(allowance, answer).await {
            Ok(answer) => answer,
            Err(_) => Err(ServiceError::DeadlineExceeded("context deadline exceeded".into())),
        },
        _ => answer.await,
    }
}
