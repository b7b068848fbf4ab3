//! HTML pages: one file each, nothing loaded from elsewhere. Templates escape whatever they print.

mod campaign;
mod ownership;
mod run;
mod shards;
mod violations;

pub use campaign::campaign_page;
pub use run::run_page;
pub use shards::shards_page;

use minijinja::{Environment, Value as Template, context, value::Serde};
use serde::Serialize;
use tempest_artifact::Verdict;

use crate::{Run, words::count};

fn serialized(value: impl Serialize) -> Template {
    Template::from(Serde(value))
}

fn render(name: &str, page: Template) -> String {
    let mut environment = Environment::new();
    let templates = [
        ("base.html", include_str!("../../templates/base.html")),
        ("style.css", include_str!("../../templates/style.css")),
        ("picture.html", include_str!("../../templates/picture.html")),
        ("run.html", include_str!("../../templates/run.html")),
        ("campaign.html", include_str!("../../templates/campaign.html")),
        ("shards.html", include_str!("../../templates/shards.html")),
    ];
    for (name, source) in templates {
        environment.add_template(name, source).expect("the templates are compiled in and tested");
    }
    let template = environment.get_template(name).expect("the templates are compiled in and tested");
    template.render(page).expect("the templates print only what they are given")
}

#[derive(Serialize)]
struct Tile {
    figure: String,
    name: &'static str,
    note: String,
}

fn tile(figure: String, name: &'static str, note: String) -> Tile {
    Tile { figure, name, note }
}

/// How much faster virtual time went by than real time.
fn speed(virtual_ms: u64, wall_ms: u64) -> String {
    match (virtual_ms, wall_ms) {
        (0, _) | (_, 0) => String::new(),
        (virtual_ms, wall_ms) => format!("{:.0} × real time", virtual_ms as f64 / wall_ms as f64),
    }
}

fn tone(run: &Run) -> &'static str {
    match run.artifact.verdict {
        _ if !run.artifact.violations.is_empty() => "violated",
        Verdict::Held => "held",
        Verdict::Unknown => "unknown",
        _ => "violated",
    }
}

fn rpc_note<'a>(outcomes: impl Iterator<Item = &'a [u64; 3]>) -> String {
    let [_, failed, unknown] = outcomes.fold([0; 3], |sum, one| [sum[0] + one[0], sum[1] + one[1], sum[2] + one[2]]);
    format!("{} failed, {} unknown", count(failed), count(unknown))
}

fn outcome_counts([ok, failed, unknown]: [u64; 3]) -> Template {
    let shown = |number: u64| (number > 0).then(|| count(number));
    context! { ok => count(ok), failed => shown(failed), unknown => shown(unknown) }
}

/// Widths in per cent of the busiest call. What happened at all is visible.
fn outcome_bar([ok, failed, unknown]: [u64; 3], busiest: u64) -> Template {
    let width = |number: u64| match number {
        0 => 0.0,
        number => (number as f64 / busiest as f64 * 1000.0).round().max(8.0) / 10.0,
    };
    context! { ok => width(ok), failed => width(failed), unknown => width(unknown) }
}
