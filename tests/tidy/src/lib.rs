//! Rules about the source tree that a test keeps, so that no review has to: lengths, widths, layers, names, words.
//!
//! [`Tree`] holds every file of the repository; each module of [`rules`] is one rule, a function from the tree to
//! [`Finding`]s. A rule that the tree does not keep everywhere yet has a section in `ratchet.toml` ([`Ratchet`]): what is
//! listed there may only fall. `tests/tidy.rs` applies the rules to this repository.
//!
//! The crate knows nothing of tempest's own crates, so that it builds in seconds and without the SDK.

pub mod lexer;
pub mod ratchet;
pub mod rules;
pub mod test_code;
pub mod tree;

pub use ratchet::Ratchet;
pub use tree::{File, Tree};

use std::fmt;

/// One place where a rule is not kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// What an exception in `ratchet.toml` is listed under: a path, or a path and a name.
    pub key: String,
    /// How far the rule is exceeded (lines, occurrences); 1 where there is nothing to count.
    pub size: usize,
    /// A sentence for the person who has to fix it.
    pub says: String,
}

impl Finding {
    pub fn new(key: impl Into<String>, size: usize, says: impl Into<String>) -> Self {
        Self { key: key.into(), size, says: says.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.says)
    }
}
