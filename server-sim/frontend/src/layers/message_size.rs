//! What is said of a message that is over the limit for messages as a whole, before any handler sees it.
use std::convert::Infallible;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Context, Poll, Service, http};
use tonic::server::NamedService;
use tonic::{Code, Status};

/// Puts what our transport says of an oversized message into the words of Temporal's. SDKs look for them: a worker that
/// finds them fails its workflow task with the cause, instead of letting it time out again and again.
#[derive(Clone, Debug)]
pub struct SizeErrors<S>(pub S);

impl<S: NamedService> NamedService for SizeErrors<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<http::Request<Body>> for SizeErrors<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<http::Response<Body>, Infallible>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let answer = self.0.call(request);
        Box::pin(async move {
            let response = answer.await?;
            // An answer of a handler has its status behind its body, an error of the transport in front.
            let status = Status::from_header_map(response.headers());
            Ok(match status.and_then(|status| in_temporals_words(&status)) {
                Some(status) => status.into_http(),
                None => response,
            })
        })
    }
}

fn in_temporals_words(status: &Status) -> Option<Status> {
    let numbers = || status.message().split(|c: char| !c.is_ascii_digit()).filter(|text| !text.is_empty());
    let text = match status.code() {
        Code::OutOfRange if status.message().starts_with("Error, decoded message length too large") => {
            let (found, limit) = (numbers().next()?, numbers().nth(1)?);
            format!("grpc: received message larger than max ({found} vs. {limit})")
        }
        Code::ResourceExhausted if status.message().starts_with("Error decompressing: size limit") => {
            format!("grpc: received message after decompression larger than max {}", numbers().next()?)
        }
        _ => return None,
    };
    Some(Status::resource_exhausted(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_size_of_messages_has_other_words() {
        let check = |input: Status, expect: Option<&str>| {
            let reworded = in_temporals_words(&input);
            assert_eq!(reworded.as_ref().map(Status::message), expect);
            assert!(reworded.is_none_or(|status| status.code() == Code::ResourceExhausted));
        };
        check(
            Status::out_of_range("Error, decoded message length too large: found 20 bytes, the limit is: 16 bytes"),
            Some("grpc: received message larger than max (20 vs. 16)"),
        );
        check(
            Status::resource_exhausted(
                "Error decompressing: size limit, of 16 bytes, exceeded while decompressing message",
            ),
            Some("grpc: received message after decompression larger than max 16"),
        );
        check(Status::out_of_range("something else"), None);
        check(Status::resource_exhausted("namespace rate limit exceeded"), None);
    }
}
