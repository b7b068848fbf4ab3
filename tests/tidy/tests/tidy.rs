//! The rules, applied to this repository. `TIDY=lower cargo test -p tempest-tidy` lowers the exceptions in `ratchet.toml`
//! to what is still found; raising one is an edit by hand.

use std::fs;
use std::sync::LazyLock;

use tempest_tidy::{Finding, Ratchet, Tree, ratchet, rules};

static TREE: LazyLock<Tree> = LazyLock::new(Tree::here);

macro_rules! rules {
    ($($rule:ident)*) => {
        $(#[test]
        fn $rule() {
            check(stringify!($rule), rules::$rule::findings);
        })*

        /// Every rule and its name, which is that of its section in `ratchet.toml`.
        const RULES: &[(&str, fn(&Tree) -> Vec<Finding>)] = &[$((stringify!($rule), rules::$rule::findings)),*];
    };
}

rules! {
    banned_words
    crate_layers
    doors
    file_length
    file_names
    folder_layers
    function_length
    glossary
    markdown_width
    named_paths
    quoted_files
    unused_items
}

fn check(rule: &str, findings: fn(&Tree) -> Vec<Finding>) {
    if lowering() {
        return;
    }
    let exceptions = Ratchet::parse(&ratchet_text(), rule).expect("ratchet.toml is well-formed");
    let wrong = exceptions.judge(&findings(&TREE));
    assert!(wrong.is_empty(), "{rule}: {} wrong\n  {}\n", wrong.len(), wrong.join("\n  "));
}

/// A section for a rule that does not exist would allow nothing and look as if it did.
#[test]
fn every_section_belongs_to_a_rule() {
    let table: toml::Table = ratchet_text().parse().expect("ratchet.toml is well-formed");
    let unknown: Vec<_> = table.keys().filter(|section| !RULES.iter().any(|(rule, _)| rule == section)).collect();
    assert!(unknown.is_empty(), "ratchet.toml has sections of no rule: {unknown:?}");
}

#[test]
fn what_has_fallen_is_written_down_if_asked_for() {
    if !lowering() {
        return;
    }
    let mut text = ratchet_text();
    for (rule, findings) in RULES {
        let exceptions = Ratchet::parse(&text, rule).expect("ratchet.toml is well-formed");
        text = ratchet::lowered(&text, &exceptions, &findings(&TREE));
    }
    fs::write(ratchet::path(), text).expect("ratchet.toml can be written");
}

fn lowering() -> bool {
    std::env::var("TIDY").is_ok_and(|value| value == "lower")
}

fn ratchet_text() -> String {
    fs::read_to_string(ratchet::path()).expect("ratchet.toml lies beside Cargo.toml")
}
