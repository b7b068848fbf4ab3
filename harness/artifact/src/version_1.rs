//! Brings what harnesses of artifact version 1 wrote up to version 2.
//!
//! Version 1 had lines of text where version 2 has types: the timeline (`begin crash down_ms=700 host=worker-1`), how
//! operations ended (`failed NotFound: no such workflow`) and whether an invariant was judged. Its lines had a grammar of
//! their own, which is known here and nowhere else. A line that is not of it is kept as it is.
use serde_json::{Map, Value, json};

pub(crate) fn migrate(artifact: &mut Value) -> Result<(), String> {
    let fields = artifact.as_object_mut().ok_or("it is no object")?;
    fields.insert("version".to_owned(), json!(2));
    let plan = fields.remove("faults").unwrap_or_else(|| json!([]));
    let mut faults = Faults::of(&plan);
    for entry in objects(fields, "timeline") {
        let Some(Value::String(what)) = entry.remove("what") else { continue };
        let at_ms = entry.get("at_ms").and_then(Value::as_u64).unwrap_or(0);
        if let Value::Object(event) = event(&what, at_ms, &mut faults) {
            entry.extend(event);
        }
    }
    let begun = faults.begun;
    fields.insert("plan".to_owned(), plan);
    fields.insert("faults".to_owned(), json!(begun));
    for operation in objects(fields, "operations") {
        type_outcome(operation);
    }
    for check in objects(fields, "checks") {
        let is_judged = check.get("note").and_then(Value::as_str).is_none_or(|note| !note.starts_with("not judged"));
        check.insert("judged".to_owned(), json!(is_judged));
    }
    fields
        .entry("ownership")
        .or_insert_with(|| json!({"leases": [], "in_doubt": 0, "in_doubt_applied": 0, "failovers": []}));
    Ok(())
}

pub(super) fn objects<'a>(
    fields: &'a mut Map<String, Value>,
    list: &str,
) -> impl Iterator<Item = &'a mut Map<String, Value>> {
    let list = fields.get_mut(list).and_then(Value::as_array_mut);
    list.into_iter().flatten().filter_map(Value::as_object_mut)
}

/// `failed CODE: message` as three fields; `ok` and `pending` are as they were.
fn type_outcome(operation: &mut Map<String, Value>) {
    let Some(line) = operation.get("outcome").and_then(Value::as_str) else { return };
    let Some((word, status)) = line.split_once(' ') else { return };
    let (code, message) = status.split_once(": ").unwrap_or((status.trim_end_matches(':'), ""));
    let typed = json!({"outcome": word, "code": code, "message": message});
    if let Value::Object(typed) = typed {
        operation.extend(typed);
    }
}

/// Which fault of the plan a line is about: lines named its kind only.
struct Faults {
    /// Kind, planned time, how long it lasts, and when it began.
    planned: Vec<(String, u64, u64, Option<u64>)>,
    ended: Vec<bool>,
    begun: u64,
}

impl Faults {
    fn of(plan: &Value) -> Faults {
        let number = |value: Option<&Value>| value.and_then(Value::as_u64).unwrap_or(0);
        let one = |planned: &Value| {
            let fault = planned.get("fault");
            let kind = fault.and_then(|fault| fault.get("kind")).and_then(Value::as_str).unwrap_or_default();
            let lasts = number(fault.and_then(|fault| fault.get("for_ms")));
            (kind.to_owned(), number(planned.get("at_ms")), lasts, None)
        };
        let planned: Vec<_> = plan.as_array().into_iter().flatten().map(one).collect();
        Faults { ended: vec![false; planned.len()], planned, begun: 0 }
    }

    /// Faults of one kind begin in the order of the plan.
    fn begin(&mut self, of_kind: &str, now_ms: u64) -> Option<usize> {
        let number = self.planned.iter().position(|(kind, _, _, began)| kind == of_kind && began.is_none())?;
        self.planned[number].3 = Some(now_ms);
        self.begun += 1;
        Some(number)
    }

    /// Of those of a kind that last, the one whose time has come.
    fn end(&mut self, of_kind: &str, now_ms: u64) -> Option<usize> {
        let due = |number: &usize| {
            let (_, _, lasts, began) = self.planned[*number];
            began.unwrap_or(0).saturating_add(lasts).abs_diff(now_ms)
        };
        let lasting = (0..self.planned.len()).filter(|number| {
            let (kind, _, _, began) = &self.planned[*number];
            kind == of_kind && began.is_some() && !self.ended[*number]
        });
        let number = lasting.min_by_key(due)?;
        self.ended[number] = true;
        Some(number)
    }
}

fn event(what: &str, at_ms: u64, faults: &mut Faults) -> Value {
    let told = || json!({"event": "told", "text": what});
    let host = |event: &str, host: &str| json!({"event": event, "host": host});
    let numbered = |event: &str, number: Option<usize>| match number {
        Some(number) => json!({"event": event, "fault": number}),
        None => told(),
    };
    if let Some(fault) = what.strip_prefix("begin ") {
        return numbered("fault-began", faults.begin(fault.split(' ').next().unwrap_or(fault), at_ms));
    }
    if let Some(kind) = what.strip_prefix("end ") {
        return numbered("fault-ended", faults.end(kind, at_ms));
    }
    if let Some(name) = what.strip_prefix("crash ").and_then(|rest| rest.strip_suffix(" at the crash point")) {
        faults.begun += 1;
        return host("crash-point", name);
    }
    if let Some(name) = what.strip_prefix("start ") {
        return host("host-started", name);
    }
    if let Some(name) = what.strip_prefix("stop ") {
        return host("host-stopping", name);
    }
    if let Some(name) = what.strip_suffix(" lost its power") {
        return host("power-lost", name);
    }
    if let Some(name) = what.strip_suffix(" ended") {
        return host("program-ended", name);
    }
    if what.starts_with("heal") { json!({"event": "healed"}) } else { told() }
}

#[cfg(test)]
mod tests {
    use crate::{Artifact, Event, Host, Outcome};
    use serde_json::json;

    /// What a harness of version 1 wrote, field by field.
    fn as_written() -> serde_json::Value {
        json!({
            "version": 1, "scenario": "order-saga", "seed": 12, "world": "lockstep", "plant": null, "verdict": "violated",
            "violations": [{"invariant": "signals-once-in-order", "what": "order-3: signal amend-1 is there twice",
                "evidence": ["#17 client SignalWorkflowExecution at 9.250 s: ok"]}],
            "trace_hash": "00aa", "workflows": 2, "options": [{"name": "orders", "value": 2, "set": false}],
            "faults": [
                {"at_ms": 3000, "fault": {"kind": "clog", "from": "client", "to": "server", "for_ms": 5000}},
                {"at_ms": 3500, "fault": {"kind": "clog", "from": "server", "to": "client", "for_ms": 500}},
                {"at_ms": 6000, "fault": {"kind": "crash", "host": "worker-1", "down_ms": 700}},
                {"at_ms": 11000, "fault": {"kind": "crash", "host": "worker-1", "down_ms": 700}}],
            "probes": {"rare": 0},
            "checks": [{"invariant": "signals-once-in-order", "violations": 1, "note": "4 signals"},
                {"invariant": "determinism", "violations": 0, "checked": null, "note": "not judged: run the seed twice"}],
            "phases": [{"name": "storm", "from_ms": 0, "to_ms": 10000}],
            "timeline": [{"at_ms": 60, "what": "crash server at the crash point"}, {"at_ms": 70, "what": "start server"},
                {"at_ms": 3000, "what": "begin clog for_ms=5000 from=client to=server"},
                {"at_ms": 3500, "what": "begin clog for_ms=500 from=server to=client"}, {"at_ms": 4000, "what": "end clog"},
                {"at_ms": 6000, "what": "begin crash down_ms=700 host=worker-1"}, {"at_ms": 6100, "what": "worker-2 ended"},
                {"at_ms": 6200, "what": "server lost its power"}, {"at_ms": 6300, "what": "stop server"},
                {"at_ms": 6400, "what": "database: db-2 is not primary any more"},
                {"at_ms": 10000, "what": "heal: no fault is left"}],
            "operations": [
                {"id": 0, "caller": "client", "rpc": "Signal", "invoked_ms": 9250, "completed_ms": 9260, "outcome": "ok"},
                {"id": 1, "caller": "client", "rpc": "Signal", "invoked_ms": 9300, "completed_ms": 9900,
                 "outcome": "unknown Unavailable: connection: reset"},
                {"id": 2, "caller": "client", "rpc": "Signal", "invoked_ms": 9950, "completed_ms": null, "outcome": "pending"}],
            "histories": {"order-3/11112222-3333": {"events": []}, "order-31/11112222-4444": {"events": []}},
            "virtual_ms": 12000, "wall_ms": 80, "reproduce": "tempest run order-saga --seed 12",
            "request": {"scenario": "order-saga", "seed": 12}, "harness": "0.1.0",
        })
    }

    #[test]
    fn what_version_1_wrote_is_read() {
        let artifact = Artifact::from_json(as_written()).expect("it is migrated");
        let told: Vec<&Event> = artifact.timeline.iter().map(|entry| &entry.event).collect();
        let host = |name: &str| Host(name.to_owned());
        let expected = [
            Event::CrashPoint { host: host("server") },
            Event::HostStarted { host: host("server") },
            Event::FaultBegan { fault: 0 },
            Event::FaultBegan { fault: 1 },
            Event::FaultEnded { fault: 1 },
            Event::FaultBegan { fault: 2 },
            Event::ProgramEnded { host: host("worker-2") },
            Event::PowerLost { host: host("server") },
            Event::HostStopping { host: host("server") },
            Event::Told { text: "database: db-2 is not primary any more".to_owned() },
            Event::Healed,
        ];
        assert_eq!(told, expected.iter().collect::<Vec<_>>(), "the shorter clog is the one that ended");
        assert_eq!((artifact.plan.0.len(), artifact.faults), (4, 4), "three of the plan and the crash point");
        let unknown = Outcome::Unknown { code: "Unavailable".to_owned(), message: "connection: reset".to_owned() };
        let outcomes: Vec<Outcome> = artifact.operations.into_iter().map(|operation| operation.outcome).collect();
        assert_eq!(outcomes, [Outcome::Ok, unknown, Outcome::Pending]);
        assert_eq!(artifact.checks.iter().map(|check| check.judged).collect::<Vec<_>>(), [true, false]);
        assert!(artifact.ownership.is_empty());
        let about: Vec<&str> = artifact.violations[0].about.iter().map(|run| run.run_id.as_str()).collect();
        assert_eq!(about, ["11112222-3333"], "a violation is about the runs that it names");
    }

    #[test]
    fn lines_of_no_grammar_are_kept() {
        let mut artifact = as_written();
        artifact["timeline"] = json!([{"at_ms": 1, "what": "begin moonshine"}, {"at_ms": 2, "what": "end crash"}, {"at_ms": 3, "what": ""}]);
        let artifact = Artifact::from_json(artifact).expect("it is migrated");
        let is_told = |event: &Event| matches!(event, Event::Told { .. });
        assert!(artifact.timeline.iter().all(|entry| is_told(&entry.event)), "{:?}", artifact.timeline);
        assert_eq!(artifact.faults, 0);
    }
}
