//! The other half of `history-wellformed`: pages of a history leave nothing out, in either direction.
//!
//! | page | shows |
//! |---|---|
//! | any | events whose ids follow each other |
//! | the first, oldest events first | event 1 first |
//! | one after another | the event after (before) the last one that the other showed |
//! | the last, newest events first | event 1 last |
//!
//! That the newest event comes first, or last, is for `reads-fresh` to say.
use super::page::{Order, Page, is_task_under_way};
use super::{Invariant, Observations, Violation};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

pub fn judge(observations: &Observations) -> Vec<Violation> {
    let mut expected = Expected::default();
    let mut violations = Vec::new();
    for operation in observations.operations.iter().filter(|operation| operation.outcome.is_ok()) {
        let Some(page) = Page::of(operation) else { continue };
        if let Some(what) = gap(&page).or_else(|| expected.broken_by(&page)).or_else(|| ends_early(&page)) {
            let what = format!("run {}: {what}", page.run_id);
            violations.push(Violation::new(Invariant::HistoryWellformed, what).because(operation.line()));
        }
        expected.note(&page);
    }
    violations
}

fn gap(page: &Page) -> Option<String> {
    let step = if page.order == Order::OldestFirst { 1 } else { -1 };
    let gap = page.events.windows(2).find(|pair| pair[1].event_id != pair[0].event_id + step)?;
    Some(format!("a page shows event {} after event {}", gap[1].event_id, gap[0].event_id))
}

/// A history that is read backwards ends with its first event.
fn ends_early(page: &Page) -> Option<String> {
    let last = page.events.last().filter(|_| page.order == Order::NewestFirst && page.next_token.is_empty())?;
    (last.event_id != 1).then(|| format!("the last page ends with event {}", last.event_id))
}

/// With which event the page of a token begins, by token.
#[derive(Default)]
struct Expected(BTreeMap<Vec<u8>, RangeInclusive<i64>>);

impl Expected {
    fn broken_by(&self, page: &Page) -> Option<String> {
        // Of all events the last one alone may be asked for.
        let first = page.events.first().filter(|_| !page.is_partial)?.event_id;
        if page.token.is_empty() {
            return (page.order == Order::OldestFirst && first != 1)
                .then(|| format!("the first page begins with event {first}"));
        }
        // A token that a worker got with its task is none of a page.
        let expected = self.0.get(&page.token).filter(|expected| !expected.contains(&first))?;
        Some(format!("the next page begins with event {first}, where {} belongs", expected.start()))
    }

    fn note(&mut self, page: &Page) {
        let Some(last) = page.events.last().filter(|_| !page.is_partial && !page.next_token.is_empty()) else { return };
        let next = match page.order {
            Order::NewestFirst => last.event_id - 1..=last.event_id - 1,
            Order::OldestFirst => {
                // Events of a workflow task under way may come once more, as they were written.
                let shown_early = page.events.iter().rev().take(2).take_while(|event| is_task_under_way(event)).count();
                last.event_id + 1 - i64::try_from(shown_early).expect("two at most")..=last.event_id + 1
            }
        };
        self.0.insert(page.next_token.clone(), next);
    }
}

#[cfg(test)]
mod tests {
    use super::judge;
    use crate::check::samples::{self, RUN};
    use crate::check::{Observations, Operation, RpcKind};
    use tempest_api::proto::history::v1::History;
    use tempest_api::proto::workflowservice::v1 as api;

    fn check(pages: &[Operation], expect: &[&str]) {
        let change = |observations: &mut Observations| observations.operations.extend_from_slice(pages);
        samples::check(judge, change, expect);
    }

    fn events(ids: impl IntoIterator<Item = usize>) -> Option<History> {
        let all = samples::events(RUN);
        Some(History { events: ids.into_iter().map(|id| all[id - 1].clone()).collect() })
    }

    fn forward(token: &str, ids: impl IntoIterator<Item = usize>, next: &str) -> Operation {
        let request = api::GetWorkflowExecutionHistoryRequest {
            execution: Some(samples::execution(RUN)),
            next_page_token: token.into(),
            ..Default::default()
        };
        let (history, next_page_token) = (events(ids), next.into());
        let answer = api::GetWorkflowExecutionHistoryResponse { history, next_page_token, ..Default::default() };
        samples::called(RpcKind::GetWorkflowExecutionHistory, &request, samples::ok(&answer))
    }

    fn reverse(token: &str, ids: impl IntoIterator<Item = usize>, next: &str) -> Operation {
        let request = api::GetWorkflowExecutionHistoryReverseRequest {
            execution: Some(samples::execution(RUN)),
            next_page_token: token.into(),
            ..Default::default()
        };
        let (history, next_page_token) = (events(ids), next.into());
        let answer = api::GetWorkflowExecutionHistoryReverseResponse { history, next_page_token };
        samples::called(RpcKind::GetWorkflowExecutionHistoryReverse, &request, samples::ok(&answer))
    }

    #[test]
    fn pages_follow_each_other() {
        check(&[forward("", 1..=8, "a"), forward("a", 9..=17, "")], &[]);
        check(&[reverse("", (10..=17).rev(), "a"), reverse("a", (1..=9).rev(), "")], &[]);
    }

    #[test]
    fn a_page_has_no_gaps() {
        check(&[forward("", [1, 2, 4], "")], &["run run-1: a page shows event 4 after event 2"]);
        check(&[reverse("", [4, 2, 1], "")], &["run run-1: a page shows event 2 after event 4"]);
    }

    #[test]
    fn nothing_is_left_out_between_pages() {
        check(
            &[forward("", 1..=8, "a"), forward("a", 10..=17, "")],
            &["run run-1: the next page begins with event 10, where 9 belongs"],
        );
        check(
            &[reverse("", (10..=17).rev(), "a"), reverse("a", (1..=8).rev(), "")],
            &["run run-1: the next page begins with event 8, where 9 belongs"],
        );
    }

    #[test]
    fn a_workflow_task_under_way_may_be_shown_again() {
        check(&[forward("", 1..=3, "a"), forward("a", 2..=17, "")], &[]);
        check(&[forward("", 1..=3, "a"), forward("a", 4..=17, "")], &[]);
    }

    #[test]
    fn the_first_event_is_not_left_out() {
        check(&[forward("", 2..=17, "")], &["run run-1: the first page begins with event 2"]);
        check(&[reverse("", (2..=17).rev(), "")], &["run run-1: the last page ends with event 2"]);
    }

    #[test]
    fn the_page_of_a_token_that_no_page_gave_may_begin_anywhere() {
        check(&[forward("of a task", 4..=17, "")], &[]);
    }
}
