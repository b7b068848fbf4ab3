//! Smaller numbers for options.
use super::trials::Stop;
use super::{StillFails, take_first};
use tempest_artifact::RunRequest;

/// An option gets smaller so often at most.
const SMALLER_MAX: usize = 8;

/// Each of these options as small as it can be, one after the other.
pub(super) fn smaller(
    current: &mut RunRequest,
    names: &[String],
    still_fails: &mut StillFails<'_>,
) -> Result<(), Stop> {
    for name in names {
        for _ in 0..SMALLER_MAX {
            let value = current.settings.0.get(name).copied().unwrap_or(0);
            let candidates = smaller_values(value).into_iter().map(|value| with(current, name, value)).collect();
            if !take_first(current, candidates, still_fails)? {
                break;
            }
        }
    }
    Ok(())
}

/// With another value of an option.
pub(super) fn with(request: &RunRequest, name: &str, value: u64) -> RunRequest {
    let mut request = request.clone();
    request.settings.0.insert(name.to_owned(), value);
    request
}

/// Smaller values, the smallest first.
fn smaller_values(value: u64) -> Vec<u64> {
    let mut smaller = vec![0, 1, value / 8, value / 2, value - value / 4, value.saturating_sub(1)];
    smaller.sort_unstable();
    smaller.dedup();
    smaller.retain(|smaller| *smaller < value);
    smaller
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_is_tried_first() {
        assert_eq!(smaller_values(60), [0, 1, 7, 30, 45, 59]);
        assert_eq!(smaller_values(2), [0, 1]);
        assert_eq!(smaller_values(0), Vec::<u64>::new());
    }
}
