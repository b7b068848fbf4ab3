//! The files of the repository, read once.

use crate::test_code::{is_cfg_test, is_testing_feature};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A file and its text. `path` is relative to the root, with `/` between folders.
#[derive(Clone, Debug)]
pub struct File {
    pub path: String,
    pub text: String,
}

impl File {
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into() }
    }

    /// The first folder of the path, or the file itself at the top.
    pub fn top(&self) -> &str {
        self.path.split('/').next().expect("split yields at least one part")
    }

    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().expect("rsplit yields at least one part")
    }

    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    pub fn is_markdown(&self) -> bool {
        self.path.ends_with(".md")
    }
}

/// Every text file that belongs to the repository, in the order of their paths.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    pub files: Vec<File>,
    folders: BTreeSet<String>,
    /// Rust files that a `#[cfg(test)] mod name;` declares.
    test_modules: BTreeSet<String>,
    /// The same with a feature that only tests of other crates switch on.
    testing_modules: BTreeSet<String>,
}

impl Tree {
    /// This repository.
    pub fn here() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut paths = Vec::new();
        collect(&root, &mut paths);
        paths.sort();
        let read = |path: PathBuf| {
            let relative = path.strip_prefix(&root).expect("collected below the root");
            let relative = relative.to_str().expect("paths of the repository are UTF-8").replace('\\', "/");
            // A file that is not text is of no interest to any rule.
            fs::read_to_string(&path).ok().map(|text| File::new(relative, text))
        };
        Self::of(paths.into_iter().filter_map(read).collect())
    }

    /// A tree of these files, for tests of rules.
    pub fn of(files: Vec<File>) -> Self {
        let folders = files.iter().flat_map(|file| parents(&file.path)).collect();
        let declared = |is_meant: fn(&str) -> bool| {
            files.iter().filter(|file| file.is_rust()).flat_map(|file| declared_modules(file, is_meant)).collect()
        };
        let (test_modules, testing_modules) = (declared(is_cfg_test), declared(is_testing_feature));
        Self { files, folders, test_modules, testing_modules }
    }

    pub fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.is_rust())
    }

    pub fn markdown(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.is_markdown())
    }

    pub fn get(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Whether there is such a file or folder.
    pub fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        self.folders.contains(path) || self.get(path).is_some()
    }

    /// Whether a file holds tests or benchmarks only.
    pub fn is_test(&self, file: &File) -> bool {
        let folders = file.path.split('/').rev().skip(1);
        file.top() == "tests"
            || file.name() == "tests.rs"
            || folders.into_iter().any(|folder| folder == "tests" || folder == "benches")
            || is_in(&self.test_modules, file)
    }

    /// Whether a file holds tests, or what only tests of other crates use.
    pub fn is_for_tests(&self, file: &File) -> bool {
        self.is_test(file) || is_in(&self.testing_modules, file)
    }
}

/// Whether a file is one of these modules or of theirs.
fn is_in(modules: &BTreeSet<String>, file: &File) -> bool {
    modules.iter().any(|module| {
        let inside = module.strip_suffix(".rs").expect("names end in .rs");
        file.path == *module || file.path.starts_with(&format!("{inside}/"))
    })
}

/// Folders that are made by building and running, and hidden ones but for those of continuous integration.
fn is_skipped(name: &str) -> bool {
    let kept = [".ci", ".github", ".config"];
    let built = name == "target" || name.starts_with("target-");
    built || (name.starts_with('.') && !kept.contains(&name)) || ["tempest-out", "__pycache__"].contains(&name)
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).expect("folders of the repository can be read");
    for entry in entries {
        let entry = entry.expect("folders of the repository can be read");
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        if is_skipped(&name) {
            continue;
        }
        if entry.file_type().expect("the type of a file is known").is_dir() {
            collect(&path, paths);
        } else {
            paths.push(path);
        }
    }
}

fn parents(path: &str) -> Vec<String> {
    path.match_indices('/').map(|(at, _)| path[..at].to_owned()).collect()
}

/// The files that `mod name;` in this one may mean, behind an attribute that is meant.
fn declared_modules(file: &File, is_meant: fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = file.text.lines().map(str::trim).peekable();
    while let Some(line) = lines.next() {
        if !line.strip_prefix("#[").is_some_and(is_meant) {
            continue;
        }
        let Some(declared) = lines.peek().and_then(|next| next.strip_suffix(';')) else { continue };
        let Some(name) = declared.rsplit("mod ").next().filter(|_| declared.contains("mod ")) else { continue };
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let stem = file.name().strip_suffix(".rs").expect("a Rust file");
        let base = if ["lib", "main", "mod"].contains(&stem) { folder.to_owned() } else { format!("{folder}/{stem}") };
        found.push(format!("{base}/{name}.rs"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_code_is_known_by_place_or_declaration() {
        let tree = Tree::of(vec![
            File::new(
                "a/src/lib.rs",
                "#[cfg(test)]\nmod samples;\nmod real;\n#[cfg(feature = \"testing\")]\npub mod testing;",
            ),
            File::new("a/src/samples.rs", ""),
            File::new("a/src/samples/more.rs", ""),
            File::new("a/src/real.rs", ""),
            File::new("a/src/testing/mod.rs", ""),
            File::new("a/tests/x.rs", ""),
        ]);
        let tests: Vec<_> =
            tree.files.iter().filter(|file| tree.is_test(file)).map(|file| file.path.as_str()).collect();
        assert_eq!(tests, ["a/src/samples.rs", "a/src/samples/more.rs", "a/tests/x.rs"]);
        let for_others = tree.files.iter().filter(|file| tree.is_for_tests(file) && !tree.is_test(file));
        assert_eq!(for_others.map(|file| file.path.as_str()).collect::<Vec<_>>(), ["a/src/testing/mod.rs"]);
        assert!(tree.has("a/src/") && tree.has("a/src/real.rs") && !tree.has("a/srcs"));
    }
}
