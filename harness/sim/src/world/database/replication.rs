//! Entries on their way from a primary to its standbys.
use super::log::{Entry, Log};
use super::node::Node;
use super::primary::Progress;
use super::wire::{Append, Appended, Position, receive, send};
use super::{PEER_PATIENCE, RECONNECT_PAUSE, REPLICATION_PORT, REPORT_INTERVAL, address};
use crate::world::Host;
use std::io;
use std::sync::Arc;
use tempest_rt::net::ByteStream;
use tempest_rt::time::{sleep, timeout};

/// Entries of one frame.
const ENTRIES_MAX: usize = 256;

/// A standby's side of a connection.
pub async fn take_entries(node: Arc<Node>, mut stream: Box<dyn ByteStream>) {
    while let Ok(append) = receive::<Append>(&mut stream).await {
        let term = append.term;
        let Some(appended) = node.with_log(move |log| take(log, append)).await else { return };
        if !matches!(appended, Appended::Refused { .. }) {
            node.yield_to(term);
        }
        if send(&mut stream, &appended).await.is_err() {
            return;
        }
    }
}

/// Makes the log agree with the primary's, up to the end of what it sent.
fn take(log: &mut Log, append: Append) -> io::Result<Appended> {
    let promised = log.promised();
    if append.term < promised && !tempest_rt::is_planted(super::plants::OLD_PRIMARY_NOT_FENCED.name) {
        return Ok(Appended::Refused { promised });
    }
    log.promise(append.term)?;
    let before = append.before.number;
    if !log.has(append.before) {
        return Ok(Appended::Mismatch { try_from: before.saturating_sub(1).min(log.last().number) });
    }
    let to = before + append.entries.len() as u64;
    let new: Vec<Entry> = append.entries.into_iter().skip_while(|entry| log.has(entry.position)).collect();
    if let Some(first) = new.first() {
        log.truncate(first.position.number - 1)?;
        log.append(new)?;
    }
    if append.committed > 0 && to >= append.committed {
        log.caught_up()?;
    }
    Ok(Appended::Up { to })
}

/// A primary's side: keeps one standby as near as it can, while the primary serves.
pub async fn feed(node: Arc<Node>, standby: Host, progress: Arc<Progress>) {
    loop {
        let connecting = node.network.connect(address(&standby, REPLICATION_PORT));
        if let Ok(Ok(stream)) = timeout(PEER_PATIENCE, connecting).await {
            let _ = feed_over(&node, &standby, &progress, stream).await;
        }
        sleep(RECONNECT_PAUSE).await;
    }
}

async fn feed_over(
    node: &Arc<Node>,
    standby: &Host,
    progress: &Progress,
    mut stream: Box<dyn ByteStream>,
) -> io::Result<()> {
    let mut durable = progress.durable();
    let mut agreed = *durable.borrow();
    loop {
        // Behind, as a standby is that the primary does not wait for.
        let lag = progress.lag(standby);
        if !lag.is_zero() && *durable.borrow() > agreed {
            sleep(lag).await;
        }
        let append = {
            let log = node.log.lock().await;
            let before = log.at(agreed).map(|entry| entry.position).unwrap_or_default();
            let from = usize::try_from(agreed).map_err(io::Error::other)?;
            let entries = log.entries().iter().skip(from).take(ENTRIES_MAX).cloned().collect();
            let before = Position { number: agreed, ..before };
            Append { term: progress.term(), before, entries, committed: progress.committed_so_far() }
        };
        let asking = async {
            send(&mut stream, &append).await?;
            receive::<Appended>(&mut stream).await
        };
        match timeout(PEER_PATIENCE, asking).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))? {
            Appended::Up { to } => {
                agreed = to;
                progress.standby_has(standby, to);
            }
            Appended::Mismatch { try_from } => {
                agreed = try_from;
                continue;
            }
            Appended::Refused { promised } => {
                node.yield_to(promised);
                return Ok(());
            }
        }
        if *durable.borrow_and_update() <= agreed {
            // Nothing new: after a while the standby is asked all the same, so that silence is noticed.
            let _ = timeout(REPORT_INTERVAL, durable.changed()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempest_disk::{DiskOptions, SimDisk};

    fn entry(term: u64, number: u64) -> Entry {
        Entry { position: Position { term, number }, write: bytes::Bytes::from_static(b"x") }
    }

    fn log(entries: &[(u64, u64)]) -> Log {
        let mut log = Log::open(&SimDisk::new([1; 32], DiskOptions::default())).expect("an empty disk opens");
        log.append(entries.iter().map(|(term, number)| entry(*term, *number)).collect()).expect("there is power");
        log
    }

    fn append(term: u64, before: (u64, u64), entries: &[(u64, u64)]) -> Append {
        let entries = entries.iter().map(|(term, number)| entry(*term, *number)).collect();
        Append { term, before: Position { term: before.0, number: before.1 }, entries, committed: 3 }
    }

    #[test]
    fn a_standby_takes_what_follows_and_cuts_off_what_differs() {
        let mut log = log(&[(1, 1), (1, 2), (1, 3)]);
        let taken = take(&mut log, append(2, (1, 1), &[(1, 2), (2, 3)])).expect("there is power");
        assert!(matches!(taken, Appended::Up { to: 3 }));
        assert_eq!(log.last(), Position { term: 2, number: 3 });
        let taken = take(&mut log, append(2, (1, 1), &[(1, 2)])).expect("there is power");
        assert!(matches!(taken, Appended::Up { to: 2 }), "an old frame that comes late");
        assert_eq!(log.last(), Position { term: 2, number: 3 }, "takes nothing away");
    }

    #[test]
    fn a_standby_refuses_an_older_term_and_what_has_a_gap() {
        let mut log = log(&[(3, 1)]);
        assert!(matches!(take(&mut log, append(2, (0, 0), &[(2, 1)])), Ok(Appended::Refused { promised: 3 })));
        assert!(matches!(take(&mut log, append(3, (3, 7), &[])), Ok(Appended::Mismatch { try_from: 1 })));
        assert!(matches!(take(&mut log, append(4, (4, 1), &[])), Ok(Appended::Mismatch { try_from: 0 })));
    }

    #[test]
    fn a_new_disk_is_rebuilt_when_it_has_all_that_is_committed() {
        let disk = SimDisk::new([1; 32], DiskOptions::default());
        disk.replace(&[], &[(std::path::Path::new(super::super::log::REBUILDING), b"")]);
        let mut log = Log::open(&disk).expect("a new disk opens");
        assert!(log.is_rebuilding());
        take(&mut log, append(1, (0, 0), &[(1, 1), (1, 2)])).expect("there is power");
        assert!(log.is_rebuilding(), "the third is committed, too");
        take(&mut log, append(1, (1, 2), &[(1, 3)])).expect("there is power");
        assert!(!log.is_rebuilding());
        drop(log);
        assert!(!Log::open(&disk).expect("it opens again").is_rebuilding());
    }
}
