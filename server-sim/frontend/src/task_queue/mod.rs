//! What is asked of task queues.
pub mod describe;
