//! Priorities: their validity, and how one completes another.
use temporalio_protos::temporal::api::common::v1::Priority;

const FAIRNESS_KEY_BYTES_MAX: usize = 64;

/// # Errors
/// Temporal's words for what is wrong with it.
pub fn validate(priority: Option<&Priority>) -> Result<(), &'static str> {
    let Some(priority) = priority else { return Ok(()) };
    if priority.priority_key < 0 {
        return Err("priority key can't be negative");
    }
    if priority.fairness_key.len() > FAIRNESS_KEY_BYTES_MAX {
        return Err("fairness key length exceeds limit");
    }
    if priority.fairness_weight < 0.0 {
        return Err("must be greater than zero");
    }
    Ok(())
}

/// What is not said of a child or an activity is as for the run that it belongs to, field by field.
pub fn merged(base: Option<&Priority>, own: Option<&Priority>) -> Option<Priority> {
    let (Some(base), Some(own)) = (base, own) else { return own.or(base).cloned() };
    Some(Priority {
        priority_key: if own.priority_key == 0 { base.priority_key } else { own.priority_key },
        fairness_key: if own.fairness_key.is_empty() { &base.fairness_key } else { &own.fairness_key }.clone(),
        fairness_weight: if own.fairness_weight == 0.0 { base.fairness_weight } else { own.fairness_weight },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: (i32, &str, f32), expect: Result<(), &'static str>) {
        let priority = Priority { priority_key: input.0, fairness_key: input.1.into(), fairness_weight: input.2 };
        assert_eq!(validate(Some(&priority)), expect, "{input:?}");
    }

    #[test]
    fn keys_and_weights_have_bounds() {
        assert_eq!(validate(None), Ok(()));
        check((0, "", 0.0), Ok(()));
        check((-1, "", 0.0), Err("priority key can't be negative"));
        check((1, &"k".repeat(64), 1.0), Ok(()));
        check((1, &"k".repeat(65), 1.0), Err("fairness key length exceeds limit"));
        check((1, "k", -0.5), Err("must be greater than zero"));
    }

    #[test]
    fn what_is_not_said_comes_from_the_run() {
        let priority = |key, fairness_key: &str, weight| {
            Some(Priority { priority_key: key, fairness_key: fairness_key.into(), fairness_weight: weight })
        };
        let check = |base: Option<Priority>, own: Option<Priority>, expect| {
            assert_eq!(merged(base.as_ref(), own.as_ref()), expect);
        };
        check(None, None, None);
        check(priority(1, "a", 2.0), None, priority(1, "a", 2.0));
        check(None, priority(1, "a", 2.0), priority(1, "a", 2.0));
        check(priority(1, "a", 2.0), priority(3, "", 0.0), priority(3, "a", 2.0));
        check(priority(1, "a", 2.0), priority(0, "b", 5.0), priority(1, "b", 5.0));
    }
}
