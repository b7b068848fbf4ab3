//! Proofs of ownership, for what was decided without writing: one look into the store for all that wait.
use super::pipeline::Dependant;
use tempest_rt::time::Instant;

/// What wrote nothing and waits for proof that the shard is still owned, each with the sequence it rests on.
pub(crate) struct Proofs {
    waiting: Vec<(u64, Dependant)>,
    /// The round under way: it was begun after these were asked.
    in_round: Option<Vec<(u64, Dependant)>>,
    /// When the next round begins although nothing waits for it.
    due_at: Option<Instant>,
}

impl Proofs {
    pub fn new(due_at: Option<Instant>) -> Self {
        Self { waiting: Vec::new(), in_round: None, due_at }
    }

    pub fn wait(&mut self, sequence: u64, dependant: Dependant) {
        self.waiting.push((sequence, dependant));
    }

    /// How many wait, those of the round under way included.
    pub fn len(&self) -> usize {
        self.waiting.len() + self.in_round.as_ref().map_or(0, Vec::len)
    }

    /// Whether nothing waits and no round is under way.
    pub fn is_settled(&self) -> bool {
        self.waiting.is_empty() && self.in_round.is_none()
    }

    pub fn is_due(&self, now: Instant) -> bool {
        self.due_at.is_some_and(|due_at| due_at <= now)
    }

    /// When a round is due although nothing waits; not while one is under way.
    pub fn next_due(&self) -> Option<Instant> {
        self.due_at.filter(|_| self.in_round.is_none())
    }

    /// Begins a round for all that wait, or because one `is_due`. False if there is no reason to, or one is under way.
    pub fn begin_round(&mut self, is_due: bool) -> bool {
        if self.in_round.is_some() || (self.waiting.is_empty() && !is_due) {
            return false;
        }
        self.in_round = Some(std::mem::take(&mut self.waiting));
        true
    }

    /// The round has ended: this waited for it.
    pub fn end_round(&mut self, due_at: Option<Instant>) -> Vec<(u64, Dependant)> {
        self.due_at = due_at;
        self.in_round.take().expect("a proof ends a round")
    }

    /// All that waits, when there will be no proof any more.
    pub fn discard(self) -> impl Iterator<Item = Dependant> {
        let in_round = self.in_round.unwrap_or_default();
        self.waiting.into_iter().chain(in_round).map(|(_, dependant)| dependant)
    }
}

#[cfg(test)]
mod tests {
    use super::super::request::Answer;
    use super::*;
    use tempest_api::ServiceError;
    use tokio::sync::oneshot;

    fn answer() -> Dependant {
        Dependant::Answer(Answer::new(oneshot::channel::<Result<(), ServiceError>>().0, Ok(())))
    }

    #[test]
    fn a_round_proves_what_was_asked_before_it_began_and_nothing_else() {
        let mut proofs = Proofs::new(None);
        assert!(!proofs.begin_round(false));
        proofs.wait(1, answer());
        assert!(proofs.begin_round(false));
        proofs.wait(2, answer());
        assert!(!proofs.begin_round(true), "one round at a time");
        assert_eq!((proofs.len(), proofs.end_round(None).len()), (2, 1));
        assert!(!proofs.is_settled() && proofs.begin_round(false));
        assert_eq!(proofs.end_round(None).len(), 1);
        assert!(proofs.is_settled());
    }

    #[test]
    fn an_idle_owner_proves_itself_when_it_is_due() {
        let start = Instant::now();
        let mut proofs = Proofs::new(Some(start));
        assert!(proofs.is_due(start) && proofs.begin_round(true));
        assert_eq!(proofs.next_due(), None, "while one is under way");
        proofs.end_round(Some(start + std::time::Duration::from_secs(5)));
        assert!(!proofs.is_due(start));
    }
}
