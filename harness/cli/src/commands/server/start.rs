//! `tempest server start`: one node from a configuration file.
use super::serving::{self, Serving};
use anyhow::Context;
use clap::{Args, ValueEnum};
use serde::Deserialize;
use std::path::PathBuf;
use std::process::ExitCode;
use tempest_server::NodeConfig;

#[derive(Args)]
pub struct Start {
    /// The configuration, as TOML.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// The file. A key that is none of these is an error: a misspelt one would silently do nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    /// `host:port` of the gRPC frontend.
    address: String,
    /// The database file; it is created if there is none.
    database: PathBuf,
    /// Registered at start if they do not exist.
    #[serde(default)]
    namespaces: Vec<String>,
    /// 1 to 16384, fixed for the life of the database.
    #[serde(default = "shards_default")]
    shards: u32,
    #[serde(default = "cluster_name_default")]
    cluster_name: String,
    /// debug, info, warn, error or never.
    #[serde(default = "log_level_default")]
    log_level: String,
    /// text or json.
    #[serde(default = "log_format_default")]
    log_format: String,
}

fn shards_default() -> u32 {
    16
}

fn cluster_name_default() -> String {
    "active".to_owned()
}

fn log_level_default() -> String {
    "info".to_owned()
}

fn log_format_default() -> String {
    "text".to_owned()
}

pub fn run(arguments: Start) -> anyhow::Result<ExitCode> {
    let path = arguments.config.display().to_string();
    let text = std::fs::read_to_string(&arguments.config).with_context(|| format!("{path} cannot be read"))?;
    serving::run(parse(&text).with_context(|| format!("{path} is no valid configuration"))?)
}

fn parse(text: &str) -> anyhow::Result<Serving> {
    let file: ConfigFile = toml::from_str(text)?;
    let mut node = NodeConfig::new(file.address, file.shards);
    node.namespaces.extend(file.namespaces);
    node.cluster_name = file.cluster_name;
    Ok(Serving {
        node,
        database: Some(file.database),
        log_level: one_of("log_level", &file.log_level)?,
        log_format: one_of("log_format", &file.log_format)?,
    })
}

fn one_of<T: ValueEnum>(key: &str, value: &str) -> anyhow::Result<T> {
    T::from_str(value, false).map_err(|_| {
        let known: Vec<_> = T::value_variants().iter().filter_map(T::to_possible_value).collect();
        let names: Vec<_> = known.iter().map(|value| value.get_name()).collect();
        anyhow::anyhow!("{key} is {value:?}: it must be one of {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        parse(text).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_short_file_is_enough() {
        let serving = parse("address = '127.0.0.1:7233'\ndatabase = 'tempest.db'\nnamespaces = ['orders']")
            .expect("it is a configuration");
        assert_eq!(serving.node.namespaces, ["default", "orders"]);
        assert_eq!(serving.database, Some(PathBuf::from("tempest.db")));
    }

    #[test]
    fn mistakes_are_named() {
        assert!(error("database = 'x'").contains("address"));
        assert!(error("address = 'x'\ndatabase = 'x'\nshard = 3").contains("shard"));
        let level = error("address = 'x'\ndatabase = 'x'\nlog_level = 'loud'");
        assert_eq!(level, "log_level is \"loud\": it must be one of debug, info, warn, error, never");
    }
}
