use serde::{Deserialize, Serialize};
use std::fmt;

/// A host's name: `server`, `server-2`, `worker-1`, `client`, `db-3`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Host(pub String);

/// A primary and two standbys.
const DATABASES: u64 = 3;

impl Host {
    /// The only server.
    pub fn server() -> Host {
        Host("server".to_owned())
    }

    /// So many servers: one alone, or the nodes of a cluster.
    pub fn servers(nodes: u64) -> Vec<Host> {
        if nodes <= 1 {
            vec![Host::server()]
        } else {
            (1..=nodes).map(|number| Host(format!("server-{number}"))).collect()
        }
    }

    /// The nodes of the database that the servers of a cluster share.
    pub fn databases() -> Vec<Host> {
        (1..=DATABASES).map(|number| Host(format!("db-{number}"))).collect()
    }

    /// Decides which of them is primary.
    pub fn monitor() -> Host {
        Host("db-monitor".to_owned())
    }

    /// Workers are numbered from 1.
    pub fn worker(number: u64) -> Host {
        Host(format!("worker-{number}"))
    }

    pub fn client() -> Host {
        Host("client".to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
