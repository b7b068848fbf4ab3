//! `clean`: nothing panicked, no handler answered INTERNAL.
use super::{Invariant, Observations, Outcome, Violation, seconds};

pub const INVARIANT: Invariant = Invariant {
    name: "clean",
    holds_when: "nothing panics, no handler answers INTERNAL or UNKNOWN, no program ends with an error of its own",
};

pub fn judge(observations: &Observations) -> Vec<Violation> {
    let mut violations = Vec::new();
    for panic in &observations.panics {
        let what = format!("{} panicked at {}", panic.host, seconds(panic.at_ns));
        violations.push(Violation::new(INVARIANT.name, what).because(panic.message.clone()));
    }
    for complaint in &observations.complaints {
        violations.push(Violation::new(INVARIANT.name, complaint.clone()));
    }
    for operation in &observations.operations {
        if let Outcome::Unknown { code: code @ tonic::Code::Internal, message } = &operation.outcome
            && !is_transport(message)
        {
            let what = format!("{} answered {code:?}: {message}", operation.rpc);
            violations.push(Violation::new(INVARIANT.name, what).because(operation.line()));
        }
    }
    violations
}

/// INTERNAL is also what a client's own transport says when a stream breaks: no handler said that.
fn is_transport(message: &str) -> bool {
    ["h2 protocol error", "stream closed", "connection", "broken pipe", "transport"]
        .iter()
        .any(|part| message.to_lowercase().contains(part))
}
