//! Which nodes are alive, as one node sees it: those whose rows keep changing. Time is this node's own monotonic time,
//! counted between its own reads; clocks of two nodes are never compared for it. Pure.
use super::ring::{Member, Ring};
use std::collections::BTreeMap;
use tempest_rt::time::{Duration, Instant};
use tempest_store::{NodeRecord, Timeline};

pub(super) struct View {
    own: Member,
    /// A row that has not changed for this long is a dead node's.
    silence_max: Duration,
    seen: BTreeMap<String, Seen>,
    /// When rows were read last: while the store cannot be read no node grows silent.
    read_at: Option<Instant>,
}

struct Seen {
    row: NodeRecord,
    /// For how long the row has not changed, as far as that tells anything.
    silent_for: Duration,
    /// When that began.
    changed_at: Instant,
    /// Its row was to be deleted, which may have come to nothing.
    forgotten: bool,
}

impl View {
    pub fn new(own: Member, silence_max: Duration) -> Self {
        Self { own, silence_max, seen: BTreeMap::new(), read_at: None }
    }

    /// Takes in what was read at `now`. A row seen for the first time counts as one that has just changed: if its node is
    /// dead, the next reads will tell.
    pub fn read(&mut self, rows: Vec<NodeRecord>, now: Instant) {
        // In a pause in which nothing could be read, other nodes may not have been able to write either.
        let pause = self.read_at.map_or(Duration::ZERO, |read_at| now - read_at).min(self.silence_max / 3);
        self.read_at = Some(now);
        self.seen.values_mut().for_each(|seen| seen.silent_for += pause);
        self.seen.retain(|name, _| rows.iter().any(|row| row.name == *name));
        for row in rows {
            if row.name != self.own.name && self.is_new(&row) {
                let seen = Seen { row, silent_for: Duration::ZERO, changed_at: now, forgotten: false };
                self.seen.insert(seen.row.name.clone(), seen);
            }
        }
    }

    /// A node that was silent for so long that its row is of no use any more, if there is one; each once. A row that
    /// knows an older timeline than `timeline` is of use: from it its node learns that the database failed over meanwhile.
    pub fn long_gone(&mut self, silence: Duration, timeline: Timeline) -> Option<NodeRecord> {
        let read_at = self.read_at?;
        let gone = |seen: &&mut Seen| read_at - seen.changed_at >= silence && seen.row.timeline == timeline;
        let seen = self.seen.values_mut().filter(|seen| !seen.forgotten).find(gone)?;
        seen.forgotten = true;
        Some(seen.row.clone())
    }

    /// Whether a row tells anything that was not known.
    pub fn is_new(&self, row: &NodeRecord) -> bool {
        let known = |seen: &Seen| (&seen.row.incarnation, seen.row.beat) == (&row.incarnation, row.beat);
        !self.seen.get(&row.name).is_some_and(known)
    }

    /// The members as of the last read: this node, and others that are neither silent nor leaving.
    pub fn ring(&self) -> Ring {
        let alive = self.seen.values().filter(|seen| {
            let mut silent_for = seen.silent_for;
            if tempest_rt::planted!(crate::plants::MEMBERSHIP_BY_WALL_CLOCKS) {
                let since = tempest_rt::time::wall_clock_ns().saturating_sub(seen.row.wall_clock.0);
                silent_for = Duration::from_nanos(u64::try_from(since).unwrap_or(0));
            }
            !seen.row.leaving && silent_for < self.silence_max
        });
        let others = alive.map(|Seen { row, .. }| Member {
            name: row.name.clone(),
            address: row.address.clone(),
            roles: row.roles.clone(),
        });
        Ring::new(others.chain([self.own.clone()]).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempest_store::Role;

    fn row(name: &str, beat: u64) -> NodeRecord {
        NodeRecord {
            name: name.into(),
            incarnation: "1".into(),
            beat,
            roles: vec![Role::History],
            ..Default::default()
        }
    }

    fn view() -> View {
        let own = Member { name: "own".into(), address: String::new(), roles: vec![Role::History] };
        View::new(own, Duration::from_secs(5))
    }

    fn names(view: &View) -> Vec<String> {
        view.ring().members().iter().map(|member| member.name.clone()).collect()
    }

    #[test]
    fn a_node_whose_row_stands_still_is_dead() {
        let (mut view, start) = (view(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        view.read(vec![row("a", 1), row("b", 1)], at(0));
        assert_eq!(names(&view), ["a", "b", "own"]);
        (1..=4).for_each(|second| view.read(vec![row("a", 1 + second), row("b", 1)], at(second)));
        assert_eq!(names(&view), ["a", "b", "own"], "it may only be slow");
        view.read(vec![row("a", 6), row("b", 1)], at(5));
        assert_eq!(names(&view), ["a", "own"]);
        view.read(vec![row("a", 7), row("b", 2)], at(6));
        assert_eq!(names(&view), ["a", "b", "own"], "it was only slow");
    }

    #[test]
    fn who_could_not_be_read_is_not_silent_for_that() {
        let (mut view, start) = (view(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        view.read(vec![row("a", 1), row("b", 1)], at(0));
        // The database was away, for the others, too.
        view.read(vec![row("a", 1), row("b", 1)], at(60));
        assert_eq!(names(&view), ["a", "b", "own"]);
        (61..=64).for_each(|second| view.read(vec![row("a", second), row("b", 1)], at(second)));
        assert_eq!(names(&view), ["a", "own"], "b does not come back");
    }

    #[test]
    fn a_restart_counts_as_a_change_although_beats_begin_anew() {
        let (mut view, start) = (view(), Instant::now());
        view.read(vec![row("a", 700)], start);
        let restarted = NodeRecord { incarnation: "2".into(), ..row("a", 700) };
        view.read(vec![restarted], start + Duration::from_secs(5));
        assert_eq!(names(&view), ["a", "own"]);
    }

    #[test]
    fn while_the_store_is_silent_nobody_dies() {
        let (mut view, start) = (view(), Instant::now());
        view.read(vec![row("a", 1)], start);
        assert_eq!(names(&view), ["a", "own"]);
        view.read(vec![row("a", 2)], start + Duration::from_secs(3_600));
        assert_eq!(names(&view), ["a", "own"]);
    }

    #[test]
    fn a_row_that_nobody_writes_is_of_no_use_after_a_while() {
        let (mut view, start) = (view(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let long = Duration::from_secs(600);
        view.read(vec![row("a", 1), row("b", 1)], at(0));
        view.read(vec![row("a", 2), row("b", 1)], at(599));
        assert_eq!(view.long_gone(long, Timeline(0)), None);
        view.read(vec![row("a", 3), row("b", 1)], at(600));
        assert_eq!(view.long_gone(long, Timeline(1)), None, "it has not heard of the failover");
        assert_eq!(view.long_gone(long, Timeline(0)), Some(row("b", 1)));
        assert_eq!(view.long_gone(long, Timeline(0)), None, "once is enough");
        view.read(vec![row("a", 4)], at(601));
        view.read(vec![row("a", 5), row("b", 1)], at(602));
        assert_eq!(names(&view), ["a", "b", "own"], "as one that was never seen");
    }

    #[test]
    fn a_node_that_leaves_is_gone_at_once() {
        let mut view = view();
        view.read(vec![NodeRecord { leaving: true, ..row("a", 9) }], Instant::now());
        assert_eq!(names(&view), ["own"]);
    }
}
