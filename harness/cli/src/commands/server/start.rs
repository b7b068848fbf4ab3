//! `tempest server start`: one node from a configuration file.
use super::serving::{self, Database, Serving};
use anyhow::Context;
use clap::{Args, ValueEnum};
use serde::Deserialize;
use std::path::PathBuf;
use std::process::ExitCode;
use tempest_server::{ClusterConfig, NodeConfig, NodeError};
use tempest_store::Role;

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
    /// `host:port` of the gRPC frontend. Needed unless the node's roles are without it.
    address: Option<String>,
    /// A file, created if there is none; or `postgres://user:password@host/database`, which the nodes of a cluster share.
    database: String,
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
    /// For a node that is one of several.
    cluster: Option<ClusterTable>,
}

/// `[cluster]` of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClusterTable {
    /// Unique in the cluster; keep it over restarts.
    node: String,
    /// `host:port` where this node listens for the other nodes.
    address: String,
    /// What the other nodes call, if that is another address.
    advertised_address: Option<String>,
    /// Any of frontend, history and matching; all if left out.
    roles: Option<Vec<Role>>,
}

impl ClusterTable {
    fn config(self) -> ClusterConfig {
        let mut config = ClusterConfig::new(self.node, self.address);
        config.advertised_address = self.advertised_address;
        if let Some(roles) = self.roles {
            config.roles = roles;
        }
        config
    }
}

/// Of a cluster, as history takes them.
const SHARDS_MAX: u32 = 16_384;

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
    if !(1..=SHARDS_MAX).contains(&file.shards) {
        anyhow::bail!("shards is {}: it must be from 1 to {SHARDS_MAX}", file.shards);
    }
    let has_address = file.address.is_some();
    let mut node = NodeConfig::new(file.address.unwrap_or_default(), file.shards);
    node.namespaces.extend(file.namespaces);
    node.cluster_name = file.cluster_name;
    node.cluster = file.cluster.map(ClusterTable::config);
    if node.serves_clients() && !has_address {
        anyhow::bail!("address is missing, where clients call this node: write address = \"HOST:PORT\"");
    }
    node.validate().map_err(|error| match error {
        // Said already of the file.
        NodeError::Config(what) => anyhow::anyhow!(what),
        error => error.into(),
    })?;
    let is_postgres = ["postgres://", "postgresql://"].iter().any(|scheme| file.database.starts_with(scheme));
    if let Some((scheme, _)) = file.database.split_once("://").filter(|_| !is_postgres) {
        // Not the whole of it: there may be a password in it.
        anyhow::bail!(
            "database is an address that begins with {scheme:?}: it can be the path of a file, or the address of a \
             PostgreSQL database, postgres://user:password@host/name"
        );
    }
    if node.cluster.is_some() && !is_postgres {
        anyhow::bail!(
            "database is {:?}, a file, which only one node can have: the nodes of a [cluster] share a PostgreSQL \
             database, postgres://user:password@host/name",
            file.database
        );
    }
    let database = if is_postgres { Database::Postgres(file.database) } else { Database::File(file.database.into()) };
    Ok(Serving {
        node,
        database,
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
        assert_eq!(serving.database, Database::File(PathBuf::from("tempest.db")));
    }

    #[test]
    fn mistakes_are_named() {
        assert!(error("database = 'x'").contains("address is missing"));
        assert!(error("address = 'x:1'\ndatabase = 'x'\nshard = 3").contains("shard"));
        let level = error("address = 'x:1'\ndatabase = 'x'\nlog_level = 'loud'");
        let cluster = "address = 'x:1'\n[cluster]\nnode = 'a'\naddress = 'x:2'\n";
        assert!(error(&format!("database = 'a file'\n{cluster}")).contains("share a PostgreSQL"));
        assert!(error(&format!("database = 'postgres://x'\n{cluster}roles = ['god']")).contains("god"));
        assert!(error(&format!("database = 'postgres://x'\n{cluster}roles = []")).contains("at least one of frontend"));
        assert_eq!(level, "log_level is \"loud\": it must be one of debug, info, warn, error, never");
    }

    #[test]
    fn an_address_without_a_port_is_named_with_its_field_and_fix() {
        let fix = "which has no port: write HOST:PORT, like 127.0.0.1:7233";
        assert_eq!(error("address = 'x'\ndatabase = 'x'"), format!("address is \"x\", {fix}"));
        let in_cluster =
            |line: &str| error(&format!("address = 'x:1'\ndatabase = 'postgres://x'\n[cluster]\nnode = 'a'\n{line}"));
        assert_eq!(in_cluster("address = 'y'"), format!("[cluster]: address is \"y\", {fix}"));
        let advertised = in_cluster("address = 'y:1'\nadvertised_address = 'z'");
        assert_eq!(advertised, format!("[cluster]: advertised_address is \"z\", {fix}"));
    }

    #[test]
    fn a_node_that_serves_no_clients_needs_no_address_for_them() {
        let file = "database = 'postgres://x'\n[cluster]\nnode = 'a'\naddress = 'x:1'\nroles = ['history']";
        assert!(!parse(file).expect("it is a configuration").node.serves_clients());
    }
}
