//! Stories of one history node, with a store that fails as told and a clock that jumps.
#![allow(clippy::unwrap_used)]

mod durability;
mod lifecycle;
mod matching;
mod queues;
mod store;
mod world;
