//! `tempest cluster describe`: who is there, who owns what, and whether anything was lost.
use anyhow::Context;
use clap::{Args, Subcommand};
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use tempest_rt::net::Tcp;
use tempest_server::{ClusterDescription, describe_cluster};

#[derive(Subcommand)]
pub enum ClusterCommand {
    /// Ask every node what it sees and owns.
    Describe(Describe),
}

#[derive(Args)]
pub struct Describe {
    /// Where a node listens for other nodes: the address in the [cluster] part of its configuration.
    #[arg(long, value_name = "HOST:PORT")]
    address: String,
}

/// What an operator looks at first.
const COUNTERS: [&str; 6] =
    ["commits", "commits_unknown", "shards_acquired", "shards_lost", "shard_panics", "data_loss"];

pub fn run(command: ClusterCommand) -> anyhow::Result<ExitCode> {
    let ClusterCommand::Describe(Describe { address }) = command;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let asked = runtime.block_on(describe_cluster(Arc::new(Tcp), &address));
    let cluster = asked.with_context(|| {
        format!("no node answers at {address}: give the address at which a node listens for other nodes")
    })?;
    // Whoever reads may have had enough.
    let _ = std::io::stdout().write_all(table(&cluster).as_bytes());
    Ok(ExitCode::from(u8::from(cluster.nodes.iter().any(|(_, description)| description.is_err()))))
}

fn table(cluster: &ClusterDescription) -> String {
    let owners = cluster.owners();
    let width = cluster.nodes.iter().map(|(member, _)| member.name.len()).max().unwrap_or(0).max("node".len());
    let mut text = format!("{:<width$}  {:<21}  {:>6}", "node", "address", "shards");
    for counter in COUNTERS {
        text += &format!("  {counter:>8}");
    }
    text.push('\n');
    let mut shard_count = 0;
    for (member, description) in &cluster.nodes {
        let shards = owners.values().filter(|(_, owner)| *owner == member.name).count();
        text += &format!("{:<width$}  {:<21}  {shards:>6}", member.name, member.address);
        match description {
            Ok(description) => {
                shard_count = shard_count.max(description.shard_count);
                for counter in COUNTERS {
                    let count = description.counters.get(counter).copied().unwrap_or(0);
                    text += &format!("  {count:>columns$}", columns = counter.len().max(8));
                }
            }
            Err(error) => text += &format!("  does not answer: {error}"),
        }
        text.push('\n');
    }
    let nobody: Vec<String> = (1..=shard_count)
        .filter(|shard| !owners.keys().any(|owned| owned.0 == *shard))
        .map(|shard| shard.to_string())
        .collect();
    text += &match nobody.as_slice() {
        [] => format!("all {shard_count} shards have an owner\n"),
        nobody => format!("{} of {shard_count} shards have no owner now: {}\n", nobody.len(), nobody.join(" ")),
    };
    text
}
