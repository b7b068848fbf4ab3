//! History nodes.
use super::*;

pub async fn branches_keep_apart_and_page(store: &impl Store) {
    let commit = owned(store, 1).await;
    let (main, other, tree) = (branch("tree", "main"), branch("tree", "other"), branch("tre", "emain"));
    let nodes = [append(&main, 1), append(&main, 3), append(&main, 300), append(&other, 2), append(&tree, 4)];
    assert_eq!(store.commit(ShardCommit { history: nodes.into(), ..commit }).await, CommitOutcome::Committed);
    let found = async |branch, from, until, limit| {
        let nodes = store.history(branch, from, until, limit).await.expect("it can be read");
        nodes.into_iter().map(|node| node.node).collect::<Vec<_>>()
    };
    assert_eq!(found(&main, 1, EventId::MAX, 10).await, [1, 3, 300]);
    assert_eq!(found(&main, 1, 300, 10).await, [1, 3], "the end is exclusive");
    assert_eq!(found(&main, 2, 301, 1).await, [3], "a page ends at its limit");
    assert_eq!(found(&main, 4, 301, 1).await, [300], "and the next begins after it");
    assert_eq!(found(&main, 3, 3, 10).await, [0; 0], "an empty range is empty");
    assert_eq!(found(&main, 9, 3, 10).await, [0; 0], "so is one that ends before it begins");
    assert_eq!(found(&other, 0, 10, 10).await, [2]);
    assert_eq!(found(&branch("tree", "none"), 0, 10, 10).await, [0; 0]);
    let read = store.history(&other, 2, 3, 1).await.expect("it can be read");
    assert_eq!(read, [HistoryNode { node: 2, events: append(&other, 2).events }]);
}

pub async fn a_node_is_written_once(store: &impl Store) {
    let commit = owned(store, 1).await;
    let main = branch("tree", "main");
    let write = |sequence, history| ShardCommit { sequence, history, ..commit.clone() };
    assert_conflict(&store.commit(write(1, vec![append(&main, 1), append(&main, 1)])).await);
    assert_eq!(store.commit(write(1, vec![append(&main, 1)])).await, CommitOutcome::Committed);
    assert_conflict(&store.commit(write(2, vec![append(&main, 1)])).await);
    assert_eq!(store.commit(write(2, vec![append(&branch("tree", "fork"), 1)])).await, CommitOutcome::Committed);
}
