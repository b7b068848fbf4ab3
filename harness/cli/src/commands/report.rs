//! `tempest report`: what a campaign left in a directory, as a page, as JUnit, as Markdown or JSON.
use anyhow::{Context, bail};
use clap::Args;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tempest::run::Artifact;
use tempest_reports::{Loaded, campaign_page, json, junit, load_dir, load_file, markdown, run_page};

#[derive(Args)]
pub struct ReportCommand {
    /// Directory with the artifacts and summaries of runs.
    directory: PathBuf,
    /// The campaign's page. Pages of single runs are written into a directory of the same name beside it.
    #[arg(long, value_name = "FILE", default_value = "report.html")]
    output: PathBuf,
    /// Also as JUnit XML, for CI servers.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Also as Markdown, for a pull request or a CI summary.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// One JSON object on standard output; what people read goes to standard error.
    #[arg(long)]
    json: bool,
}

impl ReportCommand {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let mut loaded = load_dir(&self.directory)?;
        for skipped in &loaded.skipped {
            eprintln!("note: {} is left out: {}", skipped.path.display(), skipped.reason);
        }
        if loaded.runs.is_empty() {
            bail!("there is no artifact of a run in {}: `tempest explore --out` writes them", self.directory.display());
        }
        self.write_run_pages(&mut loaded)?;
        let runs = &loaded.runs;
        write(&self.output, &campaign_page(runs))?;
        if let Some(file) = &self.junit {
            write(file, &junit(runs))?;
        }
        if let Some(file) = &self.markdown {
            write(file, &markdown(runs))?;
        }
        let failed = runs.iter().filter(|run| run.failed()).count();
        let said = format!("{} runs, {failed} failed: {}", runs.len(), self.output.display());
        if self.json {
            eprintln!("{said}");
            print!("{}", json(runs));
        } else {
            println!("{said}");
        }
        Ok(ExitCode::SUCCESS)
    }

    /// A page for each run of which more than a summary is known.
    fn write_run_pages(&self, loaded: &mut Loaded) -> anyhow::Result<()> {
        let directory = self.output.with_extension("");
        if directory == self.output {
            bail!("--output {} has no extension: name a file like report.html", self.output.display());
        }
        let name = directory.file_name().context("--output names no file")?.to_string_lossy().into_owned();
        let mut taken = BTreeSet::new();
        for run in loaded.runs.iter_mut().filter(|run| run.is_whole()) {
            let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' };
            let Artifact { scenario, seed, .. } = &run.artifact;
            let stem = format!("{}-{seed}", scenario.chars().map(plain).collect::<String>());
            let mut page = format!("{stem}.html");
            for number in 2.. {
                if taken.insert(page.clone()) {
                    break;
                }
                page = format!("{stem}-{number}.html");
            }
            write(&directory.join(&page), &run_page(run))?;
            run.page = Some(format!("{name}/{page}"));
        }
        Ok(())
    }
}

/// Writes the page of one run beside its artifact, and says where.
pub fn page_beside(artifact: &Path) -> anyhow::Result<PathBuf> {
    let page = artifact.with_extension("html");
    write(&page, &run_page(&load_file(artifact)?))?;
    Ok(page)
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(directory) = file.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        std::fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
    }
    std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}
