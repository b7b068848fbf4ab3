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

/// A child's own priority, completed by its parent's.
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
}
