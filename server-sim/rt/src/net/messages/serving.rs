//! The answering side.
use super::super::{ByteStream, Listener, accept};
use super::deadline;
use super::frame::{Message, PING, PONG, REQUEST, RESPONSE};
use crate::task::TaskGroup;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Semaphore;
use tonic::body::Body;
use tonic::service::Routes;
use tower::Service;

/// Nothing to be served yet; add services to it, then [`serve`].
pub fn server() -> Routes {
    Routes::default()
}

/// Far more calls at a time than a host of a world has.
const CALLS_MAX: usize = 1 << 20;

/// Serves `routes` on `listener` until `stop` resolves; calls under way then end. The listener is closed when this ends or is
/// dropped: later connections are refused, and calls under way are dropped with it.
///
/// # Errors
/// None: the type is as everywhere.
pub async fn serve(
    routes: Routes,
    mut listener: Box<dyn Listener>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (routes, calls, tasks) = (routes.prepare(), Arc::new(Semaphore::new(CALLS_MAX)), TaskGroup::default());
    let mut stop = std::pin::pin!(stop);
    loop {
        let stream = tokio::select! {
            biased;
            () = &mut stop => break,
            stream = accept(&mut *listener) => stream,
        };
        let (routes, calls) = (routes.clone(), calls.clone());
        tasks.spawn(async move {
            let _call = calls.acquire().await;
            // A caller that is gone, or broke off, is told nothing.
            let _ = answer(routes, stream).await;
        });
    }
    drop(listener);
    let all = u32::try_from(CALLS_MAX).expect("it is far below");
    let _ = calls.acquire_many(all).await;
    Ok(())
}

async fn answer(mut routes: Routes, mut stream: Box<dyn ByteStream>) -> io::Result<()> {
    if stream.read_u8().await? != REQUEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let request = Message::read(&mut stream).await?;
    let mut call = std::pin::pin!(perform(&mut routes, request));
    let response = loop {
        tokio::select! {
            biased;
            response = &mut call => break response,
            // What comes now is a ping, or the end of the caller's patience, which ends the call.
            what = stream.read_u8() => match what? {
                PING => stream.write_all(&[PONG]).await?,
                _ => return Err(io::ErrorKind::InvalidData.into()),
            },
        }
    };
    stream.write_all(&response.framed(RESPONSE)).await?;
    stream.shutdown().await
}

async fn perform(routes: &mut Routes, request: Message) -> Message {
    let patience = deadline::patience(&request.headers);
    let answering = async {
        let mut for_routes = http::Request::new(Body::empty());
        *for_routes.method_mut() = http::Method::POST;
        *for_routes.uri_mut() = request.head.parse().map_err(|_| tonic::Status::internal("the path is no URI"))?;
        for_routes.headers_mut().clone_from(&request.headers);
        let for_routes = for_routes.map(|_| request.into_body());
        let Ok(response) = routes.call(for_routes).await;
        as_message(response).await
    };
    let answered = deadline::within(patience, answering).await.and_then(|answer| answer);
    match answered {
        Ok(response) => response,
        Err(status) => {
            let (parts, ()) = status.into_http::<()>().into_parts();
            Message { head: parts.status.as_str().to_owned(), headers: parts.headers, ..Message::default() }
        }
    }
}

async fn as_message(response: http::Response<Body>) -> Result<Message, tonic::Status> {
    let (parts, body) = response.into_parts();
    Message::of(parts.status.as_str().to_owned(), parts.headers, body).await
}
