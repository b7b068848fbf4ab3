//! Keeps the rule which part may call which (see `run/mod.rs`): what the sources do is compared with a table, in both
//! directions, so that the table says neither too little nor too much.
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

const ALLOWED: &[(&str, &[&str])] = &[
    ("activity", &["workflow_task"]),
    ("admission", &["close", "signal", "start", "workflow_task"]),
    ("cancel", &["parent", "workflow_task"]),
    ("child", &["workflow_task"]),
    ("close", &["child", "parent", "start", "workflow_task"]),
    ("external", &[]),
    ("marker", &[]),
    ("parent", &["admission", "start", "workflow_task"]),
    ("properties", &[]),
    ("signal", &["parent", "workflow_task"]),
    ("start", &["signal", "workflow_task"]),
    ("timer", &["workflow_task"]),
    ("workflow_task", &["close", "start"]),
];

/// Whose methods are added to by several parts, so that a call does not show by its path.
const SHARED: [&str; 3] = ["impl MutableState {", "impl Decision<'_> {", "impl Commands<'_, '_> {"];

#[test]
fn parts_call_each_other_along_the_lines() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/run");
    let parts: BTreeMap<String, String> = sources(&root);
    let owners = method_owners(&parts);
    let found: BTreeMap<&str, Vec<&str>> =
        parts.iter().map(|(part, text)| (part.as_str(), calls(part, text, &parts, &owners))).collect();
    let allowed: BTreeMap<&str, Vec<&str>> = ALLOWED.iter().map(|(part, called)| (*part, called.to_vec())).collect();
    assert_eq!(found, allowed, "what the parts call, and what the rule says");
}

/// Each part with the text of all its files, without comments and tests.
fn sources(root: &Path) -> BTreeMap<String, String> {
    let folders = entries(root).into_iter().filter(|path| path.is_dir() && !path.ends_with("commands"));
    let text = |file: PathBuf| {
        let text = fs::read_to_string(file).expect("a source file can be read");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
        code.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
    };
    folders
        .map(|folder| {
            let name = folder.file_name().expect("a folder has a name").to_string_lossy().into_owned();
            (name, entries(&folder).into_iter().map(text).collect::<Vec<String>>().concat())
        })
        .collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The part that adds each method to a shared type.
fn method_owners(parts: &BTreeMap<String, String>) -> BTreeMap<&str, &str> {
    let mut owners = BTreeMap::new();
    for (part, text) in parts {
        let mut shared = false;
        for line in text.lines() {
            match line {
                line if line.starts_with("impl") => shared = SHARED.contains(&line),
                "}" => shared = false,
                line if shared => {
                    let Some((_, name)) = line.split_once("fn ").filter(|(before, _)| is_visibility(before)) else {
                        continue;
                    };
                    let name = name.split(['(', '<']).next().unwrap_or_default();
                    let before = owners.insert(name, part.as_str());
                    assert!(before.is_none_or(|before| before == part), "two parts have a method {name}");
                }
                _ => {}
            }
        }
    }
    owners
}

fn is_visibility(before: &str) -> bool {
    before.starts_with("    ") && ["", "pub ", "pub(crate) ", "pub(super) "].contains(&&before[4..])
}

fn calls<'a>(
    part: &str,
    text: &str,
    parts: &'a BTreeMap<String, String>,
    owners: &BTreeMap<&str, &'a str>,
) -> Vec<&'a str> {
    let methods = owners.iter().filter(|(name, _)| text.contains(&format!(".{name}("))).map(|(_, owner)| *owner);
    // Paths begin at the root here: `crate::run::close::...`, or as a branch of `run::{...}` in a `use`.
    let imported: String = text.split("run::{").skip(1).map(branches).collect();
    let named = |name: &&String| text.contains(&format!("run::{name}::")) || imported.contains(&format!(" {name}::"));
    let paths = parts.keys().filter(named).map(String::as_str);
    let called: BTreeSet<&str> = methods.chain(paths).filter(|called| *called != part).collect();
    called.into_iter().collect()
}

/// What stands between the braces of a `use` that has just been opened, in one line.
fn branches(text: &str) -> String {
    let mut depth = 1;
    let inside = text.chars().take_while(|c| {
        depth += match c {
            '{' => 1,
            '}' => -1,
            _ => 0,
        };
        depth > 0
    });
    format!(" {}", inside.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" "))
}
