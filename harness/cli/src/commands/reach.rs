//! What a campaign has touched, as a page.
use super::untouched::why_not;
use std::fmt::Write;
use tempest::campaign::{Coverage, GROUPS};

/// One table per group: what was touched and how often, what was not and why.
pub fn page(coverage: &Coverage, runs: usize) -> String {
    let mut text = String::new();
    for (group, what) in GROUPS {
        let (touched, not): (Vec<_>, Vec<_>) = coverage.of_group(group).partition(|(_, times)| *times > 0);
        let _ = writeln!(text, "## {} of {} {what}\n", touched.len(), coverage.count(group));
        let _ = writeln!(text, "Touched in {runs} runs, and how often:\n");
        let counted: Vec<String> = touched.iter().map(|(name, times)| format!("{name} {times}")).collect();
        let _ = writeln!(text, "{}\n", if counted.is_empty() { "nothing".to_owned() } else { counted.join(", ") });
        if not.is_empty() {
            continue;
        }
        let _ = writeln!(text, "| not touched | why not |\n|---|---|");
        for (why, names) in by_reason(group, &not) {
            let _ = writeln!(text, "| {} | {why} |", names.join(", "));
        }
        text.push('\n');
    }
    text.trim_end().to_owned() + "\n"
}

/// In the order in which the reasons come first.
fn by_reason<'a>(group: &str, names: &[(&'a str, u64)]) -> Vec<(&'static str, Vec<&'a str>)> {
    let mut reasons: Vec<(&'static str, Vec<&str>)> = Vec::new();
    for (name, _) in names {
        let why = why_not(group, name);
        match reasons.iter_mut().find(|(other, _)| *other == why) {
            Some((_, names)) => names.push(name),
            None => reasons.push((why, vec![name])),
        }
    }
    reasons
}
