//! What one workflow does. All of them are lines of steps: how many commits a workflow needs is then known.

/// A row of the list of workloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workload {
    pub name: &'static str,
    pub about: &'static str,
    /// One after the other.
    pub activities: u32,
}

impl Workload {
    pub const ALL: [Self; 3] = [
        Self { name: "plain", about: "a workflow of one activity: start, activity, result", activities: 1 },
        Self { name: "bare", about: "a workflow that completes at once: start, result", activities: 0 },
        Self { name: "chain", about: "a workflow of five activities, one after the other", activities: 5 },
    ];

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|workload| workload.name == name)
    }

    /// Tasks that matching gives to workers: of the workflow before, between and behind activities, and of these.
    pub fn dispatches(self) -> u32 {
        2 * self.activities + 1
    }

    /// gRPC calls: start, result, and for each task a poll and an answer.
    pub fn calls(self) -> u32 {
        2 + 2 * self.dispatches()
    }

    /// Commits that decide something: the start, and for each task its start and its outcome.
    pub fn commits(self) -> u32 {
        1 + 2 * self.dispatches()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_of_a_workflow_are_counted() {
        let check = |name, expected| {
            let workload = Workload::named(name).unwrap();
            assert_eq!((workload.dispatches(), workload.calls(), workload.commits()), expected, "{name}");
        };
        check("bare", (1, 4, 3));
        check("plain", (3, 8, 7));
        check("chain", (11, 24, 23));
        assert_eq!(Workload::named("plan"), None);
    }
}
