//! What an error from the database means for a transaction that was not yet asked to commit, and how to say it.
use crate::target::Target;
use std::error::Error as _;
use tempest_store::StoreError;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

/// Why certainly nothing of a transaction is stored, by what can be done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Two transactions got into each other's way, or the connection was lost: the same once more may succeed.
    Again(String),
    /// Something in the batch is at fault: alone, the others may succeed.
    Guilty(Guilt, String),
    /// Nothing can be written now.
    Unavailable(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guilt {
    /// A row was there already, or had changed since it was read.
    Taken,
    /// Another transaction holds a row's lock.
    Locked,
    /// It must not share a transaction with what is before it in the batch.
    Apart,
    /// The database does not take it, whatever the others do.
    Refused,
}

impl Trouble {
    pub fn of(error: &Error) -> Self {
        let why = describe(error);
        let Some(code) = error.code() else {
            // Whatever befell the connection, those who wait for an answer learn only that it is closed.
            return if error.is_closed() { Self::Again(why) } else { Self::Guilty(Guilt::Refused, why) };
        };
        match code {
            &SqlState::UNIQUE_VIOLATION => Self::Guilty(Guilt::Taken, why),
            &SqlState::LOCK_NOT_AVAILABLE => Self::Guilty(Guilt::Locked, why),
            &SqlState::READ_ONLY_SQL_TRANSACTION => Self::Unavailable(read_only()),
            // The session was ended, by an operator or because this process had been stopped for too long.
            &SqlState::ADMIN_SHUTDOWN | &SqlState::CRASH_SHUTDOWN | &SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => {
                Self::Again(why)
            }
            _ => match class_of(code) {
                // Serialization failures and deadlocks.
                "40" => Self::Again(why),
                // Cardinality, data, constraints, limits.
                "21" | "22" | "23" | "54" => Self::Guilty(Guilt::Refused, why),
                _ => Self::Unavailable(why),
            },
        }
    }
}

impl Guilt {
    /// What the guilty request is told when it failed alone, too.
    pub fn error(self, why: String) -> StoreError {
        match self {
            Self::Taken => StoreError::Conflict(why),
            Self::Locked | Self::Apart | Self::Refused => StoreError::Unavailable(why),
        }
    }
}

/// Whether an error in answer to COMMIT says for certain that nothing was committed. The rest, above all a connection
/// that ends, says nothing.
pub fn refuses_commit(error: &Error) -> bool {
    error.code().is_some_and(|code| {
        // "Statement completion unknown" is what distributed engines answer when they do not know either. Of class 25 only what
        // is found before anything is committed: a timeout of the whole transaction may come after that.
        *code != SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN && matches!(class_of(code), "23" | "40")
            || matches!(
                *code,
                SqlState::IN_FAILED_SQL_TRANSACTION
                    | SqlState::READ_ONLY_SQL_TRANSACTION
                    | SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
            )
    })
}

/// The two characters that group SQL states.
fn class_of(code: &SqlState) -> &str {
    code.code().get(..2).unwrap_or_default()
}

/// The error with its causes, in one line. It holds no password: neither the driver nor the server quote one.
pub fn describe(error: &Error) -> String {
    if let Some(database_error) = error.as_db_error() {
        let detail = database_error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
        return format!("{}{detail} (SQL state {})", database_error.message(), database_error.code().code());
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

pub fn read_only() -> String {
    "PostgreSQL takes no writes here: it is a standby, or default_transaction_read_only is on. Connect to the primary, or \
     turn that setting off for this user and database"
        .to_owned()
}

/// What a person is told who could not connect: what, why, what to do.
pub fn cannot_connect(target: &Target, error: &Error) -> StoreError {
    let Target { shown, user, database, .. } = target;
    let Some(code) = error.code() else {
        let text = describe(error);
        return if text.contains("TLS") {
            StoreError::Incompatible(format!(
                "cannot connect to PostgreSQL at {shown}: it wants TLS, which this tempest does not speak yet: use \
                 sslmode=prefer or disable in the address ({text})"
            ))
        } else if text.contains("password missing") {
            StoreError::Incompatible(format!(
                "PostgreSQL at {shown} asks for a password, and the address has none: write it as \
                 postgres://user:password@host:5432/database"
            ))
        } else {
            StoreError::Unavailable(format!(
                "cannot reach PostgreSQL at {shown}: start it, or correct host and port ({text})"
            ))
        };
    };
    let text = describe(error);
    match code {
        &SqlState::INVALID_PASSWORD | &SqlState::INVALID_AUTHORIZATION_SPECIFICATION => StoreError::Incompatible(
            format!("PostgreSQL at {shown} refused user {user:?}: correct user and password, or pg_hba.conf ({text})"),
        ),
        &SqlState::INVALID_CATALOG_NAME => StoreError::Incompatible(format!(
            "PostgreSQL at {shown} has no database {database:?}: create it (createdb {database}), or correct the \
             address ({text})"
        )),
        &SqlState::INSUFFICIENT_PRIVILEGE => StoreError::Incompatible(format!(
            "PostgreSQL at {shown} lets user {user:?} not do this: grant it, or connect as another user ({text})"
        )),
        &SqlState::TOO_MANY_CONNECTIONS => StoreError::Unavailable(format!(
            "PostgreSQL at {shown} has no connection left: raise max_connections, or lower lanes and \
             reads_concurrent_max ({text})"
        )),
        &SqlState::CANNOT_CONNECT_NOW => {
            StoreError::Unavailable(format!("PostgreSQL at {shown} is not ready: try again shortly ({text})"))
        }
        _ => StoreError::Unavailable(format!("PostgreSQL at {shown} turned the connection away: {text}")),
    }
}
