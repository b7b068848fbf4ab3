//! User timers: started by a command, ended by firing or by cancellation.
pub(crate) mod cancel;
pub(crate) mod events;
pub(crate) mod fire;
pub(crate) mod start;
mod state;
mod view;

pub use state::UserTimer;
