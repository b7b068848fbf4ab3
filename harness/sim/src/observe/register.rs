//! A value that each of several calls sets, the last one counting: what may stand in it at a given time.
use crate::observe::{Operation, Outcome};

/// One call that sets the value.
#[derive(Clone, Debug)]
pub struct Write<'a, T> {
    pub operation: &'a Operation,
    pub value: T,
}

/// The time in which a value was looked at: somewhere between these two moments.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub from_ns: u64,
    pub to_ns: u64,
}

impl Look {
    /// After everything.
    pub const IN_THE_END: Look = Look { from_ns: u64::MAX, to_ns: u64::MAX };
}

/// The writes whose value may be seen. None of what was certainly refused, of what began only afterwards, and of what was
/// certainly over before another one began that certainly counted.
pub fn may_stand<'w, 'a, T>(writes: &'w [Write<'a, T>], look: Look) -> Vec<&'w Write<'a, T>> {
    writes.iter().filter(|write| may_count(write, look) && !is_overwritten(write, writes, look)).collect()
}

/// Whether one of the writes certainly counted before the look.
pub fn is_set<T>(writes: &[Write<'_, T>], look: Look) -> bool {
    writes.iter().any(|write| counted_ns(write).is_some_and(|at_ns| at_ns < look.from_ns))
}

fn may_count<T>(write: &Write<'_, T>, look: Look) -> bool {
    let refused = matches!(write.operation.outcome, Outcome::Failed { .. }) && !write.operation.duplicated;
    !refused && write.operation.invoked_ns < look.to_ns
}

/// When it was known to count.
fn counted_ns<T>(write: &Write<'_, T>) -> Option<u64> {
    write.operation.completed_ns.filter(|_| write.operation.outcome.is_ok())
}

fn is_overwritten<T>(write: &Write<'_, T>, writes: &[Write<'_, T>], look: Look) -> bool {
    // A call whose outcome is unknown, or that arrives once more, may be done at any time.
    let Some(over_ns) = counted_ns(write).filter(|_| !write.operation.duplicated) else { return false };
    let by = |other: &Write<'_, T>| {
        other.operation.invoked_ns > over_ns && counted_ns(other).is_some_and(|at_ns| at_ns < look.from_ns)
    };
    writes.iter().any(by)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::samples::{self, SECOND_NS};

    /// Calls by (begins, ends, outcome), in seconds; what may be seen of them in the end.
    fn check(calls: &[(u64, u64, &Outcome)], change: impl FnOnce(&mut [Operation]), expect: &[usize]) {
        let call = |(from, to, outcome): &(u64, u64, &Outcome)| Operation {
            invoked_ns: from * SECOND_NS,
            completed_ns: Some(to * SECOND_NS),
            outcome: (*outcome).clone(),
            ..samples::signal("any")
        };
        let mut operations: Vec<Operation> = calls.iter().map(call).collect();
        change(&mut operations);
        let writes: Vec<Write<'_, usize>> =
            operations.iter().enumerate().map(|(value, operation)| Write { operation, value }).collect();
        let seen: Vec<usize> = may_stand(&writes, Look::IN_THE_END).iter().map(|write| write.value).collect();
        assert_eq!(seen, expect);
    }

    #[test]
    fn the_last_one_counts() {
        let ok = samples::signal("any").outcome;
        let refused = Outcome::Failed { code: tonic::Code::NotFound, message: String::new() };
        let unknown = Outcome::Unknown { code: tonic::Code::Unavailable, message: String::new() };
        check(&[(1, 2, &ok), (3, 4, &ok)], |_| {}, &[1]);
        // Side by side.
        check(&[(1, 3, &ok), (2, 4, &ok)], |_| {}, &[0, 1]);
        check(&[(1, 2, &ok), (3, 4, &refused)], |_| {}, &[0]);
        check(&[(1, 2, &ok), (3, 4, &unknown)], |_| {}, &[0, 1]);
        check(&[(1, 2, &unknown), (3, 4, &ok)], |_| {}, &[0, 1]);
        check(&[(1, 2, &ok), (3, 4, &ok)], |calls| calls[0].duplicated = true, &[0, 1]);
    }

    #[test]
    fn what_begins_after_the_look_is_not_seen() {
        let operation = samples::signal("any");
        let writes = [Write { operation: &operation, value: () }];
        let at = |from_ns, to_ns| Look { from_ns, to_ns };
        assert!(may_stand(&writes, at(0, operation.invoked_ns)).is_empty());
        assert!(!is_set(&writes, at(operation.invoked_ns + 1, u64::MAX)));
        assert!(is_set(&writes, Look::IN_THE_END));
    }
}
