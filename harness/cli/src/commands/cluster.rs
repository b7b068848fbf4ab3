//! `tempest cluster describe`: who is there, who owns what, how far clocks are apart and queues behind, and whether anything
//! was lost.
use clap::{Args, Subcommand};
use std::collections::BTreeSet;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tempest_rt::net::Tcp;
use tempest_server::{ClusterDescription, DescribeError, NodeDescription, ShardLag, describe_cluster};
use tempest_store::ShardId;

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
    /// Every shard with its owner, not only those that are behind.
    #[arg(long)]
    shards: bool,
    /// One JSON object, with every shard.
    #[arg(long)]
    json: bool,
}

/// What an operator looks at first.
const COUNTERS: [&str; 6] =
    ["commits", "commits_unknown", "shards_acquired", "shards_lost", "shard_panics", "data_loss"];

/// A node whose last beat did not reach the database is named after so long: one that is late is nothing to tell.
const WITHOUT_STORE_MIN: Duration = Duration::from_secs(3);

/// A shard whose queues are as far behind is shown.
const BEHIND: Duration = Duration::from_secs(1);
/// So many of them, unless all are asked for.
const BEHIND_SHOWN_MAX: usize = 10;

pub fn run(command: ClusterCommand) -> anyhow::Result<ExitCode> {
    let ClusterCommand::Describe(Describe { address, shards, json }) = command;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let cluster = runtime.block_on(describe_cluster(Arc::new(Tcp), &address)).map_err(explained)?;
    let text = if json { format!("{}\n", object(&cluster)) } else { text(&cluster, shards) };
    // The reader may have had enough.
    let _ = std::io::stdout().write_all(text.as_bytes());
    let is_well = |description: &Result<NodeDescription, DescribeError>| {
        description.as_ref().is_ok_and(|node| without_store(node).is_none())
    };
    let all_are_well = cluster.nodes.iter().all(|(_, description)| is_well(description));
    Ok(ExitCode::from(u8::from(!all_are_well || !without_owner(&cluster).is_empty())))
}

/// For how long a node has not reached the database, if that is long enough to be told.
fn without_store(node: &NodeDescription) -> Option<Duration> {
    node.without_store_ms.map(Duration::from_millis).filter(|silence| *silence >= WITHOUT_STORE_MIN)
}

/// What was found, and what to give instead.
fn explained(error: DescribeError) -> anyhow::Error {
    let fix = "--address is for where a running node listens for other nodes, the address in the [cluster] part of its \
                configuration; a server without that part, like start-dev, has none";
    match error {
        DescribeError::Address(error) => anyhow::anyhow!("--address is {error}"),
        DescribeError::Refused { .. } | DescribeError::OtherVersion { .. } => error.into(),
        error => anyhow::anyhow!("{error}. {fix}"),
    }
}

fn text(cluster: &ClusterDescription, all_shards: bool) -> String {
    let mut text = table(&nodes(cluster), 2);
    let without: Vec<String> = without_owner(cluster).iter().map(ToString::to_string).collect();
    let shard_count = cluster.shard_count();
    text += &match without.as_slice() {
        [] => format!("all {shard_count} shards have an owner\n"),
        without => format!("{} of {shard_count} shards have no owner now: {}\n", without.len(), without.join(" ")),
    };
    for node in cluster.nodes.iter().filter_map(|(_, description)| description.as_ref().ok()) {
        if let Some(silence) = without_store(node) {
            text += &format!(
                "{} has not reached the database for {} s: what it says it owns may be outdated, and nothing is done there\n",
                node.name,
                silence.as_secs()
            );
        }
    }
    text.push('\n');
    text += &table(&queues(cluster), 1);
    let behind = cluster.lags().values().filter(|lag| lag.age() >= BEHIND).count();
    if all_shards || behind > 0 {
        text.push('\n');
        text += &table(&shards(cluster, all_shards), 0);
    }
    if behind > BEHIND_SHOWN_MAX && !all_shards {
        text += &format!("... of {behind} that are behind; --shards shows every shard\n");
    }
    text
}

/// Who is there and what became of its shards.
fn nodes(cluster: &ClusterDescription) -> Vec<Vec<String>> {
    let owners = cluster.owners();
    let header = ["node", "address", "shards", "clock_apart"];
    let mut rows = vec![header.into_iter().chain(COUNTERS).map(str::to_owned).collect()];
    for (member, description) in &cluster.nodes {
        let shards = owners.values().filter(|(_, owner)| *owner == member.name).count();
        let mut row = vec![member.name.clone(), member.address.clone(), shards.to_string()];
        match description {
            Ok(node) => {
                row.push(clock_apart(cluster, &member.name));
                let count = |counter: &str| node.counters.get(counter).copied().unwrap_or(0).to_string();
                row.extend(COUNTERS.map(count));
            }
            Err(error) => row.push(error.to_string()),
        }
        rows.push(row);
    }
    rows
}

/// How far each node's queues are behind: those of the shards that it owns, and what waits in its matching.
fn queues(cluster: &ClusterDescription) -> Vec<Vec<String>> {
    let (owners, lags) = (cluster.owners(), cluster.lags());
    let header = ["node", "transfer_tasks", "oldest", "timer_overdue", "task_queues", "backlog_tasks"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for (member, description) in &cluster.nodes {
        let Ok(NodeDescription { backlog, .. }) = description else { continue };
        let is_own = |shard: &ShardId| owners.get(shard).is_some_and(|(_, owner)| *owner == member.name);
        let own: Vec<&ShardLag> = lags.iter().filter(|(shard, _)| is_own(shard)).map(|(_, lag)| lag).collect();
        let tasks: u64 = own.iter().map(|lag| lag.transfer_tasks).sum();
        let unread = own.iter().any(|lag| lag.transfer_tasks_unread);
        rows.push(vec![
            member.name.clone(),
            known(tasks, unread),
            age(worst(own.iter().map(|lag| lag.transfer_oldest_ms))),
            age(worst(own.iter().map(|lag| lag.timer_overdue_ms))),
            backlog.partitions.to_string(),
            known(backlog.tasks, backlog.unread),
        ]);
    }
    rows
}

/// Shards with their owners: all of them, or those that are behind, the worst first.
fn shards(cluster: &ClusterDescription, all: bool) -> Vec<Vec<String>> {
    let (owners, lags) = (cluster.owners(), cluster.lags());
    let mut shown: Vec<ShardId> = if all {
        owners.keys().copied().collect()
    } else {
        lags.iter().filter(|(_, lag)| lag.age() >= BEHIND).map(|(shard, _)| *shard).collect()
    };
    if !all {
        shown.sort_by_key(|shard| std::cmp::Reverse(lags[shard].age()));
        shown.truncate(BEHIND_SHOWN_MAX);
    }
    let header = ["shard", "owner", "range", "transfer_tasks", "oldest", "timer_overdue"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for shard in shown {
        let (range, owner) = owners[&shard];
        let mut row = vec![shard.to_string(), owner.to_owned(), range.to_string()];
        row.extend(match lags.get(&shard) {
            Some(lag) => [
                known(lag.transfer_tasks, lag.transfer_tasks_unread),
                age(lag.transfer_oldest_ms),
                age(lag.timer_overdue_ms),
            ],
            None => ["?", "?", "?"].map(str::to_owned),
        });
        rows.push(row);
    }
    rows
}

fn without_owner(cluster: &ClusterDescription) -> BTreeSet<ShardId> {
    let owners = cluster.owners();
    (1..=cluster.shard_count()).map(ShardId).filter(|shard| !owners.contains_key(shard)).collect()
}

/// `12+`: the store may hold more.
fn known(tasks: u64, unread: bool) -> String {
    format!("{tasks}{}", if unread { "+" } else { "" })
}

/// The worst of what is known; nothing if nothing is.
fn worst(ages: impl Iterator<Item = Option<u64>> + Clone) -> Option<u64> {
    let is_unknown = ages.clone().count() > 0 && ages.clone().all(|age| age.is_none());
    if is_unknown { None } else { Some(ages.flatten().max().unwrap_or(0)) }
}

/// A row is up to a beat or two old when it is read, and its clock seems to be behind by that.
const READ_LATE_MS: u64 = 2_000;

/// Whole seconds by which a node's clock is ahead of that of the node that was asked: rows of nodes say no more than that.
fn clock_apart(cluster: &ClusterDescription, name: &str) -> String {
    let told = |ms: i64| if ms.unsigned_abs() < READ_LATE_MS { 0 } else { ms / 1000 };
    match cluster.clock_apart_ms(name).map(told) {
        None if name == cluster.asked => "-".to_owned(),
        None => "?".to_owned(),
        Some(0) => "0 s".to_owned(),
        Some(seconds) => format!("{seconds:+} s"),
    }
}

fn age(ms: Option<u64>) -> String {
    match ms {
        None => "?".to_owned(),
        Some(0) => "-".to_owned(),
        Some(ms) => format!("{}.{:03} s", ms / 1000, ms % 1000),
    }
}

/// Rows in columns, the first `left` of them aligned at the left. The last cell of a row with fewer cells than the first may
/// be as long as it likes.
fn table(rows: &[Vec<String>], left: usize) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let is_cell = |row: &&Vec<String>, column: usize| column + 1 < row.len() || row.len() == columns;
    let width = |column: usize| {
        let cells = rows.iter().filter(|row| is_cell(row, column)).filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
            if column < left || !is_cell(&row, column) { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        text += cells.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text
}

fn object(cluster: &ClusterDescription) -> serde_json::Value {
    let (owners, lags) = (cluster.owners(), cluster.lags());
    let nodes = cluster.nodes.iter().map(|(member, description)| {
        serde_json::json!({
            "name": member.name,
            "address": member.address,
            "roles": member.roles,
            "clock_apart_ms": cluster.clock_apart_ms(&member.name),
            "description": description.as_ref().ok(),
            "error": description.as_ref().err().map(ToString::to_string),
        })
    });
    let shards = owners.iter().map(|(shard, (range, owner))| {
        serde_json::json!({ "shard": shard, "owner": owner, "range": range, "lag": lags.get(shard) })
    });
    serde_json::json!({
        "shard_count": cluster.shard_count(),
        "nodes": nodes.collect::<Vec<_>>(),
        "shards": shards.collect::<Vec<_>>(),
        "without_owner": without_owner(cluster),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempest_server::{MatchingBacklog, Member};
    use tempest_store::RangeId;

    fn cluster() -> ClusterDescription {
        let member = |name: &str| Member { name: name.into(), address: format!("10.0.0.1:{name}"), roles: vec![] };
        let behind = ShardLag {
            transfer_tasks: 4096,
            transfer_tasks_unread: true,
            transfer_oldest_ms: Some(61_500),
            timer_overdue_ms: Some(2_000),
        };
        let reading = ShardLag::default();
        let fine = ShardLag { transfer_oldest_ms: Some(0), timer_overdue_ms: Some(0), ..reading };
        let node = |name: &str, lags: &[(u32, ShardLag)]| NodeDescription {
            name: name.into(),
            version: "0".into(),
            shard_count: 4,
            members: vec![],
            held: lags.iter().map(|(shard, _)| (ShardId(*shard), RangeId(7))).collect(),
            lags: lags.iter().map(|(shard, lag)| (ShardId(*shard), *lag)).collect(),
            backlog: MatchingBacklog { partitions: 2, tasks: 30, unread: false },
            without_store_ms: Some(if name == "b" { 15_400 } else { 900 }),
            clocks_apart_ms: if name == "a" { [("b".to_owned(), -3_600_400)].into() } else { [].into() },
            counters: [("commits".to_owned(), 12)].into(),
        };
        let silence = DescribeError::NotReached { address: "10.0.0.1:c".into(), why: "Connection refused".into() };
        ClusterDescription {
            asked: "a".into(),
            nodes: vec![
                (member("a"), Ok(node("a", &[(1, fine), (3, behind)]))),
                (member("b"), Ok(node("b", &[(2, reading)]))),
                (member("c"), Err(silence)),
            ],
        }
    }

    #[test]
    fn people_see_who_owns_what_and_which_shards_are_behind() {
        let expected = "\
node  address     shards  clock_apart  commits  commits_unknown  shards_acquired  shards_lost  shard_panics  data_loss
a     10.0.0.1:a       2            -       12                0                0            0             0          0
b     10.0.0.1:b       1      -3600 s       12                0                0            0             0          0
c     10.0.0.1:c       0  no server can be reached at 10.0.0.1:c: Connection refused
1 of 4 shards have no owner now: 4
b has not reached the database for 15 s: what it says it owns may be outdated, and nothing is done there

node  transfer_tasks    oldest  timer_overdue  task_queues  backlog_tasks
a              4096+  61.500 s        2.000 s            2             30
b                  0         ?              ?            2             30

shard  owner  range  transfer_tasks    oldest  timer_overdue
    3      a      7           4096+  61.500 s        2.000 s
";
        assert_eq!(text(&cluster(), false), expected);
        let all = text(&cluster(), true);
        assert!(all.ends_with("    3      a      7           4096+  61.500 s        2.000 s\n"), "{all}");
        assert!(all.contains("    2      b      7               0         ?              ?\n"), "{all}");
    }

    #[test]
    fn a_clock_is_told_as_far_as_the_node_that_was_asked_knows_it() {
        let mut cluster = cluster();
        for (ms, told) in [(3_600_900, "+3600 s"), (1_999, "0 s"), (-1_999, "0 s"), (-2_000, "-2 s")] {
            let Ok(asked) = &mut cluster.nodes[0].1 else { panic!("it is described") };
            asked.clocks_apart_ms.insert("b".into(), ms);
            assert_eq!(clock_apart(&cluster, "b"), told);
        }
        cluster.asked = "b".into();
        assert_eq!(["a", "b"].map(|node| clock_apart(&cluster, node)), ["?", "-"]);
    }

    #[test]
    fn scripts_see_the_same() {
        let object = object(&cluster());
        assert_eq!(object["without_owner"], serde_json::json!([4]));
        assert_eq!(object["nodes"][0]["description"]["backlog"]["tasks"], 30);
        assert_eq!(object["nodes"][1]["clock_apart_ms"], -3_600_400);
        assert!(object["nodes"][2]["error"].as_str().is_some_and(|error| error.contains("refused")), "{object}");
        assert_eq!(object["shards"][2]["owner"], "a");
        assert_eq!(object["shards"][2]["lag"]["transfer_oldest_ms"], 61_500);
    }

    #[test]
    fn an_address_of_something_else_is_told_with_its_fix() {
        let said = explained(DescribeError::NotForNodes { address: "10.0.0.1:7233".into() }).to_string();
        assert!(said.starts_with("10.0.0.1:7233 answers gRPC calls, but none of those between nodes"), "{said}");
        assert!(said.contains("the address in the [cluster] part of its configuration"), "{said}");
    }
}
