//! Sizes and switches of a run: drawn from the seed, printed first, overridable by name.
use super::decision::Decisions;
use std::ops::RangeInclusive;
use tempest_artifact::{Drawn, Settings, WorldKind, old_names};

/// Why a `--set` cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSetting {
    #[error("there is no option {name:?} in this run; there are: {known}")]
    Unknown { name: String, known: String },
    #[error("{name} is {value}: it must be from {least} to {most}")]
    OutOfRange { name: String, value: u64, least: u64, most: u64 },
}

/// A person may set an option to so many times what is drawn at most: what is beyond is a slip of the finger, and could
/// take all memory.
const SET_TIMES_MAX: u64 = 1_000;

/// Draws options by name. The name is the decision's site, so that a new option shifts no other.
pub struct Draw<'a> {
    decisions: &'a Decisions,
    settings: &'a Settings,
    world: WorldKind,
    drawn: Vec<Drawn>,
    /// The first setting that is out of its option's range.
    out_of_range: Option<BadSetting>,
}

impl<'a> Draw<'a> {
    pub fn new(decisions: &'a Decisions, settings: &'a Settings) -> Draw<'a> {
        Draw { decisions, settings, world: WorldKind::default(), drawn: Vec::new(), out_of_range: None }
    }

    /// For a run in another world than the default one.
    #[must_use]
    pub fn in_world(self, world: WorldKind) -> Draw<'a> {
        Draw { world, ..self }
    }

    /// Where the run will take place.
    pub fn world(&self) -> WorldKind {
        self.world
    }

    /// Any number of a range. The unit belongs into the name.
    pub fn number(&mut self, name: &str, range: RangeInclusive<u64>) -> u64 {
        let settable = 0..=range.end().saturating_mul(SET_TIMES_MAX);
        self.option(name, |decisions, site| decisions.between(site, 0, range));
        self.within(name, settable)
    }

    /// One of a few values.
    pub fn one_of(&mut self, name: &str, values: &[u64]) -> u64 {
        let most = values.iter().max().copied().unwrap_or(0);
        self.option(name, |decisions, site| *decisions.pick(site, 0, values));
        self.within(name, 0..=most.saturating_mul(SET_TIMES_MAX))
    }

    /// On in `numerator` of `denominator` runs.
    pub fn flag(&mut self, name: &str, numerator: u64, denominator: u64) -> bool {
        self.flag_or(name, None, numerator, denominator)
    }

    /// As [`Draw::flag`], or `instead` if there is one. Whether there is one shifts nothing else.
    pub fn flag_or(&mut self, name: &str, instead: Option<bool>, numerator: u64, denominator: u64) -> bool {
        self.option(name, |decisions, site| {
            u64::from(instead.unwrap_or_else(|| decisions.chance(site, 0, numerator, denominator)))
        });
        self.within(name, 0..=1) != 0
    }

    /// A switch that is there only if a person sets it.
    pub fn flag_if_set(&mut self, name: &str) -> Option<bool> {
        self.setting(name)?;
        self.fixed(name, 0);
        Some(self.within(name, 0..=1) != 0)
    }

    /// A switch that cannot be on in this run: a person may say that it is off, and nothing else.
    pub fn off_if_set(&mut self, name: &str) {
        if self.setting(name) == Some(0) {
            self.fixed(name, 0);
        }
    }

    /// Always the same unless a person sets it.
    pub fn fixed(&mut self, name: &str, value: u64) -> u64 {
        self.option(name, |_, _| value)
    }

    /// The value of an option that was drawn before. A person may set it to any number of this range only: outside of it
    /// the nearest is returned, so that nothing grows without bound, and [`Draw::finish`] refuses the setting.
    pub fn within(&mut self, name: &str, range: RangeInclusive<u64>) -> u64 {
        let (least, most) = range.into_inner();
        let drawn =
            self.drawn.iter().find(|drawn| drawn.name == name).expect("an option is drawn before it is bounded");
        let value = drawn.value;
        if !(least..=most).contains(&value) && self.out_of_range.is_none() {
            self.out_of_range = Some(BadSetting::OutOfRange { name: name.to_owned(), value, least, most });
        }
        value.clamp(least, most)
    }

    fn option(&mut self, name: &str, draw: impl FnOnce(&Decisions, &str) -> u64) -> u64 {
        if let Some(known) = self.drawn.iter().find(|drawn| drawn.name == name) {
            return known.value;
        }
        let chosen = self.setting(name);
        let value = chosen.unwrap_or_else(|| draw(self.decisions, &format!("option.{name}")));
        self.drawn.push(Drawn { name: name.to_owned(), value, set: chosen.is_some() });
        value
    }

    /// What a person set it to, perhaps by the name that it had before.
    fn setting(&self, name: &str) -> Option<u64> {
        let set = |name: &str| self.settings.0.get(name).copied();
        set(name).or_else(|| old_names::option_before(name).and_then(set))
    }

    fn knows(&self, name: &str) -> bool {
        self.drawn.iter().any(|drawn| drawn.name == name)
    }

    /// All that was drawn.
    ///
    /// # Errors
    /// A setting names no option of this run, or is out of its option's range.
    pub fn finish(self) -> Result<Vec<Drawn>, BadSetting> {
        for name in self.settings.0.keys() {
            if !self.knows(name) && !old_names::option(name).is_some_and(|now| self.knows(now)) {
                let known: Vec<&str> = self.drawn.iter().map(|drawn| drawn.name.as_str()).collect();
                return Err(BadSetting::Unknown { name: name.clone(), known: known.join(", ") });
            }
        }
        match self.out_of_range {
            Some(out_of_range) => Err(out_of_range),
            None => Ok(self.drawn),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Seed;

    #[test]
    fn a_setting_changes_its_option_only() {
        let decisions = Decisions::new(Seed(5), []);
        let mut settings = Settings::default();
        let plain = {
            let mut draw = Draw::new(&decisions, &settings);
            (draw.number("a", 0..=1_000_000), draw.number("b", 0..=1_000_000))
        };
        settings.add("a=7").expect("well formed");
        let mut draw = Draw::new(&decisions, &settings);
        assert_eq!((draw.number("a", 0..=1_000_000), draw.number("b", 0..=1_000_000)), (7, plain.1));
        assert!(draw.finish().expect("all known")[0].set);
    }

    #[test]
    fn an_option_is_set_and_drawn_as_under_its_old_name() {
        let decisions = Decisions::new(Seed(5), []);
        let (now, before) = ("long_activities_percent", "marches_percent");
        let drawn = |name: &str| Draw::new(&decisions, &Settings::default()).number(name, 0..=1_000_000);
        assert_eq!(drawn(now), drawn(before));
        let settings = Settings([(before.to_owned(), 50)].into());
        let mut draw = Draw::new(&decisions, &settings);
        assert_eq!(draw.number(now, 0..=100), 50);
        assert_eq!(draw.finish(), Ok(vec![Drawn { name: now.to_owned(), value: 50, set: true }]));
        assert!(Draw::new(&decisions, &settings).finish().is_err(), "there is no such option here, old or new");
    }

    #[test]
    fn unknown_and_malformed_settings_are_named() {
        let decisions = Decisions::new(Seed(5), []);
        let mut settings = Settings::default();
        assert!(settings.add("sagas").is_err());
        assert!(settings.add("sagas=lots").is_err());
        settings.add("saga=3").expect("well formed");
        let mut draw = Draw::new(&decisions, &settings);
        draw.number("sagas", 1..=2);
        let error = draw.finish().expect_err("there is no option saga").to_string();
        assert_eq!(error, "there is no option \"saga\" in this run; there are: sagas");
    }

    #[test]
    fn a_setting_out_of_range_is_refused_and_never_used() {
        let decisions = Decisions::new(Seed(5), []);
        let mut settings = Settings::default();
        settings.add("sagas=99_999").expect("well formed");
        let mut draw = Draw::new(&decisions, &settings);
        assert_eq!(draw.number("sagas", 50..=80), 80_000);
        let error = draw.finish().expect_err("it is too much").to_string();
        assert_eq!(error, "sagas is 99999: it must be from 0 to 80000");
    }
}
