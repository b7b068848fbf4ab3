//! Limits of fields, with Temporal's texts. What a field may hold beside that is its RPC's to say. The row says which
//! fields have a limit, and what comes of one that is over it:
//!
//! | in the row | then |
//! |---|---|
//! | `refuses` | the request is refused |
//! | `fails_activity` | the activity that the request reports of fails for good: what cannot be kept is not asked for again |
//! | `cuts` | the rest of the request counts, and its response names what was cut |
use crate::Frontend;
use crate::validation::{self, invalid};
use crate::worker::OneActivity;
use prost::Message;
use tempest_api::proto::common::v1::{Payloads, SearchAttributes};
use tempest_api::proto::failure::v1::Failure;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{ServiceError, ServiceResult};
use tempest_core::Input;
use tempest_core::rules::{self, failure as failures};

// What refuses.

pub fn payloads(frontend: &Frontend, payloads: Option<&Payloads>) -> ServiceResult<()> {
    if is_too_large(frontend, payloads) {
        return invalid("Blob data size exceeds limit.");
    }
    Ok(())
}

pub fn memo(frontend: &Frontend, memo: Option<&impl Message>) -> ServiceResult<()> {
    if memo.is_some_and(|memo| memo.encoded_len() > frontend.config.memo_bytes_max) {
        return invalid("Memo size exceeds limit.");
    }
    Ok(())
}

/// Number, names and sizes. Whether they are registered is not known here.
pub fn search_attributes(_: &Frontend, attributes: Option<&SearchAttributes>) -> ServiceResult<()> {
    let Some(attributes) = attributes else { return Ok(()) };
    rules::search_attributes::validate(Some(attributes)).map_err(ServiceError::InvalidArgument)?;
    rules::search_attributes::validate_size(attributes).map_err(ServiceError::InvalidArgument)
}

pub fn identity(_: &Frontend, identity: &str) -> ServiceResult<()> {
    validation::within_limit(identity, "Identity")
}

// What fails the activity.

/// What a worker hears whose report was not taken: its activity has failed.
pub trait InsteadOfReport: Default {
    fn instead() -> Self {
        Self::default()
    }
}

impl InsteadOfReport for api::RespondActivityTaskCompletedResponse {}
impl InsteadOfReport for api::RespondActivityTaskCompletedByIdResponse {}
impl InsteadOfReport for api::RespondActivityTaskCanceledResponse {}
impl InsteadOfReport for api::RespondActivityTaskCanceledByIdResponse {}

impl InsteadOfReport for api::RecordActivityTaskHeartbeatResponse {
    fn instead() -> Self {
        Self { cancel_requested: true, ..Self::default() }
    }
}

impl InsteadOfReport for api::RecordActivityTaskHeartbeatByIdResponse {
    fn instead() -> Self {
        Self { cancel_requested: true, ..Self::default() }
    }
}

/// Fails the activity, with this sentence, if what the worker sent is too large; then the response, else `None`.
///
/// # Errors
/// History's.
pub async fn fails_activity<R: InsteadOfReport>(
    frontend: &Frontend,
    activity: &OneActivity,
    report: Option<&Payloads>,
    identity: &str,
    sentence: &str,
) -> ServiceResult<Option<R>> {
    if !is_too_large(frontend, report) {
        return Ok(None);
    }
    let OneActivity { of, named } = activity.clone();
    let failure = Some(failures::server_failure(sentence, true));
    let failed = api::RespondActivityTaskFailedRequest { failure, identity: identity.into(), ..Default::default() };
    frontend.history.call(of, Input::FailActivity(named, Box::new(failed))).await?;
    Ok(Some(R::instead()))
}

// What is cut.

/// A response that names what was cut of its request, if it has a place for it.
pub trait NamesCut {
    fn name_cut(&mut self, _cut: Vec<Failure>) {}
}

impl NamesCut for api::RespondWorkflowTaskFailedResponse {}

impl NamesCut for api::RespondActivityTaskFailedResponse {
    fn name_cut(&mut self, cut: Vec<Failure>) {
        self.failures = cut;
    }
}

impl NamesCut for api::RespondActivityTaskFailedByIdResponse {
    fn name_cut(&mut self, cut: Vec<Failure>) {
        self.failures = cut;
    }
}

/// Dropped, if they are too large.
pub fn heartbeat_details(frontend: &Frontend, details: &mut Option<Payloads>, cut: &mut Vec<Failure>) {
    if is_too_large(frontend, details.as_ref()) {
        *details = None;
        cut.push(failures::server_failure("Heartbeat details exceed size limit.", true));
    }
}

/// Causes beyond what stays readable are dropped, and an oversized failure becomes the cause, cut short, of a server
/// failure.
pub fn failure(frontend: &Frontend, reported: &mut Option<Failure>, cut: &mut Vec<Failure>) {
    let Some(reported) = reported else { return };
    failures::cut_causes(reported);
    if is_too_large(frontend, Some(&*reported)) {
        let cause = Some(Box::new(failures::head(reported, frontend.config.failure_head_bytes_max)));
        *reported = Failure { cause, ..failures::server_failure(failures::FAILURE_EXCEEDS_LIMIT, true) };
        cut.push(reported.clone());
    }
}

/// Whether a message exceeds the limit for one payload or failure.
fn is_too_large(frontend: &Frontend, message: Option<&impl Message>) -> bool {
    message.is_some_and(|message| message.encoded_len() > frontend.config.blob_bytes_max)
}
