//! Figures and verdicts as a person would say them.

use tempest_artifact::Verdict;

use crate::Run;

/// `12 ms`, `1.20 s`, `3 min 05 s`, `2 h 10 min`, `1 d 3 h`.
pub(crate) fn duration(ms: u64) -> String {
    let seconds = ms as f64 / 1000.0;
    let (minutes, hours) = (ms / 60_000, ms / 3_600_000);
    match ms {
        0..1000 => format!("{ms} ms"),
        1000..10_000 => format!("{seconds:.2} s"),
        10_000..119_950 => format!("{seconds:.1} s"),
        119_950..7_200_000 => format!("{minutes} min {:02} s", ms / 1000 % 60),
        7_200_000..172_800_000 => format!("{hours} h {:02} min", minutes % 60),
        _ => format!("{} d {} h", hours / 24, hours % 24),
    }
}

/// `+1.20 s`, `-3 min 05 s`.
pub(crate) fn signed_duration(ms: i64) -> String {
    format!("{}{}", if ms < 0 { '-' } else { '+' }, duration(ms.unsigned_abs()))
}

/// `0 B`, `16 kB`, `2.5 MB`.
pub(crate) fn amount(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

/// A moment on the virtual clock, exact to the millisecond: `0.012 s`, `1:02.500`, `1:00:00.000`.
pub(crate) fn moment(ms: u64) -> String {
    let (millis, seconds, minutes, hours) = (ms % 1000, ms / 1000 % 60, ms / 60_000 % 60, ms / 3_600_000);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}.{millis:03} s"),
        (0, _) => format!("{minutes}:{seconds:02}.{millis:03}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}.{millis:03}"),
    }
}

/// `1 234 567`, with thin spaces.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('\u{2009}');
        }
        out.push(digit);
    }
    out
}

/// `1 fault`, `3 faults`.
pub(crate) fn plural(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [start @ .., last] => format!("{} and {last}", start.join(", ")),
    }
}

/// The verdict in one or two plain sentences: the first thing that a reader sees.
pub(crate) fn verdict(run: &Run) -> String {
    let mut names: Vec<String> = Vec::new();
    for violation in &run.artifact.violations {
        let name = violation.invariant.to_string();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    match run.artifact.verdict {
        _ if !names.is_empty() => {
            let (what, was) = if names.len() == 1 { ("Invariant", "was") } else { ("Invariants", "were") };
            format!("{what} {} {was} violated.", list(&names))
        }
        Verdict::Held => {
            let came = match (run.artifact.workflows, run.artifact.faults) {
                (0, 0) => "The run completed".to_string(),
                (0, faults) => format!("The run came through {}", plural(faults, "fault")),
                (workflows, 0) => format!("{} ran undisturbed", plural(workflows, "workflow")),
                (workflows, faults) => {
                    format!("{} came through {}", plural(workflows, "workflow"), plural(faults, "fault"))
                }
            };
            match run.artifact.checks.len() {
                0 => format!("{came}; every invariant held."),
                1 => format!("{came}; the one invariant that was checked held."),
                checks => format!("{came}; all {checks} invariants held."),
            }
        }
        Verdict::Violated => "An invariant was violated, but the artifact does not say which.".into(),
        Verdict::Nondeterministic => "The run was not deterministic: one seed gave two different traces.".into(),
        Verdict::Unknown => "The run left no verdict: its process may have died.".into(),
    }
}

/// One word for tables.
pub(crate) fn verdict_word(run: &Run) -> &'static str {
    match run.artifact.verdict {
        Verdict::Nondeterministic => "not deterministic",
        _ if !run.artifact.violations.is_empty() => "violated",
        Verdict::Held => "held",
        Verdict::Violated => "violated",
        Verdict::Unknown => "no verdict",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_naturally() {
        let said: Vec<String> =
            [0, 12, 999, 1_200, 65_000, 185_000, 7_800_000, 194_400_000].into_iter().map(duration).collect();
        assert_eq!(said, ["0 ms", "12 ms", "999 ms", "1.20 s", "65.0 s", "3 min 05 s", "2 h 10 min", "2 d 6 h"]);
        assert_eq!([signed_duration(-1_200), signed_duration(60_000)], ["-1.20 s", "+60.0 s"]);
        assert_eq!([amount(0), amount(16 << 10), amount(2_500_000)], ["0 B", "16 kB", "2.5 MB"]);
    }

    #[test]
    fn moments_are_exact() {
        assert_eq!(moment(12), "0.012 s");
        assert_eq!(moment(62_500), "1:02.500");
        assert_eq!(moment(3_600_000), "1:00:00.000");
    }

    #[test]
    fn counts_are_grouped() {
        assert_eq!(count(7), "7");
        assert_eq!(count(1_234_567), "1\u{2009}234\u{2009}567");
        assert_eq!(plural(1, "fault"), "1 fault");
        assert_eq!(list(&["a".into(), "b".into(), "c".into()]), "a, b and c");
    }
}
