//! What becomes of a call, whatever the nodes that it is sent to answer, and whichever node should own it meanwhile.
use super::*;
use proptest::prelude::*;
use std::sync::Mutex;
use tempest_api::ResourceExhaustedCause;
use tempest_rt::net::Tcp;
use tempest_rt::task::spawn;

const OWN: &str = "own";
/// The node of this name is where no node can be called.
const NOWHERE: &str = "nowhere";

type Answer = ServiceResult<u32>;

/// What the nodes answer, one after the other, and who is to own it.
#[derive(Clone, Debug)]
struct Script {
    answers: Vec<Answer>,
    owner_at_first: Option<&'static str>,
    /// The nodes do not give back what they did not do.
    keeps_what_it_is_asked: bool,
    /// After so many milliseconds from the one before.
    owners: Vec<(u64, Option<&'static str>)>,
}

/// It cannot be copied.
struct Asked;

/// One call that was made.
#[derive(Debug)]
struct Made {
    try_number: usize,
    to: String,
    /// Who was to own it then.
    owner: Option<String>,
    answer: Answer,
}

#[derive(Debug)]
struct Life {
    tries: usize,
    calls: Vec<Made>,
    result: Answer,
}

fn lost(owner_host: &str) -> Answer {
    Err(ServiceError::ShardOwnershipLost { owner_host: owner_host.to_owned() })
}

/// What it says is final, and no other node would say otherwise.
fn definite() -> impl Strategy<Value = Answer> {
    prop_oneof![
        3 => any::<u32>().prop_map(Ok),
        1 => Just(Err(ServiceError::NotFound("no such run".to_owned()))),
        1 => Just(Err(ServiceError::InvalidArgument("no id".to_owned()))),
        1 => Just(Err(ServiceError::FailedPrecondition("not now".to_owned()))),
        1 => Just(Err(ServiceError::TaskAlreadyStarted)),
        1 => Just(Err(ServiceError::StickyWorkerUnavailable)),
        1 => Just(Err(ServiceError::DeadlineExceeded("too late".to_owned()))),
        1 => Just(Err(ServiceError::DataLoss("it is gone".to_owned()))),
        1 => Just(Err(ServiceError::ResourceExhausted {
            cause: ResourceExhaustedCause::BusyWorkflow,
            message: "busy".to_owned(),
        })),
    ]
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        3 => Just(lost("")),
        4 => prop_oneof![Just("b:1"), Just("c:1")].prop_map(lost),
        3 => Just(Err(ServiceError::Unavailable("not now".to_owned()))),
        1 => Just(Err(ServiceError::OtherVersion { speaks: 1, why: "no such variant".to_owned() })),
        2 => Just(Err(ServiceError::OutcomeUnknown("no answer".to_owned()))),
        2 => definite(),
    ]
}

fn owner() -> impl Strategy<Value = Option<&'static str>> {
    prop_oneof![
        1 => Just(None),
        4 => Just(Some(OWN)),
        4 => prop_oneof![Just("b"), Just("c")].prop_map(Some),
        1 => Just(Some(NOWHERE)),
    ]
}

fn script() -> impl Strategy<Value = Script> {
    // More answers than there may be tries: one try too many is seen as such.
    let answers = proptest::collection::vec(answer(), TRIES_MAX as usize + 2);
    let owners = proptest::collection::vec((0_u64..200, owner()), 0..8);
    let scripts = (answers, owner(), proptest::bool::weighted(0.1), owners);
    scripts.prop_map(|(answers, owner_at_first, keeps_what_it_is_asked, owners)| Script {
        answers,
        owner_at_first,
        keeps_what_it_is_asked,
        owners,
    })
}

fn address_of(name: &str) -> String {
    format!("{name}:1")
}

fn ring_of(owner: Option<&str>) -> Arc<Ring> {
    let member = |name: &str| Member { name: name.to_owned(), address: address_of(name), roles: Vec::new() };
    Arc::new(Ring::new(owner.map(member).into_iter().collect()))
}

fn follow(script: Script) -> Life {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let (changes, ring) = watch::channel(ring_of(script.owner_at_first));
        let owners = script.owners;
        spawn(async move {
            for (after_ms, owner) in owners {
                sleep(Duration::from_millis(after_ms)).await;
                changes.send_replace(ring_of(owner));
            }
        });
        let peers = Arc::new(Peers::new(Arc::new(Tcp), None));
        let cluster = Cluster { own_name: OWN.to_owned(), ring: ring.clone(), peers };
        let (tries, calls) = (Mutex::new(0), Mutex::new(Vec::new()));
        let owner = |ring: &Ring| {
            *tries.lock().unwrap() += 1;
            ring.members().first().cloned()
        };
        let remote = |address: &str| match address == address_of(NOWHERE) {
            true => Err(ServiceError::Unavailable("that is no address".to_owned())),
            false => Ok(Arc::<str>::from(address)),
        };
        let call = |to: Arc<str>, ask: Asked| -> BoxFuture<'static, Result<u32, Refused<Asked>>> {
            let mut calls = calls.lock().unwrap();
            let answer = script.answers[calls.len()].clone();
            let owner = ring.borrow().members().first().map(|member| member.name.clone());
            let try_number = *tries.lock().unwrap();
            calls.push(Made { try_number, to: to.to_string(), owner, answer: answer.clone() });
            // What may have been done, no node gives back.
            let back = (is_certainly_not_done(&answer) && !script.keeps_what_it_is_asked).then(|| Box::new(ask));
            Box::pin(async { answer.map_err(|error| Refused { error, ask: back }) })
        };
        let result = cluster.follow(owner, || Arc::from(OWN), remote, Asked, call).await;
        Life { tries: tries.into_inner().unwrap(), calls: calls.into_inner().unwrap(), result }
    })
}

fn is_certainly_not_done(answer: &Answer) -> bool {
    matches!(
        answer,
        Err(ServiceError::Unavailable(_) | ServiceError::OtherVersion { .. } | ServiceError::ShardOwnershipLost { .. })
    )
}

/// Where a call was to go, given the answer to the one before.
fn destination(before: Option<&Made>, call: &Made) -> Option<String> {
    match before.map(|before| (before.try_number, &before.answer)) {
        // The node that lost it knows better than the ring, but only the first that was asked is believed.
        Some((1, Err(ServiceError::ShardOwnershipLost { owner_host }))) if !owner_host.is_empty() => {
            Some(owner_host.clone()).filter(|_| call.try_number == 2)
        }
        _ if call.owner.as_deref() == Some(OWN) => Some(OWN.to_owned()),
        _ => call.owner.as_deref().map(address_of),
    }
}

fn check(script: Script) -> Result<(), TestCaseError> {
    let keeps = script.keeps_what_it_is_asked;
    let Life { tries, calls, result } = follow(script);
    prop_assert!(tries <= TRIES_MAX as usize, "{} tries", tries);
    for (number, call) in calls.iter().enumerate() {
        if number + 1 < calls.len() {
            prop_assert!(is_certainly_not_done(&call.answer), "made again after {:?}", call.answer);
        }
        let before = number.checked_sub(1).map(|before| &calls[before]);
        prop_assert_eq!(Some(call.to.clone()), destination(before, call), "call {} of {:?}", number, calls);
    }
    match calls.last() {
        Some(Made { answer, .. }) if !is_certainly_not_done(answer) => {
            prop_assert_eq!(&result, answer, "it is told as it was said");
        }
        _ => {
            let retryable = matches!(result, Err(ServiceError::Unavailable(_) | ServiceError::OtherVersion { .. }));
            prop_assert!(retryable, "nothing was done: {:?}", result);
            let nowhere = matches!(&result, Err(ServiceError::Unavailable(why)) if why == "that is no address");
            let given_up = tries == TRIES_MAX as usize || keeps && calls.len() == 1;
            prop_assert!(nowhere || given_up, "given up after {} tries", tries);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Only what was certainly not done is tried again, a few times; whatever else is answered is told unchanged.
    #[test]
    fn a_call_that_may_have_been_performed_is_never_made_again(script in script()) {
        check(script)?;
    }
}

#[test]
fn a_call_is_followed_to_where_it_was_sent_on_and_no_further() {
    let script = Script {
        answers: vec![lost("b:1"), lost("c:1"), Ok(7)],
        keeps_what_it_is_asked: false,
        owner_at_first: Some(OWN),
        owners: Vec::new(),
    };
    let life = follow(script);
    let to: Vec<&str> = life.calls.iter().map(|call| call.to.as_str()).collect();
    assert_eq!((to, life.result), (vec![OWN, "b:1", OWN], Ok(7)));
}
