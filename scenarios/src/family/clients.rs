//! Who starts parents, walkers and bystanders, and what they expect.
use super::Sizes;
use super::workflows::{Life, Parent};
use crate::signal_mesh::{Bystander, Greeting, Path, Walker, Way};
use futures::future::try_join_all;
use std::time::Duration;
use tempest::Client;

pub async fn live(client: Client, sizes: Sizes) -> anyhow::Result<()> {
    let parents = try_join_all((0..sizes.parents).map(|number| parent(client.clone(), sizes.clone(), number)));
    let walkers = try_join_all((0..sizes.walkers).map(|number| walker(client.clone(), sizes.clone(), number)));
    futures::future::try_join(parents, walkers).await?;
    Ok(())
}

async fn parent(client: Client, sizes: Sizes, number: u64) -> anyhow::Result<()> {
    let decisions = client.decisions().clone();
    let id = format!("family-{number}");
    let draw = |what: &str, ordinal: u64, range| decisions.between(&format!("family.{what}.{id}"), ordinal, range);
    sleep(draw("begins", 0, 0..=sizes.spread_ms)).await;
    let count = draw("children", 0, 1..=sizes.children_max.max(1));
    let lives: Vec<Life> = (0..count)
        .map(|child| {
            let after_ms = draw("after", child, 0..=2_000);
            match draw("life", child, 0..=12) {
                0 | 1 => Life::Completes { after_ms },
                2 => Life::Fails,
                3 => Life::Retries,
                4 => Life::ContinuesAsNew { runs: draw("runs", child, 1..=3) },
                5 | 6 => Life::TimesOut,
                7 => Life::CancelledByParent,
                8 => Life::Signalled,
                9 => Life::Refused,
                10 => [Life::LeftToTerminate, Life::LeftToCancel][(after_ms % 2) as usize],
                11 => Life::ComesAgain { times: draw("times", child, 2..=5) },
                _ => Life::LeftAlone { for_ms: after_ms },
            }
        })
        .collect();
    let expected: Vec<&str> = lives.iter().map(|life| life.expected()).collect();
    let handle = client.start(Parent::run, (id.clone(), lives), id.clone()).await?;
    let heard = client.result(&handle).await?;
    anyhow::ensure!(heard == expected, "{id} heard {heard:?} of its children, expected {expected:?}");
    Ok(())
}

async fn walker(client: Client, sizes: Sizes, number: u64) -> anyhow::Result<()> {
    let decisions = client.decisions().clone();
    let id = format!("walker-{number}");
    sleep(decisions.between(&format!("family.begins.{id}"), 0, 0..=sizes.spread_ms)).await;
    // Every other walker has a bystander.
    let bystander = if number.is_multiple_of(2) { format!("bystander-{number}") } else { String::new() };
    // No workflow can signal itself.
    let signals = if sizes.walkers > 1 { sizes.signals } else { 0 };
    // On a ring: each signals the next one, and hears of the one before it.
    let neighbour = |steps: u64| format!("walker-{}", (number + steps) % sizes.walkers);
    let next = Path { to: neighbour(1), signals, pause_ms: 0 };
    let way = Way { paths: vec![next], awaited: signals, bystander: bystander.clone(), ..Way::default() };
    let watching = async {
        if bystander.is_empty() {
            return Ok(());
        }
        let handle = client.start(Bystander::run, (), bystander.clone()).await?;
        match client.result(&handle).await {
            Ok(()) => anyhow::bail!("{bystander} was not cancelled"),
            Err(error) if error.is_workflow_outcome() => Ok(()),
            Err(error) => Err(error.into()),
        }
    };
    let walking = async {
        let handle = client.start(Walker::run, way, id.clone()).await?;
        let got = client.result(&handle).await?.got;
        let before = neighbour(sizes.walkers - 1);
        let expected: Vec<Greeting> = (1..=signals).map(|number| Greeting { from: before.clone(), number }).collect();
        anyhow::ensure!(got == expected, "{id} got {got:?}, expected {expected:?}");
        anyhow::Ok(())
    };
    futures::future::try_join(watching, walking).await?;
    Ok(())
}

async fn sleep(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}
