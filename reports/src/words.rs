//! Figures and verdicts as a person would say them.

use crate::{Run, Verdict};

/// `0.4 ms`, `12 ms`, `1.20 s`, `3 min 05 s`, `2 h 10 min`, `1 d 3 h`.
pub(crate) fn duration(ms: f64) -> String {
    if !ms.is_finite() || ms < 0.0 {
        return "–".into();
    }
    let seconds = ms / 1000.0;
    match seconds {
        _ if ms < 10.0 && ms.fract() != 0.0 => format!("{ms:.1} ms"),
        _ if ms < 1000.0 => format!("{ms:.0} ms"),
        s if s < 10.0 => format!("{s:.2} s"),
        s if s < 119.95 => format!("{s:.1} s"),
        s if s < 7200.0 => format!("{} min {:02} s", (s / 60.0) as u64, (s % 60.0) as u64),
        s if s < 172_800.0 => format!("{} h {:02} min", (s / 3600.0) as u64, (s % 3600.0 / 60.0) as u64),
        s => format!("{} d {} h", (s / 86_400.0) as u64, (s % 86_400.0 / 3600.0) as u64),
    }
}

/// A moment on the virtual clock, exact to the millisecond: `0.012 s`, `1:02.500`, `1:00:00.000`.
pub(crate) fn moment(ms: f64) -> String {
    if !ms.is_finite() || ms < 0.0 {
        return "–".into();
    }
    let total = ms.round() as u64;
    let (millis, seconds, minutes, hours) = (total % 1000, total / 1000 % 60, total / 60_000 % 60, total / 3_600_000);
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
    for violation in &run.violations {
        if !names.contains(&violation.invariant) {
            names.push(violation.invariant.clone());
        }
    }
    match run.verdict {
        _ if !names.is_empty() => {
            let (what, was) = if names.len() == 1 { ("Invariant", "was") } else { ("Invariants", "were") };
            format!("{what} {} {was} violated.", list(&names))
        }
        Verdict::Held => {
            let came = match (run.workflows, run.faults.len() as u64) {
                (0, 0) => "The run completed".to_string(),
                (0, faults) => format!("The run came through {}", plural(faults, "fault")),
                (workflows, 0) => format!("{} ran undisturbed", plural(workflows, "workflow")),
                (workflows, faults) => {
                    format!("{} came through {}", plural(workflows, "workflow"), plural(faults, "fault"))
                }
            };
            match run.checks.len() as u64 {
                0 => format!("{came}; every invariant held."),
                1 => format!("{came}; the one invariant that was checked held."),
                checks => format!("{came}; all {checks} invariants held."),
            }
        }
        Verdict::Violated => "An invariant was violated, but the artefact does not say which.".into(),
        Verdict::Nondeterministic => "The run was not deterministic: one seed gave two different traces.".into(),
        Verdict::Unknown => "The run left no verdict: its process may have died.".into(),
    }
}

/// One word for tables.
pub(crate) fn verdict_word(run: &Run) -> &'static str {
    match run.verdict {
        Verdict::Nondeterministic => "not deterministic",
        _ if !run.violations.is_empty() => "violated",
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
            [0.4, 12.0, 999.0, 1200.0, 65_000.0, 185_000.0, 7_800_000.0, 97_200_000.0 * 2.0, f64::NAN]
                .into_iter()
                .map(duration)
                .collect();
        assert_eq!(said, ["0.4 ms", "12 ms", "999 ms", "1.20 s", "65.0 s", "3 min 05 s", "2 h 10 min", "2 d 6 h", "–"]);
    }

    #[test]
    fn moments_are_exact() {
        assert_eq!(moment(12.0), "0.012 s");
        assert_eq!(moment(62_500.0), "1:02.500");
        assert_eq!(moment(3_600_000.0), "1:00:00.000");
    }

    #[test]
    fn counts_are_grouped() {
        assert_eq!(count(7), "7");
        assert_eq!(count(1_234_567), "1\u{2009}234\u{2009}567");
        assert_eq!(plural(1, "fault"), "1 fault");
        assert_eq!(list(&["a".into(), "b".into(), "c".into()]), "a, b and c");
    }
}
