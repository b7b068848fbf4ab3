//! What servers and clients may expect of any transport, over real sockets.
use super::super::{KEEP_ALIVE, Network, Tcp};
use super::{Channel, dial, dial_any, serve, server};
use crate::raw::Raw;
use crate::task::TaskGroup;
use bytes::Bytes;
use futures::future::BoxFuture;
use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tonic::body::Body;
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Response, Status};

/// Answers `echo`, refuses `refuse`, and says nothing to `wait`, for as long as which it holds what it was given.
#[derive(Clone)]
struct Echo(Arc<()>);

impl tonic::server::NamedService for Echo {
    const NAME: &'static str = "test.Echo";
}

impl tower::Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let (held, path) = (self.0.clone(), request.uri().path().to_owned());
        let perform = tower::service_fn(move |request: Request<Bytes>| {
            let (held, path) = (held.clone(), path.clone());
            async move {
                let _held = held;
                match path.rsplit('/').next() {
                    Some("echo") => {
                        let mut response = Response::new(request.get_ref().clone());
                        *response.metadata_mut() = request.metadata().clone();
                        Ok(response)
                    }
                    Some("refuse") => Err(Status::already_exists("it is there")),
                    _ => std::future::pending().await,
                }
            }
        });
        Box::pin(async move { Ok(tonic::server::Grpc::new(Raw).unary(perform, request).await) })
    }
}

/// A server and its address; `held` is shared by its handlers.
async fn serving(tasks: &TaskGroup, held: &Arc<()>) -> String {
    let listener = Tcp.listen("127.0.0.1:0".to_owned()).await.expect("there is a free port");
    let address = listener.local_address();
    let routes = server().add_service(Echo(held.clone()));
    tasks.spawn(async move {
        serve(routes, listener, std::future::pending()).await.expect("it only ends when it is told to")
    });
    address
}

async fn call(channel: &Channel, method: &str, metadata: &[(&'static str, &str)]) -> Result<Response<Bytes>, Status> {
    let mut headers = MetadataMap::new();
    for (name, value) in metadata {
        headers.insert(*name, value.parse().expect("it is a value"));
    }
    let request = Request::from_parts(headers, tonic::Extensions::default(), Bytes::from_static(b"message"));
    let path = format!("/test.Echo/{method}").parse().expect("it is a path");
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.expect("it always is");
    client.unary(request, path, Raw).await
}

#[tokio::test]
async fn a_call_has_its_answer_or_its_status() {
    let (tasks, held) = (TaskGroup::default(), Arc::new(()));
    let channel = dial(Arc::new(Tcp), &serving(&tasks, &held).await).expect("it is an address");
    let answer = call(&channel, "echo", &[("who", "me")]).await.expect("it answers");
    assert_eq!(answer.get_ref().as_ref(), b"message");
    assert_eq!(answer.metadata().get("who").map(|who| who.as_bytes()), Some(b"me".as_slice()));
    let refused = call(&channel, "refuse", &[]).await.expect_err("it is refused");
    assert_eq!((refused.code(), refused.message()), (Code::AlreadyExists, "it is there"));
}

#[tokio::test]
async fn a_call_ends_when_its_caller_said_it_would() {
    let (tasks, held) = (TaskGroup::default(), Arc::new(()));
    let channel = dial(Arc::new(Tcp), &serving(&tasks, &held).await).expect("it is an address");
    let late = call(&channel, "wait", &[("grpc-timeout", "50m")]).await.expect_err("it says nothing");
    assert_eq!(late.code(), Code::Cancelled);
}

#[tokio::test]
async fn a_call_that_is_dropped_is_cancelled() {
    let (tasks, held) = (TaskGroup::default(), Arc::new(()));
    let channel = dial(Arc::new(Tcp), &serving(&tasks, &held).await).expect("it is an address");
    let idle = Arc::strong_count(&held);
    let waiting = crate::time::timeout(Duration::from_millis(50), call(&channel, "wait", &[])).await;
    assert!(waiting.is_err(), "it says nothing");
    while Arc::strong_count(&held) > idle {
        crate::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn after_a_failure_it_goes_to_the_next_address() {
    let (tasks, held) = (TaskGroup::default(), Arc::new(()));
    let gone = Tcp.listen("127.0.0.1:0".to_owned()).await.expect("there is a free port").local_address();
    let there = serving(&tasks, &held).await;
    let channel = dial_any(Arc::new(Tcp), &[gone, there], 0, KEEP_ALIVE).expect("they are addresses");
    let refused = call(&channel, "echo", &[]).await.expect_err("nobody is there");
    assert_eq!(refused.code(), Code::Unavailable);
    assert!(call(&channel, "echo", &[]).await.is_ok());
}
