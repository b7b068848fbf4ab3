//! Faults of the database that servers share: what is executed and what a server learns come apart where servers call it,
//! and what operators do to it.
use super::rpc::struck_calls;
use super::{Family, Kind, millis};
use crate::Host;
use serde::{Deserialize, Serialize};
use std::time::Duration;

struck_calls! {
    /// Commits are done, but their answers do not arrive.
    CommitInDoubt, "commit-in-doubt" of Database:
    "if the node is primary, connections to it break when some of its writes are done, before it says so";

    /// Commits are done, and their answers take long.
    SlowCommits, "slow-commits" of Database:
    "if the node is primary, it answers some of its writes up to twenty seconds after they are done";

    /// Reads are done, and their answers take longer than those of commits that came later.
    SlowReads, "slow-reads" of Database:
    "if the node is primary, it answers some of its reads up to six seconds after they are done, and writes at once";

    /// A shard gets another owner at the moment at which the one it has commits.
    OwnershipTaken, "ownership-taken" of Database:
    "when the server commits, another acquires the shard now and then, just before, just behind or just after, and does \
     nothing with it";

    /// The database is there, and takes no writes.
    ReadOnly, "read-only" of Database:
    "if the node is primary, it refuses all writes or some, and answers reads, for a while";
}

/// An operator promotes a node, whatever it lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promote {
    pub host: Host,
}

impl Kind for Promote {
    const NAME: &'static str = "promote";
    const FAMILY: Family = Family::Database;
    const ABOUT: &'static str = "an operator makes the node primary, also a standby that lacks what was acknowledged; one \
                                 of a database that elects by majority refuses";

    fn hosts(&self) -> Vec<Host> {
        vec![self.host.clone()]
    }
}
