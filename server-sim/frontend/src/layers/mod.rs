//! What happens to a request around its own code, in this order. Each layer reads the RPC's row in [`crate::routes`].
//!
//! | layer | reads of the row | where |
//! |---|---|---|
//! | metrics | name, and the outcome | not there yet: around all of [`serve`] |
//! | the whole message's size | | `message_size.rs`, at the transport |
//! | authorisation | role | not there yet: the first thing in [`serve`], by the metadata that [`Caller`] is made of |
//! | rate limits | role, effect | not there yet: after authorisation, so that one caller cannot use up another's |
//! | the namespace | `in ...` | `namespace.rs` |
//! | sizes of fields | `limits(...)` | `sizes.rs` |
mod message_size;
pub(crate) mod namespace;
pub(crate) mod sizes;

pub use message_size::SizeErrors;

use crate::Frontend;
use crate::caller::Caller;
use crate::routes::Handle;
use tonic::{Request, Response, Status};

pub(crate) async fn serve<R: Handle>(
    frontend: &Frontend,
    request: Request<R::Request>,
) -> Result<Response<R::Response>, Status> {
    let caller = Caller::of(request.metadata());
    let answer = R::handle(frontend, &caller, request.into_inner()).await;
    answer.map(Response::new).map_err(Status::from)
}
