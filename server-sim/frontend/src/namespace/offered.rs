//! What requests ask of a namespace that this server does not have. Refused rather than forgotten: the caller counts on it.
//! Defaults that clients send without a thought pass: archival that is disabled, maps that are empty, the one cluster.
use crate::Frontend;
use crate::validation::invalid;
use tempest_api::ServiceResult;
use tempest_api::proto::enums::v1::ArchivalState;
use tempest_api::proto::namespace::v1::NamespaceConfig;
use tempest_api::proto::replication::v1::ClusterReplicationConfig;

/// A namespace lives in this cluster alone.
pub fn here(frontend: &Frontend, active: &str, clusters: &[ClusterReplicationConfig]) -> ServiceResult<()> {
    let own = frontend.config.cluster_name.as_str();
    let named = clusters.iter().map(|cluster| cluster.cluster_name.as_str());
    if let Some(unknown) = [active].into_iter().filter(|name| !name.is_empty()).chain(named).find(|name| *name != own) {
        return invalid(format!("Invalid cluster name: {unknown}"));
    }
    if clusters.len() > 1 {
        return invalid("Invalid local namespace clusters");
    }
    Ok(())
}

pub fn history_archival(state: ArchivalState, uri: &str) -> ServiceResult<()> {
    if state == ArchivalState::Enabled || !uri.is_empty() {
        return invalid("Cluster is not configured for history archival.");
    }
    Ok(())
}

pub fn visibility_archival(state: ArchivalState, uri: &str) -> ServiceResult<()> {
    if state == ArchivalState::Enabled || !uri.is_empty() {
        return invalid("Cluster is not configured for visibility archival.");
    }
    Ok(())
}

pub fn config(config: &NamespaceConfig) -> ServiceResult<()> {
    history_archival(config.history_archival_state(), &config.history_archival_uri)?;
    visibility_archival(config.visibility_archival_state(), &config.visibility_archival_uri)?;
    if config.bad_binaries.as_ref().is_some_and(|bad| !bad.binaries.is_empty()) {
        return invalid("Bad binaries are not supported yet.");
    }
    if !config.custom_search_attribute_aliases.is_empty() {
        return invalid("Custom search attribute aliases are not supported yet.");
    }
    Ok(())
}
