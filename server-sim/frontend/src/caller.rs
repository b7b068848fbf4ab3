//! What the metadata of a call says of the caller: how long it waits, and what it understands.
use std::time::Duration;
use tempest_rt::time::Instant;
use tonic::metadata::MetadataMap;

/// The caller of one RPC.
#[derive(Clone, Debug)]
pub struct Caller {
    /// When the caller stops waiting for the answer.
    deadline: Option<Instant>,
    client_name: String,
    follows_next_run: bool,
}

impl Caller {
    pub fn of(metadata: &MetadataMap) -> Self {
        let text = |key: &str| metadata.get(key).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let deadline = timeout(text("grpc-timeout")).map(|timeout| Instant::now() + timeout);
        let follows_next_run = text("supported-features").split(',').any(|f| f.trim() == "follows-next-run-id");
        Self { deadline, client_name: text("client-name").to_owned(), follows_next_run }
    }

    /// How long a long poll may take: at most `max`, and over `margin` before the caller goes away.
    pub fn patience(&self, max: Duration, margin: Duration) -> Duration {
        self.remaining().map_or(max, |remaining| remaining.saturating_sub(margin).min(max))
    }

    /// Time until the deadline, if the caller gave one.
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// The CLI and the Web UI show histories to people: they get no events that are not persisted yet.
    pub fn takes_transient_events(&self) -> bool {
        !matches!(self.client_name.as_str(), "temporal-cli" | "temporal-ui")
    }

    /// Whether the caller knows that a completed, failed or timed-out run may have a next run.
    pub fn follows_next_run(&self) -> bool {
        self.follows_next_run
    }
}

/// A gRPC timeout: up to eight digits and a unit.
fn timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_as_grpc_writes_them() {
        let check = |input, expect| assert_eq!(timeout(input), expect, "{input:?}");
        check("70S", Some(Duration::from_secs(70)));
        check("69999m", Some(Duration::from_millis(69_999)));
        check("99999999n", Some(Duration::from_nanos(99_999_999)));
        check("2H", Some(Duration::from_secs(7200)));
        check("1M", Some(Duration::from_secs(60)));
        for nonsense in ["", "S", "12", "-1S", "123456789S", "1µ", "1x"] {
            check(nonsense, None);
        }
    }
}
