//! Several nodes over one store: which are there, what belongs to which, and how calls find it.
//!
//! All of it is hints. What makes it safe is the store: a shard or a partition is written only by the node that raised its
//! range id last. Two nodes that disagree about a shard cost each other time, never data.
mod describe;
mod join;
mod membership;
mod outgoing;
mod peers;
mod ring;
mod route;
mod timeline;
#[cfg(test)]
mod versions;
mod view;

pub use describe::{ClusterDescription, DescribeError, NodeDescription, describe_cluster};
pub(crate) use join::{Joined, Local, join};
pub use membership::{ClusterConfig, nodes_alive};
pub use ring::{Member, Ring};
pub(crate) use timeline::KnownTimeline;
