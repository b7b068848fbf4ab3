//! Names of task queues.
use temporalio_protos::temporal::api::{enums::v1::TaskQueueKind, taskqueue::v1::TaskQueue};

const RESERVED_PREFIX: &str = "/_sys/";
/// Queues of Temporal's own per-namespace workers; users may not name them.
const INTERNAL_QUEUES: [&str; 2] = ["temporal-sys-per-ns-tq", "temporal-sys-worker-controller-per-ns-tq"];

/// Checks a queue that a user names and fills in its kind.
///
/// `inherited` is the name to use where none is given; `parent` is the queue of the run that asks, if a run does.
///
/// # Errors
/// Temporal's words for what is wrong with it.
pub fn normalize(
    queue: Option<&mut TaskQueue>,
    inherited: Option<&str>,
    parent: Option<&str>,
    name_bytes_max: usize,
) -> Result<(), String> {
    let Some(queue) = queue else { return Err("taskQueue is not set".into()) };
    if queue.kind() == TaskQueueKind::Unspecified {
        queue.set_kind(TaskQueueKind::Normal);
    }
    if queue.name.is_empty() {
        match inherited {
            Some(name) if !name.is_empty() => queue.name = name.to_owned(),
            _ => return Err("missing task queue name".into()),
        }
    }
    if queue.name.len() > name_bytes_max {
        return Err("taskQueue length exceeds limit".into());
    }
    if queue.name.starts_with(RESERVED_PREFIX) {
        return Err(format!("task queue name cannot start with reserved prefix {RESERVED_PREFIX}"));
    }
    if queue.kind() == TaskQueueKind::Sticky && queue.normal_name.len() > name_bytes_max {
        return Err("taskQueue length exceeds limit".into());
    }
    refuse_internal(&queue.name, parent)
}

fn refuse_internal(name: &str, parent: Option<&str>) -> Result<(), String> {
    let is_internal = |name: &str| INTERNAL_QUEUES.contains(&name);
    if !is_internal(name) || parent.is_some_and(is_internal) {
        return Ok(());
    }
    let place = match parent {
        Some(parent) if !parent.is_empty() => format!(" (in parent component task queue: {parent})"),
        _ => String::new(),
    };
    Err(format!("cannot use internal per-namespace task queue:{name}{place}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: (&str, Option<&str>, Option<&str>), expect: Result<&str, &str>) {
        let (name, inherited, parent) = input;
        let mut queue = TaskQueue { name: name.into(), ..Default::default() };
        let result = normalize(Some(&mut queue), inherited, parent, 20);
        match expect {
            Ok(name) => {
                assert_eq!(result, Ok(()), "{input:?}");
                assert_eq!((queue.name.as_str(), queue.kind()), (name, TaskQueueKind::Normal), "{input:?}");
            }
            Err(text) => assert_eq!(result, Err(text.to_owned()), "{input:?}"),
        }
    }

    #[test]
    fn names_are_filled_in_and_checked() {
        check(("orders", None, None), Ok("orders"));
        check(("", Some("orders"), Some("orders")), Ok("orders"));
        check(("", None, None), Err("missing task queue name"));
        check((&"q".repeat(21), None, None), Err("taskQueue length exceeds limit"));
        check(("/_sys/orders/1", None, None), Err("task queue name cannot start with reserved prefix /_sys/"));
        assert_eq!(normalize(None, None, None, 20), Err("taskQueue is not set".into()));
    }

    #[test]
    fn internal_queues_are_for_internal_runs() {
        let internal = INTERNAL_QUEUES[0];
        let check = |parent, expect: Result<(), &str>| {
            let mut queue = TaskQueue { name: internal.into(), ..Default::default() };
            assert_eq!(normalize(Some(&mut queue), None, parent, 1000), expect.map_err(str::to_owned));
        };
        check(Some(internal), Ok(()));
        check(None, Err("cannot use internal per-namespace task queue:temporal-sys-per-ns-tq"));
        check(
            Some("orders"),
            Err("cannot use internal per-namespace task queue:temporal-sys-per-ns-tq \
                 (in parent component task queue: orders)"),
        );
    }
}
