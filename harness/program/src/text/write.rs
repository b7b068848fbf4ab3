//! From a program to its text.
use super::read::{BY_IDS, CANCEL_TYPES, CLOSE_POLICIES, CONFLICTS, ENDS, REUSES};
use super::words::UNITS;
use crate::plan::{
    Act, Action, Activity, Attempt, Backoff, Body, Child, ClientAction, Program, Retry, Start, Target, Workflow,
};

/// The text of a program; [`super::read`] makes the same program of it.
pub fn write(program: &Program) -> String {
    let mut page = Page::default();
    for workflow in &program.workflows {
        page.workflow(workflow);
    }
    page.text
}

#[derive(Default)]
struct Page {
    text: String,
    depth: usize,
}

impl Page {
    fn line(&mut self, words: &[String]) {
        let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| !word.is_empty()).collect();
        self.text.push_str(&"  ".repeat(self.depth));
        self.text.push_str(&words.join(" "));
        self.text.push('\n');
    }

    fn below(&mut self, write: impl FnOnce(&mut Page)) {
        self.depth += 1;
        write(self);
        self.depth -= 1;
    }

    fn workflow(&mut self, workflow: &Workflow) {
        self.line(&[format!("workflow {}", workflow.id)]);
        self.below(|page| {
            if workflow.start != Start::default() {
                page.line(&start(&workflow.start));
            }
            page.body(&workflow.body);
            if !workflow.clients.is_empty() {
                page.line(&["client".to_owned()]);
                page.below(|page| workflow.clients.iter().for_each(|act| page.line(&[act_line(act)])));
            }
        });
    }

    fn body(&mut self, body: &Body) {
        body.iter().for_each(|action| self.action(action));
    }

    fn branches(&mut self, keyword: &str, branches: &[Body]) {
        self.line(&[keyword.to_owned()]);
        self.below(|page| {
            for branch in branches {
                page.line(&["branch".to_owned()]);
                page.below(|page| page.body(branch));
            }
        });
    }

    fn action(&mut self, action: &Action) {
        match action {
            Action::Activity(activity) => {
                self.line(&activity_line(activity));
                self.below(|page| activity.attempts.iter().for_each(|attempt| page.line(&attempt_line(attempt))));
            }
            Action::Timer(ms) => self.line(&[format!("timer {}", time(*ms))]),
            Action::Wait { signal, at_most_ms } => self.line(&[format!("wait {signal} at-most={}", time(*at_most_ms))]),
            Action::Signal { to, signal } => self.line(&[format!("signal {signal} to={}", target(to))]),
            Action::Cancel(to) => self.line(&[format!("cancel {}", target(to))]),
            Action::Child(child) => {
                self.line(&child_line(child));
                self.below(|page| page.body(&child.body));
            }
            Action::Memo { key, value } => self.line(&[format!("memo {key}={value}")]),
            Action::Attribute(value) => self.line(&[format!("attribute {value}")]),
            Action::Version(change) => self.line(&[format!("version {change}")]),
            Action::Scope { cancel_after_ms, body } => {
                self.line(&[format!("scope cancel-after={}", time(*cancel_after_ms))]);
                self.below(|page| page.body(body));
            }
            Action::Race(branches) => self.branches("race", branches),
            Action::Parallel(branches) => self.branches("parallel", branches),
            Action::ContinueAsNew(body) => {
                self.line(&["continue-as-new".to_owned()]);
                self.below(|page| page.body(body));
            }
            Action::Fail { for_good } => self.line(&["fail".to_owned(), if_so(*for_good, "for-good")]),
        }
    }
}

fn start(start: &Start) -> Vec<String> {
    let mut words = vec![
        "start".to_owned(),
        named_time("after", (start.after_ms > 0).then_some(start.after_ms)),
        named_time("delay", (start.delay_ms > 0).then_some(start.delay_ms)),
        named_time("run", start.run_ms),
        named_time("execution", start.execution_ms),
        choice("reuse", REUSES, start.reuse),
        choice("conflict", CONFLICTS, start.conflict),
    ];
    words.extend(retry(start.retry));
    words.push(if_so(start.annotated, "annotated"));
    words
}

fn act_line(act: &Act) -> String {
    let action = match &act.action {
        ClientAction::Signal(signal) => format!("signal {signal}"),
        ClientAction::Burst { signal, times } => format!("burst {signal} times={times}"),
        ClientAction::SignalWithStart(signal) => format!("signal-with-start {signal}"),
        ClientAction::Start => "start".to_owned(),
        ClientAction::Cancel => "cancel".to_owned(),
        ClientAction::Terminate => "terminate".to_owned(),
        ClientAction::TerminateChild(child) => format!("terminate-child {child}"),
        ClientAction::ById { says, path } => {
            let word = BY_IDS.iter().find(|(_, other)| other == says).map(|(word, _)| *word).unwrap_or_default();
            format!("by-id {word} {path}")
        }
        ClientAction::ResetSticky => "reset-sticky".to_owned(),
        ClientAction::LookAround => "look-around".to_owned(),
        ClientAction::Describe => "describe".to_owned(),
        ClientAction::Pages(size) => format!("pages {size}"),
        ClientAction::PagesReversed(size) => format!("pages-reversed {size}"),
        ClientAction::Follow => "follow".to_owned(),
    };
    format!("after {} {action}", time(act.after_ms))
}

fn activity_line(activity: &Activity) -> Vec<String> {
    let tries = Retry { attempts_max: activity.attempts_max, backoff: activity.backoff };
    let mut words = vec![
        "activity".to_owned(),
        named_time("start-to-close", Some(activity.start_to_close_ms)),
        named_time("schedule-to-close", activity.schedule_to_close_ms),
        named_time("schedule-to-start", activity.schedule_to_start_ms),
        named_time("heartbeat", activity.heartbeat_ms),
    ];
    words.extend(retry(Some(tries)));
    words.push(choice("cancel", CANCEL_TYPES, activity.cancel));
    words.push(if_so(activity.unattended, "unattended"));
    words
}

fn attempt_line(attempt: &Attempt) -> Vec<String> {
    let Attempt { beats, every_ms, after_ms, end } = *attempt;
    vec![
        ENDS.iter().find(|(_, other)| *other == end).map(|(word, _)| *word).unwrap_or_default().to_owned(),
        named_time("after", (after_ms > 0).then_some(after_ms)),
        if beats > 0 { format!("beats={beats} every={}", time(every_ms)) } else { String::new() },
    ]
}

fn child_line(child: &Child) -> Vec<String> {
    let mut words = vec![
        format!("child {}", child.id),
        choice("policy", CLOSE_POLICIES, child.policy),
        named_time("run", child.run_ms),
    ];
    words.extend(retry(child.retry));
    words.push(if_so(child.awaited, "awaited"));
    words
}

fn retry(retry: Option<Retry>) -> Vec<String> {
    let Some(Retry { attempts_max, backoff }) = retry else { return Vec::new() };
    let Backoff { initial_ms, coefficient, max_ms } = backoff;
    let tries = if attempts_max == 0 { "tries=any".to_owned() } else { format!("tries={attempts_max}") };
    vec![tries, format!("pause={}*{coefficient}<{}", time(initial_ms), time(max_ms))]
}

fn target(target: &Target) -> String {
    match target {
        Target::Workflow(id) => id.clone(),
        Target::Child(id) => format!("child:{id}"),
    }
}

fn if_so(so: bool, word: &str) -> String {
    if so { word.to_owned() } else { String::new() }
}

fn named_time(name: &str, ms: Option<u64>) -> String {
    ms.map(|ms| format!("{name}={}", time(ms))).unwrap_or_default()
}

/// Nothing for the first choice: it need not be said.
fn choice<T: Copy + PartialEq>(name: &str, choices: &[(&str, T)], value: T) -> String {
    let found = choices.iter().skip(1).find(|(_, other)| *other == value);
    found.map(|(word, _)| format!("{name}={word}")).unwrap_or_default()
}

/// In the largest unit that says it exactly.
fn time(ms: u64) -> String {
    let unit = UNITS.iter().find(|(_, times)| ms > 0 && ms.is_multiple_of(*times));
    unit.map_or_else(|| format!("{ms}ms"), |(name, times)| format!("{}{name}", ms / times))
}
