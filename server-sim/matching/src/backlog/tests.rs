//! The bookkeeping by itself, and over a store that does as the contract says.
use super::*;
use proptest::prelude::*;

const IDLE: Situation = Situation {
    now: Duration::ZERO,
    appends: 0,
    buffered: 0,
    buffered_low: 2,
    deletion_batch_rows: 3,
    deletion_interval: Duration::from_secs(1),
    lease_check_interval: None,
};

fn leased(range: i64, ack_level: i64) -> Backlog {
    let mut backlog = Backlog::default();
    backlog.leased(&PartitionRecord { range_id: RangeId(range), ack_level, rows: 0 }, Duration::ZERO);
    backlog
}

#[test]
fn a_partition_is_leased_then_read_then_waits() {
    let mut b = Backlog::default();
    assert_eq!(b.next_step(IDLE), Step::Lease);
    b.leased(&PartitionRecord { range_id: RangeId(1), ack_level: 7, rows: 0 }, Duration::ZERO);
    assert_eq!(b.next_step(IDLE), Step::Read { after: 7 });
    assert_eq!(b.read(&[8, 9], 2), [8, 9]);
    assert_eq!(b.next_step(Situation { buffered: 2, ..IDLE }), Step::Wait { until: None });
    assert_eq!(b.next_step(IDLE), Step::Read { after: 9 });
    assert!(b.read(&[], 2).is_empty());
    assert_eq!(b.next_step(IDLE), Step::Wait { until: None });
}

#[test]
fn the_ack_level_stays_below_what_is_not_done() {
    let mut b = leased(1, 0);
    b.read(&[3, 4, 5], 10);
    assert_eq!(b.deletions(10), (vec![], 2));
    b.done(4, Duration::ZERO);
    assert_eq!(b.deletions(10), (vec![4], 2));
    b.done(3, Duration::ZERO);
    assert_eq!(b.deletions(10), (vec![3, 4], 4));
    b.done(5, Duration::ZERO);
    assert_eq!(b.next_step(IDLE), Step::Write, "three rows are a batch");
}

#[test]
fn the_ack_level_stays_below_what_is_done_and_not_deleted_yet() {
    let mut b = leased(1, 0);
    b.read(&[3, 4, 5, 6], 10);
    [3, 4, 5].iter().for_each(|row| b.done(*row, Duration::ZERO));
    assert_eq!(b.deletions(2), (vec![3, 4], 4));
    b.written(&[], &[3, 4], 4, Duration::ZERO, 10);
    assert_eq!(b.deletions(2), (vec![5], 5));
}

#[test]
fn rows_are_offered_directly_only_when_nothing_older_is_unread() {
    let mut b = leased(1, 0);
    let first = b.row_ids(1);
    assert!(!b.written(&first, &[], 0, Duration::ZERO, 10), "the store was never read");
    assert_eq!(b.read(&first, 10), first);
    let second = b.row_ids(2);
    assert!(b.written(&second, &[], 0, Duration::ZERO, 10));
    let third = b.row_ids(2);
    assert!(!b.written(&third, &[], 0, Duration::ZERO, 1), "no room");
    assert_eq!(b.next_step(IDLE), Step::Read { after: second[1] });
}

#[test]
fn after_a_lost_lease_what_is_in_memory_is_not_offered_twice() {
    let mut b = leased(1, 0);
    b.read(&[3, 4], 10);
    b.done(3, Duration::ZERO);
    b.lost();
    assert_eq!(b.next_step(IDLE), Step::Lease);
    b.leased(&PartitionRecord { range_id: RangeId(2), ack_level: 0, rows: 0 }, Duration::ZERO);
    assert_eq!(b.deletions(10), (vec![], 0), "whether it is there still is not known");
    assert_eq!(b.read(&[3, 4, 5], 10), [5]);
    assert_eq!(b.deletions(10), (vec![3], 3));
}

#[test]
fn rows_that_others_have_deleted_are_not_counted_down_again() {
    let mut b = leased(1, 0);
    let rows = b.row_ids(4);
    b.written(&rows, &[], 0, Duration::ZERO, 10);
    b.read(&rows, 10);
    b.done(rows[0], Duration::ZERO);
    b.done(rows[1], Duration::ZERO);
    assert_eq!(b.count(), 2);
    // A write was to delete the first; another owner deleted the third, which was handed out here.
    b.lost();
    b.leased(&PartitionRecord { range_id: RangeId(3), ack_level: 0, rows: 2 }, Duration::ZERO);
    b.done(rows[2], Duration::ZERO);
    b.read(&[rows[1], rows[3]], 10);
    assert_eq!(b.deletions(10), (vec![rows[1]], rows[3] - 1));
    assert_eq!((b.count(), b.rows_after(0, 1)), (1, 1));
}

#[test]
fn ids_rise_with_the_lease_and_end_with_it() {
    let mut b = leased(1, 0);
    let lease = b.lease.as_mut().expect("it is leased");
    lease.next_row = lease.rows_end - 1;
    let last = b.row_ids(5).last().copied().expect("there is one id left");
    assert!(b.row_ids(1).is_empty());
    assert_eq!(b.next_step(IDLE), Step::Lease);
    b.leased(&PartitionRecord { range_id: RangeId(2), ack_level: 0, rows: 0 }, Duration::ZERO);
    assert!(b.row_ids(1)[0] > last);
}

#[test]
fn a_lease_that_was_not_proven_for_long_is_proven_by_a_write_of_nothing() {
    let mut b = leased(1, 0);
    b.read(&[], 10);
    let at = |seconds| Situation {
        now: Duration::from_secs(seconds),
        lease_check_interval: Some(Duration::from_secs(5)),
        ..IDLE
    };
    assert_eq!(b.next_step(at(4)), Step::Wait { until: Some(Duration::from_secs(5)) });
    assert_eq!(b.next_step(at(5)), Step::Write);
    b.written(&[], &[], 0, Duration::from_secs(5), 10);
    assert_eq!(b.next_step(at(6)), Step::Wait { until: Some(Duration::from_secs(10)) });
}

#[test]
fn a_failing_store_is_left_alone_for_a_while() {
    let mut b = Backlog::default();
    b.pause(Duration::from_secs(2));
    assert_eq!(b.next_step(IDLE), Step::Wait { until: Some(Duration::from_secs(2)) });
    assert_eq!(b.next_step(Situation { now: Duration::from_secs(2), ..IDLE }), Step::Lease);
}

#[derive(Clone, Copy, Debug)]
enum End {
    Committed,
    Unavailable,
    Unknown { applied: bool },
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Write {
        adds: usize,
        end: End,
    },
    Read,
    /// So many rows in memory are done, from the n-th on.
    Done {
        from: usize,
        count: usize,
    },
    /// The partition is given away, or its node crashes.
    NextOwner,
}

fn event() -> impl Strategy<Value = Event> {
    let end = prop_oneof![
        4 => Just(End::Committed),
        1 => Just(End::Unavailable),
        1 => any::<bool>().prop_map(|applied| End::Unknown { applied }),
    ];
    prop_oneof![
        4 => (0_usize..6, end).prop_map(|(adds, end)| Event::Write { adds, end }),
        3 => Just(Event::Read),
        3 => (0_usize..3, 1_usize..6).prop_map(|(from, count)| Event::Done { from, count }),
        1 => Just(Event::NextOwner),
    ]
}

const DELETIONS_MAX: usize = 2;
const PAGE: usize = 4;
const ROOM: usize = 4;

/// A partition as the store has it, and its owner of the moment.
struct World {
    stored: PartitionRecord,
    rows: BTreeSet<i64>,
    owner: Backlog,
}

impl World {
    fn lease(&mut self) {
        if self.owner.range_id().is_none() {
            self.stored.range_id.0 += 1;
            self.owner.leased(&self.stored, Duration::ZERO);
        }
    }

    fn write(&mut self, adds: usize, end: End) {
        self.lease();
        // Asked for none, it takes the lease for used up.
        let added = if adds == 0 { Vec::new() } else { self.owner.row_ids(adds) };
        let (deleted, ack_level) = self.owner.deletions(DELETIONS_MAX);
        if matches!(end, End::Committed | End::Unknown { applied: true }) {
            self.rows.extend(&added);
            self.rows.retain(|row| !deleted.contains(row));
            self.stored.ack_level = self.stored.ack_level.max(ack_level);
            self.stored.rows = self.owner.rows_after(added.len(), deleted.len());
        }
        match end {
            End::Committed => {
                self.owner.written(&added, &deleted, ack_level, Duration::ZERO, ROOM);
            }
            End::Unavailable => {}
            End::Unknown { .. } => self.owner.lost(),
        }
    }

    fn read(&mut self) {
        self.lease();
        let page: Vec<i64> = self.rows.range(self.owner.read_level + 1..).copied().take(PAGE).collect();
        self.owner.read(&page, PAGE);
    }

    fn done(&mut self, from: usize, count: usize) {
        let rows: Vec<i64> = self.owner.outstanding.iter().copied().skip(from).take(count).collect();
        rows.into_iter().for_each(|row| self.owner.done(row, Duration::ZERO));
    }
}

proptest! {
    /// Whatever happens, the next owner finds every row: also those that are done and not deleted yet.
    #[test]
    fn no_row_is_left_below_the_ack_level(events in proptest::collection::vec(event(), 1..60)) {
        let mut world = World { stored: PartitionRecord::default(), rows: BTreeSet::new(), owner: Backlog::default() };
        for event in events {
            match event {
                Event::Write { adds, end } => world.write(adds, end),
                Event::Read => world.read(),
                Event::Done { from, count } => world.done(from, count),
                Event::NextOwner => world.owner = Backlog::default(),
            }
            let (lowest, level) = (world.rows.first().copied(), world.stored.ack_level);
            prop_assert!(lowest.is_none_or(|row| row > level), "row {lowest:?} is not above {level}");
            prop_assert_eq!(world.stored.rows, world.rows.len() as u64, "every row is counted once");
        }
        world.owner = Backlog::default();
        // Far more rounds than there can be rows: each deletes two.
        for _ in 0..1_000 {
            world.read();
            world.done(0, usize::MAX);
            world.write(0, End::Committed);
        }
        prop_assert!(world.rows.is_empty(), "{:?} are done and stay", world.rows);
    }
}
