//! A campaign as one JSON object, for scripts.

use serde_json::{Value, json as object};

use crate::{Campaign, Run, words::verdict_word};

/// Totals, distinct failures and one object per run with the fields that `tempest run --json` prints.
pub fn json(runs: &[Run]) -> String {
    let campaign = Campaign::of(runs);
    let failures: Vec<Value> = campaign
        .failures
        .iter()
        .map(|failure| {
            object!({
                "invariant": failure.invariant,
                "shape": failure.shape,
                "seeds": failure.runs.iter().map(|index| runs[*index].artifact.seed).collect::<Vec<_>>(),
                "reproduce": runs[failure.runs[0]].reproduce_command(),
            })
        })
        .collect();
    let document = object!({
        "version": 1,
        "totals": {
            "runs": campaign.runs,
            "held": campaign.held,
            "failed": campaign.failed,
            "workflows": campaign.workflows,
            "operations": campaign.operations,
            "faults": campaign.faults,
            "virtual_ms": campaign.virtual_ms,
            "wall_ms": campaign.wall_ms,
        },
        "failures": failures,
        "probes_never_hit": campaign.probes_never_hit(),
        "runs": runs.iter().map(run).collect::<Vec<_>>(),
    });
    let mut text = serde_json::to_string_pretty(&document).expect("a value of maps with text keys is JSON");
    text.push('\n');
    text
}

fn run(run: &Run) -> Value {
    let artifact = &run.artifact;
    object!({
        "scenario": artifact.scenario,
        "seed": artifact.seed,
        "world": artifact.world,
        "verdict": verdict_word(run),
        "violations": artifact.violations,
        "trace_hash": artifact.trace_hash,
        "workflows": artifact.workflows,
        "faults": artifact.faults,
        "probes": artifact.probes,
        "virtual_ms": artifact.virtual_ms,
        "wall_ms": artifact.wall_ms,
        "artifact": run.source,
        "reproduce": run.reproduce_command(),
    })
}
