//! The rows by which nodes see each other.
use super::*;

pub async fn a_beat_tells_who_was_there(store: &impl Store) {
    let node = |name: &str, beat| NodeRecord {
        timeline: Timeline(3),
        name: name.to_owned(),
        address: format!("{name}:7234"),
        incarnation: "first".to_owned(),
        beat,
        roles: vec![Role::Frontend, Role::History],
        leaving: beat > 1,
        wall_clock: Time(5),
    };
    assert_eq!(store.beat(node("b", 1)).await, Ok(vec![]));
    assert_eq!(store.beat(node("a", 1)).await, Ok(vec![node("b", 1)]));
    assert_eq!(store.beat(node("b", 2)).await, Ok(vec![node("a", 1), node("b", 1)]), "as they were before, by name");
    assert_eq!(store.beat(node("a", 2)).await, Ok(vec![node("a", 1), node("b", 2)]));

    assert_eq!(store.forget_node(node("b", 1)).await, Ok(()));
    assert_eq!(store.beat(node("a", 3)).await, Ok(vec![node("a", 2), node("b", 2)]), "it has beaten since");
    assert_eq!(store.forget_node(node("b", 2)).await, Ok(()));
    assert_eq!(store.beat(node("a", 4)).await, Ok(vec![node("a", 3)]));
    assert_eq!(store.forget_node(node("b", 2)).await, Ok(()), "it is gone already");
    assert_eq!(store.beat(node("b", 3)).await, Ok(vec![node("a", 4)]), "and may come back");
}
