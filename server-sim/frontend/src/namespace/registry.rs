//! What the frontend remembers of namespaces.
use prost::Message;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use tempest_api::proto::enums::v1::NamespaceState;
use tempest_api::proto::workflowservice::v1::DescribeNamespaceResponse;
use tempest_api::{ServiceError, ServiceResult};
use tempest_core::NamespaceId;
use tempest_store::{NamespaceRecord, Store, StoreCalls, StoreError, Timeline};
use uuid::Uuid;

/// Of the ids of namespaces; drawn once.
const IDS: Uuid = Uuid::from_u128(0x5c0e_7f4b_91d2_4a36_8e57_2bd0_64f9_1ac8);

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
    /// The id of the namespace of this name, the same whichever node registers it and how often. When a failover loses
    /// the registration, some nodes still know it and some runs name its id: registered anew, it is the same namespace.
    pub fn id_of(name: &str) -> NamespaceId {
        if tempest_rt::planted!(crate::plants::LOST_NAMESPACE_COMES_BACK_AS_ANOTHER) {
            return NamespaceId(tempest_rt::entropy::uuid());
        }
        NamespaceId(Uuid::new_v5(&IDS, name.as_bytes()).to_string())
    }

    pub fn state(&self) -> NamespaceState {
        self.description.namespace_info.as_ref().map_or(NamespaceState::Registered, |info| info.state())
    }
}

/// A read-through cache: what it has may be old, what it lacks it reads. Namespaces are never renamed, so an old entry
/// names the right id. What was read before the database failed over counts no more, but is not forgotten until it is found
/// again: if the failover lost it, it is written anew.
pub struct Registry {
    store: Arc<dyn Store>,
    namespaces_max: usize,
    cached: Mutex<Cached>,
}

type ByName = BTreeMap<String, Arc<Namespace>>;

#[derive(Default)]
struct Cached {
    /// Of the database, when the first of `by_name` was read.
    timeline: Timeline,
    by_name: ByName,
    /// What was there on timelines before, and has not been found on this one.
    before: ByName,
}

impl Registry {
    pub fn new(store: Arc<dyn Store>, namespaces_max: usize) -> Self {
        Self { store, namespaces_max, cached: Mutex::default() }
    }

    /// # Errors
    /// `NamespaceNotFound`, or the store's.
    pub async fn by_name(&self, name: &str) -> ServiceResult<Arc<Namespace>> {
        let cached = self.cached().by_name.get(name).cloned();
        match cached {
            Some(namespace) => Ok(namespace),
            None => self.read().await?.remove(name).ok_or_else(|| ServiceError::NamespaceNotFound(name.to_owned())),
        }
    }

    /// # Errors
    /// `NamespaceNotFound`, or the store's.
    pub async fn by_id(&self, id: &str) -> ServiceResult<Arc<Namespace>> {
        let cached = of_id(&self.cached().by_name, id);
        match cached {
            Some(namespace) => Ok(namespace),
            None => of_id(&self.read().await?, id).ok_or_else(|| ServiceError::NamespaceNotFound(id.to_owned())),
        }
    }

    /// All of them by name, as they are in the store now.
    ///
    /// # Errors
    /// The store's.
    pub async fn all(&self) -> ServiceResult<Vec<Arc<Namespace>>> {
        Ok(self.read().await?.into_values().collect())
    }

    /// The namespace of this name as it was before the database failed over, if it has not been found since.
    pub fn before_failover(&self, name: &str) -> Option<Arc<Namespace>> {
        self.cached().before.get(name).cloned()
    }

    /// Names of all that were there before the database failed over, and have not been found since.
    pub fn missing(&self) -> Vec<String> {
        self.cached().before.keys().cloned().collect()
    }

    /// Writes a namespace: version 1 creates it, a higher one replaces the version before.
    ///
    /// # Errors
    /// `Conflict` of the store becomes `NamespaceAlreadyExists` (version 1) or `Unavailable` (another caller was
    /// faster).
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
        let (name, timeline) = (namespace.name.clone(), self.timeline());
        match self.store.put_namespace(record).await {
            Ok(()) => {}
            Err(StoreError::Conflict(_)) if namespace.version == 1 => {
                let text = format!("Namespace {name:?} already exists");
                return Err(ServiceError::NamespaceAlreadyExists(text));
            }
            Err(StoreError::Conflict(reason)) => return Err(ServiceError::Unavailable(reason)),
            Err(error) => return Err(store_error(error)),
        }
        let mut cached = self.cached();
        if cached.timeline == timeline {
            cached.found(Arc::new(namespace));
        }
        Ok(())
    }

    async fn read(&self) -> ServiceResult<ByName> {
        let timeline = self.timeline();
        let records = self.store.namespaces().await.map_err(store_error)?;
        let mut fresh = Vec::new();
        for record in records {
            let description = DescribeNamespaceResponse::decode(&record.description[..]).map_err(|error| {
                ServiceError::DataLoss(format!("namespace {} cannot be read: {error}", record.name))
            })?;
            fresh.push(Namespace { id: record.id, name: record.name, version: record.version, description });
        }
        let mut cached = self.cached();
        if cached.timeline != timeline {
            return Err(ServiceError::Unavailable("the database failed over while namespaces were read".into()));
        }
        fresh.into_iter().for_each(|namespace| cached.found(Arc::new(namespace)));
        Ok(cached.by_name.clone())
    }

    fn timeline(&self) -> Timeline {
        if tempest_rt::planted!(crate::plants::LOST_NAMESPACE_COMES_BACK_AS_ANOTHER) {
            return Timeline::default();
        }
        *self.store.timeline().borrow()
    }

    fn cached(&self) -> MutexGuard<'_, Cached> {
        let mut cached = self.cached.lock().expect("no holder of this lock panics");
        let timeline = self.timeline();
        if cached.timeline < timeline {
            tempest_rt::probe!("frontend-namespaces-read-anew");
            let before = std::mem::take(&mut cached.by_name);
            cached.before.extend(before);
            cached.timeline = timeline;
        }
        cached
    }
}

impl Cached {
    fn found(&mut self, namespace: Arc<Namespace>) {
        self.before.remove(&namespace.name);
        // A write of ours may have been faster than a read.
        if self.by_name.get(&namespace.name).is_none_or(|known| known.version < namespace.version) {
            self.by_name.insert(namespace.name.clone(), namespace);
        }
    }
}

fn of_id(namespaces: &ByName, id: &str) -> Option<Arc<Namespace>> {
    namespaces.values().find(|namespace| namespace.id.as_str() == id).cloned()
}

/// A store's error, as a caller sees it.
fn store_error(error: StoreError) -> ServiceError {
    let message = error.to_string();
    match error {
        StoreError::OutcomeUnknown(_) => ServiceError::OutcomeUnknown(message),
        StoreError::Corrupt(_) => ServiceError::DataLoss(message),
        StoreError::Unavailable(_)
        | StoreError::OwnershipLost { .. }
        | StoreError::Conflict(_)
        | StoreError::Incompatible(_) => ServiceError::Unavailable(message),
    }
}
