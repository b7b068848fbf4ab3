//! Exceptions that may only fall: `ratchet.toml`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::Finding;

/// One exception: how far the rule may be exceeded, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    pub size: usize,
    pub why: String,
}

/// The exceptions of one rule, by the findings' keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ratchet {
    rule: String,
    exceptions: BTreeMap<String, Exception>,
}

impl Ratchet {
    /// The section of a rule in the text of `ratchet.toml`.
    ///
    /// # Errors
    /// Text that is not a table of tables of numbers or of `{ size, why }`.
    pub fn parse(text: &str, rule: &str) -> Result<Self, String> {
        let table: toml::Table = text.parse().map_err(|error| format!("ratchet.toml: {error}"))?;
        let mut exceptions = BTreeMap::new();
        let section = match table.get(rule) {
            Some(toml::Value::Table(section)) => section.clone(),
            Some(_) => return Err(format!("ratchet.toml: {rule} is not a table")),
            None => toml::Table::new(),
        };
        for (key, value) in section {
            let whole = |value: &toml::Value| value.as_integer().and_then(|size| usize::try_from(size).ok());
            let size = whole(&value).or_else(|| value.get("size").and_then(whole));
            let why = value.get("why").and_then(toml::Value::as_str).unwrap_or_default().to_owned();
            let size = size.ok_or_else(|| format!("ratchet.toml: {rule}: {key} has no size"))?;
            exceptions.insert(key, Exception { size, why });
        }
        Ok(Self { rule: rule.to_owned(), exceptions })
    }

    /// What is wrong: findings beyond their exceptions, and exceptions beyond what is found.
    pub fn judge(&self, findings: &[Finding]) -> Vec<String> {
        let mut wrong = Vec::new();
        for finding in findings {
            let allowed = self.exceptions.get(&finding.key).map_or(0, |exception| exception.size);
            if finding.size > allowed {
                wrong.push(format!("{finding} ({}, allowed are {allowed})", finding.size));
            }
        }
        for (key, exception) in &self.exceptions {
            let found = findings.iter().find(|finding| finding.key == *key).map_or(0, |finding| finding.size);
            if found < exception.size {
                wrong.push(format!("{key}: allowed are {}, found {found}: lower it (TIDY=lower does)", exception.size));
            }
        }
        wrong
    }

    /// The same exceptions, none larger than what is found.
    fn lowered(&self, findings: &[Finding]) -> BTreeMap<String, Exception> {
        let keep = |(key, exception): (&String, &Exception)| {
            let found = findings.iter().find(|finding| finding.key == *key)?;
            let size = found.size.min(exception.size);
            Some((key.clone(), Exception { size, why: exception.why.clone() }))
        };
        self.exceptions.iter().filter_map(keep).collect()
    }
}

/// Where the exceptions of this repository are.
pub fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ratchet.toml")
}

/// The text of `ratchet.toml` in which a rule's section holds what is still found, and no more than before.
pub fn lowered(text: &str, ratchet: &Ratchet, findings: &[Finding]) -> String {
    let heading = format!("[{}]", quoted(&ratchet.rule));
    let mut written = String::new();
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with('[') {
            inside = line == heading;
            let _ = writeln!(written, "{line}");
            if inside {
                written.push_str(&section(&ratchet.lowered(findings)));
            }
        } else if !inside || line.starts_with('#') {
            let _ = writeln!(written, "{line}");
        } else if line.is_empty() {
            inside = false;
            written.push('\n');
        }
    }
    written
}

fn section(exceptions: &BTreeMap<String, Exception>) -> String {
    let mut written = String::new();
    for (key, exception) in exceptions {
        let _ = match exception.why.as_str() {
            "" => writeln!(written, "{} = {}", quoted(key), exception.size),
            why => writeln!(written, "{} = {{ size = {}, why = {} }}", quoted(key), exception.size, quoted(why)),
        };
    }
    written
}

fn quoted(text: &str) -> String {
    let bare = text.chars().all(|char| char.is_ascii_alphanumeric() || char == '-' || char == '_');
    if bare { text.to_owned() } else { format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "# Head.\n\n[lines]\n\"a.rs\" = { size = 80, why = \"a table\" }\n\"b.rs\" = 90\n\n[words]\nx = 1\n";

    fn lines() -> Ratchet {
        Ratchet::parse(TEXT, "lines").expect("well-formed")
    }

    #[test]
    fn what_is_listed_is_allowed_and_no_more() {
        let at = |a, b| [Finding::new("a.rs", a, "long"), Finding::new("b.rs", b, "long")];
        assert!(lines().judge(&at(80, 90)).is_empty());
        assert_eq!(lines().judge(&at(81, 90)).len(), 1);
        assert_eq!(lines().judge(&at(80, 89)).len(), 1, "an exception that is larger than needed");
        assert_eq!(lines().judge(&[]).len(), 2);
    }

    #[test]
    fn lowering_writes_what_is_left_and_raises_nothing() {
        let found = [Finding::new("a.rs", 99, "long"), Finding::new("new.rs", 99, "long")];
        let expected = "# Head.\n\n[lines]\n\"a.rs\" = { size = 80, why = \"a table\" }\n\n[words]\nx = 1\n";
        assert_eq!(lowered(TEXT, &lines(), &found), expected);
    }
}
