//! What documents show of the program's output is what it prints. A sample is a block of code in a Markdown file that says
//! `console` and begins with a command:
//!
//! ````text
//! ```console items=3 whole=checked
//! $ tempest run hello --seed 7
//! ````
//!
//! The command is run, and what it prints is compared with the block where it does not vary from build to build
//! ([`sample::skeleton`]). `TEMPEST_SAMPLES=write cargo test -p tempest-cli --test documents` writes the blocks anew.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod document;
mod sample;

use document::Document;
use sample::Sample;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// All documents together have at least so many samples: one that is not found is not compared.
const SAMPLES_MIN: usize = 4;

#[test]
fn samples_are_what_the_program_prints() {
    let write = std::env::var("TEMPEST_SAMPLES").is_ok_and(|value| value == "write");
    let mut wrong = Vec::new();
    let mut found = 0;
    let mut printed_by: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for mut document in Document::all() {
        for sample in document.samples() {
            found += 1;
            let all = printed_by.entry(sample.arguments().join(" ")).or_insert_with(|| printed(&sample));
            let shown = sample.shown(all);
            if sample.skeleton(&sample.lines) == sample.skeleton(&shown) {
                continue;
            }
            wrong.push(format!("{}: {}\n{}", document.path, sample.command, shown.join("\n")));
            document.replace(&sample, &sample.renewed(&shown));
        }
        if write {
            document.save();
        }
    }
    assert!(found >= SAMPLES_MIN, "only {found} samples were found");
    assert!(wrong.is_empty() || write, "samples differ, TEMPEST_SAMPLES=write replaces them:\n{}", wrong.join("\n\n"));
}

/// What the command of a sample prints on standard output: all of it, or the first lines of a server, which is then killed.
fn printed(sample: &Sample) -> Vec<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tempest"));
    command.args(sample.arguments()).env_remove("TEMPEST_SEED").current_dir(empty_directory());
    let Some(lines) = sample.serves else {
        let output = command.output().expect("the binary was built for this test");
        return String::from_utf8(output.stdout).expect("output is text").lines().map(str::to_owned).collect();
    };
    let mut server = command.args(["--port", "0"]).stdout(Stdio::piped()).spawn().expect("the binary was built");
    let output = BufReader::new(server.stdout.take().expect("standard output is piped"));
    let printed = output.lines().take(lines).collect::<Result<_, _>>().expect("output is text");
    server.kill().expect("the server runs");
    server.wait().expect("the server was started");
    printed
}

/// Where a command finds nothing that an earlier one left.
fn empty_directory() -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("samples");
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).expect("the directory for tests can be written");
    directory
}
