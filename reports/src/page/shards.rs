//! The page of a bench by shard count, for an operator who has to choose one.

use minijinja::{Value as Template, context};
use tempest_artifact::{BenchMode, BenchPoint, ChoiceCost, Estimate, Resource, ShardBench};

use super::{Tile, render, serialized, tile};
use crate::curve::{Axis, Chart, Series, Titles, Value, chart, figure};

/// A shard count is enough if it reaches this much of the best.
const ENOUGH: f64 = 0.95;
/// Rates of workflows per second for which a number of shards is named.
const RATES: [f64; 8] = [100.0, 300.0, 1_000.0, 3_000.0, 10_000.0, 30_000.0, 100_000.0, 300_000.0];

/// The page of a bench.
pub fn shards_page(bench: &ShardBench) -> String {
    let page = context! {
        mode => bench.mode.name(),
        measured => bench.mode == BenchMode::Real,
        verdict => verdict(bench),
        enough => enough_sentence(bench),
        workload => &bench.workload,
        workload_about => &bench.workload_about,
        place => &bench.place,
        method => &bench.method,
        tiles => serialized(tiles(bench)),
        charts => serialized(charts(bench)),
        rates => needed_rates(bench).into_iter().map(figure).collect::<Vec<_>>(),
        needed => needed(bench),
        choices => bench.choices.iter().map(choice).collect::<Vec<_>>(),
        acquired => match bench.mode {
            BenchMode::Real => "started, until every shard was owned",
            BenchMode::Modelled => "a node died and was noticed: until its shards are owned again",
        },
        errors => errors(bench),
        predictions => predictions(bench),
        costs => bench.costs.iter().map(|cost| context! {
            name => &cost.name, about => &cost.about, source => &cost.source,
            value => format!("{} {}", figure(cost.value), cost.unit),
        }).collect::<Vec<_>>(),
        points => bench.points.iter().map(row).collect::<Vec<_>>(),
        waits => bench.points.iter().any(|point| !point.database_waits.is_empty()),
    };
    render("shards.html", page)
}

fn verdict(bench: &ShardBench) -> String {
    let Some(best) = best(bench) else { return "Nothing was measured.".to_owned() };
    let limit = match best.limit {
        Some(resource) => format!("full is {}", resource.about()),
        None => "nothing is full there, more clients would get more".to_owned(),
    };
    let rate = figure(best.throughput.mean);
    format!("At most {rate} workflows per second, with {}: {limit}.", shards(best.shards))
}

fn best(bench: &ShardBench) -> Option<&BenchPoint> {
    let bests = bench.counts.iter().filter_map(|count| bench.best(*count));
    bests.max_by(|a, b| a.throughput.mean.total_cmp(&b.throughput.mean))
}

/// The smallest count that is nearly as good as the best.
fn enough(bench: &ShardBench) -> Option<&ChoiceCost> {
    bench.choices.iter().find(|choice| choice.share_of_best >= ENOUGH)
}

fn enough_sentence(bench: &ShardBench) -> String {
    let Some(enough) = enough(bench) else { return String::new() };
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    let reach = if enough.shards == 1 { "reaches" } else { "reach" };
    let mut text = format!("{} {reach} {} of the best", shards(enough.shards), percent(enough.share_of_best));
    let first = bench.choices.first().filter(|first| first.shards < enough.shards);
    let last = bench.choices.last().filter(|last| last.shards > enough.shards);
    if let Some(first) = first {
        text += &format!("; {} would give {}", shards(first.shards), percent(first.share_of_best));
    }
    if let Some(last) = last {
        text += &format!("; {} give {}", shards(last.shards), percent(last.share_of_best));
    }
    text + "."
}

fn shards(number: u32) -> String {
    crate::words::plural(u64::from(number), "shard")
}

fn limit(limit: Option<Resource>) -> &'static str {
    limit.map_or("nothing", Resource::name)
}

fn tiles(bench: &ShardBench) -> Vec<Tile> {
    let Some(best) = best(bench) else { return Vec::new() };
    let interval = |estimate: &Estimate| format!("{} to {}", figure(estimate.low), figure(estimate.high));
    let mut tiles = vec![
        tile(figure(best.throughput.mean), "workflows per second", interval(&best.throughput)),
        tile(limit(best.limit).to_owned(), "is full", String::new()),
        tile(format!("{} ms", figure(best.p50_ms.mean)), "median latency there", String::new()),
        tile(format!("{} ms", figure(best.p99_ms.mean)), "99 % are faster", interval(&best.p99_ms)),
        tile(format!("{} µs", figure(best.actor_us)), "of actors by workflow", String::new()),
        tile(format!("{} ms", figure(best.server_cpu_ms)), "of CPU by workflow", String::new()),
    ];
    if let Some(enough) = enough(bench) {
        tiles.insert(1, tile(enough.shards.to_string(), "shards are enough", "95 % of the best".to_owned()));
    }
    tiles
}

fn charts(bench: &ShardBench) -> Vec<Chart> {
    [
        throughput(bench),
        saturation(bench),
        latency(bench, "Median latency by load", |point| &point.p50_ms),
        latency(bench, "99th percentile by load", |point| &point.p99_ms),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn counts(bench: &ShardBench) -> Vec<f64> {
    bench.counts.iter().map(|count| f64::from(*count)).collect()
}

/// A line for each load, and what the model says of the highest.
fn throughput(bench: &ShardBench) -> Option<Chart> {
    let of_load = |(index, clients): (usize, u32)| {
        let points = bench.points.iter().filter(|point| point.clients == clients);
        let value = |point: &BenchPoint| Value {
            x: f64::from(point.shards),
            y: point.throughput.mean,
            between: Some((point.throughput.low, point.throughput.high)),
            title: format!(
                "{}, {clients} clients: {} workflows per second",
                shards(point.shards),
                figure(point.throughput.mean)
            ),
        };
        let name = crate::words::plural(u64::from(clients), "client");
        Series { name, colour: index + 1, dashed: false, points: points.map(value).collect() }
    };
    let loads = loads(bench);
    let highest = loads.last().copied().unwrap_or(0);
    let mut series: Vec<Series> = loads.iter().copied().enumerate().map(of_load).collect();
    let predicted = bench.predictions.iter().filter(|prediction| prediction.clients == highest);
    let value = |prediction: &tempest_artifact::Prediction| Value {
        x: f64::from(prediction.shards),
        y: prediction.throughput,
        between: None,
        title: format!("the model says {} per second", figure(prediction.throughput)),
    };
    series.push(Series {
        name: format!("model, {highest} clients"),
        colour: loads.len(),
        dashed: true,
        points: predicted.map(value).collect(),
    });
    let titles = Titles {
        name: "Throughput by shards",
        about: "One line for each number of workflows under way.".to_owned(),
        x: "shards",
        y: "workflows per second",
    };
    chart(titles, (Axis::Logarithmic, Axis::Linear), &counts(bench), &series)
}

fn loads(bench: &ShardBench) -> Vec<u32> {
    let mut loads: Vec<u32> = bench.points.iter().map(|point| point.clients).collect();
    loads.sort_unstable();
    loads.dedup();
    loads
}

/// How busy each resource is at the highest load.
fn saturation(bench: &ShardBench) -> Option<Chart> {
    let highest = loads(bench).last().copied().unwrap_or(0);
    let of_resource = |(index, resource): (usize, Resource)| {
        let points = bench.points.iter().filter(|point| point.clients == highest);
        let value = |point: &BenchPoint| {
            let busy = point.busy.get(&resource)? * 100.0;
            let title = format!("{}: {} {} % busy", shards(point.shards), resource.name(), figure(busy));
            Some(Value { x: f64::from(point.shards), y: busy, between: None, title })
        };
        let points = points.filter_map(value).collect();
        Series { name: resource.name().to_owned(), colour: index + 1, dashed: false, points }
    };
    let series: Vec<Series> = Resource::ALL.into_iter().enumerate().map(of_resource).collect();
    let titles = Titles {
        name: "Where it saturates",
        about: format!("How busy the busiest of each kind is, with {highest} clients."),
        x: "shards",
        y: "% busy",
    };
    chart(titles, (Axis::Logarithmic, Axis::Linear), &counts(bench), &series)
}

fn latency(bench: &ShardBench, name: &'static str, of: fn(&BenchPoint) -> &Estimate) -> Option<Chart> {
    let of_count = |(index, count): (usize, &u32)| {
        let points = bench.points.iter().filter(|point| point.shards == *count);
        let value = |point: &BenchPoint| Value {
            x: point.throughput.mean,
            y: of(point).mean,
            between: Some((of(point).low, of(point).high)),
            title: format!(
                "{}, {} clients: {} ms at {} per second",
                shards(*count),
                point.clients,
                figure(of(point).mean),
                figure(point.throughput.mean)
            ),
        };
        Series { name: shards(*count), colour: index + 1, dashed: false, points: points.map(value).collect() }
    };
    let series: Vec<Series> = bench.counts.iter().enumerate().map(of_count).collect();
    let titles = Titles {
        name,
        about: "From few clients to many. Where a line turns up, something is full.".to_owned(),
        x: "workflows per second",
        y: "ms, logarithmic",
    };
    chart(titles, (Axis::Linear, Axis::Logarithmic), &[], &series)
}

/// Up to the first rate that no shard count reaches.
fn needed_rates(bench: &ShardBench) -> Vec<f64> {
    let most = bench.needed.iter().flat_map(|row| &row.capacity).copied().fold(0.0, f64::max);
    let beyond = RATES.iter().position(|rate| *rate > most).map_or(RATES.len(), |first| first + 1);
    RATES[..beyond].to_vec()
}

fn needed(bench: &ShardBench) -> Vec<Template> {
    let rates = needed_rates(bench);
    let row = |row: &tempest_artifact::ShardsNeeded| {
        let cell = |rate: &f64| {
            let first = row.capacity.iter().position(|capacity| capacity >= rate);
            match first {
                Some(index) => context! { shards => bench.counts[index].to_string() },
                None => {
                    let most = row.capacity.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
                    let full = most.and_then(|(index, _)| row.limits.get(index).copied().flatten());
                    context! { full => full.map_or("more clients than were modelled", Resource::name) }
                }
            }
        };
        let most = row.capacity.iter().copied().fold(0.0, f64::max);
        context! {
            latency => format!("{} ms", figure(row.store_latency_ms)),
            own => Some(row.store_latency_ms) == bench.store_latency_ms,
            cells => rates.iter().map(cell).collect::<Vec<_>>(),
            most => figure(most),
        }
    };
    bench.needed.iter().map(row).collect()
}

fn choice(choice: &ChoiceCost) -> Template {
    context! {
        shards => choice.shards,
        percent => format!("{:.0} %", choice.share_of_best * 100.0),
        width => (choice.share_of_best * 1000.0).round() / 10.0,
        good => choice.share_of_best >= ENOUGH,
        p99 => figure(choice.p99_ms),
        commits => figure(choice.commits),
        acquire => figure(choice.acquire_ms),
    }
}

fn errors(bench: &ShardBench) -> Option<String> {
    let (median, worst) = bench.error(|point, predicted| (point.throughput.mean, predicted.throughput))?;
    let (median_p50, worst_p50) = bench.error(|point, predicted| (point.p50_ms.mean, predicted.p50_ms))?;
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    Some(format!(
        "Of the points at which no constant was fitted, throughput is predicted with an error of {} in the median and \
         of {} at worst, the median latency with {} and {}.",
        percent(median),
        percent(worst),
        percent(median_p50),
        percent(worst_p50)
    ))
}

fn predictions(bench: &ShardBench) -> Vec<Template> {
    let row = |point: &BenchPoint| {
        let predicted = bench.prediction(point)?;
        let off = |measured: f64, predicted: f64| format!("{:+.0} %", (predicted / measured.max(1e-9) - 1.0) * 100.0);
        Some(context! {
            shards => point.shards, clients => point.clients, fitted => predicted.fitted,
            measured => figure(point.throughput.mean), predicted => figure(predicted.throughput),
            off => off(point.throughput.mean, predicted.throughput),
            measured_p50 => figure(point.p50_ms.mean), predicted_p50 => figure(predicted.p50_ms),
            off_p50 => off(point.p50_ms.mean, predicted.p50_ms),
            measured_p99 => figure(point.p99_ms.mean), predicted_p99 => figure(predicted.p99_ms),
            limit => limit(point.limit), predicted_limit => limit(predicted.limit),
        })
    };
    bench.points.iter().filter_map(row).collect()
}

fn row(point: &BenchPoint) -> Template {
    let busy = point.busy.iter().map(|(resource, share)| format!("{} {:.0} %", resource.name(), share * 100.0));
    let waits = point.database_waits.iter().filter(|(_, number)| **number >= 0.01);
    let waits = waits.map(|(wait, number)| format!("{wait} {}", figure(*number)));
    context! {
        shards => point.shards, clients => point.clients,
        throughput => figure(point.throughput.mean),
        interval => format!("{} to {}", figure(point.throughput.low), figure(point.throughput.high)),
        p50 => figure(point.p50_ms.mean), p95 => figure(point.p95_ms.mean), p99 => figure(point.p99_ms.mean),
        actor => figure(point.actor_us), cpu => figure(point.server_cpu_ms), commits => figure(point.commits),
        batch => if point.commits_per_batch > 0.0 { figure(point.commits_per_batch) } else { "–".to_owned() },
        limit => limit(point.limit), failed => point.failed_calls,
        busy => busy.collect::<Vec<_>>().join(", "),
        waits => waits.collect::<Vec<_>>().join(", "),
    }
}
