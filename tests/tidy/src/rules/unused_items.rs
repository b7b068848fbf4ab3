//! Public items that no other file names, tests aside. The compiler does not warn of those: a public item may have
//! users elsewhere, and here there is no elsewhere, but for what `harness/sim` offers to users. A type that its own
//! file names again is spared: it is public because it stands in the signature of something public.
//!
//! Tests are no users: what only they call is not needed, or it is theirs and stands behind `cfg(test)` or a feature
//! for tests.

use std::collections::BTreeMap;

use syn::visit::{self, Visit};
use syn::{Attribute, Ident, ImplItemFn, ItemImpl, ItemMod, Visibility};

use crate::test_code::{is_for_tests, without_tests};
use crate::{File, Finding, Tree, lexer};

const JUDGED: [&str; 2] = ["server-sim/", "harness/"];
const EXAMPLES: &str = "tests/example-orders/";

/// Public functions, types and constants of server and harness that only their own file and tests name; keys are
/// `path::name`.
pub fn findings(tree: &Tree) -> Vec<Finding> {
    let files_by_word = files_by_word(tree);
    let mut findings = Vec::new();
    let is_judged = |file: &&File| JUDGED.iter().any(|top| file.path.starts_with(top)) && !tree.is_for_tests(file);
    for file in tree.rust().filter(is_judged) {
        for item in public_items(file) {
            let Some(files) = files_by_word.get(item.name.as_str()) else { continue };
            let elsewhere = files.keys().any(|user| *user != file.path);
            let in_a_signature = item.is_type && files.get(file.path.as_str()).is_some_and(|times| *times > 1);
            if !elsewhere && !in_a_signature {
                let key = format!("{}::{}", file.path, item.name);
                findings.push(Finding::new(key, 1, "is public, and no other file names it but tests"));
            }
        }
    }
    findings.dedup();
    findings
}

/// In which files each word is outside of tests, and how often. An example for users is a user.
fn files_by_word(tree: &Tree) -> BTreeMap<String, BTreeMap<&str, usize>> {
    let mut files: BTreeMap<String, BTreeMap<&str, usize>> = BTreeMap::new();
    let is_user = |file: &&File| !tree.is_for_tests(file) || file.path.starts_with(EXAMPLES);
    for file in tree.rust().filter(is_user) {
        let code = without_reexports(&file.path, lexer::parts(&without_tests(&file.text)).code);
        for word in code.split(|char: char| !char.is_alphanumeric() && char != '_').filter(|word| !word.is_empty()) {
            *files.entry(word.to_owned()).or_default().entry(&file.path).or_default() += 1;
        }
    }
    files
}

/// A re-export is no use of an item, but for those of the crate that users have.
fn without_reexports(path: &str, code: String) -> String {
    if path.starts_with("harness/sim/") {
        return code;
    }
    let mut kept = String::with_capacity(code.len());
    let mut rest = code.as_str();
    while let Some(at) = rest.find("pub use ") {
        kept.push_str(&rest[..at]);
        rest = rest[at..].split_once(';').map_or("", |(_, after)| after);
    }
    kept + rest
}

struct Item {
    name: String,
    is_type: bool,
}

fn public_items(file: &File) -> Vec<Item> {
    let mut items = Items::default();
    if let Ok(parsed) = syn::parse_file(&file.text) {
        items.visit_file(&parsed);
    }
    items.found
}

#[derive(Default)]
struct Items {
    found: Vec<Item>,
}

impl Items {
    fn add(&mut self, visibility: &Visibility, attributes: &[Attribute], name: &Ident, is_type: bool) {
        if matches!(visibility, Visibility::Public(_)) && !is_for_tests(attributes) {
            self.found.push(Item { name: name.to_string(), is_type });
        }
    }
}

impl<'ast> Visit<'ast> for Items {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        match item {
            syn::Item::Fn(item) => self.add(&item.vis, &item.attrs, &item.sig.ident, false),
            syn::Item::Struct(item) => self.add(&item.vis, &item.attrs, &item.ident, true),
            syn::Item::Enum(item) => self.add(&item.vis, &item.attrs, &item.ident, true),
            syn::Item::Trait(item) => self.add(&item.vis, &item.attrs, &item.ident, true),
            syn::Item::Type(item) => self.add(&item.vis, &item.attrs, &item.ident, true),
            syn::Item::Const(item) => self.add(&item.vis, &item.attrs, &item.ident, false),
            syn::Item::Static(item) => self.add(&item.vis, &item.attrs, &item.ident, false),
            _ => visit::visit_item(self, item),
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        if item.trait_.is_none() {
            visit::visit_item_impl(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.add(&item.vis, &item.attrs, &item.sig.ident, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_without_users_are_found() {
        let tree = Tree::of(vec![
            File::new(
                "server-sim/a/src/x.rs",
                "pub fn used(_: &Seen) {}\npub fn unused() {}\npub struct Seen;\nimpl Seen { pub fn lost(&self) {} }",
            ),
            File::new(
                "server-sim/a/src/lib.rs",
                "pub use x::{used, unused}; // lost\nfn f() { x::used(\"lost\") }\n\
                 #[cfg(test)]\nmod t { fn t(a: Seen) { a.lost() } }",
            ),
            File::new("server-sim/a/tests/y.rs", "fn t() { unused() }"),
        ]);
        let found: Vec<_> = findings(&tree).into_iter().map(|finding| finding.key).collect();
        assert_eq!(found, ["server-sim/a/src/x.rs::unused", "server-sim/a/src/x.rs::lost"]);
    }
}
