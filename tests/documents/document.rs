//! Markdown files, and the blocks of code in them.
use crate::sample::Sample;
use std::fs;
use std::path::{Path, PathBuf};

pub struct Document {
    pub path: String,
    file: PathBuf,
    lines: Vec<String>,
}

impl Document {
    /// Every Markdown file of the repository.
    pub fn all() -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut files = Vec::new();
        collect(&root, &mut files);
        files.sort();
        let read = |file: PathBuf| {
            let path = file.strip_prefix(&root).unwrap().display().to_string();
            let lines = fs::read_to_string(&file).unwrap().lines().map(str::to_owned).collect();
            Self { path, file, lines }
        };
        files.into_iter().map(read).collect()
    }

    /// The samples, the last one first: replacing one leaves the places of the others before it as they are.
    pub fn samples(&self) -> Vec<Sample> {
        let mut samples = Vec::new();
        let mut lines = self.lines.iter().enumerate();
        while let Some((start, line)) = lines.next() {
            let Some(settings) = line.strip_prefix("```") else { continue };
            let block: Vec<String> =
                lines.by_ref().map(|(_, line)| line.clone()).take_while(|line| line != "```").collect();
            let words: Vec<&str> = settings.split(' ').collect();
            let is_sample = words[0] == "console";
            // It looks like one, and would never be compared.
            assert!(
                is_sample || !words.contains(&"sample"),
                "{}:{}: a sample begins with ```console, not with ```{settings}",
                self.path,
                start + 1
            );
            samples.extend(is_sample.then(|| Sample::new(settings, start + 1, &block)));
        }
        samples.reverse();
        samples
    }

    /// Puts these lines below the command of a sample.
    pub fn replace(&mut self, sample: &Sample, shown: &[String]) {
        let first = sample.place + 1;
        self.lines.splice(first..first + sample.lines.len(), shown.iter().cloned());
    }

    pub fn save(&self) {
        fs::write(&self.file, self.lines.join("\n") + "\n").unwrap();
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let made = name.starts_with('.') || name == "target" || name == "tempest-out";
        if entry.file_type().unwrap().is_dir() && !made {
            collect(&entry.path(), files);
        } else if name.ends_with(".md") {
            files.push(entry.path());
        }
    }
}
