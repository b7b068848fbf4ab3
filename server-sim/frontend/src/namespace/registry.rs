//! What the frontend remembers of namespaces.
use prost::Message;
use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};
use tempest_api::proto::enums::v1::NamespaceState;
use tempest_api::proto::workflowservice::v1::DescribeNamespaceResponse;
use tempest_api::{ServiceError, ServiceResult};
use tempest_core::NamespaceId;
use tempest_store::{NamespaceRecord, Store, StoreError};

/// One namespace as it was read.
#[derive(Clone, Debug)]
pub struct Namespace {
    pub id: NamespaceId,
    pub name: String,
    /// Compare-and-set counter of its record.
    pub version: u64,
    pub description: DescribeNamespaceResponse,
}

impl Namespace {
    pub fn state(&self) -> NamespaceState {
        self.description.namespace_info.as_ref().map_or(NamespaceState::Registered, |info| info.state())
    }
}

/// A read-through cache: what it has may be old, what it lacks it reads. Namespaces are never renamed, so an old entry
/// names the right id.
pub struct Registry {
    store: Arc<dyn Store>,
    namespaces_max: usize,
    by_name: RwLock<BTreeMap<String, Arc<Namespace>>>,
}

impl Registry {
    pub fn new(store: Arc<dyn Store>, namespaces_max: usize) -> Self {
        Self { store, namespaces_max, by_name: RwLock::default() }
    }

    /// # Errors
    /// `NamespaceNotFound`, or the store's.
    pub async fn by_name(&self, name: &str) -> ServiceResult<Arc<Namespace>> {
        if let Some(namespace) = self.cached().get(name) {
            return Ok(Arc::clone(namespace));
        }
        self.refresh().await?;
        self.cached().get(name).cloned().ok_or_else(|| ServiceError::NamespaceNotFound(name.to_owned()))
    }

    /// # Errors
    /// `NamespaceNotFound`, or the store's.
    pub async fn by_id(&self, id: &str) -> ServiceResult<Arc<Namespace>> {
        if let Some(namespace) = self.cached_by_id(id) {
            return Ok(namespace);
        }
        self.refresh().await?;
        self.cached_by_id(id).ok_or_else(|| ServiceError::NamespaceNotFound(id.to_owned()))
    }

    /// All of them by name, as they are in the store now.
    ///
    /// # Errors
    /// The store's.
    pub async fn all(&self) -> ServiceResult<Vec<Arc<Namespace>>> {
        self.refresh().await?;
        Ok(self.cached().values().cloned().collect())
    }

    /// Writes a namespace: version 1 creates it, a higher one replaces the version before.
    ///
    /// # Errors
    /// `Conflict` of the store becomes `NamespaceAlreadyExists` (version 1) or `Unavailable` (somebody was faster).
    pub async fn put(&self, namespace: Namespace) -> ServiceResult<()> {
        if namespace.version == 1 && self.all().await?.len() >= self.namespaces_max {
            return Err(ServiceError::FailedPrecondition(format!(
                "the cluster has {} namespaces, which is as many as it is configured for",
                self.namespaces_max
            )));
        }
        let record = NamespaceRecord {
            id: namespace.id.clone(),
            name: namespace.name.clone(),
            version: namespace.version,
            description: namespace.description.encode_to_vec().into(),
        };
        match self.store.put_namespace(record).await {
            Ok(()) => {}
            Err(StoreError::Conflict(_)) if namespace.version == 1 => {
                return Err(ServiceError::NamespaceAlreadyExists("Namespace already exists.".into()));
            }
            Err(StoreError::Conflict(reason)) => return Err(ServiceError::Unavailable(reason)),
            Err(error) => return Err(store_error(error)),
        }
        self.cached_mut().insert(namespace.name.clone(), Arc::new(namespace));
        Ok(())
    }

    async fn refresh(&self) -> ServiceResult<()> {
        let records = self.store.namespaces().await.map_err(store_error)?;
        let mut fresh = BTreeMap::new();
        for record in records {
            let description = DescribeNamespaceResponse::decode(&record.description[..]).map_err(|error| {
                ServiceError::DataLoss(format!("namespace {} cannot be read: {error}", record.name))
            })?;
            let namespace = Namespace { id: record.id, name: record.name, version: record.version, description };
            fresh.insert(namespace.name.clone(), namespace);
        }
        let mut cached = self.cached_mut();
        for (name, namespace) in fresh {
            // A write of ours may have been faster than this read.
            if cached.get(&name).is_none_or(|known| known.version < namespace.version) {
                cached.insert(name, Arc::new(namespace));
            }
        }
        Ok(())
    }

    fn cached_by_id(&self, id: &str) -> Option<Arc<Namespace>> {
        self.cached().values().find(|namespace| namespace.id.as_str() == id).cloned()
    }

    fn cached(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<String, Arc<Namespace>>> {
        self.by_name.read().expect("no holder of this lock panics")
    }

    fn cached_mut(&self) -> std::sync::RwLockWriteGuard<'_, BTreeMap<String, Arc<Namespace>>> {
        self.by_name.write().expect("no holder of this lock panics")
    }
}

/// A store's error, as a caller sees it.
fn store_error(error: StoreError) -> ServiceError {
    let message = error.to_string();
    match error {
        StoreError::OutcomeUnknown(_) => ServiceError::OutcomeUnknown(message),
        StoreError::Corrupt(_) | StoreError::Incompatible(_) => ServiceError::DataLoss(message),
        StoreError::Unavailable(_) | StoreError::OwnershipLost { .. } | StoreError::Conflict(_) => {
            ServiceError::Unavailable(message)
        }
    }
}
