//! Programs as text: a line for each action, two spaces for each level.
//!
//! ```text
//! workflow a
//!   start after=200ms reuse=reject
//!   activity start-to-close=1s tries=3 pause=100ms*2<1s
//!     fails after=20ms
//!     succeeds after=10ms beats=3 every=100ms
//!   race
//!     branch
//!       timer 500ms
//!     branch
//!       wait go at-most=2s
//!   client
//!     after 200ms signal go
//! ```
mod lines;
mod read;
mod words;
mod write;

pub use lines::Misread;
pub use read::read;
pub use write::write;

#[cfg(test)]
mod tests;
