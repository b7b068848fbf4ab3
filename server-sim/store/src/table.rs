//! The tables. A new one is a row here, the file of its key ([`crate::keys`]) and its conformance test: every engine
//! derives its own tables and statements from this.

/// What of a row the writes to its table are judged by. An engine reads no more than that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JudgedBy {
    /// The whole value. Several processes may judge by it at one time: the row is locked meanwhile.
    LockedValue,
    /// The whole value, guarded by the lock of the shard to which the row belongs.
    Value,
    /// The version that stands beside the value, guarded by the lock of the shard.
    Version,
    /// Whether there is such a row: there must be none. It is never replaced.
    Absence,
    /// Nothing: it is written whatever was there, under the lock of another row.
    Nothing,
}

/// How often a row is replaced, for engines that can leave room for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Churn {
    EveryBatch,
    Often,
    Seldom,
}

macro_rules! tables {
    ($($(#[$comment:meta])* $table:ident: $name:literal, $judged_by:ident, $churn:ident;)+) => {
        /// In the order in which rows are locked, so that no two transactions wait for each other in a circle.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Table {
            $($(#[$comment])* $table,)+
        }

        impl Table {
            pub const ALL: &[Table] = &[$(Table::$table),+];

            /// As engines call it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Table::$table => $name,)+
                }
            }

            pub const fn judged_by(self) -> JudgedBy {
                match self {
                    $(Table::$table => JudgedBy::$judged_by,)+
                }
            }

            pub const fn churn(self) -> Churn {
                match self {
                    $(Table::$table => Churn::$churn,)+
                }
            }
        }
    };
}

tables! {
    Shards: "shards", LockedValue, EveryBatch;
    Partitions: "partitions", LockedValue, EveryBatch;
    Namespaces: "namespaces", LockedValue, Seldom;
    /// A namespace's name; the value is its id. What makes names unique.
    NamespaceNames: "namespace_names", LockedValue, Seldom;
    /// One row: what the store says of itself.
    Cluster: "cluster", LockedValue, Seldom;
    Nodes: "nodes", LockedValue, Often;
    CurrentRuns: "current_runs", Value, Seldom;
    Runs: "runs", Version, Often;
    /// One row for each part of a run.
    RunParts: "run_parts", Nothing, Often;
    History: "history", Absence, Seldom;
    HistoryTasks: "history_tasks", Absence, Seldom;
    Backlog: "backlog", Nothing, Seldom;
}
