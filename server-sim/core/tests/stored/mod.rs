//! A run as a store keeps it: a row, and rows of its parts, of which each write names those that it changes.
use std::collections::BTreeMap;
use tempest_core::{MutableState, Part, PartKey, RunWrite};

#[derive(Default)]
pub struct Stored {
    row: Vec<u8>,
    /// Of a run that keeps its parts in its row.
    held: Vec<Vec<u8>>,
    apart: BTreeMap<PartKey, Vec<u8>>,
}

impl Stored {
    pub fn write(&mut self, write: &RunWrite) {
        let state = &write.state;
        let encode = |part: Part| rmp_serde::to_vec_named(&part).expect("a part can be stored");
        self.row = rmp_serde::to_vec_named(state).expect("a state can be stored");
        self.held.clear();
        if !state.parts_are_apart() {
            self.held.extend(state.part_keys().filter_map(|key| state.part(key)).map(encode));
        }
        for key in &write.part_rows {
            match state.part(*key).filter(|_| state.parts_are_apart()) {
                Some(part) => drop(self.apart.insert(*key, encode(part))),
                None => {
                    assert!(self.apart.remove(key).is_some() || write.touched.contains(key), "{key:?} is not there")
                }
            }
        }
    }

    pub fn read(&self) -> MutableState {
        let mut state: MutableState = rmp_serde::from_slice(&self.row).expect("a stored state can be read");
        assert!(state.parts_are_apart() || self.apart.is_empty(), "parts are left that belong into the row");
        for body in self.held.iter().chain(self.apart.values()) {
            state.restore(rmp_serde::from_slice(body).expect("a stored part can be read"));
        }
        state
    }
}
