//! Who may import whom: each package's dependencies on packages of the workspace, development dependencies aside.

use toml::{Table, Value};

use crate::{File, Finding, Tree};

/// What a package may depend on. A package without a row may not exist.
pub struct Row {
    pub package: &'static str,
    pub may_use: &'static [&'static str],
}

const fn row(package: &'static str, may_use: &'static [&'static str]) -> Row {
    Row { package, may_use }
}

const SERVER: &[&str] = &[
    "tempest-api",
    "tempest-core",
    "tempest-frontend",
    "tempest-history",
    "tempest-matching",
    "tempest-rt",
    "tempest-store",
    "tempest-system",
    "tempest-visibility",
];

/// Roles (history, matching, frontend, system) are not in each other's rows: they speak through the traits of `api`. No
/// row of the server's has a crate of the harness's.
pub const ROWS: &[Row] = &[
    row("tempest-core", &[]),
    row("tempest-rt", &[]),
    row("tempest-api", &["tempest-core"]),
    row("tempest-visibility", &["tempest-core"]),
    row("tempest-store", &["tempest-core", "tempest-rt"]),
    row("tempest-store-postgres", &["tempest-core", "tempest-rt", "tempest-store"]),
    row("tempest-history", ROLE),
    row("tempest-matching", ROLE),
    row("tempest-frontend", ROLE),
    row("tempest-system", ROLE),
    row("tempest-server", SERVER),
    row("tempest-lockstep", &["tempest-trace"]),
    row("tempest-trace", &[]),
    row("tempest-macros", &[]),
    row("tempest-artifact", &[]),
    row("tempest-bench", BENCH),
    row("tempest-connect", &[]),
    row("tempest-disk", &["tempest-store"]),
    row("tempest-program", &["tempest-api", "tempest-rt"]),
    row("tempest", HARNESS),
    row("tempest-reports", &["tempest-artifact"]),
    row("tempest-scenarios", &["tempest", "tempest-program"]),
    row("tempest-tidy", &[]),
    row("tempest-tests", EVERYTHING),
    row("tempest-cli", EVERYTHING),
    row("example-orders", &[]),
];

const ROLE: &[&str] = &["tempest-api", "tempest-core", "tempest-rt", "tempest-store", "tempest-visibility"];

const HARNESS: &[&str] = &[
    "tempest-api",
    "tempest-artifact",
    "tempest-connect",
    "tempest-core",
    "tempest-disk",
    "tempest-history",
    "tempest-lockstep",
    "tempest-macros",
    "tempest-matching",
    "tempest-program",
    // The page of a failed test is made where the test runs.
    "tempest-reports",
    "tempest-rt",
    "tempest-server",
    "tempest-store",
    "tempest-trace",
];

/// It measures the server and reckons with what it measured: of the harness it knows only what a bench leaves behind.
const BENCH: &[&str] = &[
    "tempest-api",
    "tempest-artifact",
    "tempest-core",
    "tempest-history",
    "tempest-matching",
    "tempest-rt",
    "tempest-server",
    "tempest-store",
    "tempest-store-postgres",
];

const EVERYTHING: &[&str] = &["*"];

/// What the pure core knows of the outside: Temporal's messages, how to write them down, and JSON, which is what the values
/// of search attributes are.
const CORE_OUTSIDE: &[&str] =
    &["bytes", "prost", "prost-types", "prost-wkt-types", "serde", "serde_json", "temporalio-protos", "thiserror"];

/// Dependencies that no row has; keys are `package dependency`.
pub fn findings(tree: &Tree) -> Vec<Finding> {
    tree.files.iter().filter(|file| file.name() == "Cargo.toml").flat_map(|file| judge(file, ROWS)).collect()
}

fn judge(file: &File, rows: &[Row]) -> Vec<Finding> {
    let Ok(manifest) = file.text.parse::<Table>() else {
        return vec![Finding::new(&file.path, 1, "is not TOML")];
    };
    let Some(package) = manifest.get("package").and_then(|package| package.get("name")).and_then(Value::as_str) else {
        return Vec::new();
    };
    let Some(row) = rows.iter().find(|row| row.package == package) else {
        let says = "has no row in tests/tidy/src/rules/crate_layers.rs that says what it may use";
        return vec![Finding::new(package, 1, says)];
    };
    let inside = |name: &str| name == "tempest" || name.starts_with("tempest-");
    let allowed = |name: &str| match inside(name) {
        true => row.may_use.contains(&name) || row.may_use == EVERYTHING,
        false => package != "tempest-core" || CORE_OUTSIDE.contains(&name),
    };
    let dependencies = dependencies(&manifest).into_iter().filter(|name| !allowed(name));
    dependencies.map(|name| Finding::new(format!("{package} {name}"), 1, "is an edge that no row allows")).collect()
}

/// The names of what is built into a package, on any platform.
fn dependencies(manifest: &Table) -> Vec<String> {
    let of = |table: &Table| {
        let sections = ["dependencies", "build-dependencies"].into_iter();
        let tables = sections.filter_map(|section| table.get(section).and_then(Value::as_table));
        tables.flat_map(|table| table.keys().cloned()).collect::<Vec<_>>()
    };
    let platforms = manifest.get("target").and_then(Value::as_table);
    let platforms = platforms.into_iter().flat_map(|table| table.values()).filter_map(Value::as_table);
    of(manifest).into_iter().chain(platforms.flat_map(of)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(package: &str, dependencies: &str, expected: &[&str]) {
        let text = format!("[package]\nname = \"{package}\"\n[dependencies]\n{dependencies}");
        let found: Vec<_> =
            judge(&File::new("x/Cargo.toml", text), ROWS).into_iter().map(|finding| finding.key).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn an_edge_needs_a_row() {
        check("tempest-history", "tempest-core = {}\ntokio = {}", &[]);
        check("tempest-history", "tempest-matching = {}", &["tempest-history tempest-matching"]);
        check("tempest-server", "tempest-lockstep = {}", &["tempest-server tempest-lockstep"]);
        check("tempest-core", "tokio = {}", &["tempest-core tokio"]);
        check("tempest-new", "", &["tempest-new"]);
        check("tempest-api", "[target.x.dependencies]\ntempest-rt = {}", &["tempest-api tempest-rt"]);
    }
}
