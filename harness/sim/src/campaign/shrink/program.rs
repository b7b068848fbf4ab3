//! A shorter program, where the run is of one.
use super::trials::Stop;
use super::{StillFails, take_first};
use tempest_artifact::RunRequest;
use tempest_program::{smaller, text};

/// Takes one thing after the other away that the failure does not need.
pub(super) fn shorter(current: &mut RunRequest, still_fails: &mut StillFails<'_>) -> Result<(), Stop> {
    while let Some(program) = current.program.as_deref().and_then(|text| text::read(text).ok()) {
        let with = |program| RunRequest { program: Some(text::write(program)), ..current.clone() };
        let candidates = smaller(&program).iter().map(with).collect();
        if !take_first(current, candidates, still_fails)? {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_failure_does_not_need_goes() {
        let program = Some("workflow a\n  timer 1s\n  fail\n  client\n    after 1s cancel\nworkflow b\n".to_owned());
        let mut current = RunRequest { program, ..RunRequest::default() };
        let fails = |request: &RunRequest| request.program.as_deref().is_some_and(|text| text.contains("  fail\n"));
        let mut still_fails = |candidates: Vec<RunRequest>| Ok(candidates.iter().position(fails));
        shorter(&mut current, &mut still_fails).expect("no trial stops");
        assert_eq!(current.program.as_deref(), Some("workflow a\n  fail\n"));
    }
}
