//! What a run is to its parent: it is started by it, begins when the parent knows of it, does what only a parent may ask,
//! and reports when the last run of its chain has closed ([`crate::run::close`]). Its own children are in
//! [`crate::run::child`].
pub(crate) mod begin;
mod relation;
pub(crate) mod start;
