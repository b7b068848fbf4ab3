//! One connection: opened, told its settings, checked to be a primary, its statements prepared; and COMMIT. Beside it
//! one that only looks.
use crate::target::Target;
use crate::trouble::{self, Guilt, Trouble, describe};
use futures::future::poll_fn;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, ready};
use tempest_rt::task::TaskGroup;
use tempest_rt::time::{Duration, timeout};
use tempest_store::{StoreError, Timeline};
use tokio::sync::oneshot;
use tokio_postgres::error::Severity;
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, Error, NoTls, SimpleQueryMessage, Statement};

/// pg_xact_status with its present types, client_connection_check_interval.
const SERVER_VERSION_MIN: u32 = 14;
/// How long a connection that is given up may take to say goodbye.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
const CHECK_SESSION: &str = "SELECT (pg_is_in_recovery() OR current_setting('transaction_read_only')::bool)::text, \
                             current_setting('fsync'), \
                             CASE WHEN NOT pg_is_in_recovery() \
                             THEN left(pg_walfile_name(pg_current_wal_lsn()), 8) END";

/// Statements that a connection prepares when it is opened, never later: a preparation in the middle would let the
/// statements of a pipelined round trip overtake each other.
pub trait Prepared: Sized + Send + Sync + 'static {
    fn prepare(client: &Client) -> impl Future<Output = Result<Self, Error>> + Send;
}

/// For what needs plain SQL only.
impl Prepared for () {
    async fn prepare(_: &Client) -> Result<Self, Error> {
        Ok(())
    }
}

pub struct Connection<S> {
    pub client: Client,
    pub statements: S,
    /// A primary stays on one for as long as its connections live.
    pub timeline: Timeline,
    answer_timeout: Duration,
    commit_timeout: Duration,
    /// The last warning the server sent.
    warning: Arc<Mutex<Option<String>>>,
    /// Dropping it ends the task that drives the socket.
    _open: oneshot::Sender<()>,
}

/// What became of a COMMIT.
#[derive(Debug, PartialEq, Eq)]
pub enum CommitEnd {
    Committed,
    Nothing(Trouble),
    Unknown(String),
}

impl<S: Prepared> Connection<S> {
    /// To the primary, which is looked for host by host. The first time all are asked, and the one with the newest timeline
    /// counts: an old primary that was started again believes to be one. Later the first primary will do: a dead host
    /// must not make every connection slow, and [`crate::lookout`] sees to those that were not asked.
    ///
    /// # Errors
    /// For a person: what, why, what to do. Of several hosts, what is more than a host that is not there.
    pub async fn open(target: &Target, tasks: &TaskGroup) -> Result<Self, StoreError> {
        let mut opened: Option<Self> = None;
        let mut errors = Vec::new();
        for driver in &target.drivers {
            match Self::open_within_timeout(target, driver, tasks).await {
                // It would have been refused if it were older than one before it.
                Ok(connection) => opened = Some(connection),
                Err(error) => errors.push(error),
            }
            if opened.is_some() && target.looked_at_all.load(Relaxed) {
                break;
            }
        }
        target.looked_at_all.fetch_or(opened.is_some(), Relaxed);
        opened.ok_or_else(|| {
            let telling = errors.iter().position(|error| !matches!(error, StoreError::Unavailable(_))).unwrap_or(0);
            errors.swap_remove(telling)
        })
    }

    async fn open_within_timeout(
        target: &Target,
        driver: &tokio_postgres::Config,
        tasks: &TaskGroup,
    ) -> Result<Self, StoreError> {
        with_patience(target, Self::open_without_timeout(target, driver, tasks)).await
    }

    async fn open_without_timeout(
        target: &Target,
        driver: &tokio_postgres::Config,
        tasks: &TaskGroup,
    ) -> Result<Self, StoreError> {
        let (client, driver) = connect(target, driver).await?;
        let warning = Arc::new(Mutex::default());
        let (open, closed) = oneshot::channel();
        tasks.spawn(drive(driver, warning.clone(), closed));
        let session = check_session(target, &client, &target.session_settings).await?;
        if !session.fsync {
            tracing::warn!(database = %target.shown, "PostgreSQL runs with fsync=off: a power cut may lose or destroy everything");
        }
        let statements = S::prepare(&client).await.map_err(|error| trouble::cannot_connect(target, &error))?;
        Ok(Self {
            client,
            statements,
            timeline: session.timeline,
            answer_timeout: target.answer_timeout(),
            commit_timeout: target.config.commit_timeout,
            warning,
            _open: open,
        })
    }

    /// Whether something may be asked over it: it is open, and no newer primary is known.
    pub fn is_usable(&self, target: &Target) -> bool {
        !self.client.is_closed() && target.is_newest(self.timeline)
    }

    /// Waits for one round trip before COMMIT. If it takes too long, the connection is of no use any more.
    pub async fn answered<T>(&self, answers: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
        match timeout(self.answer_timeout, answers).await {
            Ok(result) => result,
            Err(_) => Err(Trouble::Unavailable("PostgreSQL did not answer in time".into())),
        }
    }

    /// Commits the open transaction, whose id is `transaction`; `status` is the prepared [`TRANSACTION_STATUS`].
    ///
    /// A server whose transaction had failed answers COMMIT without an error, and rolls back. So it is asked in the same
    /// breath what became of the transaction, and only "committed" counts.
    ///
    /// [`TRANSACTION_STATUS`]: crate::statements::TRANSACTION_STATUS
    pub async fn commit(&self, transaction: &str, status: &Statement) -> CommitEnd {
        if self.client.is_closed() {
            return CommitEnd::Nothing(Trouble::Again("the connection was lost before COMMIT was sent".into()));
        }
        self.take_warning();
        let parameters: [&(dyn ToSql + Sync); 1] = [&transaction];
        let answers =
            async { futures::join!(self.client.batch_execute("COMMIT"), self.client.query_one(status, &parameters)) };
        let (committed, status) = match timeout(self.commit_timeout, answers).await {
            Ok(answers) => answers,
            Err(_) => return CommitEnd::Unknown("PostgreSQL did not answer COMMIT in time".into()),
        };
        match committed {
            Ok(()) => {}
            Err(error) if trouble::refuses_commit(&error) => return CommitEnd::Nothing(Trouble::of(&error)),
            Err(error) => return CommitEnd::Unknown(format!("after COMMIT was sent: {}", describe(&error))),
        }
        let status = match status.and_then(|row| row.try_get::<_, Option<String>>(0)) {
            Ok(status) => status,
            Err(error) => return CommitEnd::Unknown(format!("after COMMIT: {}", describe(&error))),
        };
        // Committed here, but the wait for the synchronous standby was cut short: a failover may lose it.
        if let Some(warning) = self.take_warning() {
            return CommitEnd::Unknown(format!("PostgreSQL warned about COMMIT: {warning}"));
        }
        match status.as_deref() {
            Some("committed") => CommitEnd::Committed,
            Some("aborted") => CommitEnd::Nothing(Trouble::Again("PostgreSQL answered COMMIT by rolling back".into())),
            other => CommitEnd::Unknown(format!("after COMMIT PostgreSQL calls the transaction {other:?}")),
        }
    }

    /// Ends the transaction and says whether the connection can go on.
    pub async fn rollback(&self) -> bool {
        let rolled_back = async { self.client.batch_execute("ROLLBACK").await.map_err(|error| Trouble::of(&error)) };
        !self.client.is_closed() && self.answered(rolled_back).await.is_ok()
    }

    /// The last warning since this was called before.
    pub fn take_warning(&self) -> Option<String> {
        self.warning.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Asks one host whether it is the primary, and of which timeline, over a connection that serves nothing else and is
/// closed at once. A newer timeline is [heard of](Target::hear_of). Logs nothing.
///
/// # Errors
/// For a person: why nothing can be written there.
pub async fn look_at(target: &Target, driver: &tokio_postgres::Config) -> Result<Timeline, StoreError> {
    let look = async {
        let (client, mut driver) = connect(target, driver).await?;
        // What the server warns of, it tells the connections that stay.
        let end = poll_fn(move |context| {
            loop {
                match ready!(driver.poll_message(context)) {
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return Poll::Ready(()),
                }
            }
        });
        let asked = async {
            let session = check_session(target, &client, "").await;
            // The driver says goodbye and ends.
            drop(client);
            session
        };
        let (session, ()) = futures::join!(asked, end);
        session.map(|session| session.timeline)
    };
    with_patience(target, look).await
}

type Driver = tokio_postgres::Connection<tokio_postgres::Socket, tokio_postgres::tls::NoTlsStream>;

async fn connect(target: &Target, driver: &tokio_postgres::Config) -> Result<(Client, Driver), StoreError> {
    let connected = driver.connect(NoTls).await;
    let (client, driver) = connected.map_err(|error| trouble::cannot_connect(target, &error))?;
    check_version(target, driver.parameter("server_version"))?;
    Ok((client, driver))
}

async fn with_patience<T>(
    target: &Target,
    connecting: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let patience = target.config.connect_timeout * 2;
    match timeout(patience, connecting).await {
        Ok(connected) => connected,
        Err(_) => Err(StoreError::Unavailable(format!(
            "PostgreSQL at {} did not answer within {patience:?}: see whether it hangs",
            target.shown
        ))),
    }
}

fn check_version(target: &Target, version: Option<&str>) -> Result<(), StoreError> {
    let version = version.unwrap_or_default();
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    match digits.parse::<u32>() {
        Ok(major) if major >= SERVER_VERSION_MIN => Ok(()),
        _ => Err(StoreError::Incompatible(format!(
            "the server at {} is PostgreSQL {version:?}: tempest needs version {SERVER_VERSION_MIN} or newer",
            target.shown
        ))),
    }
}

/// A session of a primary that is not known to be deposed.
struct Session {
    /// Each promotion of a standby begins another, counted from 1 by PostgreSQL.
    timeline: Timeline,
    fsync: bool,
}

async fn check_session(target: &Target, client: &Client, settings: &str) -> Result<Session, StoreError> {
    let script = format!("{settings}{CHECK_SESSION}");
    let messages = client.simple_query(&script).await.map_err(|error| trouble::cannot_connect(target, &error))?;
    let row = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let setting = |index| row.and_then(|row| row.try_get(index).ok().flatten());
    if setting(0) != Some("false") {
        return Err(StoreError::Unavailable(format!("{} ({})", trouble::read_only(), target.shown)));
    }
    let timeline = setting(2).and_then(|timeline| u32::from_str_radix(timeline, 16).ok()).unwrap_or(1);
    let timeline = Timeline(timeline.saturating_sub(1));
    target.hear_of(timeline);
    if !target.is_newest(timeline) {
        return Err(StoreError::Unavailable(format!(
            "{} was primary before another was promoted: what it is told is lost. Stop it, or let it follow the new one",
            target.shown
        )));
    }
    Ok(Session { timeline, fsync: setting(1) == Some("on") })
}

/// Reads and writes the socket until the connection ends or is given up.
async fn drive(mut driver: Driver, warning: Arc<Mutex<Option<String>>>, closed: oneshot::Receiver<()>) {
    let mut end = poll_fn(move |context| {
        loop {
            match ready!(driver.poll_message(context)) {
                // It is seen here before the answer that follows it reaches the task that waits for that.
                Some(Ok(AsyncMessage::Notice(notice))) => match notice.parsed_severity() {
                    Some(Severity::Debug | Severity::Log | Severity::Info | Severity::Notice) => {}
                    _ => {
                        let text = format!("{} (SQL state {})", notice.message(), notice.code().code());
                        tracing::warn!("PostgreSQL warns: {text}");
                        *warning.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
                    }
                },
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    tracing::debug!("a connection to PostgreSQL ended: {}", describe(&error));
                    return Poll::Ready(());
                }
                None => return Poll::Ready(()),
            }
        }
    });
    tokio::select! {
        biased;
        () = &mut end => {}
        _ = closed => {
            let _ = timeout(CLOSE_TIMEOUT, end).await;
        }
    }
}

/// A statement that changed fewer rows than it was given found something else than was read.
pub fn all_changed(result: Result<u64, Error>, expected: usize, what: &str) -> Result<(), Trouble> {
    match result {
        Ok(changed) if changed == expected as u64 => Ok(()),
        Ok(_) => Err(Trouble::Guilty(Guilt::Taken, format!("a row of {what} changed after it was read"))),
        Err(error) => Err(Trouble::of(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statements::TRANSACTION_STATUS;
    use crate::testing::TestPostgres;

    #[tokio::test]
    async fn commit_of_a_failed_transaction_is_seen_to_roll_back() {
        let Some(server) = TestPostgres::start(&[]).await else { return };
        let (target, tasks) = (Target::new(server.config("public")).unwrap(), TaskGroup::default());
        let connection = Connection::<()>::open(&target, &tasks).await.unwrap();
        let status = connection.client.prepare(TRANSACTION_STATUS).await.unwrap();
        let write = async |name: &str| -> String {
            connection.client.batch_execute(&format!("BEGIN; CREATE TABLE {name} ()")).await.unwrap();
            let row = connection.client.query_one("SELECT pg_current_xact_id()::text", &[]).await.unwrap();
            row.get(0)
        };
        let good = write("good").await;
        assert_eq!(connection.commit(&good, &status).await, CommitEnd::Committed);
        let failed = write("failed").await;
        connection.client.batch_execute("SELECT 1/0").await.unwrap_err();
        // The driver sees no error here: the server answers ROLLBACK where COMMIT was expected.
        assert!(connection.client.batch_execute("SAVEPOINT x").await.is_err(), "the transaction is a failed one");
        let end = connection.commit(&failed, &status).await;
        assert_eq!(end, CommitEnd::Nothing(Trouble::Again("PostgreSQL answered COMMIT by rolling back".into())));
        let found = connection.client.query("SELECT to_regclass('failed') IS NULL", &[]).await.unwrap();
        assert!(found[0].get::<_, bool>(0));
    }
}
