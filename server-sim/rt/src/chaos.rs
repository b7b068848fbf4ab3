//! Places where a simulation interferes. A world arms them once per process; unarmed they do nothing, and without the
//! feature `chaos` their names are not even in the binary.

#[cfg(feature = "chaos")]
mod armed {
    use std::collections::{BTreeMap, BTreeSet};
    use std::sync::{Mutex, OnceLock};
    use std::time::Duration;

    /// What a world switched on.
    #[derive(Default)]
    pub struct Arms {
        /// Names of the planted bugs that are in.
        pub planted: BTreeSet<String>,
        /// Whether a buggify site acts this time: given its name and the number of this visit to it.
        #[allow(clippy::type_complexity)]
        pub buggify: Option<Box<dyn Fn(&'static str, u64) -> bool + Send + Sync>>,
        /// Told of each call to another node that a buggify site sends twice.
        #[allow(clippy::type_complexity)]
        pub duplicated: Option<Box<dyn Fn(&[u8]) + Send + Sync>>,
        /// Set where blocking work has no threads of its own: asked after each piece of it how long it would have taken.
        pub inline_blocking: Option<fn() -> Duration>,
    }

    static ARMS: OnceLock<Arms> = OnceLock::new();
    static VISITS: Mutex<BTreeMap<&'static str, u64>> = Mutex::new(BTreeMap::new());
    static PROBES: Mutex<BTreeMap<&'static str, u64>> = Mutex::new(BTreeMap::new());

    /// Arms this process. One world per process: a second call changes nothing and returns false.
    pub fn arm(arms: Arms) -> bool {
        ARMS.set(arms).is_ok()
    }

    /// How often each probe was hit so far.
    pub fn probes() -> BTreeMap<&'static str, u64> {
        PROBES.lock().map(|p| p.clone()).unwrap_or_default()
    }

    /// Names of the planted bugs that are in.
    pub fn armed_plants() -> BTreeSet<String> {
        ARMS.get().map(|arms| arms.planted.clone()).unwrap_or_default()
    }

    #[doc(hidden)]
    pub fn is_planted(name: &str) -> bool {
        ARMS.get().is_some_and(|arms| arms.planted.contains(name))
    }

    #[doc(hidden)]
    pub fn buggified(name: &'static str) -> bool {
        let Some(buggify) = ARMS.get().and_then(|arms| arms.buggify.as_ref()) else { return false };
        let visit = VISITS.lock().map(|mut v| {
            let visit = v.entry(name).or_default();
            *visit += 1;
            *visit
        });
        visit.is_ok_and(|visit| buggify(name, visit))
    }

    /// Tells the world that this call to another node goes out twice.
    pub fn duplicated(call: &[u8]) {
        if let Some(told) = ARMS.get().and_then(|arms| arms.duplicated.as_ref()) {
            told(call);
        }
    }

    /// Where blocking work is done in its caller's turn, what tells how long it took.
    pub(crate) fn inline_blocking() -> Option<fn() -> Duration> {
        ARMS.get().and_then(|arms| arms.inline_blocking)
    }

    #[doc(hidden)]
    pub fn hit(name: &'static str) {
        if ARMS.get().is_some()
            && let Ok(mut probes) = PROBES.lock()
        {
            *probes.entry(name).or_default() += 1;
        }
    }
}

#[cfg(feature = "chaos")]
pub use armed::*;

#[cfg(not(feature = "chaos"))]
mod unarmed {
    /// Names of the planted bugs that are in: none in this build.
    pub fn armed_plants() -> std::collections::BTreeSet<String> {
        std::collections::BTreeSet::new()
    }
    #[doc(hidden)]
    pub fn is_planted(_: &str) -> bool {
        false
    }
    #[doc(hidden)]
    pub fn buggified(_: &'static str) -> bool {
        false
    }
    /// Without a world blocking work has threads.
    pub(crate) fn inline_blocking() -> Option<fn() -> std::time::Duration> {
        None
    }
    /// Without a world there is none to tell.
    pub fn duplicated(_: &[u8]) {}
    #[doc(hidden)]
    pub fn hit(_: &'static str) {}
}

#[cfg(not(feature = "chaos"))]
pub use unarmed::*;

/// True if that planted bug, a constant with a `name`, is armed. The calling crate needs a feature `chaos` of its own, off in the artefact.
#[macro_export]
macro_rules! planted {
    ($bug:path) => {{
        #[cfg(feature = "chaos")]
        let planted = $crate::is_planted($bug.name);
        #[cfg(not(feature = "chaos"))]
        let planted = false;
        planted
    }};
}

/// True if the world wants the unlikely but legal choice here, this time.
#[macro_export]
macro_rules! buggify {
    ($name:literal) => {{
        #[cfg(feature = "chaos")]
        let buggified = $crate::buggified($name);
        #[cfg(not(feature = "chaos"))]
        let buggified = false;
        buggified
    }};
}

/// Marks a rare path that a campaign must have reached to be worth anything.
#[macro_export]
macro_rules! probe {
    ($name:literal) => {{
        #[cfg(feature = "chaos")]
        $crate::hit($name);
    }};
}
