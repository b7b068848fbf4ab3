//! Some names have one door: only the crates behind it may write them.

use crate::{Finding, Tree, lexer};

/// What may be named only below some folders.
struct Door {
    names: &'static [&'static str],
    inside: &'static str,
    behind: &'static [&'static str],
}

const DOORS: &[Door] = &[
    Door {
        names: &["tokio::runtime", "tonic::transport", "turmoil::", "madsim::"],
        inside: "server-sim/",
        behind: &["server-sim/rt/", "server-sim/server/", "server-sim/store-postgres/src/testing/"],
    },
    Door { names: &["unsafe {", "unsafe fn", "unsafe impl"], inside: "", behind: &["harness/lockstep/"] },
];

/// Names that are written elsewhere; keys are `file name`.
pub fn findings(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust().filter(|file| !tree.is_test(file)) {
        let code = lexer::parts(&file.text).code;
        for door in DOORS.iter().filter(|door| file.path.starts_with(door.inside)) {
            if door.behind.iter().any(|folder| file.path.starts_with(folder)) {
                continue;
            }
            let named = door.names.iter().filter(|name| code.contains(*name));
            findings.extend(named.map(|name| {
                Finding::new(format!("{} {name}", file.path), 1, format!("only {} may", door.behind.join(", ")))
            }));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::File;

    #[test]
    fn a_door_is_passed_by_its_crate_only() {
        let code = "use tonic::transport::Channel; // madsim::time";
        let of = |path: &str| findings(&Tree::of(vec![File::new(path, code)])).len();
        assert_eq!(
            (of("server-sim/rt/src/net.rs"), of("server-sim/history/src/x.rs"), of("harness/sim/src/x.rs")),
            (0, 1, 0)
        );
    }
}
