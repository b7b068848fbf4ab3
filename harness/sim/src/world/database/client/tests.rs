//! Whatever becomes of a write and of its connection, the client says no more than it knows.
use super::*;
use proptest::prelude::*;
use std::sync::Mutex;
use tempest_core::Time;
use tempest_rt::net::Listener;
use tempest_rt::task::spawn;
use tempest_store::{
    BacklogCommit, CommitFuture, CommitOutcome, NamespaceRecord, PartitionKey, RangeId, ShardCommit, ShardId,
    StoreCalls, TaskQueueType,
};
use tokio::io::DuplexStream;

/// Longer than a database that is late, and a client that waits for it, can take together.
const ALL_OVER: Duration = Duration::from_secs(300);

/// Whom a client that connects finds.
#[derive(Clone, Debug)]
enum Found {
    Nobody,
    /// It takes the connection and says nothing.
    Silence,
    Standby,
    Primary {
        timeline: u32,
        /// How many bytes lie in the connection unread before a writer has to wait.
        pipe: usize,
        /// For each request that comes, in turn.
        acts: Vec<Act>,
        /// Whether it goes on to hold the connection, or lets go of it.
        stays: bool,
    },
}

/// What a primary makes of a request.
#[derive(Clone, Debug)]
struct Act {
    /// How long it lies unread.
    read_after_ms: u64,
    does: Does,
    says_after_ms: u64,
    says: Says,
}

#[derive(Clone, Debug)]
enum Does {
    Applies,
    Refuses(StoreError),
    /// It dies before it comes to that.
    Nothing,
}

#[derive(Clone, Copy, Debug)]
enum Says {
    WhatItDid,
    Nothing,
    /// The connection ends instead of an answer.
    GoesAway,
    /// A frame that is no answer.
    Nonsense,
    /// An answer to another request.
    ToAnother,
}

/// What the side of the server does meanwhile.
#[derive(Clone, Copy, Debug)]
enum Step {
    Write(Kind),
    Wait(u64),
    /// Another node tells of a timeline.
    HearOf(u32),
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Commit,
    Backlog,
    Namespace,
}

/// What really became of the writes, by their numbers.
#[derive(Debug, Default)]
struct Ledger {
    received: Vec<u64>,
    applied: Vec<u64>,
    said: BTreeMap<u64, Result<Answer, StoreError>>,
}

/// Connections to what is found, one after the other; in the end there is none.
struct Scripted {
    found: Mutex<VecDeque<Found>>,
    ledger: Arc<Mutex<Ledger>>,
}

impl Network for Scripted {
    fn listen(&self, _: String) -> BoxFuture<'static, io::Result<Box<dyn Listener>>> {
        unreachable!("a client listens to nobody")
    }

    fn connect(&self, _: String) -> BoxFuture<'static, io::Result<Box<dyn ByteStream>>> {
        let found = self.found.lock().expect("no holder of this lock panics").pop_front().unwrap_or(Found::Nobody);
        let ledger = self.ledger.clone();
        Box::pin(async move {
            let pipe = match &found {
                Found::Nobody => return Err(io::ErrorKind::ConnectionRefused.into()),
                Found::Primary { pipe, .. } => *pipe,
                _ => 64,
            };
            let (client, database) = tokio::io::duplex(pipe);
            spawn(serve(database, found, ledger));
            Ok(Box::new(client) as Box<dyn ByteStream>)
        })
    }
}

/// Ends where the connection does.
async fn serve(mut stream: DuplexStream, found: Found, ledger: Arc<Mutex<Ledger>>) -> Option<()> {
    match found {
        Found::Nobody => {}
        Found::Silence => std::future::pending().await,
        Found::Standby => send(&mut stream, &ToClient::NotPrimary).await.ok()?,
        Found::Primary { timeline, acts, stays, .. } => {
            let serving = || ToClient::Serving { term: 1, timeline: Timeline(timeline) };
            send(&mut stream, &serving()).await.ok()?;
            for act in acts {
                sleep(Duration::from_millis(act.read_after_ms)).await;
                let Asked { id, request } = receive(&mut stream).await.ok()?;
                let write = number_of(&request);
                let answer = ledger.lock().expect("no holder of this lock panics").perform(write, &act);
                sleep(Duration::from_millis(act.says_after_ms)).await;
                let frame = match (act.says, answer) {
                    (Says::GoesAway, _) => return None,
                    (Says::Nothing, _) | (Says::WhatItDid, None) => continue,
                    (Says::Nonsense, _) => serving(),
                    (Says::ToAnother, _) => ToClient::Answer { id: id + 1_000, answer: done() },
                    (Says::WhatItDid, Some(answer)) => {
                        ledger.lock().expect("no holder of this lock panics").said.insert(write, answer.clone());
                        ToClient::Answer { id, answer }
                    }
                };
                send(&mut stream, &frame).await.ok()?;
            }
            if stays {
                std::future::pending().await
            }
        }
    }
    Some(())
}

impl Ledger {
    /// The answer to it, if there is one.
    fn perform(&mut self, write: u64, act: &Act) -> Option<Result<Answer, StoreError>> {
        self.received.push(write);
        match &act.does {
            Does::Applies => {
                self.applied.push(write);
                Some(done())
            }
            Does::Refuses(error) => Some(Err(error.clone())),
            Does::Nothing => None,
        }
    }
}

fn done() -> Result<Answer, StoreError> {
    Ok(Answer::Written(Written::Done))
}

/// Each write carries its number somewhere.
fn number_of(request: &Request) -> u64 {
    let Request::Write(write) = request else { panic!("nobody reads: {request:?}") };
    match &**write {
        WriteRequest::Commit(commit) => commit.sequence,
        WriteRequest::Backlog(commit) => u64::try_from(commit.ack_level).expect("it was made of one"),
        WriteRequest::PutNamespace(record) => record.version,
        other => panic!("nobody writes {other:?}"),
    }
}

fn write(store: &DatabaseStore, number: u64, kind: Kind) -> CommitFuture {
    match kind {
        Kind::Commit => store.commit(ShardCommit {
            shard: ShardId(1),
            range_id: RangeId(1),
            sequence: number,
            time: Time::ZERO,
            runs: Vec::new(),
            current: None,
            history: Vec::new(),
            tasks_added: Vec::new(),
            tasks_deleted: Vec::new(),
        }),
        Kind::Backlog => store.commit_backlog(BacklogCommit {
            partition: PartitionKey {
                namespace_id: "n".into(),
                name: "q".to_owned(),
                queue_type: TaskQueueType::Workflow,
                partition: 0,
            },
            range_id: RangeId(1),
            added: Vec::new(),
            deleted: Vec::new(),
            ack_level: i64::try_from(number).expect("there are not so many"),
            rows: 0,
        }),
        Kind::Namespace => {
            let record = NamespaceRecord { version: number, ..Default::default() };
            let answer = store.write(WriteRequest::PutNamespace(record));
            Box::pin(async move { answer.await.into() })
        }
    }
}

/// How each write ended for its caller, and what really became of it. The client goes away in the end, before it has
/// answered all if it `leaves_early`.
fn live(found: Vec<Found>, steps: &[Step], leaves_early: bool) -> (BTreeMap<u64, CommitOutcome>, Ledger) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("there are threads");
    runtime.block_on(async {
        let ledger = Arc::<Mutex<Ledger>>::default();
        let network = Scripted { found: Mutex::new(found.into()), ledger: ledger.clone() };
        let nodes = ["db-1", "db-2", "db-3"].map(|name| Host(name.to_owned()));
        let mut store = Some(DatabaseStore::new(Arc::new(network), &nodes));
        let mut writes = BTreeMap::new();
        for (number, step) in (1..).zip(steps) {
            let store = store.as_ref().expect("it has not left");
            match step {
                Step::Write(kind) => drop(writes.insert(number, write(store, number, *kind))),
                Step::Wait(ms) => sleep(Duration::from_millis(*ms)).await,
                Step::HearOf(timeline) => store.hear_of(Timeline(*timeline)),
            }
        }
        if leaves_early {
            store = None;
        }
        let mut ends = BTreeMap::new();
        for (number, write) in writes {
            let end = timeout(ALL_OVER, write).await;
            ends.insert(number, end.unwrap_or_else(|_| panic!("nobody says what became of write {number}")));
        }
        drop(store);
        // What lies in a connection may be read and performed when its caller waits no more.
        sleep(ALL_OVER).await;
        let ledger = std::mem::take(&mut *ledger.lock().expect("no holder of this lock panics"));
        (ends, ledger)
    })
}

/// Done only if the database said so, refused only if it said so or never had it; what is told is what it said. And it
/// comes to the database once: a second answer would say nothing of the first.
fn is_honest(number: u64, end: &CommitOutcome, ledger: &Ledger) -> bool {
    let said = ledger.said.get(&number).cloned().map(CommitOutcome::from);
    let applied = ledger.applied.contains(&number);
    match (end, ledger.received.iter().filter(|received| **received == number).count()) {
        (CommitOutcome::OutcomeUnknown(_), 0 | 1) => true,
        (CommitOutcome::Unavailable(_), 0) => true,
        (CommitOutcome::Committed, 1) => applied && said.as_ref() == Some(end),
        (_, 1) => !applied && said.as_ref() == Some(end),
        _ => false,
    }
}

fn refusal() -> impl Strategy<Value = StoreError> {
    prop_oneof![
        Just(StoreError::Unavailable("it takes no writes".to_owned())),
        Just(StoreError::Conflict("somebody was faster".to_owned())),
        Just(StoreError::OwnershipLost { current: RangeId(9) }),
    ]
}

/// Mostly at once, else before or after a client's patience is over.
fn moment() -> impl Strategy<Value = u64> {
    prop_oneof![6 => Just(0), 2 => 1_u64..3_000, 1 => 3_000_u64..20_000]
}

fn act() -> impl Strategy<Value = Act> {
    let does = prop_oneof![4 => Just(Does::Applies), 2 => refusal().prop_map(Does::Refuses), 1 => Just(Does::Nothing)];
    let says = prop_oneof![
        6 => Just(Says::WhatItDid),
        1 => Just(Says::Nothing),
        2 => Just(Says::GoesAway),
        1 => Just(Says::Nonsense),
        1 => Just(Says::ToAnother),
    ];
    (moment(), does, moment(), says).prop_map(|(read_after_ms, does, says_after_ms, says)| Act {
        read_after_ms,
        does,
        says_after_ms,
        says,
    })
}

fn found() -> impl Strategy<Value = Found> {
    let pipe = prop_oneof![Just(16), Just(1 << 16)];
    let primary = (0_u32..4, pipe, proptest::collection::vec(act(), 0..5), any::<bool>())
        .prop_map(|(timeline, pipe, acts, stays)| Found::Primary { timeline, pipe, acts, stays });
    prop_oneof![1 => Just(Found::Nobody), 1 => Just(Found::Silence), 1 => Just(Found::Standby), 6 => primary]
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![Just(Kind::Commit), Just(Kind::Backlog), Just(Kind::Namespace)];
    prop_oneof![
        5 => kind.prop_map(Step::Write),
        3 => moment().prop_map(Step::Wait),
        1 => (0_u32..5).prop_map(Step::HearOf),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_said_that_is_not_known(
        found in proptest::collection::vec(found(), 0..8),
        steps in proptest::collection::vec(step(), 1..16),
        leaves_early: bool,
    ) {
        let (ends, ledger) = live(found, &steps, leaves_early);
        for (number, end) in &ends {
            prop_assert!(is_honest(*number, end, &ledger), "write {} is said to be {:?}: {:?}", number, end, ledger);
        }
    }
}

/// One write on a connection that the primary deals with so.
fn end_of_one_write(acts: Vec<Act>, stays: bool, then: &[Step]) -> (CommitOutcome, Ledger) {
    let primary = Found::Primary { timeline: 0, pipe: 1 << 16, acts, stays };
    let steps = [&[Step::Write(Kind::Commit)][..], then].concat();
    let (mut ends, ledger) = live(vec![primary], &steps, false);
    (ends.remove(&1).expect("it was made first"), ledger)
}

fn at_once(does: Does, says: Says) -> Act {
    Act { read_after_ms: 0, does, says_after_ms: 0, says }
}

#[test]
fn what_the_database_says_is_told() {
    assert_eq!(end_of_one_write(vec![at_once(Does::Applies, Says::WhatItDid)], true, &[]).0, CommitOutcome::Committed);
    for refusal in [
        StoreError::Unavailable("it takes no writes".to_owned()),
        StoreError::Conflict("somebody was faster".to_owned()),
        StoreError::OwnershipLost { current: RangeId(9) },
    ] {
        let acts = vec![at_once(Does::Refuses(refusal.clone()), Says::WhatItDid)];
        assert_eq!(end_of_one_write(acts, true, &[]).0, CommitOutcome::from(Err::<(), _>(refusal)));
    }
}

#[test]
fn what_never_left_was_not_done() {
    for found in [Found::Nobody, Found::Silence, Found::Standby] {
        let (ends, ledger) = live(vec![found.clone(); 3], &[Step::Write(Kind::Commit)], false);
        assert!(matches!(ends[&1], CommitOutcome::Unavailable(_)), "{found:?}: {ends:?}");
        assert!(ledger.received.is_empty());
    }
}

#[test]
fn what_was_sent_and_has_no_answer_is_in_doubt() {
    let in_doubt = |acts: Vec<Act>, stays, then: &[Step], performed: bool| {
        let (end, ledger) = end_of_one_write(acts.clone(), stays, then);
        assert!(matches!(end, CommitOutcome::OutcomeUnknown(_)), "{acts:?}: {end:?}");
        assert_eq!(ledger.applied, if performed { vec![1] } else { Vec::new() }, "{acts:?}");
    };
    // The connection ends before it is read, or it is never read.
    in_doubt(Vec::new(), false, &[], false);
    in_doubt(Vec::new(), true, &[], false);
    for says in [Says::Nothing, Says::GoesAway, Says::Nonsense, Says::ToAnother] {
        for stays in [false, true] {
            in_doubt(vec![at_once(Does::Applies, says)], stays, &[], true);
            in_doubt(vec![at_once(Does::Nothing, says)], stays, &[], false);
        }
    }
    // It is read, or answered, when its caller waits no more.
    let late = Act { read_after_ms: 15_000, ..at_once(Does::Applies, Says::WhatItDid) };
    in_doubt(vec![late], true, &[], true);
    let slow = Act { says_after_ms: 15_000, ..at_once(Does::Applies, Says::WhatItDid) };
    in_doubt(vec![slow], true, &[], true);
    // Meanwhile the primary turns out to be one of before: what it will say does not count.
    let slow = Act { says_after_ms: 1_000, ..at_once(Does::Applies, Says::WhatItDid) };
    in_doubt(vec![slow], true, &[Step::Wait(500), Step::HearOf(1)], true);
}

#[test]
fn what_waits_when_the_client_goes_is_in_doubt() {
    let primary = Found::Primary { timeline: 0, pipe: 1 << 16, acts: Vec::new(), stays: true };
    let (ends, _) = live(vec![primary], &[Step::Write(Kind::Commit), Step::Wait(1)], true);
    assert!(matches!(ends[&1], CommitOutcome::OutcomeUnknown(_)), "{ends:?}");
}
