//! The words of a line: `keyword word... name=value...`.
use super::lines::Misread;
use std::collections::VecDeque;

/// Longest time that a program may name: a hundred years.
const TIME_MAX_MS: u64 = 100 * 365 * 86_400_000;

/// What of a line has not been read yet.
#[derive(Debug)]
pub(super) struct Words<'a> {
    line: usize,
    pub keyword: &'a str,
    plain: VecDeque<&'a str>,
    named: Vec<(&'a str, &'a str)>,
}

impl<'a> Words<'a> {
    pub fn new(line: usize, text: &'a str) -> Result<Words<'a>, Misread> {
        let mut words = text.split_whitespace();
        let keyword = words.next().unwrap_or_default();
        let (mut plain, mut named) = (VecDeque::new(), Vec::<(&str, &str)>::new());
        for word in words {
            match word.split_once('=') {
                Some((name, _)) if named.iter().any(|(other, _)| *other == name) => {
                    return Err(Misread { line, problem: format!("{name} is said twice") });
                }
                Some(named_value) => named.push(named_value),
                None => plain.push_back(word),
            }
        }
        Ok(Words { line, keyword, plain, named })
    }

    pub fn misread(&self, problem: impl Into<String>) -> Misread {
        Misread { line: self.line, problem: problem.into() }
    }

    /// The next word without a name.
    pub fn next(&mut self, what: &str) -> Result<&'a str, Misread> {
        let keyword = self.keyword;
        self.plain.pop_front().ok_or_else(|| self.misread(format!("{keyword} needs {what}")))
    }

    /// A name that programs give: letters, digits and dashes.
    pub fn name(&mut self, what: &str) -> Result<String, Misread> {
        let word = self.next(what)?;
        self.as_name(word, what)
    }

    pub fn as_name(&self, word: &str, what: &str) -> Result<String, Misread> {
        let fits = !word.is_empty() && word.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-');
        if fits {
            Ok(word.to_owned())
        } else {
            Err(self.misread(format!("{what} is letters, digits and dashes, not {word:?}")))
        }
    }

    pub fn time(&mut self, what: &str) -> Result<u64, Misread> {
        let word = self.next(what)?;
        self.as_time(word, what)
    }

    /// Takes a word that is there or not.
    pub fn flag(&mut self, word: &str) -> bool {
        let index = self.plain.iter().position(|other| *other == word);
        index.and_then(|index| self.plain.remove(index)).is_some()
    }

    pub fn value(&mut self, name: &str) -> Option<&'a str> {
        let index = self.named.iter().position(|(other, _)| *other == name)?;
        Some(self.named.remove(index).1)
    }

    /// The first named value that is left.
    pub fn any_value(&mut self) -> Option<(&'a str, &'a str)> {
        if self.named.is_empty() { None } else { Some(self.named.remove(0)) }
    }

    pub fn time_value(&mut self, name: &str) -> Result<Option<u64>, Misread> {
        self.value(name).map(|value| self.as_time(value, name)).transpose()
    }

    pub fn number_value(&mut self, name: &str) -> Result<Option<u32>, Misread> {
        let value = self.value(name);
        value.map(|value| self.as_number(value, name)).transpose()
    }

    pub fn number(&mut self, what: &str) -> Result<u32, Misread> {
        let word = self.next(what)?;
        self.as_number(word, what)
    }

    fn as_number(&self, word: &str, what: &str) -> Result<u32, Misread> {
        word.parse().map_err(|_| self.misread(format!("{what} is a number up to {}, not {word:?}", u32::MAX)))
    }

    /// One of several words, each with what it means; the first if it is not said.
    pub fn choice<T: Copy>(&mut self, name: &str, choices: &[(&str, T)]) -> Result<T, Misread> {
        let Some(value) = self.value(name) else { return Ok(choices[0].1) };
        let found = choices.iter().find(|(word, _)| *word == value).map(|(_, meant)| *meant);
        found.ok_or_else(|| {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            self.misread(format!("{name} is one of {}, not {value:?}", words.join(", ")))
        })
    }

    /// A time with its unit, in milliseconds.
    pub fn as_time(&self, word: &str, what: &str) -> Result<u64, Misread> {
        let digits = word.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(word.len());
        let (number, unit) = word.split_at(digits);
        let times = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, ms)| *ms);
        let ms = times.and_then(|times| number.parse::<u64>().ok()?.checked_mul(times)).filter(|ms| *ms <= TIME_MAX_MS);
        ms.ok_or_else(|| self.misread(format!("{what} is a time like 200ms, 3s, 2m, 1h or 30d, not {word:?}")))
    }

    /// Nothing may be left.
    pub fn end(&self) -> Result<(), Misread> {
        let word = self.plain.front().copied().or(self.named.first().map(|(name, _)| *name));
        match word {
            Some(word) => Err(self.misread(format!("{} knows no {word:?}", self.keyword))),
            None => Ok(()),
        }
    }
}

/// Units of time, the largest first, in milliseconds.
pub(super) const UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
