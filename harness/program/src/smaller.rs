//! Programs that do a little less: what is tried when a failed run is made smaller.
use crate::plan::{Action, Body, Program, Target, Workflow};

/// Programs with one thing less each, the largest things first: a workflow, all that its clients do, one thing that a client
/// does, an action with all that is below it.
pub fn smaller(program: &Program) -> Vec<Program> {
    let workflows = 0..program.workflows.len();
    let without_workflow =
        workflows.clone().filter(|_| program.workflows.len() > 1).map(|index| without(program, index));
    let without_clients = workflows.clone().filter(|index| !program.workflows[*index].clients.is_empty());
    let without_clients = without_clients.map(|index| changed(program, index, |workflow| workflow.clients.clear()));
    let acts =
        workflows.clone().flat_map(|index| (0..program.workflows[index].clients.len()).map(move |act| (index, act)));
    let without_act = acts.map(|(index, act)| changed(program, index, |workflow| drop(workflow.clients.remove(act))));
    let actions =
        workflows.flat_map(|index| (0..count(&program.workflows[index].body)).map(move |action| (index, action)));
    let without_action = actions.map(|(index, action)| {
        changed(program, index, |workflow| {
            remove(&mut workflow.body, &mut { action });
        })
    });
    without_workflow.chain(without_clients).chain(without_act).chain(without_action).collect()
}

fn changed(program: &Program, index: usize, change: impl FnOnce(&mut Workflow)) -> Program {
    let mut program = program.clone();
    change(&mut program.workflows[index]);
    program
}

/// What others did to it goes, too.
fn without(program: &Program, index: usize) -> Program {
    let mut program = program.clone();
    let gone = program.workflows.remove(index).id;
    program.workflows.iter_mut().for_each(|workflow| forget(&mut workflow.body, &gone));
    program
}

fn forget(body: &mut Body, gone: &str) {
    let is_to_it = |action: &Action| match action {
        Action::Signal { to: Target::Workflow(id), .. } | Action::Cancel(Target::Workflow(id)) => id == gone,
        _ => false,
    };
    body.retain(|action| !is_to_it(action));
    body.iter_mut().flat_map(below).for_each(|body| forget(body, gone));
}

/// The bodies directly below an action.
fn below(action: &mut Action) -> Vec<&mut Body> {
    match action {
        Action::Scope { body, .. } | Action::ContinueAsNew(body) => vec![body],
        Action::Race(branches) | Action::Parallel(branches) => branches.iter_mut().collect(),
        Action::Child(child) => vec![&mut child.body],
        _ => Vec::new(),
    }
}

fn count(body: &Body) -> usize {
    body.iter().map(|action| 1 + below(&mut action.clone()).iter().map(|body| count(body)).sum::<usize>()).sum()
}

/// Takes the action with this number away, counted from the top, each before those below it. True if it was there.
fn remove(body: &mut Body, number: &mut usize) -> bool {
    for index in 0..body.len() {
        if *number == 0 {
            body.remove(index);
            return true;
        }
        *number -= 1;
        if below(&mut body[index]).into_iter().any(|body| remove(body, number)) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text;

    #[test]
    fn each_is_one_thing_less() {
        let program = "workflow a\n  scope cancel-after=1s\n    timer 1s\n  signal go to=b\n  client\n    after 1s cancel\n\
                       workflow b\n  timer 2s\n";
        let program = text::read(program).expect("it is a program");
        let texts: Vec<String> = smaller(&program).iter().map(text::write).collect();
        assert_eq!(
            texts,
            [
                "workflow b\n  timer 2s\n",
                "workflow a\n  scope cancel-after=1s\n    timer 1s\n  client\n    after 1s cancel\n",
                "workflow a\n  scope cancel-after=1s\n    timer 1s\n  signal go to=b\nworkflow b\n  timer 2s\n",
                "workflow a\n  scope cancel-after=1s\n    timer 1s\n  signal go to=b\nworkflow b\n  timer 2s\n",
                "workflow a\n  signal go to=b\n  client\n    after 1s cancel\nworkflow b\n  timer 2s\n",
                "workflow a\n  scope cancel-after=1s\n  signal go to=b\n  client\n    after 1s cancel\nworkflow b\n  timer 2s\n",
                "workflow a\n  scope cancel-after=1s\n    timer 1s\n  client\n    after 1s cancel\nworkflow b\n  timer 2s\n",
                "workflow a\n  scope cancel-after=1s\n    timer 1s\n  signal go to=b\n  client\n    after 1s cancel\nworkflow b\n",
            ]
        );
    }
}
