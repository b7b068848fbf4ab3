//! A block that shows a command and what it prints, and what of that is the same in every build.

/// Longer lines are cut off, as in the rest of a document.
const WIDTH_MAX: usize = 116;

/// The fingerprint of a run.
const HASH_DIGITS: usize = 64;
const HASH_DIGITS_SHOWN: usize = 16;

pub struct Sample {
    /// The line of the document with the command.
    pub place: usize,
    pub command: String,
    /// What the document shows below the command.
    pub lines: Vec<String>,
    /// How many lines below each heading are shown, where output has headings and indented lines below them.
    items: Option<usize>,
    /// The headings, by their first words, of which every line is shown and compared.
    whole: Vec<String>,
    /// Only so many lines at the end are shown.
    last: Option<usize>,
    /// The command is a server's, which prints so many lines and goes on.
    pub serves: Option<usize>,
}

impl Sample {
    /// From the settings behind the backticks and the lines of the block.
    pub fn new(settings: &str, place: usize, block: &[String]) -> Self {
        let setting = |name: &str| {
            let mut words = settings.split(' ').filter_map(|word| word.split_once('='));
            words.find(|(key, _)| *key == name).map(|(_, value)| value)
        };
        let number = |name| setting(name).map(|value| value.parse().expect("a number of lines"));
        let (command, lines) = block.split_first().expect("a sample begins with a command");
        Self {
            place,
            command: command.strip_prefix("$ ").expect("a command begins with $").to_owned(),
            lines: lines.to_vec(),
            items: number("items"),
            whole: setting("whole").into_iter().flat_map(|names| names.split(',')).map(str::to_owned).collect(),
            last: number("last"),
            serves: number("serves"),
        }
    }

    /// What comes behind the program's name.
    pub fn arguments(&self) -> Vec<&str> {
        let from_source = self.command.strip_prefix("cargo run --release -- ");
        let arguments = from_source.or_else(|| self.command.strip_prefix("tempest "));
        arguments.expect("samples are of tempest").split(' ').collect()
    }

    /// The lines to show of what was printed.
    pub fn shown(&self, printed: &[String]) -> Vec<String> {
        let printed = &printed[printed.len() - self.last.unwrap_or(printed.len()).min(printed.len())..];
        let mut shown = Vec::new();
        let (mut items, mut is_whole) = (0, true);
        for line in printed {
            if line.starts_with(' ') {
                items += 1;
            } else {
                items = 0;
                is_whole = self.items.is_none() || self.whole.iter().any(|name| first_word(line) == name);
            }
            let most = self.items.unwrap_or(usize::MAX);
            if is_whole || items <= most {
                shown.push(cut(line));
            } else if items == most + 1 {
                shown.push("  ...".to_owned());
            }
        }
        shown
    }

    /// What the document shall show from now on. Of a server, whose port is another each time, only lines that say something
    /// else.
    pub fn renewed(&self, shown: &[String]) -> Vec<String> {
        let same =
            |index: usize, line: &String| self.lines.get(index).filter(|old| masked(old) == masked(line)).cloned();
        let kept = |(index, line): (usize, &String)| same(index, line).filter(|_| self.serves.is_some());
        shown.iter().enumerate().map(|shown| kept(shown).unwrap_or_else(|| shown.1.clone())).collect()
    }

    /// What of shown lines is the same in every build. Output without headings: all but numbers and hashes. Else the
    /// headings' first words, the lines below those that are shown whole, and the last line, without numbers and hashes.
    pub fn skeleton(&self, lines: &[String]) -> Vec<String> {
        let Some(last) = lines.last() else { return Vec::new() };
        if self.items.is_none() {
            return lines.iter().map(|line| masked(line)).collect();
        }
        let mut skeleton = Vec::new();
        let mut is_whole = false;
        for line in &lines[..lines.len() - 1] {
            if !line.starts_with(' ') {
                is_whole = self.whole.iter().any(|name| first_word(line) == name);
                skeleton.push(first_word(line).to_owned());
            } else if is_whole {
                skeleton.push(masked(line));
            }
        }
        skeleton.push(masked(last));
        skeleton
    }
}

fn first_word(line: &str) -> &str {
    line.split(' ').next().unwrap_or_default()
}

/// A line with its hashes abbreviated, and at most as wide as the rest of a document.
fn cut(line: &str) -> String {
    let is_hash = |word: &str| word.len() == HASH_DIGITS && word.chars().all(|char| char.is_ascii_hexdigit());
    let words: Vec<String> = line
        .split_inclusive(|char: char| !char.is_alphanumeric())
        .map(|word| match word.trim_end_matches(|char: char| !char.is_alphanumeric()) {
            hash if is_hash(hash) => format!("{}...{}", &hash[..HASH_DIGITS_SHOWN], &word[hash.len()..]),
            _ => word.to_owned(),
        })
        .collect();
    let line = words.concat();
    match line.char_indices().nth(WIDTH_MAX) {
        Some((at, _)) => format!("{} ...", &line[..at]),
        None => line,
    }
}

/// A line in which every number, hash and id is a `#`, and what was cut off is missing on both sides.
fn masked(line: &str) -> String {
    let line = line.strip_suffix(" ...").unwrap_or(line);
    let is_number = |word: &str| {
        let word = word.trim_end_matches('.');
        let hex = word.len() >= 8 && word.chars().all(|char| char.is_ascii_hexdigit());
        hex || word.starts_with(|char: char| char.is_ascii_digit())
    };
    let mut masked = String::new();
    let mut rest = line;
    while !rest.is_empty() {
        let first = rest.chars().next().expect("not empty");
        let end = rest.find(|char: char| !char.is_alphanumeric() && char != '.').unwrap_or(rest.len());
        let (word, after) = rest.split_at(end.max(first.len_utf8()));
        match word {
            word if is_number(word) => masked.push('#'),
            // Columns are as wide as the numbers in them.
            " " if masked.ends_with(' ') => {}
            word => masked.push_str(word),
        }
        rest = after;
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    const PRINTED: &str = "plan 3 faults\n  1 s crash\n  2 s pause\n  3 s reset\nchecked\n  holds a 12 calls\n  holds b\nok x=0af33b75fb5fc5c6 n=2.5";

    fn sample(settings: &str) -> Sample {
        Sample::new(settings, 0, &lines("$ tempest run x"))
    }

    #[test]
    fn sections_are_cut_and_those_that_matter_are_whole() {
        let shown = sample("console items=1 whole=checked").shown(&lines(PRINTED));
        let expected =
            "plan 3 faults\n  1 s crash\n  ...\nchecked\n  holds a 12 calls\n  holds b\nok x=0af33b75fb5fc5c6 n=2.5";
        assert_eq!(shown, lines(expected));
    }

    #[test]
    fn numbers_and_what_is_not_whole_may_differ_and_nothing_else() {
        let sample = sample("console items=1 whole=checked");
        let same = |other: &str| sample.skeleton(&lines(PRINTED)) == sample.skeleton(&lines(other));
        assert!(same(&PRINTED.replace("12", "990").replace("3 faults", "9 faults").replace("2.5", "17.25")));
        assert!(same(&PRINTED.replace("  2 s pause\n", "")));
        assert!(!same(&PRINTED.replace("holds b", "FAILS b")));
        assert!(!same(&PRINTED.replace("ok", "FAILED")));
        assert!(!same(&PRINTED.replace("plan", "plans")));
    }

    #[test]
    fn hashes_are_abbreviated_and_compared_as_numbers() {
        let sample = sample("console last=1");
        let shown = |digit: &str| sample.shown(&[String::new(), format!("trace={} n=1", digit.repeat(64))]);
        assert_eq!(shown("a"), [format!("trace={}... n=1", "a".repeat(16))]);
        assert_eq!(sample.skeleton(&shown("a")), sample.skeleton(&shown("7")));
    }

    #[test]
    fn a_server_s_port_is_no_news() {
        let block = lines("$ tempest server start-dev\nServer: 127.0.0.1:7233\nNode: a");
        let sample = Sample::new("console serves=2", 0, &block);
        let renewed = sample.renewed(&lines("Server: 127.0.0.1:40123\nNode: b"));
        assert_eq!(renewed, lines("Server: 127.0.0.1:7233\nNode: b"));
    }

    #[test]
    fn without_headings_every_line_counts() {
        let sample = sample("console");
        let skeleton = |text: &str| sample.skeleton(&lines(text));
        assert_eq!(skeleton("Server: 127.0.0.1:7233"), skeleton("Server:   127.0.0.1:41205"));
        assert_ne!(skeleton("a\nb 1"), skeleton("a\nc 1"));
    }
}
