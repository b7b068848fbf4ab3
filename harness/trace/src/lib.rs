//! The trace: what happened, in order. Its hash is the fingerprint of the run.
//!
//! Recording draws no randomness and takes no time, and the hash does not depend on whether the lines are written
//! anywhere. Every world has one; it knows none of them.
use sha2::{Digest, Sha256};
use std::fmt;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

const SECOND: u64 = 1_000_000_000;

/// SHA-256 over all records so far.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceHash(pub [u8; 32]);

impl fmt::Display for TraceHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Debug for TraceHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// The records so far, as their hash.
#[derive(Default)]
pub struct Trace {
    hash: Sha256,
    sink: Option<Sink>,
}

/// Where lines go, and who is told that they cannot.
struct Sink {
    file: BufWriter<File>,
    report: fn(&str),
}

impl Trace {
    /// A trace that is also written as readable lines. A file that cannot be written any more is a problem to report, and no
    /// reason to end the run.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn to_file(path: &Path, report: fn(&str)) -> std::io::Result<Trace> {
        let file = BufWriter::new(File::create(path)?);
        Ok(Trace { sink: Some(Sink { file, report }), ..Trace::default() })
    }

    /// Adds a record; `elapsed` is virtual time in nanoseconds.
    pub fn record(&mut self, elapsed: u64, host: &str, kind: &str, bytes: &[u8]) {
        self.fold(elapsed, host, kind, bytes);
        if self.sink.is_some() {
            let digest = Sha256::digest(bytes);
            let start = u64::from_be_bytes(digest[..8].try_into().expect("eight of thirty-two bytes"));
            self.write_line(elapsed, host, kind, &format!("{} bytes {start:016x}", bytes.len()));
        }
    }

    /// As [`Trace::record`], with bytes that a person can read: they are written to the file as they are.
    pub fn record_text(&mut self, elapsed: u64, host: &str, kind: &str, text: &str) {
        self.fold(elapsed, host, kind, text.as_bytes());
        self.write_line(elapsed, host, kind, text);
    }

    /// Adds a line to the file only; the hash stays as it is.
    pub fn comment(&mut self, elapsed: u64, host: &str, kind: &str, text: &str) {
        self.write_line(elapsed, host, kind, &format!("({text})"));
    }

    /// Of all records so far.
    pub fn hash(&self) -> TraceHash {
        TraceHash(self.hash.clone().finalize().into())
    }

    /// Writes to the file what has gathered.
    pub fn flush(&mut self) {
        if let Some(sink) = &mut self.sink
            && let Err(error) = sink.file.flush()
        {
            (sink.report)(&format!("the trace file is incomplete: {error}"));
        }
    }

    /// Lengths go before contents, so that no two sequences of records have the same bytes.
    fn fold(&mut self, elapsed: u64, host: &str, kind: &str, bytes: &[u8]) {
        self.hash.update(elapsed.to_le_bytes());
        for part in [host.as_bytes(), kind.as_bytes(), bytes] {
            self.hash.update((part.len() as u64).to_le_bytes());
            self.hash.update(part);
        }
    }

    fn write_line(&mut self, elapsed: u64, host: &str, kind: &str, text: &str) {
        let Some(sink) = &mut self.sink else { return };
        let (seconds, nanos) = (elapsed / SECOND, elapsed % SECOND);
        if let Err(error) = writeln!(sink.file, "{seconds:>6}.{nanos:09} {host:<12} {kind}: {text}") {
            (sink.report)(&format!("the trace file ends here: {error}"));
            self.sink = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash_of(records: &[(u64, &str, &str, &[u8])]) -> TraceHash {
        let mut trace = Trace::default();
        for (elapsed, host, kind, bytes) in records {
            trace.record(*elapsed, host, kind, bytes);
        }
        trace.hash()
    }

    #[test]
    fn every_part_of_a_record_counts() {
        let base = hash_of(&[(1, "a", "b", b"c")]);
        assert_eq!(base, hash_of(&[(1, "a", "b", b"c")]));
        for other in [(2, "a", "b", b"c"), (1, "x", "b", b"c"), (1, "a", "x", b"c"), (1, "a", "b", b"x")] {
            assert_ne!(base, hash_of(&[(other.0, other.1, other.2, other.3)]));
        }
        assert_ne!(hash_of(&[(1, "ab", "c", b"")]), hash_of(&[(1, "a", "bc", b"")]));
    }

    #[test]
    fn the_hash_is_the_same_in_every_build() {
        let hash = hash_of(&[(1, "host", "kind", b"bytes")]).to_string();
        assert_eq!(hash, "630c2eba5a62f239e13acb369fb2a2c955cccd371f0ac9d06928f59d9d29cada");
    }
}
