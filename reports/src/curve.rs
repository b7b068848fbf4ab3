//! The geometry of charts with lines: values in, places out; a template draws them.

use serde::Serialize;

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 14.0;
const BASE: f64 = 258.0;
/// Colours that a page has for lines.
const COLOURS: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Axis {
    /// From zero.
    Linear,
    /// Each step is a factor.
    Logarithmic,
}

/// A line through points, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series {
    pub name: String,
    /// From 1.
    pub colour: usize,
    pub dashed: bool,
    pub points: Vec<Value>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Value {
    pub x: f64,
    pub y: f64,
    /// The bounds of an interval around y.
    pub between: Option<(f64, f64)>,
    pub title: String,
}

/// What a chart says beside its lines.
#[derive(Clone, Debug)]
pub(crate) struct Titles {
    pub name: &'static str,
    pub about: String,
    pub x: &'static str,
    pub y: &'static str,
}

#[derive(Debug, Serialize)]
pub(crate) struct Chart {
    name: &'static str,
    about: String,
    x_name: &'static str,
    y_name: &'static str,
    width: f64,
    height: f64,
    left: f64,
    right: f64,
    top: f64,
    base: f64,
    x_ticks: Vec<Tick>,
    y_ticks: Vec<Tick>,
    lines: Vec<Line>,
    description: String,
}

#[derive(Debug, Serialize)]
struct Tick {
    at: f64,
    label: String,
}

#[derive(Debug, Serialize)]
struct Line {
    name: String,
    colour: usize,
    dashed: bool,
    /// Pairs as an SVG polyline takes them.
    places: String,
    dots: Vec<Dot>,
}

#[derive(Debug, Serialize)]
struct Dot {
    x: f64,
    y: f64,
    /// Places of the interval's bounds; nothing if it has none that could be seen.
    whisker: Option<(f64, f64)>,
    title: String,
}

/// Nothing if no series has a point. `x_ticks` are where the x axis has labels; round values if there are none.
pub(crate) fn chart(titles: Titles, axes: (Axis, Axis), x_ticks: &[f64], series: &[Series]) -> Option<Chart> {
    let (x_axis, y_axis) = axes;
    let values = || series.iter().flat_map(|series| &series.points);
    let heights = values().flat_map(|value| [value.y, value.between.map_or(value.y, |(_, high)| high)]);
    let x = Scale::new(x_axis, values().map(|value| value.x), (LEFT, WIDTH - RIGHT))?;
    let y = Scale::new(y_axis, heights, (BASE, TOP))?;
    let x_ticks = if x_ticks.is_empty() { x.ticks() } else { x_ticks.to_vec() };
    let line = |series: &Series| {
        let dots: Vec<Dot> = series.points.iter().map(|value| dot(value, &x, &y)).collect();
        Line {
            name: series.name.clone(),
            colour: (series.colour.max(1) - 1) % COLOURS + 1,
            dashed: series.dashed,
            places: dots.iter().map(|dot| format!("{},{}", dot.x, dot.y)).collect::<Vec<_>>().join(" "),
            dots,
        }
    };
    let lines: Vec<Line> = series.iter().filter(|series| !series.points.is_empty()).map(line).collect();
    Some(Chart {
        name: titles.name,
        x_name: titles.x,
        y_name: titles.y,
        width: WIDTH,
        height: HEIGHT,
        left: LEFT,
        right: WIDTH - RIGHT,
        top: TOP,
        base: BASE,
        x_ticks: x_ticks.into_iter().map(|value| Tick { at: x.place(value), label: figure(value) }).collect(),
        y_ticks: y.ticks().into_iter().map(|value| Tick { at: y.place(value), label: figure(value) }).collect(),
        description: format!("{}: {} by {}, {} lines", titles.name, titles.y, titles.x, lines.len()),
        about: titles.about,
        lines,
    })
}

fn dot(value: &Value, x: &Scale, y: &Scale) -> Dot {
    let whisker = value.between.map(|(low, high)| (y.place(high), y.place(low)));
    Dot {
        x: x.place(value.x),
        y: y.place(value.y),
        whisker: whisker.filter(|(top, bottom)| bottom - top > 1.0),
        title: value.title.clone(),
    }
}

/// Values to places.
struct Scale {
    axis: Axis,
    from: f64,
    to: f64,
    places: (f64, f64),
}

impl Scale {
    /// Nothing if there is no value that the axis can show.
    fn new(axis: Axis, values: impl Iterator<Item = f64>, places: (f64, f64)) -> Option<Self> {
        let shown: Vec<f64> =
            values.filter(|value| value.is_finite() && (axis == Axis::Linear || *value > 0.0)).collect();
        let most = shown.iter().copied().reduce(f64::max)?;
        let least = shown.iter().copied().reduce(f64::min)?;
        let (from, to) = match axis {
            Axis::Linear => (0.0, if most > 0.0 { most * 1.06 } else { 1.0 }),
            // One value alone stands in the middle.
            Axis::Logarithmic => (least / 1.15, most * 1.15),
        };
        Some(Self { axis, from, to, places })
    }

    fn place(&self, value: f64) -> f64 {
        let share = match self.axis {
            Axis::Linear => (value - self.from) / (self.to - self.from),
            Axis::Logarithmic if value > 0.0 => (value / self.from).ln() / (self.to / self.from).ln(),
            Axis::Logarithmic => 0.0,
        };
        let place = self.places.0 + share.clamp(0.0, 1.0) * (self.places.1 - self.places.0);
        (place * 10.0).round() / 10.0
    }

    /// Round values, about five of them.
    fn ticks(&self) -> Vec<f64> {
        match self.axis {
            Axis::Linear => {
                let step = round_step(self.to / 5.0);
                (0..).map(|number| f64::from(number) * step).take_while(|value| *value <= self.to).collect()
            }
            Axis::Logarithmic => {
                let decades = (self.to / self.from).log10();
                let within: &[f64] = if decades > 3.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
                let (first, last) = (self.from.log10().floor() as i32, self.to.log10().ceil() as i32);
                let all = (first..=last).flat_map(|power| within.iter().map(move |digit| digit * 10_f64.powi(power)));
                all.filter(|value| (self.from..=self.to).contains(value)).collect()
            }
        }
    }
}

/// 1, 2 or 5 times a power of ten, the next above.
fn round_step(rough: f64) -> f64 {
    let power = 10_f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|digit| digit * power)
        .find(|step| *step >= rough * 0.999)
        .unwrap_or(power * 10.0)
}

/// `1 234`, `12.3`, `0.05`.
pub(crate) fn figure(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size >= 1000.0 => crate::words::count(value.round() as u64),
        size if size >= 100.0 || (size >= 1.0 && (size - size.round()).abs() < 0.005) => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 => trimmed(format!("{value:.2}")),
        _ => trimmed(format!("{value:.3}")),
    }
}

fn trimmed(text: String) -> String {
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles() -> Titles {
        Titles { name: "Rate", about: String::new(), x: "shards", y: "per second" }
    }

    fn line(points: &[(f64, f64)]) -> Series {
        let value = |(x, y): &(f64, f64)| Value { x: *x, y: *y, between: Some((y * 0.9, y * 1.1)), ..Value::default() };
        Series { name: "a".into(), colour: 9, points: points.iter().map(value).collect(), ..Series::default() }
    }

    #[test]
    fn lines_rise_to_the_right_inside_of_their_axes() {
        let series = [line(&[(1.0, 10.0), (4.0, 100.0), (16.0, 1000.0)])];
        let chart = chart(titles(), (Axis::Logarithmic, Axis::Linear), &[1.0, 4.0, 16.0], &series).expect("points");
        let dots = &chart.lines[0].dots;
        assert!(dots.is_sorted_by_key(|dot| dot.x) && dots.iter().rev().is_sorted_by_key(|dot| dot.y), "{dots:?}");
        for dot in dots {
            assert!((LEFT..=WIDTH - RIGHT).contains(&dot.x) && (TOP..=BASE).contains(&dot.y), "{dot:?}");
        }
        assert!(dots[2].whisker.is_some_and(|(top, bottom)| top < dots[2].y && dots[2].y < bottom));
        assert_eq!(chart.lines[0].colour, 1, "colours begin again");
        let labels = |ticks: &[Tick]| ticks.iter().map(|tick| tick.label.clone()).collect::<Vec<_>>();
        assert_eq!(labels(&chart.x_ticks), ["1", "4", "16"]);
        assert_eq!(labels(&chart.y_ticks), ["0", "500", "1\u{2009}000"]);
    }

    #[test]
    fn what_cannot_be_drawn_is_no_chart() {
        let axes = (Axis::Linear, Axis::Logarithmic);
        assert!(chart(titles(), axes, &[], &[]).is_none());
        assert!(chart(titles(), axes, &[], &[line(&[(1.0, 0.0)])]).is_none(), "a logarithm of nothing");
        assert!(chart(titles(), axes, &[], &[line(&[(1.0, f64::NAN), (2.0, 3.0)])]).is_some());
        let alone = chart(titles(), axes, &[], &[line(&[(0.0, 5.0)])]).expect("one point");
        assert!(alone.lines[0].places.chars().all(|letter| letter.is_ascii_digit() || ".,".contains(letter)));
    }

    #[test]
    fn figures_are_short() {
        let said: Vec<String> = [0.0, 0.05, 0.3, 1.0, 2.5, 12.34, 250.4, 12_345.6].into_iter().map(figure).collect();
        assert_eq!(said, ["0", "0.05", "0.3", "1", "2.5", "12.3", "250", "12\u{2009}346"]);
    }
}
