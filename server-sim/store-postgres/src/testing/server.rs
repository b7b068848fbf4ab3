//! A PostgreSQL server of a test's own: data in a temporary directory, a free port on 127.0.0.1, passwords required.
use super::binaries::Binaries;
use crate::PostgresConfig;
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempest_rt::time::{Duration, sleep};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

/// A superuser of the test's server.
pub const USER: &str = "tempest";
pub const PASSWORD: &str = "sesame & open";
const PASSWORD_ENCODED: &str = "sesame%20%26%20open";
const DATABASE: &str = "postgres";

/// Connecting is tried this often before a server counts as not started.
const CONNECT_TRIES: u32 = 1500;
const CONNECT_PAUSE: Duration = Duration::from_millis(20);
/// A free port may be taken by another process before PostgreSQL binds it; and killed processes take a while to let go
/// of their port and shared memory.
const START_TRIES: u32 = 200;
const START_PAUSE: Duration = Duration::from_millis(50);
/// What fits beside a build on a small machine. fsync stays on: these tests are about durability.
const SETTINGS: &[(&str, &str)] = &[
    ("shared_buffers", "32MB"),
    ("max_connections", "100"),
    ("listen_addresses", "127.0.0.1"),
    ("unix_socket_directories", ""),
    ("fsync", "on"),
    ("max_wal_size", "256MB"),
    ("autovacuum_naptime", "10s"),
    ("logging_collector", "off"),
    // A standby looks for its primary again soon.
    ("wal_retrieve_retry_interval", "100ms"),
];

/// Dropping it kills the server and removes its data.
pub struct TestPostgres {
    binaries: Binaries,
    /// Data, password file and the server's log.
    directory: TempDir,
    settings: Vec<(String, String)>,
    port: u16,
    process: Option<Child>,
}

impl TestPostgres {
    /// A new, empty server that answers. `settings` are added to the command line.
    ///
    /// # Panics
    /// If PostgreSQL is installed but does not start; its log is in the message.
    pub async fn start(settings: &[(&str, &str)]) -> Option<Self> {
        let mut server = Self::prepare(Binaries::find()?, settings);
        let password_file = server.directory.path().join("password");
        std::fs::write(&password_file, PASSWORD).expect("the directory is ours");
        server.binaries.give(&password_file).expect("a process that may change users may give files away");
        let mut initdb = server.binaries.command("initdb");
        initdb.args(["--no-sync", "--encoding=UTF8", "--locale=C", "--auth=scram-sha-256", "--username", USER]);
        initdb.arg("--pgdata").arg(server.data()).arg("--pwfile").arg(&password_file);
        run(initdb);
        server.start_again().await;
        Some(server)
    }

    /// A standby that follows this server by streaming.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn standby(&self) -> Self {
        let mut standby = Self::prepare(self.binaries.clone(), &[]);
        let mut backup = self.binaries.command("pg_basebackup");
        backup.args(["--no-sync", "--checkpoint=fast", "--write-recovery-conf", "--wal-method=stream"]);
        backup.args(["--host", "127.0.0.1", "--port", &self.port.to_string(), "--username", USER]);
        backup.arg("--pgdata").arg(standby.data()).env("PGPASSWORD", PASSWORD);
        run(backup);
        standby.start_again().await;
        standby
    }

    fn prepare(binaries: Binaries, settings: &[(&str, &str)]) -> Self {
        let directory = tempfile::Builder::new().prefix("tempest-postgres-").tempdir().expect("/tmp is writable");
        binaries.give(directory.path()).expect("a process that may change users may give files away");
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let settings = SETTINGS.iter().chain(settings).map(owned).collect();
        Self { binaries, directory, settings, port: 0, process: None }
    }

    /// Changes a setting from the next start on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    /// Starts the server after [`TestPostgres::kill`], under its old port, and waits until it answers.
    ///
    /// # Panics
    /// If it does not; its log is in the message.
    pub async fn start_again(&mut self) {
        let port_is_known = self.port != 0;
        for _ in 0..START_TRIES {
            if !port_is_known {
                self.port = free_port();
            }
            self.spawn();
            if self.answers().await {
                return;
            }
            self.kill();
            let log = self.read_log();
            if !log.contains("could not bind") && !log.contains("is still in use") {
                break;
            }
            sleep(START_PAUSE).await;
        }
        panic!("PostgreSQL does not start:\n{}", self.read_log());
    }

    fn spawn(&mut self) {
        let log = std::fs::File::create(self.log()).expect("the directory is ours");
        let mut postgres = self.binaries.command("postgres");
        postgres.arg("-D").arg(self.data()).args(["-p", &self.port.to_string()]);
        for (name, value) in &self.settings {
            postgres.arg("-c").arg(format!("{name}={value}"));
        }
        postgres.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.process = Some(postgres.spawn().expect("postgres is there and may be run"));
    }

    /// Ends every process of the server at once, as a crash of the machine would; what was fsynced stays.
    pub fn kill(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        let signal = |id: u32, signal| {
            if let Some(id) = i32::try_from(id).ok().and_then(Pid::from_raw) {
                // It may have ended by itself.
                let _ = kill_process(id, signal);
            }
        };
        // Stopped, it starts no more children while they are counted.
        signal(process.id(), Signal::STOP);
        for id in children_of(process.id()).into_iter().chain([process.id()]) {
            signal(id, Signal::KILL);
        }
        let _ = process.wait();
    }

    /// Whether this very server answers a query within the bound.
    async fn answers(&mut self) -> bool {
        for _ in 0..CONNECT_TRIES {
            let ended = self.process.as_mut().is_none_or(|process| !matches!(process.try_wait(), Ok(None)));
            if ended {
                return false;
            }
            if let Ok((client, connection)) = tokio_postgres::connect(&self.url(), NoTls).await {
                tempest_rt::task::spawn(connection);
                // Another server may have taken the port.
                let row = client.query_one("SHOW data_directory", &[]).await;
                if row.is_ok_and(|row| Path::new(row.get::<_, &str>(0)) == self.data()) {
                    return true;
                }
            }
            sleep(CONNECT_PAUSE).await;
        }
        false
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// As the superuser, with the password.
    pub fn url(&self) -> String {
        self.url_by(self.port)
    }

    /// The same through another port, say a [`super::Proxy`]'s.
    pub fn url_by(&self, port: u16) -> String {
        format!("postgres://{USER}:{PASSWORD_ENCODED}@127.0.0.1:{port}/{DATABASE}")
    }

    /// The defaults for this server, in a schema of that name.
    pub fn config(&self, schema: &str) -> PostgresConfig {
        PostgresConfig { schema: schema.to_owned(), ..PostgresConfig::new(self.url()) }
    }

    /// A connection beside any store's, for looking and for injecting faults.
    ///
    /// # Panics
    /// If the server does not answer.
    pub async fn client(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.url(), NoTls).await.expect("the server answers");
        tempest_rt::task::spawn(connection);
        client
    }

    /// Runs statements.
    ///
    /// # Panics
    /// If one fails.
    pub async fn execute(&self, sql: &str) {
        if let Err(error) = self.client().await.batch_execute(sql).await {
            panic!("{sql}: {error:?}");
        }
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    fn read_log(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }
}

impl Drop for TestPostgres {
    fn drop(&mut self) {
        self.kill();
    }
}

/// # Panics
/// If the program fails; what it printed is in the message.
fn run(mut command: Command) {
    let output = command.output().expect("PostgreSQL's programs may be run");
    assert!(output.status.success(), "{command:?}:\n{}", String::from_utf8_lossy(&output.stderr));
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("some port is free");
    listener.local_addr().expect("it is bound").port()
}

/// PostgreSQL puts each of its processes into a session of its own, so no signal to a group reaches them all.
fn children_of(parent: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    processes
        .filter_map(|entry| {
            let id = entry.file_name().to_str()?.parse().ok()?;
            (parent_of(&entry.path())? == parent).then_some(id)
        })
        .collect()
}

fn parent_of(process: &Path) -> Option<u32> {
    let status = std::fs::read_to_string(process.join(OsStr::new("stat"))).ok()?;
    // The name, in parentheses, may hold anything; state and parent follow it.
    status.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}
