//! Virtual time to horizontal place.
use super::{LEFT, RIGHT, WIDTH, round};
use crate::Run;
use serde::Serialize;

/// A storm that would get less of the width than this gets a scale of its own.
const STORM_SHARE_MIN: f64 = 0.45;

/// Piece by piece.
pub(super) struct Scale {
    /// Ascending and touching.
    pieces: Vec<Piece>,
    pub stretched: bool,
}

#[derive(Clone, Copy)]
struct Piece {
    from_ms: f64,
    to_ms: f64,
    from_x: f64,
    to_x: f64,
}

#[derive(Debug, Serialize)]
pub(crate) struct Tick {
    pub x: f64,
    pub label: String,
    pub anchor: &'static str,
}

impl Scale {
    pub fn new(run: &Run) -> Scale {
        let end_ms = run.end_ms().max(1) as f64;
        let (from_x, to_x) = (LEFT, WIDTH - RIGHT);
        let phases = &run.artifact.phases;
        let storms: Vec<(f64, f64)> = phases
            .iter()
            .filter(|phase| phase.is_storm())
            .map(|phase| (phase.from_ms as f64, phase.to_ms as f64))
            .collect();
        let storm_ms: f64 = storms.iter().map(|(from_ms, to_ms)| to_ms - from_ms).sum();
        if phases.len() < 2 || storm_ms <= 0.0 || storm_ms / end_ms >= STORM_SHARE_MIN {
            return Scale { pieces: vec![Piece { from_ms: 0.0, to_ms: end_ms, from_x, to_x }], stretched: false };
        }
        let mut bounds: Vec<f64> = phases.iter().flat_map(|phase| [phase.from_ms as f64, phase.to_ms as f64]).collect();
        bounds.extend([0.0, end_ms]);
        bounds.sort_by(f64::total_cmp);
        bounds.dedup();
        // Quiet phases share what storms leave by the roots of their lengths.
        let weights: Vec<Option<f64>> = bounds
            .windows(2)
            .map(|piece| {
                let in_storm = storms.iter().any(|(from_ms, to_ms)| *from_ms <= piece[0] && piece[1] <= *to_ms);
                (!in_storm).then(|| (piece[1] - piece[0]).sqrt())
            })
            .collect();
        let quiet: f64 = weights.iter().flatten().sum();
        let storm_pieces = weights.iter().filter(|weight| weight.is_none()).count() as f64;
        let mut x = from_x;
        let mut pieces = Vec::new();
        for (piece, weight) in bounds.windows(2).zip(&weights) {
            let share = weight.map_or(0.6 / storm_pieces, |weight| 0.4 * weight / quiet);
            let next = x + share * (to_x - from_x);
            pieces.push(Piece { from_ms: piece[0], to_ms: piece[1], from_x: x, to_x: next });
            x = next;
        }
        Scale { pieces, stretched: true }
    }

    pub fn x(&self, ms: u64) -> f64 {
        self.x_of(ms as f64)
    }

    fn x_of(&self, ms: f64) -> f64 {
        let Piece { from_ms, to_ms, from_x, to_x } = self.piece(|piece| ms <= piece.to_ms);
        let share = if to_ms > from_ms { ((ms - from_ms) / (to_ms - from_ms)).clamp(0.0, 1.0) } else { 0.0 };
        round(from_x + share * (to_x - from_x))
    }

    pub fn ms(&self, x: f64) -> u64 {
        let Piece { from_ms, to_ms, from_x, to_x } = self.piece(|piece| x <= piece.to_x);
        let ms = if to_x > from_x { from_ms + (x - from_x) / (to_x - from_x) * (to_ms - from_ms) } else { from_ms };
        // A cast of a float ends at the ends of the type.
        ms.round() as u64
    }

    fn piece(&self, ends_behind: impl Fn(&Piece) -> bool) -> Piece {
        let piece = self.pieces.iter().find(|piece| ends_behind(piece)).or(self.pieces.last());
        *piece.expect("a scale has at least one piece")
    }

    /// Round moments, about every hundred units of width.
    pub fn ticks(&self) -> Vec<Tick> {
        let mut ticks: Vec<Tick> = Vec::new();
        for Piece { from_ms, to_ms, from_x, to_x } in &self.pieces {
            let wanted = ((to_x - from_x) / 95.0).floor().max(1.0);
            let step = round_step((to_ms - from_ms) / wanted);
            let mut at = (from_ms / step).ceil() * step;
            while at <= to_ms + step * 1e-6 {
                let x = self.x_of(at);
                if ticks.last().is_none_or(|last| x - last.x > 55.0) && x < WIDTH - RIGHT - 20.0 {
                    let anchor = if x - LEFT < 4.0 { "start" } else { "middle" };
                    ticks.push(Tick { x, label: tick_label(at, step), anchor });
                }
                at += step;
            }
        }
        ticks
    }
}

fn round_step(rough: f64) -> f64 {
    const STEPS: &[f64] = &[
        1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1e3, 2e3, 5e3, 1e4, 1.5e4, 3e4, 6e4, 1.2e5, 3e5, 6e5,
        9e5, 1.8e6, 3.6e6, 7.2e6, 2.16e7, 4.32e7, 8.64e7,
    ];
    STEPS.iter().copied().find(|step| *step >= rough).unwrap_or((rough / 8.64e7).ceil() * 8.64e7)
}

fn tick_label(ms: f64, step: f64) -> String {
    let total = ms.round() as u64;
    let (seconds, minutes, hours) = (total / 1000 % 60, total / 60_000 % 60, total / 3_600_000);
    match step {
        _ if total == 0 => "0".into(),
        step if step < 1000.0 && total < 1000 => format!("{total} ms"),
        step if step < 1000.0 && total < 60_000 => format!("{:.1} s", ms / 1000.0),
        _ if total < 60_000 => format!("{seconds} s"),
        _ if hours == 0 => format!("{minutes}:{seconds:02}"),
        _ if hours < 48 => format!("{hours}:{minutes:02}:{seconds:02}"),
        _ => format!("{} d {} h", hours / 24, hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::picture;
    use tempest_artifact::{Artifact, Phase};

    #[test]
    fn a_long_drain_does_not_squeeze_the_storm() {
        let phase = |name: &str, from_ms, to_ms| Phase { name: name.into(), from_ms, to_ms };
        let phases = vec![phase(Phase::STORM, 0, 10_000), phase("drain", 10_000, 3_600_000)];
        let run: Run = Artifact { phases, ..Artifact::default() }.into();
        let picture = picture(&run);
        assert!(picture.stretched);
        assert!(picture.phases[0].width > 0.5 * (picture.right - picture.left));
        let scale = Scale::new(&run);
        let there_and_back = scale.ms(scale.x(5_000));
        assert!(there_and_back.abs_diff(5_000) < 20, "{there_and_back}");
    }

    #[test]
    fn a_run_without_any_time_has_a_scale_of_one_piece() {
        let scale = Scale::new(&Run::default());
        assert_eq!((scale.x(0), scale.x(u64::MAX)), (LEFT, WIDTH - RIGHT));
        assert!(!scale.stretched);
    }
}
