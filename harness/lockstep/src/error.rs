use std::fmt;

/// Why a simulation cannot be had, or what was asked of it cannot be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// This platform, or this build, interposes nothing.
    Unsupported,
    /// A process can hold one simulation: the second would find the statics of the first.
    AlreadyBegun,
    /// These symbols of the C library are not ours in this executable, so a simulation would not be deterministic.
    NotInterposed(Vec<&'static str>),
    /// The option named cannot have this value.
    BadOption(&'static str),
    /// The trace file cannot be written.
    TraceFile(String),
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Unsupported => out.write_str(
                "lockstep simulations need Linux on x86_64 with the GNU C library, and a build without --cfg madsim",
            ),
            Error::AlreadyBegun => out
                .write_str("this process has held a simulation already: start another process for another simulation"),
            Error::NotInterposed(symbols) => write!(
                out,
                "not interposed in this executable: {}; link it statically against tempest-lockstep, without \
                 -C prefer-dynamic and without another library that replaces these symbols",
                symbols.join(", ")
            ),
            Error::BadOption(which) => write!(out, "bad option: {which}"),
            Error::TraceFile(why) => write!(out, "cannot write the trace file: {why}"),
        }
    }
}

impl std::error::Error for Error {}
