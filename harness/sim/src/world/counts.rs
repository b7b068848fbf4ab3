//! Disturbances of a link that add up: the first begins it, the last ends it.
use super::Host;
use std::collections::BTreeMap;

#[derive(Default)]
pub(super) struct LinkCounts(BTreeMap<(Host, Host), u32>);

impl LinkCounts {
    /// One more; true if it is the first.
    pub fn more(&mut self, from: &Host, to: &Host) -> bool {
        let count = self.0.entry((from.clone(), to.clone())).or_default();
        *count += 1;
        *count == 1
    }

    /// One fewer; true if it was the last.
    pub fn fewer(&mut self, from: &Host, to: &Host) -> bool {
        match self.0.get_mut(&(from.clone(), to.clone())) {
            Some(count) if *count > 0 => {
                *count -= 1;
                *count == 0
            }
            _ => false,
        }
    }
}
