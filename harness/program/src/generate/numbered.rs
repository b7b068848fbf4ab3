//! Names for what was drawn without: each workflow and each child gets its own, and each target becomes one of them.
use super::ACTIONS_MAX;
use crate::plan::{Action, Body, CancelType, ClientAction, Program, Target};

/// Names everything, and cuts workflows that are too large.
pub(super) fn number(program: &mut Program) {
    let count = program.workflows.len();
    for (index, workflow) in program.workflows.iter_mut().enumerate() {
        workflow.id = letter(index);
        let mut left = ACTIONS_MAX;
        cut(&mut workflow.body, &mut left);
        name_children(&mut workflow.body, &mut 0);
        settle(&mut workflow.body, count, &mut Vec::new());
        let activities = activities(&workflow.body, "");
        workflow.clients.iter_mut().for_each(|act| settle_act(&mut act.action, &activities));
    }
}

/// Activities that were to be abandoned are asked to stop instead.
pub(super) fn without_abandoned(program: &mut Program) {
    program.workflows.iter_mut().for_each(|workflow| ask_to_stop(&mut workflow.body));
}

fn ask_to_stop(body: &mut Body) {
    for action in body {
        match action {
            Action::Activity(activity) if activity.cancel == CancelType::Abandon => activity.cancel = CancelType::Try,
            Action::Child(child) => ask_to_stop(&mut child.body),
            _ => inner(action).into_iter().for_each(ask_to_stop),
        }
    }
}

/// Versions are not asked for: the SDK's (1.1.1) answer sets a search attribute beside its marker.
pub(super) fn without_versions(program: &mut Program) {
    program.workflows.iter_mut().for_each(|workflow| of_one_version(&mut workflow.body));
}

fn of_one_version(body: &mut Body) {
    body.retain(|action| !matches!(action, Action::Version(_)));
    for action in body {
        if let Action::Child(child) = action {
            of_one_version(&mut child.body);
        }
        inner(action).into_iter().for_each(of_one_version);
    }
}

fn letter(index: usize) -> String {
    char::from(b'a' + u8::try_from(index % 26).unwrap_or(0)).to_string()
}

/// Bodies directly below an action that belong to the same run.
fn inner(action: &mut Action) -> Vec<&mut Body> {
    match action {
        Action::Scope { body, .. } | Action::ContinueAsNew(body) => vec![body],
        Action::Race(branches) | Action::Parallel(branches) => branches.iter_mut().collect(),
        _ => Vec::new(),
    }
}

fn cut(body: &mut Body, left: &mut u32) {
    body.retain_mut(|action| {
        let Some(less) = left.checked_sub(1) else { return false };
        *left = less;
        inner(action).into_iter().for_each(|body| cut(body, left));
        if let Action::Child(child) = action {
            cut(&mut child.body, left);
        }
        true
    });
}

/// Children of a run and of those that continue it have different names.
fn name_children(body: &mut Body, next: &mut u32) {
    for action in body {
        if let Action::Child(child) = action {
            child.id = format!("c{next}");
            *next += 1;
            name_children(&mut child.body, &mut 0);
        }
        inner(action).into_iter().for_each(|body| name_children(body, next));
    }
}

/// A child that was started before, if there is one; a workflow otherwise. What a branch starts is no target for the branches
/// beside it: a child that is cancelled by the very workflow task that starts it makes that task fail.
fn settle(body: &mut Body, workflows: usize, children: &mut Vec<String>) {
    for action in body {
        match action {
            Action::Signal { to, .. } | Action::Cancel(to) => settle_target(to, workflows, children),
            Action::Child(child) => {
                children.push(child.id.clone());
                settle(&mut child.body, workflows, &mut Vec::new());
            }
            Action::Race(branches) | Action::Parallel(branches) => {
                let before = children.clone();
                for branch in branches {
                    let mut known = before.clone();
                    settle(branch, workflows, &mut known);
                    children.extend(known.into_iter().skip(before.len()));
                }
            }
            _ => inner(action).into_iter().for_each(|body| settle(body, workflows, children)),
        }
    }
}

fn settle_target(target: &mut Target, workflows: usize, children: &[String]) {
    let (Target::Workflow(drawn) | Target::Child(drawn)) = &*target;
    let number: usize = drawn.parse().unwrap_or(0);
    *target = match target {
        Target::Child(_) if !children.is_empty() => Target::Child(children[number % children.len()].clone()),
        _ => Target::Workflow(letter(number % workflows)),
    };
}

/// Ids of the activities of a run and of those that continue it: where each stands, as the interpreter counts.
fn activities(body: &Body, path: &str) -> Vec<String> {
    let of = |(index, action): (usize, &Action)| {
        let path = if path.is_empty() { index.to_string() } else { format!("{path}.{index}") };
        match action {
            Action::Activity(_) => vec![path],
            Action::Scope { body, .. } | Action::ContinueAsNew(body) => activities(body, &path),
            Action::Race(branches) | Action::Parallel(branches) => {
                let branches = branches.iter().enumerate();
                branches.flat_map(|(number, branch)| activities(branch, &format!("{path}.{number}"))).collect()
            }
            _ => Vec::new(),
        }
    };
    body.iter().enumerate().flat_map(of).collect()
}

/// What a client says of an activity is said of one that there is; without any, it looks instead.
fn settle_act(action: &mut ClientAction, activities: &[String]) {
    let ClientAction::ById { path, .. } = action else { return };
    let number: usize = path.parse().unwrap_or(0);
    match activities.get(number % activities.len().max(1)) {
        Some(one) => path.clone_from(one),
        None => *action = ClientAction::Describe,
    }
}
