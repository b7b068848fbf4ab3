//! What the model says of the runs that were read back.
use tempest::{Observations, Violation};
use tempest_program::{Ledger, model};

pub(super) fn judge(ledger: &Ledger, observations: &Observations) -> Vec<Violation> {
    let executions = ledger.executions();
    let mut violations = Vec::new();
    for run in observations.runs.values() {
        let run_id = run.key.run_id.as_str();
        let of_run: Vec<_> = executions.iter().filter(|execution| execution.run_id == run_id).cloned().collect();
        let workflow_id = run.key.workflow_id.as_str();
        let wrong = model::judge(workflow_id, &run.stored, &of_run, &ledger.said_of(workflow_id));
        violations
            .extend(wrong.into_iter().map(|what| Violation::of_model(format!("{}: {what}", run.name())).about(run)));
    }
    for objection in ledger.objections() {
        let what = format!("{}: a worker refused a task: {}", objection.run_id, objection.why);
        violations.push(Violation::of_model(what).about_each(observations.run(&objection.run_id)));
    }
    violations
}
