//! Which Rust code is compiled for tests only, inside of files that hold other code too.

use std::ops::Range;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item};

/// Features that only the tests of other crates switch on.
const TESTING_FEATURES: [&str; 2] = ["conformance", "testing"];

/// Whether an item is compiled for tests only: those of its crate, or by a feature those of others.
pub fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let text = attribute.meta.span().source_text().unwrap_or_default();
        attribute.path().is_ident("test") || is_cfg_test(&text) || is_testing_feature(&text)
    })
}

/// Whether this is the inside of an attribute that compiles an item for the tests of its crate.
pub fn is_cfg_test(attribute: &str) -> bool {
    attribute.starts_with("cfg(test)") || attribute.starts_with("cfg(all(test")
}

/// Whether this is the inside of an attribute that compiles an item for the tests of other crates.
pub fn is_testing_feature(attribute: &str) -> bool {
    TESTING_FEATURES.iter().any(|feature| attribute.starts_with(&format!("cfg(feature = \"{feature}\")")))
}

/// The text with spaces in place of all that is for tests only. Lines keep their numbers. What `syn` cannot read is
/// left as it is.
pub fn without_tests(text: &str) -> String {
    let mut tests = Tests::default();
    if let Ok(parsed) = syn::parse_file(text) {
        tests.visit_file(&parsed);
    }
    let is_in_test = |at: usize| tests.found.iter().any(|range| range.contains(&at));
    let keep = |(at, char): (usize, char)| if char != '\n' && is_in_test(at) { ' ' } else { char };
    text.char_indices().map(keep).collect()
}

#[derive(Default)]
struct Tests {
    found: Vec<Range<usize>>,
}

impl<'ast> Visit<'ast> for Tests {
    fn visit_item(&mut self, item: &'ast Item) {
        if is_for_tests(attributes(item)) {
            self.found.push(item.span().byte_range());
        } else {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        match item {
            ImplItem::Fn(function) if is_for_tests(&function.attrs) => self.found.push(item.span().byte_range()),
            _ => visit::visit_impl_item(self, item),
        }
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_tests_is_blanked_and_lines_stay_where_they_are() {
        let text = "fn a() {}\n#[cfg(test)]\nuse x::b;\nimpl A {\n    #[cfg(test)]\n    fn c(&self) {}\n\
                    \x20   fn d(&self) {}\n}\n#[cfg(feature = \"testing\")]\npub fn é() {}\n\
                    #[cfg(feature = \"chaos\")]\nfn f() {}\n#[cfg(test)]\nmod tests {\n    fn g() {}\n}\n";
        let left = without_tests(text);
        let lines: Vec<&str> = left.lines().map(str::trim_end).collect();
        let kept = ["fn a() {}", "", "", "impl A {", "", "", "    fn d(&self) {}", "}", "", ""];
        let behind_a_feature = ["#[cfg(feature = \"chaos\")]", "fn f() {}", "", "", "", ""];
        assert_eq!(lines, [kept.as_slice(), &behind_a_feature].concat());
    }
}
