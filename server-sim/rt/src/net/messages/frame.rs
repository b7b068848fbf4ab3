//! What goes over a stream: a byte says what, then requests and responses follow with their length.
use bytes::{Buf, BufMut, Bytes, BytesMut};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http_body_util::BodyExt;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt};
use tonic::body::Body;

pub(super) const REQUEST: u8 = 1;
pub(super) const RESPONSE: u8 = 2;
pub(super) const PING: u8 = 3;
pub(super) const PONG: u8 = 4;

/// A request or a response, all of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Message {
    /// The method's path of a request, the status of a response.
    pub head: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub trailers: Option<HeaderMap>,
}

impl Message {
    /// Waits until the body is complete.
    pub async fn of(head: String, headers: HeaderMap, body: Body) -> Result<Message, tonic::Status> {
        let collected = body.collect().await?;
        let trailers = collected.trailers().cloned();
        Ok(Message { head, headers, body: collected.to_bytes(), trailers })
    }

    /// As bytes, behind what they are.
    pub fn framed(&self, what: u8) -> Bytes {
        let mut frame = BytesMut::with_capacity(256 + self.body.len());
        frame.put_u8(what);
        frame.put_u32(0);
        put(&mut frame, self.head.as_bytes());
        put_headers(&mut frame, &self.headers);
        put(&mut frame, &self.body);
        frame.put_u8(u8::from(self.trailers.is_some()));
        if let Some(trailers) = &self.trailers {
            put_headers(&mut frame, trailers);
        }
        let length = u32::try_from(frame.len() - HEAD_BYTES).expect("tonic bounds messages far below 4 GiB");
        frame[1..HEAD_BYTES].copy_from_slice(&length.to_be_bytes());
        frame.freeze()
    }

    /// Reads one whose first byte has been read.
    pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Message> {
        let length = stream.read_u32().await?;
        let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        stream.read_exact(&mut bytes).await?;
        Message::decoded(bytes.into()).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no message of ours"))
    }

    fn decoded(mut bytes: Bytes) -> Option<Message> {
        let head = String::from_utf8(take(&mut bytes)?.into()).ok()?;
        let headers = take_headers(&mut bytes)?;
        let body = take(&mut bytes)?;
        let trailers = if bytes.try_get_u8().ok()? == 1 { Some(take_headers(&mut bytes)?) } else { None };
        Some(Message { head, headers, body, trailers })
    }

    /// The body with its trailers, as tonic reads it.
    pub fn into_body(self) -> Body {
        let body = http_body_util::Full::new(self.body);
        let trailers = self.trailers;
        Body::new(body.with_trailers(async move { trailers.map(Ok) }))
    }
}

/// What a frame is, and its length.
const HEAD_BYTES: usize = 5;

fn put(frame: &mut BytesMut, bytes: &[u8]) {
    frame.put_u32(u32::try_from(bytes.len()).expect("tonic bounds messages far below 4 GiB"));
    frame.put_slice(bytes);
}

fn take(bytes: &mut Bytes) -> Option<Bytes> {
    let length = usize::try_from(bytes.try_get_u32().ok()?).ok()?;
    (bytes.remaining() >= length).then(|| bytes.split_to(length))
}

fn put_headers(frame: &mut BytesMut, headers: &HeaderMap) {
    frame.put_u32(u32::try_from(headers.len()).expect("headers are few"));
    for (name, value) in headers {
        put(frame, name.as_str().as_bytes());
        put(frame, value.as_bytes());
    }
}

fn take_headers(bytes: &mut Bytes) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for _ in 0..bytes.try_get_u32().ok()? {
        let name = HeaderName::from_bytes(&take(bytes)?).ok()?;
        headers.append(name, HeaderValue::from_maybe_shared(take(bytes)?).ok()?);
    }
    Some(headers)
}
