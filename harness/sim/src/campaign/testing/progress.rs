//! How far a test is: a bar on a terminal, a line now and then elsewhere. libtest shows what a test prints only when it is
//! over; what goes to standard error by itself is seen at once.
use crate::campaign::SeedEnd;
use indicatif::{ProgressBar, ProgressStyle};
use std::cell::Cell;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};
use tempest_artifact::Repeats;

/// Between two lines.
const LINE_EVERY: Duration = Duration::from_secs(10);

pub(super) struct Progress {
    path: &'static str,
    seeds: u64,
    began: Instant,
    bar: ProgressBar,
    ended: Cell<u64>,
    failed: Cell<u64>,
    last_line: Cell<Instant>,
}

impl Progress {
    pub fn begin(path: &'static str, seeds: u64) -> Progress {
        let bar = if std::io::stderr().is_terminal() { ProgressBar::new(seeds) } else { ProgressBar::hidden() };
        let template = "{prefix} {wide_bar} {pos}/{len} {msg} {elapsed}";
        bar.set_style(ProgressStyle::with_template(template).expect("the template is well formed"));
        bar.set_prefix(path);
        let now = Instant::now();
        Progress { path, seeds, began: now, bar, ended: Cell::new(0), failed: Cell::new(0), last_line: Cell::new(now) }
    }

    pub fn ended(&self, end: &SeedEnd) {
        self.ended.set(self.ended.get() + 1);
        self.bar.inc(1);
        if !end.held() {
            self.failed.set(self.failed.get() + 1);
            self.say(&format!("{}: FAILED {} seed={}", self.path, end.failure().unwrap_or_default(), end.seed));
            self.bar.set_message(format!("{} failed", self.failed.get()));
        } else if self.bar.is_hidden() && self.last_line.get().elapsed() >= LINE_EVERY {
            self.say(&self.line());
        }
    }

    pub fn finish(self, repeats: &Repeats) {
        self.bar.finish_and_clear();
        self.say(&self.line());
        self.say(&format!("{}: {repeats}", self.path));
    }

    fn line(&self) -> String {
        let (ended, failed, took) = (self.ended.get(), self.failed.get(), self.began.elapsed().as_secs());
        format!("{}: {ended} of {} seeds, {failed} failed, {took} s", self.path, self.seeds)
    }

    fn say(&self, line: &str) {
        self.last_line.set(Instant::now());
        self.bar.suspend(|| {
            let _ = writeln!(std::io::stderr(), "{line}");
        });
    }
}
