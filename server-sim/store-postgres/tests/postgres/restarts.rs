//! The database crashes and comes back.
use super::*;
use futures::future::join_all;
use tempest_store_postgres::testing::TestPostgres;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_a_crash_of_the_database() {
    const ROUNDS: i64 = 2;
    let Some(mut server) = TestPostgres::start(&[]).await else { return };
    let store = connect(server.config("tempest")).await;
    for round in 0..ROUNDS {
        // A node that acquires a shard right after a restart has to try again.
        let taken = eventually("the database is back", async || {
            match store.acquire_shard(ShardId(1), RangeId(round), "test").await {
                Ok(record) => Some(record),
                Err(StoreError::Unavailable(_)) => None,
                Err(other) => panic!("{other}"),
            }
        })
        .await;
        let write = |sequence| {
            let key = format!("{round}");
            let mut commit = ShardCommit { range_id: RangeId(round + 1), ..commit(1, sequence) };
            commit.runs[0].key.workflow_id = key.into();
            store.commit(commit)
        };
        let commits: Vec<_> = (1..500).map(|more| write(taken.sequence + more)).collect();
        let commits = tempest_rt::task::spawn(join_all(commits));
        eventually("some are committed", async || (record(&store, 1).await.sequence > taken.sequence).then_some(()))
            .await;
        server.kill();
        let outcomes = commits.await.unwrap();
        server.start_again().await;
        let acknowledged = outcomes.iter().take_while(|outcome| **outcome == CommitOutcome::Committed).count();
        let stored = record(&store, 1).await.sequence - taken.sequence;
        let in_doubt = outcomes[acknowledged..]
            .iter()
            .take_while(|outcome| matches!(outcome, CommitOutcome::OutcomeUnknown(_)))
            .count();
        assert!(stored >= acknowledged as u64, "{stored} of {acknowledged} acknowledged commits are there");
        assert!(stored <= (acknowledged + in_doubt) as u64, "{stored} are there, of which some certainly are not");
    }
}
