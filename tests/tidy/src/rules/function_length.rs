//! A function fits on a screen: at most [`LINES_MAX`] lines from its signature to its last brace, tests aside.

use proc_macro2::Span;
use syn::visit::{self, Visit};
use syn::{Block, ImplItemFn, ItemFn, ItemMod, Signature, TraitItemFn};

use crate::test_code::is_for_tests;
use crate::{Finding, Tree};

pub const LINES_MAX: usize = 70;

/// The functions that are longer; keys are `path::name`.
pub fn findings(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust().filter(|file| !tree.is_test(file)) {
        let Ok(parsed) = syn::parse_file(&file.text) else {
            findings.push(Finding::new(&file.path, 1, "is not Rust that syn can read"));
            continue;
        };
        let mut functions = Functions { path: &file.path, found: Vec::new() };
        functions.visit_file(&parsed);
        findings.extend(functions.found);
    }
    findings
}

struct Functions<'a> {
    path: &'a str,
    found: Vec<Finding>,
}

impl Functions<'_> {
    fn measure(&mut self, signature: &Signature, body: &Block) {
        let first = line(signature.fn_token.span);
        let last = body.brace_token.span.close().end().line;
        let lines = last + 1 - first;
        if lines > LINES_MAX {
            let says = format!("a function of {lines} lines, at most {LINES_MAX} fit on a screen");
            self.found.push(Finding::new(format!("{}::{}", self.path, signature.ident), lines, says));
        }
    }
}

fn line(span: Span) -> usize {
    span.start().line
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        if !is_for_tests(&item.attrs) {
            self.measure(&item.sig, &item.block);
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.measure(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        if let Some(body) = &item.default {
            self.measure(&item.sig, body);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::File;

    #[test]
    fn long_functions_are_found_where_they_run() {
        let body = "    step();\n".repeat(LINES_MAX - 1);
        let long = format!("fn long() {{\n{body}}}\n");
        let text = format!("{long}#[cfg(test)]\nmod tests {{\n{long}}}\nfn short() {{}}\n");
        let findings = findings(&Tree::of(vec![File::new("a/src/x.rs", text)]));
        assert_eq!(
            findings.iter().map(|found| (found.key.as_str(), found.size)).collect::<Vec<_>>(),
            [("a/src/x.rs::long", LINES_MAX + 1)]
        );
    }
}
