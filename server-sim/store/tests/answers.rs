//! What a caller may conclude from an answer: *unknown* stays *unknown* on every way.
use tempest_store::judge::after_unknown_commit;
use tempest_store::*;

#[test]
fn an_outcome_and_its_answer_say_the_same() {
    let what = || "why".to_owned();
    for outcome in [
        CommitOutcome::Committed,
        CommitOutcome::Conflict(what()),
        CommitOutcome::OwnershipLost { current: RangeId(3) },
        CommitOutcome::OutcomeUnknown(what()),
    ] {
        assert_eq!(CommitOutcome::from(WriteAnswer::from(outcome.clone())), outcome);
    }
    for refused in [StoreError::Unavailable(what()), StoreError::Corrupt(what()), StoreError::Incompatible(what())] {
        let outcome = CommitOutcome::from(WriteAnswer::Err(refused));
        assert!(matches!(&outcome, CommitOutcome::Unavailable(_)), "it was found before anything was written");
        assert!(matches!(WriteAnswer::from(outcome), Err(StoreError::Unavailable(_))));
    }
}

#[test]
fn of_an_unknown_commit_only_what_was_applied_is_in_doubt() {
    let cluster = ClusterRecord { shard_count: 1, cluster_id: String::new(), cluster_name: String::new() };
    let after = |answer| after_unknown_commit(answer, "why");
    let unknown = Err(StoreError::OutcomeUnknown("why".to_owned()));
    assert_eq!(after(Ok(Written::Done)), unknown);
    assert_eq!(after(Ok(Written::Cluster(cluster.clone()))), unknown);
    let unavailable = Err(StoreError::Unavailable("why".to_owned()));
    assert_eq!(after(Ok(Written::ClusterFound(cluster))), unavailable, "nothing was written for it");
    assert_eq!(after(Err(StoreError::Conflict("with an effect in doubt".to_owned()))), unavailable);
}
