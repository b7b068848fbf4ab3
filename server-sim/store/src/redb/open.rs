//! Creating and opening the database file, and saying clearly why it cannot be.
//!
//! A file is created under a temporary name and renamed once it is complete and durable: whatever crash there is, under
//! the real name there is either nothing or a database that opens.
use crate::StoreError;
use crate::file_system::{BoxedFile, FileSystem};
use crate::redb::config::RedbConfig;
use crate::redb::tables::{self, META, META_FORMAT};
use crate::values::FORMAT_VERSION;
use redb::{Database, DatabaseError, ReadableDatabase, StorageBackend, StorageError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Appended to the name while a file is being created. What a crash leaves there is overwritten by the next attempt.
const CREATING_SUFFIX: &str = ".creating";

/// Where a database lives.
#[derive(Clone, Debug)]
pub enum Source {
    Memory,
    File { file_system: Arc<dyn FileSystem>, path: PathBuf },
}

impl Source {
    /// Opens the database, creating it if there is none. Blocks.
    ///
    /// # Errors
    /// `Unavailable` (in use, no permission, no space), `Incompatible` or `Corrupt`, each naming the file and what to do.
    pub fn open(&self, config: &RedbConfig) -> Result<Database, StoreError> {
        match self {
            Source::Memory => {
                let backend = redb::backends::InMemoryBackend::new();
                create_in(Box::new(backend), config).map_err(|error| trouble(Path::new("in memory"), error))
            }
            // A damaged file can make redb panic where it expected its own structures: that is damage, not our end.
            Source::File { file_system, path } => {
                let opened = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    open_file(file_system.as_ref(), path, config)
                }));
                opened.unwrap_or_else(|_| Err(damaged(path, "its structure is broken")))
            }
        }
    }
}

fn open_file(file_system: &dyn FileSystem, path: &Path, config: &RedbConfig) -> Result<Database, StoreError> {
    let explain = |error: io::Error| trouble(path, error.into());
    let file = match file_system.open(path) {
        Ok(file) if file.len().map_err(explain)? > 0 => file,
        // An empty file is taken as an invitation; creation renames over it.
        Ok(empty) => {
            drop(empty);
            return create_file(file_system, path, config);
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return create_file(file_system, path, config),
        Err(error) => return Err(explain(error)),
    };
    open_existing(file_system, path, file, config)
}

fn open_existing(
    file_system: &dyn FileSystem,
    path: &Path,
    file: Box<dyn StorageBackend>,
    config: &RedbConfig,
) -> Result<Database, StoreError> {
    // What a process wrote before it was killed may not be durable yet, and recovery would build on it.
    file.sync_data().map_err(|error| trouble(path, error.into()))?;
    let database = builder(config).create_with_backend(BoxedFile(file)).map_err(|error| trouble(path, error))?;
    check_format(&database, path)?;
    // The process that created the file may have died between its rename and this.
    file_system.sync_directory(directory_of(path)).map_err(|error| trouble(path, error.into()))?;
    Ok(database)
}

fn create_file(file_system: &dyn FileSystem, path: &Path, config: &RedbConfig) -> Result<Database, StoreError> {
    let explain = |error: io::Error| trouble(path, error.into());
    let temporary = temporary_name(path);
    let file = file_system.open_or_create(&temporary).map_err(explain)?;
    // Another process may have finished creating it between our look and our lock, and this may be its very file.
    if let Ok(existing) = file_system.open(path)
        && existing.len().map_err(explain)? > 0
    {
        drop(file);
        return open_existing(file_system, path, existing, config);
    }
    file.set_len(0).map_err(explain)?;
    let database = create_in(file, config).map_err(|error| trouble(path, error))?;
    file_system.rename(&temporary, path).map_err(explain)?;
    file_system.sync_directory(directory_of(path)).map_err(explain)?;
    tracing::info!(path = %path.display(), "created the database");
    Ok(database)
}

/// An empty database with all tables and its format version, durable in `file`.
fn create_in(file: Box<dyn StorageBackend>, config: &RedbConfig) -> Result<Database, DatabaseError> {
    fn storage(error: impl Into<redb::Error>) -> DatabaseError {
        match error.into() {
            redb::Error::Io(error) => DatabaseError::Storage(StorageError::Io(error)),
            other => DatabaseError::Storage(StorageError::Corrupted(other.to_string())),
        }
    }
    let database = builder(config).create_with_backend(BoxedFile(file))?;
    let transaction = database.begin_write().map_err(storage)?;
    {
        tables::create_all(&transaction).map_err(storage)?;
        let mut meta = transaction.open_table(META).map_err(storage)?;
        meta.insert(META_FORMAT, FORMAT_VERSION.to_be_bytes().as_slice()).map_err(storage)?;
    }
    transaction.commit().map_err(storage)?;
    Ok(database)
}

fn builder(config: &RedbConfig) -> redb::Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(config.cache_bytes);
    builder
}

fn check_format(database: &Database, path: &Path) -> Result<(), StoreError> {
    let found = read_format(database).map_err(|error| match error {
        redb::Error::TableDoesNotExist(_) | redb::Error::TableTypeMismatch { .. } => StoreError::Incompatible(format!(
            "{} is a redb database, but not one of tempest's: choose another file",
            path.display()
        )),
        other => damaged(path, &other.to_string()),
    })?;
    match found {
        Some(FORMAT_VERSION) => Ok(()),
        Some(other) => Err(StoreError::Incompatible(format!(
            "{} has schema version {other}, this tempest reads version {FORMAT_VERSION}: open it with the tempest that \
             wrote it, or start with a new file",
            path.display()
        ))),
        None => Err(damaged(path, "it has no schema version")),
    }
}

fn read_format(database: &Database) -> Result<Option<u32>, redb::Error> {
    let table = database.begin_read()?.open_table(META)?;
    let value = table.get(META_FORMAT)?;
    Ok(value.and_then(|value| value.value().try_into().ok()).map(u32::from_be_bytes))
}

fn trouble(path: &Path, error: DatabaseError) -> StoreError {
    let path_shown = path.display();
    match error {
        DatabaseError::Storage(StorageError::Io(error)) => match error.kind() {
            io::ErrorKind::ResourceBusy => in_use(path),
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => damaged(path, &error.to_string()),
            kind if is_no_room(kind) => {
                StoreError::Unavailable(format!("the disk of {path_shown} is full: make room and start again"))
            }
            io::ErrorKind::NotFound => {
                StoreError::Unavailable(format!("the directory of {path_shown} does not exist: create it first"))
            }
            _ => StoreError::Unavailable(format!("cannot open {path_shown}: {error}")),
        },
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => in_use(path),
        DatabaseError::Storage(StorageError::Corrupted(what)) => damaged(path, &what),
        DatabaseError::UpgradeRequired(version) => StoreError::Incompatible(format!(
            "{path_shown} has the older redb file format {version}: open it with the tempest that wrote it"
        )),
        other => StoreError::Unavailable(format!("cannot open {path_shown}: {other}")),
    }
}

/// The file may not grow: the disk is full, or a quota or the process's own limit is reached.
pub fn is_no_room(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
}

fn in_use(path: &Path) -> StoreError {
    StoreError::Unavailable(format!(
        "{} is in use by another process: stop that one, or choose another file",
        path.display()
    ))
}

fn damaged(path: &Path, what: &str) -> StoreError {
    StoreError::Corrupt(format!(
        "{} is not a tempest database, or is damaged ({what}): restore it from a backup, or choose another file",
        path.display()
    ))
}

fn temporary_name(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(CREATING_SUFFIX);
    name.into()
}

/// The directory whose entry the file is; the current one for a bare name.
fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
