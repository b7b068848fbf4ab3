//! The role itself: who it talks to.
use crate::FrontendConfig;
use crate::namespace::{Namespace, Registry};
use crate::rpc::register_namespace as register;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use tempest_api::{HistoryService, MatchingService, ServiceError, ServiceResult};
use tempest_core::{Limits, NamespaceId};
use tempest_store::Store;

/// The frontend of one node.
pub struct Frontend {
    pub(crate) config: FrontendConfig,
    pub(crate) limits: Limits,
    pub(crate) history: Arc<dyn HistoryService>,
    pub(crate) matching: Arc<dyn MatchingService>,
    pub(crate) namespaces: Registry,
    /// Names of namespaces that are to be there, whatever becomes of the database.
    ensured: Mutex<BTreeSet<String>>,
    /// What health checks are told.
    pub(crate) serving: AtomicBool,
}

impl Frontend {
    pub fn new(
        config: FrontendConfig,
        history: Arc<dyn HistoryService>,
        matching: Arc<dyn MatchingService>,
        store: Arc<dyn Store>,
    ) -> Arc<Self> {
        let limits = Limits { blob_bytes_max: config.blob_bytes_max, ..Limits::default() };
        let namespaces = Registry::new(store, config.namespaces_max);
        Arc::new(Self {
            limits,
            namespaces,
            ensured: Mutex::default(),
            config,
            history,
            matching,
            serving: AtomicBool::new(true),
        })
    }

    /// Health checks fail from now on: load balancers send callers elsewhere. Calls are still answered.
    pub fn fail_health_checks(&self) {
        self.serving.store(false, Relaxed);
    }

    /// Registers a namespace if there is none of that name; used at boot. Should the database fail over and lose it, it is
    /// registered again.
    ///
    /// # Errors
    /// The store's, or an invalid name.
    pub async fn ensure_namespace(&self, name: &str) -> ServiceResult<NamespaceId> {
        self.ensured.lock().expect("no holder of this lock panics").insert(name.to_owned());
        Ok(self.namespace_by_name(name).await?.id.clone())
    }

    /// After the database has failed over: sees to it that all namespaces are there that this node knew, or is to ensure.
    ///
    /// # Errors
    /// The store's: some may be missing still.
    pub async fn restore_namespaces(&self) -> ServiceResult<()> {
        let ensured = self.ensured.lock().expect("no holder of this lock panics").clone();
        for name in ensured.into_iter().chain(self.namespaces.missing()) {
            self.namespace_by_name(&name).await?;
        }
        Ok(())
    }

    /// In whatever state it is.
    ///
    /// # Errors
    /// `NamespaceNotFound`, or the store's.
    pub(crate) async fn namespace_by_name(&self, name: &str) -> ServiceResult<Arc<Namespace>> {
        loop {
            let known = self.namespaces.by_name(name).await;
            if !matches!(known, Err(ServiceError::NamespaceNotFound(_))) {
                return known;
            }
            let registered = if let Some(before) = self.namespaces.before_failover(name) {
                tempest_rt::probe!("frontend-namespace-restored");
                tracing::warn!(
                    name,
                    "a failover of the database lost this namespace: it is registered again as it was"
                );
                self.namespaces.put(Namespace { version: 1, ..Namespace::clone(&before) }).await
            } else if self.is_ensured(name) {
                register::register(self, register::named(name, self.config.retention_default)).await.map(|_| ())
            } else {
                return known;
            };
            match registered {
                // By this node, or by a faster one: either way it can be read now.
                Ok(()) | Err(ServiceError::NamespaceAlreadyExists(_)) => {}
                // Whatever became of the registration, what the caller asked for was not begun.
                Err(ServiceError::OutcomeUnknown(reason)) => return Err(ServiceError::Unavailable(reason)),
                Err(error) => return Err(error),
            }
        }
    }

    /// As [`Frontend::namespace_by_name`].
    ///
    /// # Errors
    /// `NamespaceNotFound`, or the store's.
    pub(crate) async fn namespace_by_id(&self, id: &str) -> ServiceResult<Arc<Namespace>> {
        let known = self.namespaces.by_id(id).await;
        if !matches!(known, Err(ServiceError::NamespaceNotFound(_))) {
            return known;
        }
        // It may be one that a failover lost.
        self.restore_namespaces().await?;
        self.namespaces.by_id(id).await
    }

    fn is_ensured(&self, name: &str) -> bool {
        self.ensured.lock().expect("no holder of this lock panics").contains(name)
    }
}
