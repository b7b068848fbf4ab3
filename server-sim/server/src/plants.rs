//! The planted bugs of a node, and the list of all that a server has.
use tempest_core::planted::{self, PlantedBug};
use tempest_core::planted_bugs;

planted_bugs! {
    /// Each is a mistake a good engineer could really make.
    pub PLANTED in "server":
    PEERS_OF_ANOTHER_TIMELINE_ARE_HEEDED = "peers-of-another-timeline-are-heeded", breaks "liveness":
        "a node believes what another says that has not heard yet that the database failed over";
    CLUSTER_ID_OF_BEFORE_IS_KEPT = "cluster-id-of-before-is-kept", breaks "liveness":
        "a node never reads again which cluster it is of, though a failover may have lost that";
    MEMBERSHIP_BY_WALL_CLOCKS = "membership-by-wall-clocks", breaks "ownership-settled":
        "whether a node is alive is judged by its wall clock's time of its last beat, compared with one's own";
    UNKNOWN_CALL_TRIED_ANEW = "unknown-call-tried-anew", breaks "refused-left-nothing":
        "a call between nodes that may have been performed is made again, and only its second answer counts";
}

/// Every planted bug of the server crates.
pub fn planted_bugs() -> Vec<PlantedBug> {
    [
        tempest_store::PLANTED,
        tempest_history::PLANTED,
        tempest_matching::PLANTED,
        tempest_frontend::PLANTED,
        planted::PLANTED,
        planted::NEEDS_A_STORM,
        planted::OF_OWNERS,
        PLANTED,
    ]
    .concat()
}
