//! The role itself: who it talks to.
use crate::FrontendConfig;
use crate::namespace::{Namespace, Registry, register};
use std::sync::Arc;
use tempest_api::{HistoryService, MatchingService, ServiceError, ServiceResult};
use tempest_core::NamespaceId;
use tempest_store::Store;

/// The frontend of one node.
pub struct Frontend {
    pub(crate) config: FrontendConfig,
    pub(crate) history: Arc<dyn HistoryService>,
    pub(crate) matching: Arc<dyn MatchingService>,
    pub(crate) namespaces: Registry,
}

impl Frontend {
    pub fn new(
        config: FrontendConfig,
        history: Arc<dyn HistoryService>,
        matching: Arc<dyn MatchingService>,
        store: Arc<dyn Store>,
    ) -> Arc<Self> {
        Arc::new(Self { namespaces: Registry::new(store, config.namespaces_max), config, history, matching })
    }

    /// Registers a namespace if there is none of that name; used at boot.
    ///
    /// # Errors
    /// The store's, or an invalid name.
    pub async fn ensure_namespace(&self, name: &str) -> ServiceResult<NamespaceId> {
        loop {
            match self.namespaces.by_name(name).await {
                Ok(namespace) => return Ok(namespace.id),
                Err(ServiceError::NamespaceNotFound(_)) => {}
                Err(error) => return Err(error),
            }
            match register::register(self, register::named(name)).await {
                // Registered by us, or by somebody faster: either way it can be read now.
                Ok(_) | Err(ServiceError::NamespaceAlreadyExists(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The namespace a request names.
    ///
    /// # Errors
    /// `InvalidArgument` if it names none, `NamespaceNotFound` if there is no such namespace.
    pub(crate) async fn namespace(&self, name: &str) -> ServiceResult<Namespace> {
        if name.is_empty() {
            return Err(ServiceError::InvalidArgument("Namespace not set on request.".into()));
        }
        self.namespaces.by_name(name).await
    }
}
