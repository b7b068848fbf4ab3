//! One database as the store sees it: how to connect, what every session is told first, and how to name it to people.
use crate::config::PostgresConfig;
use std::fmt::Write as _;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};
use tempest_rt::time::{Duration, Instant};
use tempest_store::{StoreError, Timeline};
use tokio::sync::watch;
use tokio_postgres::config::Host;

/// How often a silent connection is probed, and how many probes may go unanswered.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(2);
const KEEPALIVE_RETRIES: u32 = 3;
/// How often the database looks whether the client of a running statement is still there.
const CLIENT_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// That no connection can be made is said in the log at most once in so long.
const TOLD_INTERVAL: Duration = Duration::from_secs(5);

pub struct Target {
    pub config: PostgresConfig,
    /// One for each host of the address, in its order.
    pub drivers: Vec<tokio_postgres::Config>,
    /// `user@host:port/database`: never the password.
    pub shown: String,
    pub user: String,
    pub database: String,
    /// The schema's name as SQL wants it.
    pub schema_quoted: String,
    /// Sent first on every connection.
    pub session_settings: String,
    /// The newest that a connection was opened on.
    pub timeline: watch::Sender<Timeline>,
    /// Whether every host was asked once which timeline it is on: until then the first primary may be a deposed one. One
    /// that did not answer counts as asked: [`crate::lookout`] asks it again, and no call waits for that.
    pub looked_at_all: AtomicBool,
    /// When it was said last that no connection could be made.
    told_at: Mutex<Option<Instant>>,
}

impl Target {
    /// Connections of older timelines are not used any more.
    pub fn hear_of(&self, timeline: Timeline) {
        self.timeline.send_if_modified(|newest| timeline > std::mem::replace(newest, timeline.max(*newest)));
    }

    /// What callers hear when no connection can be made. Where the database is, and as whom, is for the log alone.
    pub fn out_of_reach(&self, error: &StoreError) -> String {
        let mut told_at = self.told_at.lock().unwrap_or_else(PoisonError::into_inner);
        if told_at.is_none_or(|told_at| told_at.elapsed() >= TOLD_INTERVAL) {
            *told_at = Some(Instant::now());
            tracing::warn!(%error, "no connection to the database");
        }
        let text = match error {
            StoreError::Unavailable(text) | StoreError::Incompatible(text) => text.clone(),
            other => other.to_string(),
        };
        text.replace(&format!(" at {}", self.shown), "").replace(&self.shown, "it")
    }

    /// Whether a connection that was opened on this timeline may be used.
    pub fn is_newest(&self, timeline: Timeline) -> bool {
        timeline >= *self.timeline.borrow()
    }

    /// # Errors
    /// `Incompatible` if the address cannot be read or a limit is out of range.
    pub fn new(config: PostgresConfig) -> Result<Self, StoreError> {
        let config = config.validated()?;
        // The driver would take what follows the first one for the host, and that is told to people.
        let authority = config.url.split_once("://").and_then(|(_, rest)| rest.split(['/', '?']).next());
        if authority.is_some_and(|authority| authority.matches('@').count() > 1) {
            return Err(StoreError::Incompatible(
                "the PostgreSQL address has more than one @: write an @ in a user's name or a password as %40".into(),
            ));
        }
        // The parser's own words may quote a part of a password.
        let mut driver: tokio_postgres::Config = config.url.parse().map_err(|_| unreadable())?;
        if driver.get_hosts().is_empty() && driver.get_hostaddrs().is_empty() {
            return Err(StoreError::Incompatible(
                "the PostgreSQL address names no host: write it as postgres://user:password@host:5432/database".into(),
            ));
        }
        let Some(user) = driver.get_user().map(ToOwned::to_owned) else {
            return Err(StoreError::Incompatible(
                "the PostgreSQL address names no user: write it as postgres://user:password@host:5432/database".into(),
            ));
        };
        driver
            .connect_timeout(config.connect_timeout)
            .tcp_user_timeout(config.statement_timeout)
            .keepalives(true)
            .keepalives_idle(KEEPALIVE_INTERVAL)
            .keepalives_interval(KEEPALIVE_INTERVAL)
            .keepalives_retries(KEEPALIVE_RETRIES);
        if driver.get_application_name().is_none() {
            driver.application_name("tempest");
        }
        let database = driver.get_dbname().unwrap_or(&user).to_owned();
        let shown = format!("{user}@{}/{database}", hosts(&driver));
        let schema_quoted = quoted(&config.schema);
        let session_settings = session_settings(&config, &schema_quoted);
        Ok(Self {
            config,
            drivers: one_for_each_host(&driver),
            shown,
            user,
            database,
            schema_quoted,
            session_settings,
            timeline: watch::Sender::default(),
            looked_at_all: AtomicBool::new(false),
            told_at: Mutex::default(),
        })
    }

    /// How long to wait for the answers to one round trip: the database has its own timeout for each statement, so that
    /// this one speaks only when the connection is dead.
    pub fn answer_timeout(&self) -> Duration {
        self.config.statement_timeout.saturating_mul(2)
    }
}

/// The driver itself goes on to the next host only if one cannot be reached: not if it is a standby, or a primary that was
/// deposed and does not know.
fn one_for_each_host(all: &tokio_postgres::Config) -> Vec<tokio_postgres::Config> {
    let hosts = all.get_hosts().len().max(all.get_hostaddrs().len());
    let of = |index: usize| {
        let mut one = tokio_postgres::Config::new();
        if let Some(host) = all.get_hosts().get(index) {
            match host {
                Host::Tcp(name) => one.host(name),
                #[cfg(unix)]
                Host::Unix(path) => one.host_path(path),
            };
        }
        if let Some(address) = all.get_hostaddrs().get(index) {
            one.hostaddr(*address);
        }
        if let Some(port) = all.get_ports().get(index).or(all.get_ports().first()) {
            one.port(*port);
        }
        if let Some(user) = all.get_user() {
            one.user(user);
        }
        if let Some(password) = all.get_password() {
            one.password(password);
        }
        if let Some(database) = all.get_dbname() {
            one.dbname(database);
        }
        if let Some(options) = all.get_options() {
            one.options(options);
        }
        if let Some(name) = all.get_application_name() {
            one.application_name(name);
        }
        one.ssl_mode(all.get_ssl_mode()).channel_binding(all.get_channel_binding());
        if let Some(timeout) = all.get_connect_timeout() {
            one.connect_timeout(*timeout);
        }
        if let Some(timeout) = all.get_tcp_user_timeout() {
            one.tcp_user_timeout(*timeout);
        }
        one.keepalives(all.get_keepalives()).keepalives_idle(all.get_keepalives_idle());
        if let Some(interval) = all.get_keepalives_interval() {
            one.keepalives_interval(interval);
        }
        if let Some(retries) = all.get_keepalives_retries() {
            one.keepalives_retries(retries);
        }
        one
    };
    (0..hosts).map(of).collect()
}

fn unreadable() -> StoreError {
    StoreError::Incompatible(
        "the PostgreSQL address cannot be read: write it as postgres://user:password@host:5432/database, special \
         characters of the password percent-encoded; an sslmode can be disable or prefer, since tempest does not speak TLS yet"
            .into(),
    )
}

/// Host and port of each, for people.
pub fn hosts(driver: &tokio_postgres::Config) -> String {
    const DEFAULT_PORT: u16 = 5432;
    let ports = driver.get_ports();
    let named = driver.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    });
    let numbered = driver.get_hostaddrs().iter().map(ToString::to_string);
    let hosts: Vec<String> = if driver.get_hosts().is_empty() { numbered.collect() } else { named.collect() };
    let with_port = |(index, host): (usize, &String)| {
        let port = ports.get(index).or(ports.first()).copied().unwrap_or(DEFAULT_PORT);
        format!("{host}:{port}")
    };
    hosts.iter().enumerate().map(with_port).collect::<Vec<_>>().join(",")
}

fn session_settings(config: &PostgresConfig, schema_quoted: &str) -> String {
    let milliseconds = |duration: Duration| duration.as_millis().to_string();
    let seconds = |duration: Duration| duration.as_secs().max(1).to_string();
    let settings = [
        ("search_path", schema_quoted.to_owned()),
        // COMMIT is answered when it is flushed, on the synchronous standbys too. Whatever the server's default is.
        ("synchronous_commit", "on".to_owned()),
        // Each statement after the locking ones must see what the locks protect.
        ("default_transaction_isolation", "'read committed'".to_owned()),
        // The warning that a commit was not replicated must get through.
        ("client_min_messages", "warning".to_owned()),
        ("statement_timeout", milliseconds(config.statement_timeout)),
        ("lock_timeout", milliseconds(config.lock_timeout)),
        ("idle_in_transaction_session_timeout", milliseconds(config.idle_transaction_timeout)),
        ("tcp_keepalives_idle", seconds(KEEPALIVE_INTERVAL)),
        ("tcp_keepalives_interval", seconds(KEEPALIVE_INTERVAL)),
        ("tcp_keepalives_count", KEEPALIVE_RETRIES.to_string()),
        ("tcp_user_timeout", milliseconds(config.statement_timeout)),
        ("client_connection_check_interval", milliseconds(CLIENT_CHECK_INTERVAL)),
        // Every statement goes by primary keys it is given. Planning anew gains nothing, and statistics that are
        // missing or stale must not make it read a whole table.
        ("plan_cache_mode", "force_generic_plan".to_owned()),
        ("enable_seqscan", "off".to_owned()),
        ("enable_hashjoin", "off".to_owned()),
        ("enable_mergejoin", "off".to_owned()),
        ("jit", "off".to_owned()),
    ];
    let mut sql = String::new();
    for (name, value) in settings {
        write!(sql, "SET {name} = {value};").expect("a string takes everything");
    }
    sql
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_shown_without_the_password() {
        let shown = |url: &str| Target::new(PostgresConfig::new(url)).map(|target| target.shown);
        assert_eq!(shown("postgres://me:secret@db:5433/orders").unwrap(), "me@db:5433/orders");
        assert_eq!(shown("host=a,b user=me password=secret").unwrap(), "me@a:5432,b:5432/me");
        for (url, expect) in [
            ("postgres://me:secret@db:port/orders", "cannot be read"),
            ("postgres:///orders?user=me", "names no host"),
            ("postgres://db/orders", "names no user"),
        ] {
            let error = shown(url).unwrap_err().to_string();
            assert!(error.contains(expect) && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn hosts_are_tried_one_by_one_and_all_alike() {
        let config = PostgresConfig::new("host=a,b port=5432,5433 user=me password=secret dbname=orders");
        let drivers = Target::new(config).unwrap().drivers;
        let of = |driver: &tokio_postgres::Config| (driver.get_hosts().to_vec(), driver.get_ports().to_vec());
        let expected = |host: &str, port| (vec![Host::Tcp(host.to_owned())], vec![port]);
        assert_eq!(drivers.iter().map(of).collect::<Vec<_>>(), [expected("a", 5432), expected("b", 5433)]);
        for driver in &drivers {
            assert_eq!((driver.get_user(), driver.get_dbname()), (Some("me"), Some("orders")));
            assert_eq!(driver.get_password(), Some(&b"secret"[..]));
            assert!(driver.get_connect_timeout().is_some() && driver.get_keepalives());
        }
    }

    #[test]
    fn a_schema_name_stays_a_name() {
        assert_eq!(quoted("my \"own\"; DROP"), "\"my \"\"own\"\"; DROP\"");
    }
}
