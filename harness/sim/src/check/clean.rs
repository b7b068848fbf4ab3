//! `clean`: nothing panicked, no handler answered INTERNAL or UNKNOWN.
use super::{Invariant, Observations, Outcome, RpcKind, Violation, seconds};
use tonic::Code;

pub const INVARIANT: Invariant = Invariant::Clean;
pub const HOLDS_WHEN: &str = "nothing panics, no handler answers INTERNAL or UNKNOWN, no program ends with an error \
                              of its own";

pub fn judge(observations: &Observations) -> Vec<Violation> {
    let mut violations = Vec::new();
    for panic in &observations.panics {
        let what = format!("{} panicked at {}", panic.host, seconds(panic.at_ns));
        let runs = observations.named_in(&panic.message);
        violations.push(Violation::new(INVARIANT, what).because(panic.message.clone()).about_each(runs));
    }
    for problem in &observations.problems {
        let runs = observations.named_in(problem);
        violations.push(Violation::new(INVARIANT, problem.clone()).about_each(runs));
    }
    for operation in &observations.operations {
        if let Outcome::Unknown { code: code @ (Code::Internal | Code::Unknown), message } = &operation.outcome
            && !is_transport(message)
        {
            let what = format!("{} answered {code:?}: {message}", operation.rpc);
            violations.push(Violation::new(INVARIANT, what).because(operation.line()));
        }
        if let RpcKind::NotServed(name) = &operation.rpc
            && operation.outcome.is_ok()
        {
            let what = format!("{name} was answered, but no checker knows what it does");
            violations.push(Violation::new(INVARIANT, what).because(operation.line()));
        }
    }
    violations
}

/// INTERNAL and UNKNOWN are also what a client's own transport says when a stream breaks: no handler said that.
fn is_transport(message: &str) -> bool {
    ["h2 protocol error", "stream closed", "connection", "broken pipe", "transport"]
        .iter()
        .any(|part| message.to_lowercase().contains(part))
}

#[cfg(test)]
mod tests {
    use crate::check::samples::{self, SECOND_NS};
    use crate::check::{Observations, Operation, Outcome, Panic};
    use tonic::Code;

    fn check(change: impl FnOnce(&mut Observations), expect: &[&str]) {
        samples::check(super::judge, change, expect);
    }

    fn answer(code: Code, message: &str) -> impl FnOnce(&mut Observations) {
        let outcome = Outcome::Unknown { code, message: message.to_owned() };
        move |observations| observations.operations.push(Operation { outcome, ..samples::signal("signal-2") })
    }

    #[test]
    fn a_sound_run_is_clean() {
        check(|_| {}, &[]);
    }

    #[test]
    fn a_panic_is_not() {
        let panic = Panic { host: "server".to_owned(), at_ns: 2 * SECOND_NS, message: "index".to_owned() };
        check(|observations| observations.panics.push(panic), &["server panicked at 2.000 s"]);
    }

    #[test]
    fn a_problem_is_not() {
        check(
            |observations| observations.problems.push("the server ended at 1.000 s".to_owned()),
            &["the server ended at 1.000 s"],
        );
    }

    #[test]
    fn a_handler_that_does_not_know_what_went_wrong_is_not() {
        check(answer(Code::Internal, "no shard"), &["SignalWorkflowExecution answered Internal: no shard"]);
        check(answer(Code::Unknown, "no shard"), &["SignalWorkflowExecution answered Unknown: no shard"]);
    }

    #[test]
    fn an_answer_that_nobody_judges_is_not() {
        let call = |rpc: &str, outcome| Operation { rpc: rpc.into(), outcome, ..samples::signal("signal-2") };
        let answered = call("ResetWorkflowExecution", samples::signal("signal-2").outcome);
        check(
            |observations| observations.operations.push(answered),
            &["ResetWorkflowExecution was answered, but no checker knows what it does"],
        );
        let refused = Outcome::Failed { code: Code::Unimplemented, message: String::new() };
        check(|observations| observations.operations.push(call("ResetWorkflowExecution", refused)), &[]);
    }

    #[test]
    fn what_a_transport_says_when_it_breaks_is() {
        check(answer(Code::Internal, "h2 protocol error: http2 error"), &[]);
        check(answer(Code::Unknown, "transport error"), &[]);
        check(answer(Code::Unavailable, "no shard"), &[]);
    }
}
