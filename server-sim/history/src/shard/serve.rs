//! The loop of a shard that is owned: waits for the next thing to happen and hands it to [`Owned`].
use super::Door;
use super::owned::{Exit, Owned};
use futures::StreamExt;
use std::pin::Pin;
use tempest_rt::time::{Instant, Sleep, sleep_until};

/// Serves until ownership ends. Commits first: they free what waits for them. New requests last.
pub(crate) async fn serve(owned: &mut Owned, door: &mut Door) -> Exit {
    let mut alarm = Alarm::default();
    loop {
        owned.pump();
        if let Some(exit) = owned.exit() {
            return exit;
        }
        alarm.set(owned.next_wake());
        let (accepts, stopping) = (owned.accepts(), owned.is_leaving());
        tokio::select! {
            biased;
            outcome = owned.pipeline.front_outcome(), if !owned.pipeline.is_empty() => owned.outcome(outcome),
            Some(event) = owned.work.next(), if !owned.work.is_empty() => owned.event(event),
            // The pump sees what is due.
            () = alarm.ring() => {}
            _ = door.stop.wait_for(|stop| *stop), if !stopping => owned.leave(Exit::Stopped),
            _ = door.placement.wait_for(|placement| !placement.is_here()), if !stopping => {
                owned.leave(Exit::HandedOver);
            }
            request = door.mailbox.recv(), if accepts => match request {
                Some(request) => owned.handle(request),
                None => owned.leave(Exit::Stopped),
            },
        }
    }
}

/// One sleep, renewed only when its end changes: most turns of the loop do not touch the runtime's timers.
#[derive(Default)]
struct Alarm {
    at: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Alarm {
    fn set(&mut self, at: Option<Instant>) {
        if self.at != at {
            self.at = at;
            self.sleep = at.map(|at| Box::pin(sleep_until(at)));
        }
    }

    async fn ring(&mut self) {
        match &mut self.sleep {
            Some(sleep) => {
                sleep.as_mut().await;
                (self.at, self.sleep) = (None, None);
            }
            None => std::future::pending().await,
        }
    }
}
