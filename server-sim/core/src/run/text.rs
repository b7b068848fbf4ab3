//! Canonical text of a pretty-printed value: the entries of its maps sorted, since protobuf maps are hash maps.

/// Sorts the entries of every `{ ... }` that has no type name before its brace.
pub(super) fn canonical(pretty: &str) -> String {
    let lines: Vec<&str> = pretty.lines().collect();
    let mut out = Vec::with_capacity(lines.len());
    let mut rest = lines.as_slice();
    while !rest.is_empty() {
        let (entry, next) = take_entry(rest);
        out.push(entry);
        rest = next;
    }
    out.join("\n")
}

/// One line, or a block with everything up to its closing brace.
fn take_entry<'a, 'b>(lines: &'b [&'a str]) -> (String, &'b [&'a str]) {
    let (first, mut rest) = lines.split_first().expect("called with at least one line");
    if !opens_block(first) {
        return ((*first).to_owned(), rest);
    }
    let mut entries = Vec::new();
    while let Some(line) = rest.first()
        && !(indent(line) == indent(first) && closes_block(line))
    {
        let (entry, next) = take_entry(rest);
        entries.push(entry);
        rest = next;
    }
    if is_map(first) {
        entries.sort();
    }
    let mut block = vec![(*first).to_owned()];
    block.extend(entries);
    if let Some((last, next)) = rest.split_first() {
        block.push((*last).to_owned());
        rest = next;
    }
    (block.join("\n"), rest)
}

fn opens_block(line: &str) -> bool {
    line.ends_with(['{', '[', '('])
}

fn closes_block(line: &str) -> bool {
    line.trim_start().starts_with(['}', ']', ')'])
}

fn is_map(opening: &str) -> bool {
    opening.trim_start() == "{" || opening.ends_with(": {")
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

#[cfg(test)]
mod tests {
    use super::canonical;
    use std::collections::{BTreeMap, HashMap};

    #[test]
    fn hash_maps_read_alike() {
        #[derive(Debug)]
        #[allow(dead_code)]
        struct Sample<M>(Vec<M>);
        let hashed: HashMap<String, Vec<u8>> = (0..50).map(|n| (format!("key-{n:02}"), vec![n, 1])).collect();
        let sorted: BTreeMap<String, Vec<u8>> = hashed.clone().into_iter().collect();
        let (left, right) = (format!("{:#?}", Sample(vec![hashed])), format!("{:#?}", Sample(vec![sorted])));
        assert_eq!(canonical(&left), right);
    }
}
