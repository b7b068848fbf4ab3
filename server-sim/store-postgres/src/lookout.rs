//! Looking for a primary that was promoted behind this node's back.
//!
//! A primary that was cut off when a standby of it was promoted lives on, and so do the connections to it: nothing on
//! them would ever say that what they commit is lost. Nor need another node say so, since each side may take
//! the other for dead. So every host of the address is asked again and again; also if there is but one, for a name may
//! move, and what stands before a database may lead elsewhere. Lanes and reads do not wait for this, and nothing fails
//! because a look found nothing.
use crate::connection::look_at;
use crate::target::{Target, hosts};
use std::sync::Arc;
use tempest_rt::time::sleep;
use tempest_store::{StoreError, Timeline};

/// Runs until it is dropped.
pub async fn look_out(target: Arc<Target>) {
    let mut found = vec![None; target.drivers.len()];
    loop {
        sleep(target.config.lookout_interval).await;
        for (driver, before) in target.drivers.iter().zip(&mut found) {
            let known = *target.timeline.borrow();
            let now = look_at(&target, driver).await;
            tell_news(&hosts(driver), known, before, now);
        }
    }
}

/// What is found again and again is said once.
fn tell_news(
    host: &str,
    known: Timeline,
    before: &mut Option<Result<Timeline, StoreError>>,
    now: Result<Timeline, StoreError>,
) {
    if before.as_ref() == Some(&now) {
        return;
    }
    match &now {
        Ok(timeline) if *timeline > known => {
            tracing::warn!(host, %known, %timeline, "PostgreSQL has failed over: the primary of before is left");
        }
        Ok(timeline) => tracing::info!(host, %timeline, "this host is the primary of PostgreSQL"),
        // It may be a standby, and all is well.
        Err(error) => tracing::info!(host, %error, "this host is not the primary of PostgreSQL"),
    }
    *before = Some(now);
}
