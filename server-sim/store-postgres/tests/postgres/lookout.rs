//! A primary lives on after another was promoted, and the node that is connected to it is not told.
use super::*;
use tempest_store::Timeline;
use tempest_store_postgres::testing::{PASSWORD, Proxy, TestPostgres, USER};

const LOOKOUT_INTERVAL: Duration = Duration::from_millis(20);

/// With one connection for each purpose: none is left for looking.
fn config(server: &TestPostgres, url: String) -> PostgresConfig {
    let config = PostgresConfig { lanes: 1, reads_concurrent_max: 1, ..server.config("tempest") };
    PostgresConfig { url, lookout_interval: LOOKOUT_INTERVAL, ..config }
}

fn both(first: &TestPostgres, second: &TestPostgres) -> String {
    let ports = format!("port={},{}", first.port(), second.port());
    format!("host=127.0.0.1,127.0.0.1 {ports} user={USER} password='{PASSWORD}' dbname=postgres")
}

/// Every connection that the store wants to keep is open from here on.
async fn connect_for_good(config: PostgresConfig) -> PostgresStore {
    let store = connect(config).await;
    acquire(&store, 1).await;
    assert_eq!(store.commit(commit(1, 1)).await, CommitOutcome::Committed);
    assert_eq!(store.ranges(&[ShardId(1)]).await, Ok(vec![RangeId(1)]));
    store
}

/// The shard's row, and with it its commit, is on the standby.
async fn replicated(standby: &TestPostgres) {
    let client = standby.client().await;
    let sql = "SELECT FROM tempest.runs";
    let look = async || client.query(sql, &[]).await.ok().filter(|rows| rows.len() == 1).map(|_| ());
    eventually("the commit is replicated", look).await;
}

/// Waits without asking the store for anything; then it must be at the new primary, and nothing more at the old one.
async fn hears_by_itself(store: &PostgresStore, deposed: &TestPostgres) {
    store.timeline().wait_for(|timeline| *timeline == Timeline(1)).await.unwrap();
    let fenced = store.commit(commit(1, 2)).await;
    assert!(matches!(fenced, CommitOutcome::OwnershipLost { .. }), "{fenced:?}");
    let taken = store.acquire_shard(ShardId(1), RangeId(1), "test").await.unwrap();
    assert_eq!((taken.range_id.timeline(), taken.sequence), (Timeline(1), 1));
    let old = connect(deposed.config("tempest")).await;
    assert_eq!(old.commit(commit(1, 2)).await, CommitOutcome::Committed, "the old primary lives on, and knows nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_promoted_elsewhere_is_found_by_who_is_connected_to_the_one_before() {
    let Some(server) = TestPostgres::start(&[]).await else { return };
    let standby = server.standby().await;
    let store = connect_for_good(config(&server, both(&server, &standby))).await;
    replicated(&standby).await;
    standby.execute("SELECT pg_promote()").await;
    hears_by_itself(&store, &server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_is_found_at_a_host_that_was_down_when_the_node_started() {
    let Some(server) = TestPostgres::start(&[]).await else { return };
    let mut standby = server.standby().await;
    standby.kill();
    let store = connect_for_good(config(&server, both(&server, &standby))).await;
    standby.start_again().await;
    replicated(&standby).await;
    standby.execute("SELECT pg_promote()").await;
    hears_by_itself(&store, &server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_is_found_under_a_name_that_moves() {
    let Some(server) = TestPostgres::start(&[]).await else { return };
    let standby = server.standby().await;
    let name = Proxy::start(server.port()).await;
    let store = connect_for_good(config(&server, server.url_by(name.port()))).await;
    replicated(&standby).await;
    standby.execute("SELECT pg_promote()").await;
    name.move_to(standby.port());
    hears_by_itself(&store, &server).await;
}
