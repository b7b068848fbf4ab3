//! What the parties say to each other: length-prefixed frames of MessagePack.
use super::log::Entry;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io;
use tempest_store::{Found, ReadRequest, StoreError, Timeline, WriteRequest, Written};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// A frame may carry a page of large states.
const FRAME_BYTES_MAX: u32 = 256 << 20;

/// Writes one frame.
pub async fn send(stream: &mut (impl AsyncWrite + Unpin), message: &impl Serialize) -> io::Result<()> {
    let body = rmp_serde::to_vec(message).map_err(io::Error::other)?;
    let length = u32::try_from(body.len()).map_err(io::Error::other)?;
    let mut frame = Vec::with_capacity(4 + body.len());
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(&body);
    stream.write_all(&frame).await?;
    stream.flush().await
}

/// Reads one frame. Not to be cancelled halfway: what was read would be gone.
pub async fn receive<T: DeserializeOwned>(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<T> {
    let length = stream.read_u32().await?;
    if length > FRAME_BYTES_MAX {
        return Err(io::Error::other(format!("a frame of {length} bytes")));
    }
    let mut body = vec![0; length as usize];
    stream.read_exact(&mut body).await?;
    rmp_serde::from_slice(&body).map_err(io::Error::other)
}

/// What a client asks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Request {
    Write(Box<WriteRequest>),
    Read(ReadRequest),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Answer {
    Written(Written),
    Found(Found),
}

/// A client's frame, with a number that its answer repeats.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Asked {
    pub id: u64,
    pub request: Request,
}

/// What a database node sends to a client.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ToClient {
    /// First frame: it is the primary of this term.
    Serving {
        term: u64,
        timeline: Timeline,
    },
    /// First and only frame.
    NotPrimary,
    Answer {
        id: u64,
        answer: Result<Answer, StoreError>,
    },
}

/// A primary's frame to a standby: entries that follow `before`, or none to find out where the logs agree.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Append {
    pub term: u64,
    pub before: Position,
    pub entries: Vec<Entry>,
    /// How far the primary knows its log to be committed; 0 while it does not know that it still is one.
    pub committed: u64,
}

/// A place in a log: the entry's number and the term that wrote it. Logs that agree on one agree on all before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// First in the order: a later term's log is the more advanced one, however short.
    pub term: u64,
    /// Counted from 1; 0 is before the first.
    pub number: u64,
}

/// A standby's answer.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Appended {
    /// All up to this number is on its disk and agrees.
    Up { to: u64 },
    /// It has nothing, or something else, at `before`: try at most this number.
    Mismatch { try_from: u64 },
    /// It has promised a later term.
    Refused { promised: u64 },
}

/// A database node's frame to the monitor.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    pub name: String,
    /// It takes entries of no earlier term.
    pub promised: u64,
    pub last: Position,
    /// Its disk is a new one, and it has not caught up yet.
    pub rebuilding: bool,
}

/// The monitor's answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// To be promised.
    pub term: u64,
    pub primary: Option<String>,
    /// An operator chose the primary, whatever it has.
    pub forced: bool,
    /// The standby that commits wait for, where one is named.
    pub standby: Option<String>,
}

/// An entry's body: a write and the timeline that it was done on, or nothing, with which a term begins.
pub fn encode_write(timeline: Timeline, write: &WriteRequest) -> Bytes {
    rmp_serde::to_vec(&(timeline, write)).expect("writes are plain data").into()
}

/// The inverse of [`encode_write`].
pub fn decode_write(body: &[u8]) -> Result<(Timeline, WriteRequest), rmp_serde::decode::Error> {
    rmp_serde::from_slice(body)
}
