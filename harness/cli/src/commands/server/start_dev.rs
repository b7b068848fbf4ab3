//! `tempest server start-dev`: takes the flags of `temporal server start-dev`, so that whatever starts Temporal's
//! development server can start this one instead.
use super::logging::{LogFormat, LogLevel};
use super::serving::{self, Database, Serving};
use anyhow::bail;
use clap::Args;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use tempest_server::NodeConfig;

/// A database keeps the shard count it was created with, so this never changes.
const SHARDS: u32 = 16;

#[derive(Args)]
pub struct StartDev {
    /// Keep everything in this file. Without it nothing outlives the process.
    #[arg(short = 'f', long, value_name = "PATH")]
    db_filename: Option<PathBuf>,

    /// Register this namespace at start, beside `default`. May be given several times.
    #[arg(short = 'n', long = "namespace", value_name = "NAME")]
    namespaces: Vec<String>,

    /// Port of the gRPC frontend.
    #[arg(short, long, default_value_t = 7233)]
    port: u16,

    /// Address that the frontend listens on.
    #[arg(long, default_value = "localhost")]
    ip: String,

    /// Log on standard error from this level up.
    #[arg(long, value_enum, default_value = "warn")]
    log_level: LogLevel,

    /// How log lines look.
    #[arg(long, value_enum, default_value = "text")]
    log_format: LogFormat,

    #[command(flatten)]
    accepted: Accepted,
}

/// Flags of `temporal server start-dev` that have nothing to act on here yet. They are taken, so that scripts work
/// unchanged, and those that a user would miss are named once at start.
#[derive(Args)]
#[command(next_help_heading = "Accepted for compatibility, not implemented yet")]
struct Accepted {
    /// Port of the HTTP API.
    #[arg(long, value_name = "PORT")]
    http_port: Option<u16>,
    /// Port of the metrics endpoint.
    #[arg(long, value_name = "PORT")]
    metrics_port: Option<u16>,
    /// Port of the Web UI.
    #[arg(long, value_name = "PORT")]
    ui_port: Option<u16>,
    /// Address of the Web UI.
    #[arg(long, value_name = "IP")]
    ui_ip: Option<String>,
    /// Path under which the Web UI is published.
    #[arg(long, value_name = "PATH")]
    ui_public_path: Option<String>,
    /// Folder of Web UI assets.
    #[arg(long, value_name = "PATH")]
    ui_asset_path: Option<String>,
    /// Codec endpoint of the Web UI.
    #[arg(long, value_name = "URL")]
    ui_codec_endpoint: Option<String>,
    /// Do without the news in the Web UI.
    #[arg(long)]
    ui_disable_news_fetch: bool,
    /// Do without the Web UI (there is none yet).
    #[arg(long)]
    headless: bool,
    /// SQLite pragma; there is no SQLite here.
    #[arg(long, value_name = "NAME=VALUE")]
    sqlite_pragma: Vec<String>,
    /// Dynamic configuration.
    #[arg(long, value_name = "KEY=VALUE")]
    dynamic_config_value: Vec<String>,
    /// Search attribute to register.
    #[arg(long, value_name = "KEY=TYPE")]
    search_attribute: Vec<String>,
    /// Print the server's configuration.
    #[arg(long)]
    log_config: bool,
    /// Colours of the output.
    #[arg(long, value_name = "WHEN")]
    color: Option<String>,
    /// Output format of other commands.
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<String>,
    /// Time format of other commands.
    #[arg(long, value_name = "FORMAT")]
    time_format: Option<String>,
    /// Payloads of other commands are printed in full.
    #[arg(long)]
    no_json_shorthand_payloads: bool,
    /// Time limit of other commands.
    #[arg(long, value_name = "DURATION")]
    command_timeout: Option<String>,
    /// Time limit for connecting, of other commands.
    #[arg(long, value_name = "DURATION")]
    client_connect_timeout: Option<String>,
    /// Environment of Temporal's CLI.
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// File of environments of Temporal's CLI.
    #[arg(long, value_name = "PATH")]
    env_file: Option<PathBuf>,
    /// Configuration file of Temporal's CLI.
    #[arg(long, value_name = "PATH")]
    config_file: Option<PathBuf>,
    /// Profile of Temporal's CLI.
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Do without the configuration file of Temporal's CLI.
    #[arg(long)]
    disable_config_file: bool,
    /// Do without configuration from the environment.
    #[arg(long)]
    disable_config_env: bool,
}

impl Accepted {
    /// What was asked for and will not be there.
    fn missing(&self) -> Vec<&'static str> {
        let flags = [
            ("--http-port", self.http_port.is_some()),
            ("--metrics-port", self.metrics_port.is_some()),
            ("--ui-port", self.ui_port.is_some() && !self.headless),
            ("--ui-ip", self.ui_ip.is_some() && !self.headless),
            ("--ui-public-path", self.ui_public_path.is_some() && !self.headless),
            ("--ui-asset-path", self.ui_asset_path.is_some() && !self.headless),
            ("--ui-codec-endpoint", self.ui_codec_endpoint.is_some() && !self.headless),
            ("--sqlite-pragma", !self.sqlite_pragma.is_empty()),
            ("--dynamic-config-value", !self.dynamic_config_value.is_empty()),
            ("--search-attribute", !self.search_attribute.is_empty()),
            ("--log-config", self.log_config),
        ];
        flags.into_iter().filter(|(_, given)| *given).map(|(flag, _)| flag).collect()
    }

    fn check(&self) -> anyhow::Result<()> {
        for (flag, values) in [
            ("--sqlite-pragma", &self.sqlite_pragma),
            ("--dynamic-config-value", &self.dynamic_config_value),
            ("--search-attribute", &self.search_attribute),
        ] {
            if let Some(value) = values.iter().find(|value| !value.contains('=')) {
                bail!("{flag} {value:?} has no '=': write {flag} KEY=VALUE");
            }
        }
        Ok(())
    }
}

pub fn run(arguments: StartDev) -> anyhow::Result<ExitCode> {
    arguments.accepted.check()?;
    let mut node = NodeConfig::new(address(&host(&arguments.ip)?, arguments.port), SHARDS);
    node.namespaces.extend(arguments.namespaces);
    let missing = arguments.accepted.missing();
    if !missing.is_empty() {
        eprintln!("note: accepted, but without effect yet: {}", missing.join(", "));
    }
    serving::run(Serving {
        node,
        database: arguments.db_filename.map_or(Database::Memory, Database::File),
        log_level: arguments.log_level,
        log_format: arguments.log_format,
    })
}

/// A name or an address that can be listened on.
fn host(ip: &str) -> anyhow::Result<String> {
    if ip == "localhost" {
        return Ok("127.0.0.1".into());
    }
    match ip.parse::<IpAddr>() {
        Ok(ip) => Ok(ip.to_string()),
        Err(_) => bail!("--ip {ip:?} is no IP address: give one like 127.0.0.1, 0.0.0.0 or ::1"),
    }
}

fn address(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}
