//! Brings what harnesses of artifact version 2 wrote up to version 3.
//!
//! Most violations of version 2 did not say which runs they are about: those are whose ids their sentences name.
use crate::version_1::objects;
use serde_json::{Map, Value, json};

pub(crate) fn migrate(artifact: &mut Value) -> Result<(), String> {
    let fields = artifact.as_object_mut().ok_or("it is no object")?;
    fields.insert("version".to_owned(), json!(3));
    let histories = fields.get("histories").and_then(Value::as_object);
    let runs: Vec<String> = histories.into_iter().flat_map(Map::keys).cloned().collect();
    for violation in objects(fields, "violations") {
        let says = violation.get("about").and_then(Value::as_array).is_some_and(|about| !about.is_empty());
        if !says {
            add_about(violation, &runs);
        }
    }
    Ok(())
}

/// Of these runs, `workflow id/run id`, those that the sentences of a violation name.
fn add_about(violation: &mut Map<String, Value>, runs: &[String]) {
    let evidence = violation.get("evidence").and_then(Value::as_array).into_iter().flatten();
    let sentences: Vec<&str> = violation.get("what").into_iter().chain(evidence).filter_map(Value::as_str).collect();
    let about = |run: &String| {
        let (workflow_id, run_id) = run.rsplit_once('/').unwrap_or((run.as_str(), ""));
        let is_named = sentences.iter().any(|sentence| names(sentence, workflow_id, run_id));
        is_named.then(|| json!({"workflow_id": workflow_id, "run_id": run_id}))
    };
    let about: Vec<Value> = runs.iter().filter_map(about).collect();
    violation.insert("about".to_owned(), json!(about));
}

/// A run id is long enough to be nothing else; a workflow id counts only where it stands alone.
fn names(sentence: &str, workflow_id: &str, run_id: &str) -> bool {
    let mut words = sentence.split(|letter: char| letter.is_whitespace() || "\"'`,;:()/".contains(letter));
    (run_id.len() >= 8 && sentence.contains(run_id)) || words.any(|word| !word.is_empty() && word == workflow_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violation_is_about_the_runs_that_it_names_unless_it_says_so_itself() {
        let mut artifact = json!({
            "version": 2,
            "histories": {"order-1/11112222-3333": [], "order-2/44445555-6666": []},
            "violations": [
                {"what": "order-1: a signal is there twice", "evidence": []},
                {"what": "order-1: a signal is there twice", "about": [{"workflow_id": "order-2", "run_id": ""}]},
            ],
        });
        migrate(&mut artifact).expect("it is an object");
        assert_eq!(artifact["version"], 3);
        assert_eq!(artifact["violations"][0]["about"], json!([{"workflow_id": "order-1", "run_id": "11112222-3333"}]));
        assert_eq!(artifact["violations"][1]["about"], json!([{"workflow_id": "order-2", "run_id": ""}]));
    }
}
