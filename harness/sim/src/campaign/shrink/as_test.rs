//! A shrunk run as a test to paste.
use tempest_artifact::Artifact;

/// A `#[tempest::test]` that repeats a run of another one: `storm()` in it stands for what that test's body returns.
pub fn as_test(artifact: &Artifact) -> String {
    let request = &artifact.request;
    let name = artifact.scenario.rsplit("::").next().unwrap_or("storm");
    let mut text = String::new();
    for violation in artifact.violations.iter().take(1) {
        let what = violation.what.lines().next().unwrap_or_default();
        text += &format!("/// {}: {what}\n", violation.invariant);
    }
    text += &format!("#[tempest::test(seed = {})]\nfn {name}_again() -> tempest::Storm {{\n    storm()", request.seed);
    for (option, value) in &request.settings.0 {
        text += &format!("\n        .set({option:?}, {value})");
    }
    for planned in request.plan.iter().flat_map(|plan| &plan.0) {
        let json = serde_json::to_string(&planned.fault).expect("a fault is plain data");
        text += &format!("\n        .fault({}, r#\"{json}\"#)", planned.at_ms);
    }
    if request.plan.as_ref().is_some_and(|plan| plan.0.is_empty()) {
        text += "\n        .set(\"faults\", 0)";
    }
    text + "\n}\n"
}

#[cfg(test)]
mod tests {
    use super::super::tests::request;
    use super::as_test;
    use crate::fault::FaultPlan;
    use tempest_artifact::{Artifact, RunRequest, Violation};

    fn pasted(request: RunRequest) -> String {
        let violations = vec![Violation::of_model("9 of 10 orders were paid once")];
        as_test(&Artifact { scenario: "storm::pays".to_owned(), violations, request, ..Artifact::default() })
    }

    #[test]
    fn options_and_faults_are_all_there() {
        let text = pasted(request(3));
        let head =
            "/// model: 9 of 10 orders were paid once\n#[tempest::test(seed = 7)]\nfn pays_again() -> tempest::Storm {";
        assert!(text.starts_with(head), "{text}");
        for line in
            [".set(\"sagas\", 3)", ".fault(1234, r#\"{\"kind\":\"crash\",\"host\":\"worker-1\",\"down_ms\":4321}\"#)"]
        {
            assert!(text.contains(line), "{text}");
        }
        let without = pasted(RunRequest { plan: Some(FaultPlan::default()), ..request(3) });
        assert!(without.contains(".set(\"faults\", 0)\n}"), "{without}");
    }
}
