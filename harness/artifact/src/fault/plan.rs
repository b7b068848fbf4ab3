use super::Fault;
use crate::Host;
use serde::{Deserialize, Serialize};

/// A fault and when it begins, in virtual time since the run began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedFault {
    pub at_ms: u64,
    pub fault: Fault,
}

/// Everything that will go wrong, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FaultPlan(pub Vec<PlannedFault>);

impl FaultPlan {
    /// The first host it names that is none of these: the plan is of another world.
    pub fn unknown_host(&self, known: &[Host]) -> Option<Host> {
        let named = self.0.iter().flat_map(|planned| planned.fault.named_hosts());
        named.filter(|host| !known.contains(host)).min()
    }

    /// With more faults, in their places.
    #[must_use]
    pub fn with(mut self, more: Vec<PlannedFault>) -> FaultPlan {
        self.0.extend(more);
        self.0.sort_by_key(|planned| planned.at_ms);
        self
    }
}
