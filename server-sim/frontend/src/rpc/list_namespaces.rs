//! ListNamespaces, by name, in pages.
use super::register_namespace::advertised;
use crate::Frontend;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{ServiceError, ServiceResult};

const PAGE_SIZE_DEFAULT: usize = 100;
const PAGE_SIZE_MAX: usize = 1000;

/// # Errors
/// `InvalidArgument` for a page token that is none of ours.
pub async fn list(
    frontend: &Frontend,
    request: api::ListNamespacesRequest,
) -> ServiceResult<api::ListNamespacesResponse> {
    // The token is the last name of the page before.
    let after = String::from_utf8(request.next_page_token)
        .map_err(|_| ServiceError::InvalidArgument("Invalid NextPageToken.".into()))?;
    let page_size = match usize::try_from(request.page_size) {
        Ok(size) if size > 0 => size.min(PAGE_SIZE_MAX),
        _ => PAGE_SIZE_DEFAULT,
    };
    let all = frontend.namespaces.all().await?;
    let mut rest = all.into_iter().filter(|namespace| after.is_empty() || namespace.name > after);
    let page: Vec<_> = rest.by_ref().take(page_size).collect();
    let next_page_token = match (rest.next(), page.last()) {
        (Some(_), Some(last)) => last.name.clone().into_bytes(),
        _ => Vec::new(),
    };
    let namespaces = page.into_iter().map(|namespace| advertised(frontend, namespace.description.clone())).collect();
    Ok(api::ListNamespacesResponse { namespaces, next_page_token })
}
