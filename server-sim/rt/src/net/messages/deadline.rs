//! How long a caller waits, as its request says: both ends give up then, as they do over HTTP/2.
use crate::time::Duration;
use http::HeaderMap;

const HEADER: &str = "grpc-timeout";
/// What is longer waits for as long as nothing was said.
const DIGITS_MAX: usize = 8;

/// How long the caller of this request waits; forever if it does not say.
pub(super) fn patience(headers: &HeaderMap) -> Option<Duration> {
    let (number, unit) = headers.get(HEADER)?.to_str().ok()?.split_at_checked(digits(headers)?)?;
    let number: u64 = number.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(number * 3600)),
        "M" => Some(Duration::from_secs(number * 60)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

fn digits(headers: &HeaderMap) -> Option<usize> {
    let digits = headers.get(HEADER)?.len().checked_sub(1)?;
    (digits <= DIGITS_MAX).then_some(digits)
}

/// What both ends say of a call that took longer.
pub(super) fn expired() -> tonic::Status {
    tonic::Status::cancelled("Timeout expired")
}

/// What `work` comes to within its `patience`.
pub(super) async fn within<T>(patience: Option<Duration>, work: impl Future<Output = T>) -> Result<T, tonic::Status> {
    match patience {
        Some(patience) => crate::time::timeout(patience, work).await.map_err(|_| expired()),
        None => Ok(work.await),
    }
}
