//! Stories of one history node, with a store that fails as told and a clock that jumps.
#![allow(clippy::unwrap_used)]

mod durability;
mod family;
mod lifecycle;
mod matching;
mod on_redb;
mod parts;
mod queues;
mod store;
mod storm;
mod world;
