//! What scenarios, options, planted bugs and sites of decisions were called before. Artifacts, regressions and command lines
//! of then are still followed, and a seed still draws what it drew: the stream of a site is that of its first name.
//!
//! A name is looked up here only after it was not found as it is, so that a name that users gave stays theirs.
use crate::RunRequest;
use std::borrow::Cow;

/// Before and now.
type Renamed = (&'static str, &'static str);

const SCENARIOS: &[Renamed] = &[("criss-cross", "signal-mesh")];

const OPTIONS: &[Renamed] = &[
    ("crash_at_hand_over", "crash_at_scheduling_point"),
    ("marches_percent", "long_activities_percent"),
    ("restless_percent", "continue_as_new_percent"),
    ("strangers_percent", "missing_targets_percent"),
];

const PLANTED_BUGS: &[Renamed] = &[
    ("done-errand-forgotten", "done-cross-call-forgotten"),
    ("late-errand-done-unasked", "late-cross-call-done-unasked"),
    ("refusal-believed-although-copies-follow", "refusal-believed-although-duplicates-follow"),
];

/// Beginnings of sites; the first that fits counts.
const SITES: &[Renamed] = &[
    ("criss_cross.restless.", "signal_mesh.continues_as_new."),
    ("criss_cross.", "signal_mesh."),
    ("herd.marches", "herd.long_activity"),
    ("rpc.copy_after_ms", "rpc.duplicate_after_ms"),
    ("buggify.history-errand-end-answer-lost", "buggify.history-cross-call-end-answer-lost"),
];

/// The prefix of the sites at which options are drawn.
const OPTION_SITE: &str = "option.";

fn now(renamed: &'static [Renamed], name: &str) -> Option<&'static str> {
    renamed.iter().find(|(before, _)| *before == name).map(|(_, now)| *now)
}

/// What the scenario of this old name is called now.
pub fn scenario(name: &str) -> Option<&'static str> {
    now(SCENARIOS, name)
}

/// What the option of this old name is called now.
pub fn option(name: &str) -> Option<&'static str> {
    now(OPTIONS, name)
}

/// What the planted bug of this old name is called now.
pub fn planted_bug(name: &str) -> Option<&'static str> {
    now(PLANTED_BUGS, name)
}

/// What the option of this name was called before.
pub fn option_before(name: &str) -> Option<&'static str> {
    OPTIONS.iter().find(|(_, now)| *now == name).map(|(before, _)| *before)
}

/// The name that a site had first, by which its random numbers are drawn and overridden.
pub fn first_site(site: &str) -> Cow<'_, str> {
    if let Some(before) = site.strip_prefix(OPTION_SITE).and_then(option_before) {
        return format!("{OPTION_SITE}{before}").into();
    }
    let renamed = SITES.iter().find_map(|(before, now)| Some((*before, site.strip_prefix(now)?)));
    renamed.map_or(site.into(), |(before, rest)| format!("{before}{rest}").into())
}

/// A sentence for each old name that is in use, for the person who asked for it.
pub fn notes(request: &RunRequest) -> Vec<String> {
    let note =
        |what: &str, before: &str, now: Option<&str>| now.map(|now| format!("{what} {before} is called {now} now"));
    let scenario = note("scenario", &request.scenario, scenario(&request.scenario));
    let options = request.settings.0.keys().map(|name| note("option", name, option(name)));
    let plants = request.plants.iter().map(|name| note("planted bug", name, planted_bug(name)));
    scenario.into_iter().chain(options.chain(plants).flatten()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Artifact, Invariant, Settings};
    use serde_json::json;

    #[test]
    fn sites_keep_the_stream_of_their_first_name() {
        let check = |site: &str, first: &str| assert_eq!(first_site(site), first);
        check("signal_mesh.begins.walker-1", "criss_cross.begins.walker-1");
        check("signal_mesh.continues_as_new.walker-1", "criss_cross.restless.walker-1");
        check("criss_cross.begins.walker-1", "criss_cross.begins.walker-1");
        check("option.continue_as_new_percent", "option.restless_percent");
        check("option.shards", "option.shards");
        check("rpc.duplicate_after_ms", "rpc.copy_after_ms");
        check("buggify.history-cross-call-end-answer-lost.on", "buggify.history-errand-end-answer-lost.on");
    }

    #[test]
    fn old_names_are_told_with_the_new_ones() {
        let settings = Settings([("restless_percent".to_owned(), 50), ("shards".to_owned(), 4)].into());
        let plants = vec!["done-errand-forgotten".to_owned(), "early-timer".to_owned()];
        let request = RunRequest { scenario: "criss-cross".to_owned(), settings, plants, ..RunRequest::default() };
        let expected = [
            "scenario criss-cross is called signal-mesh now",
            "option restless_percent is called continue_as_new_percent now",
            "planted bug done-errand-forgotten is called done-cross-call-forgotten now",
        ];
        assert_eq!(notes(&request), expected);
        assert_eq!(notes(&RunRequest { scenario: "hello".to_owned(), ..RunRequest::default() }), [""; 0]);
    }

    #[test]
    fn artifacts_with_old_names_of_fields_are_read() {
        let mut written =
            serde_json::to_value(Artifact { version: 2, ..Artifact::default() }).expect("it is plain data");
        written["checks"] = json!([{"invariant": "errands-end", "violations": 0, "judged": true, "note": ""}]);
        written["ownership"] = json!({
            "tenures": [{"shard": 1, "server": "server-1", "range_id": 1, "from_ms": 0, "to_ms": 9, "commits": 2}],
            "in_doubt": 1, "in_doubt_applied": 1, "failovers": [],
            "commits_in_doubt": [{"at_ms": 5, "server": "server-1", "shard": 1, "range": "1", "sequence": 2,
                "workflow_ids": [], "fate": "applied"}],
        });
        let artifact = Artifact::from_json(written).expect("it is read");
        assert_eq!(artifact.checks[0].invariant, Invariant::CrossCallsEnd);
        assert_eq!((artifact.ownership.leases.len(), artifact.ownership.commits_in_doubt.len()), (1, 1));
    }
}
