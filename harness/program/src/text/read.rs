//! From a text to a program.
use super::lines::{Line, Misread, lines};
use super::words::Words;
use crate::plan::{
    Act, Action, Activity, Attempt, Backoff, Body, ById, CancelType, Child, ClientAction, ClosePolicy, Conflict, End,
    Program, Retry, Reuse, Start, Target, Workflow,
};
use std::collections::BTreeSet;

pub(super) const REUSES: &[(&str, Reuse)] =
    &[("allow", Reuse::Allow), ("failed-only", Reuse::FailedOnly), ("reject", Reuse::Reject)];
pub(super) const CONFLICTS: &[(&str, Conflict)] = &[
    ("fail", Conflict::Fail),
    ("use-existing", Conflict::UseExisting),
    ("terminate-existing", Conflict::TerminateExisting),
];
pub(super) const CANCEL_TYPES: &[(&str, CancelType)] =
    &[("try", CancelType::Try), ("wait", CancelType::Wait), ("abandon", CancelType::Abandon)];
pub(super) const CLOSE_POLICIES: &[(&str, ClosePolicy)] =
    &[("terminate", ClosePolicy::Terminate), ("cancel", ClosePolicy::Cancel), ("abandon", ClosePolicy::Abandon)];
pub(super) const ENDS: &[(&str, End)] = &[
    ("succeeds", End::Succeeds),
    ("fails", End::Fails),
    ("fails-for-good", End::FailsForGood),
    ("silent", End::Silent),
];

pub(super) const BY_IDS: &[(&str, ById)] =
    &[("completes", ById::Completes), ("fails", ById::Fails), ("cancelled", ById::Cancelled), ("beats", ById::Beats)];

/// A pause that is not said.
const BACKOFF: Backoff = Backoff { initial_ms: 100, coefficient: 2, max_ms: 1_000 };

/// Reads a program.
///
/// # Errors
/// The first line that does not fit, and why.
pub fn read(text: &str) -> Result<Program, Misread> {
    let mut reader = Reader::default();
    let mut workflows = Vec::new();
    for line in lines(text)? {
        workflows.push(reader.workflow(line)?);
    }
    let mut ids = BTreeSet::new();
    for (line, id) in &reader.workflows {
        if !ids.insert(id.as_str()) {
            return Err(Misread { line: *line, problem: format!("there is a workflow {id} already") });
        }
    }
    if let Some((line, id)) = reader.targets.iter().find(|(_, id)| !ids.contains(id.as_str())) {
        return Err(Misread { line: *line, problem: format!("there is no workflow {id}") });
    }
    if workflows.is_empty() {
        return Err(Misread { line: 1, problem: "a program has a workflow at least: `workflow a`".to_owned() });
    }
    Ok(Program { workflows })
}

/// What must fit together in the end, each with its line.
#[derive(Default)]
struct Reader {
    workflows: Vec<(usize, String)>,
    targets: Vec<(usize, String)>,
}

impl Reader {
    fn workflow(&mut self, line: Line<'_>) -> Result<Workflow, Misread> {
        let Line { mut words, below } = line;
        if words.keyword != "workflow" {
            return Err(words.misread(format!("a program is a list of `workflow NAME`, not {:?}", words.keyword)));
        }
        let id = words.name("a name")?;
        self.workflows.push((words.misread("").line, id.clone()));
        words.end()?;
        let (mut start, mut clients, mut actions) = (Start::default(), Vec::new(), Vec::new());
        for line in below {
            match line.words.keyword {
                "start" => start = read_start(line)?,
                "client" => {
                    line.words.end()?;
                    clients = line.below.into_iter().map(act).collect::<Result<_, _>>()?;
                }
                _ => actions.push(line),
            }
        }
        let body = self.body(actions, true)?;
        Ok(Workflow { id, start, body, clients })
    }

    /// `whole`: it is all that a run does, and may end it by continuing as new.
    fn body(&mut self, lines: Vec<Line<'_>>, whole: bool) -> Result<Body, Misread> {
        let last = lines.len().saturating_sub(1);
        let actions = lines.into_iter().enumerate();
        actions.map(|(index, line)| self.action(line, whole && index == last)).collect()
    }

    fn action(&mut self, line: Line<'_>, may_continue: bool) -> Result<Action, Misread> {
        let Line { mut words, below } = line;
        let has_body =
            matches!(words.keyword, "activity" | "child" | "scope" | "race" | "parallel" | "continue-as-new");
        if let (false, Some(first)) = (has_body, below.first()) {
            return Err(first.words.misread(format!("nothing belongs below {:?}", words.keyword)));
        }
        let action = match words.keyword {
            "activity" => Action::Activity(activity(&mut words, below)?),
            "timer" => Action::Timer(words.time("a time")?),
            "wait" => Action::Wait {
                signal: words.name("the name of a signal")?,
                at_most_ms: needed_time(&mut words, "at-most")?,
            },
            "signal" => {
                Action::Signal { signal: words.name("the name of a signal")?, to: self.target_value(&mut words)? }
            }
            "cancel" => {
                let word = words.next("a workflow or child:NAME")?;
                Action::Cancel(self.target(&words, word)?)
            }
            "child" => Action::Child(self.child(&mut words, below)?),
            "memo" => memo(&mut words)?,
            "attribute" => Action::Attribute(words.number("a number")?.into()),
            "version" => Action::Version(words.name("the name of a change")?),
            "scope" => {
                let cancel_after_ms = needed_time(&mut words, "cancel-after")?;
                Action::Scope { cancel_after_ms, body: self.body(below, false)? }
            }
            "race" => Action::Race(self.branches(&words, below)?),
            "parallel" => Action::Parallel(self.branches(&words, below)?),
            "continue-as-new" if may_continue => Action::ContinueAsNew(self.body(below, true)?),
            "continue-as-new" => {
                return Err(words.misread("a run continues as new at its end only, not inside of scopes and branches"));
            }
            "fail" => Action::Fail { for_good: words.flag("for-good") },
            other => return Err(words.misread(format!("there is no action {other:?}"))),
        };
        words.end()?;
        Ok(action)
    }

    fn branches(&mut self, words: &Words<'_>, below: Vec<Line<'_>>) -> Result<Vec<Body>, Misread> {
        if below.is_empty() {
            return Err(words.misread(format!("{} has a `branch` below it at least", words.keyword)));
        }
        let mut branches = Vec::new();
        for line in below {
            if line.words.keyword != "branch" {
                return Err(line.words.misread(format!("below {} there are branches", words.keyword)));
            }
            line.words.end()?;
            branches.push(self.body(line.below, false)?);
        }
        Ok(branches)
    }

    fn child(&mut self, words: &mut Words<'_>, below: Vec<Line<'_>>) -> Result<Child, Misread> {
        Ok(Child {
            id: words.name("a name")?,
            policy: words.choice("policy", CLOSE_POLICIES)?,
            retry: retry(words)?,
            run_ms: words.time_value("run")?,
            awaited: words.flag("awaited"),
            body: self.body(below, true)?,
        })
    }

    fn target_value(&mut self, words: &mut Words<'_>) -> Result<Target, Misread> {
        let word = words.value("to").ok_or_else(|| words.misread("signal needs to=WORKFLOW or to=child:NAME"))?;
        self.target(words, word)
    }

    fn target(&mut self, words: &Words<'_>, word: &str) -> Result<Target, Misread> {
        if let Some(child) = word.strip_prefix("child:") {
            return Ok(Target::Child(words.as_name(child, "a child")?));
        }
        let id = words.as_name(word, "a workflow")?;
        self.targets.push((words.misread("").line, id.clone()));
        Ok(Target::Workflow(id))
    }
}

fn needed_time(words: &mut Words<'_>, name: &str) -> Result<u64, Misread> {
    let value = words.time_value(name)?;
    value.ok_or_else(|| words.misread(format!("{} needs {name}=TIME", words.keyword)))
}

fn read_start(line: Line<'_>) -> Result<Start, Misread> {
    let mut words = line.words;
    let start = Start {
        after_ms: words.time_value("after")?.unwrap_or(0),
        reuse: words.choice("reuse", REUSES)?,
        conflict: words.choice("conflict", CONFLICTS)?,
        retry: retry(&mut words)?,
        run_ms: words.time_value("run")?,
        execution_ms: words.time_value("execution")?,
        delay_ms: words.time_value("delay")?.unwrap_or(0),
        annotated: words.flag("annotated"),
    };
    words.end()?;
    Ok(start)
}

fn act(line: Line<'_>) -> Result<Act, Misread> {
    let mut words = line.words;
    if words.keyword != "after" {
        return Err(words.misread("what a client does begins with `after TIME`"));
    }
    let after_ms = words.time("a time")?;
    let action = match words.next("what is done")? {
        "signal" => ClientAction::Signal(words.name("the name of a signal")?),
        "burst" => ClientAction::Burst {
            signal: words.name("the name of a signal")?,
            times: words.number_value("times")?.unwrap_or(2),
        },
        "signal-with-start" => ClientAction::SignalWithStart(words.name("the name of a signal")?),
        "start" => ClientAction::Start,
        "cancel" => ClientAction::Cancel,
        "terminate" => ClientAction::Terminate,
        "terminate-child" => ClientAction::TerminateChild(words.name("the name of a child")?),
        "by-id" => by_id(&mut words)?,
        "reset-sticky" => ClientAction::ResetSticky,
        "look-around" => ClientAction::LookAround,
        "describe" => ClientAction::Describe,
        "pages" => ClientAction::Pages(words.number("the size of a page")?),
        "pages-reversed" => ClientAction::PagesReversed(words.number("the size of a page")?),
        "follow" => ClientAction::Follow,
        other => return Err(words.misread(format!("no client does {other:?}"))),
    };
    words.end()?;
    Ok(Act { after_ms, action })
}

/// `by-id completes 0.2`: an activity's id is where it stands in its workflow.
fn by_id(words: &mut Words<'_>) -> Result<ClientAction, Misread> {
    let word = words.next("what is said")?;
    let Some((_, says)) = BY_IDS.iter().find(|(other, _)| *other == word) else {
        let known: Vec<&str> = BY_IDS.iter().map(|(word, _)| *word).collect();
        return Err(words.misread(format!("by-id is followed by one of {}, not {word:?}", known.join(", "))));
    };
    let path = words.next("the id of an activity")?;
    if !path.split('.').all(|part| !part.is_empty() && part.chars().all(|letter| letter.is_ascii_digit())) {
        return Err(words.misread(format!("an activity's id is numbers and dots, like 0.2, not {path:?}")));
    }
    Ok(ClientAction::ById { says: *says, path: path.to_owned() })
}

fn activity(words: &mut Words<'_>, below: Vec<Line<'_>>) -> Result<Activity, Misread> {
    let start_to_close_ms = needed_time(words, "start-to-close")?;
    let tries = retry(words)?.unwrap_or(Retry { attempts_max: 1, backoff: BACKOFF });
    Ok(Activity {
        attempts: below.into_iter().map(attempt).collect::<Result<_, _>>()?,
        attempts_max: tries.attempts_max,
        backoff: tries.backoff,
        start_to_close_ms,
        schedule_to_close_ms: words.time_value("schedule-to-close")?,
        schedule_to_start_ms: words.time_value("schedule-to-start")?,
        heartbeat_ms: words.time_value("heartbeat")?,
        cancel: words.choice("cancel", CANCEL_TYPES)?,
        unattended: words.flag("unattended"),
    })
}

fn attempt(line: Line<'_>) -> Result<Attempt, Misread> {
    let mut words = line.words;
    let found = ENDS.iter().find(|(word, _)| *word == words.keyword);
    let Some((_, end)) = found else {
        let ends: Vec<&str> = ENDS.iter().map(|(word, _)| *word).collect();
        return Err(words.misread(format!("an attempt is one of {}, not {:?}", ends.join(", "), words.keyword)));
    };
    let attempt = Attempt {
        beats: words.number_value("beats")?.unwrap_or(0),
        every_ms: words.time_value("every")?.unwrap_or(0),
        after_ms: words.time_value("after")?.unwrap_or(0),
        end: *end,
    };
    words.end()?;
    Ok(attempt)
}

fn memo(words: &mut Words<'_>) -> Result<Action, Misread> {
    let (key, value) = words.any_value().ok_or_else(|| words.misread("memo needs KEY=NUMBER"))?;
    let value = value.parse().map_err(|_| words.misread(format!("memo needs KEY=NUMBER, not {key}={value}")))?;
    Ok(Action::Memo { key: words.as_name(key, "a key")?, value })
}

/// `tries=3 pause=100ms*2<1s`; nothing if neither is said.
fn retry(words: &mut Words<'_>) -> Result<Option<Retry>, Misread> {
    let (tries, pause) = (words.value("tries"), words.value("pause"));
    if tries.is_none() && pause.is_none() {
        return Ok(None);
    }
    let attempts_max = match tries {
        None | Some("any") => 0,
        Some(text) => {
            let number = text.parse().ok().filter(|number| *number > 0);
            number.ok_or_else(|| words.misread(format!("tries is a number or `any`, not {text:?}")))?
        }
    };
    let backoff = pause.map_or(Ok(BACKOFF), |text| backoff(words, text))?;
    Ok(Some(Retry { attempts_max, backoff }))
}

fn backoff(words: &Words<'_>, text: &str) -> Result<Backoff, Misread> {
    let misread = || words.misread(format!("pause is like 100ms*2<1s (first, times, at most), not {text:?}"));
    let (initial, rest) = text.split_once('*').ok_or_else(misread)?;
    let (coefficient, max) = rest.split_once('<').ok_or_else(misread)?;
    let coefficient = coefficient.parse().ok().filter(|number| (1..=100).contains(number)).ok_or_else(misread)?;
    Ok(Backoff { initial_ms: words.as_time(initial, "pause")?, coefficient, max_ms: words.as_time(max, "pause")? })
}
