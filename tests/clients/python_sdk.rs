//! The official Python SDK against the built binary: through the SDK's own local environment, and across SIGKILL.
//!
//! The test makes a virtual environment of its own and installs the pinned SDK from PyPI into it. On a machine without
//! Python or PyPI it says so and is skipped; with `CI=true` it never is.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

#[test]
fn the_sdks_local_environment_runs_on_tempest() {
    run_python("test_start_local.py");
}

#[test]
fn everything_completes_across_sigkill() {
    run_python("test_kill.py");
}

fn run_python(test: &str) {
    let python = match virtual_environment() {
        Ok(python) => python,
        Err(reason) if std::env::var("CI").as_deref() == Ok("true") => panic!("{reason}"),
        Err(reason) => {
            eprintln!("skipped: {reason}");
            return;
        }
    };
    let output = Command::new(python)
        .arg(sources().join(test))
        .arg("--verbose")
        .env("TEMPEST", env!("CARGO_BIN_EXE_tempest"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONFAULTHANDLER", "1")
        .output()
        .expect("the interpreter of the virtual environment starts");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{test}: {}\n{said}", output.status);
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients/python")
}

/// The interpreter that has the SDK, made once per target directory and set of requirements.
fn virtual_environment() -> Result<&'static Path, &'static str> {
    static MADE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let made = MADE.get_or_init(|| make_virtual_environment(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("python")));
    made.as_deref().map_err(String::as_str)
}

fn make_virtual_environment(directory: &Path) -> Result<PathBuf, String> {
    let requirements = sources().join("requirements.txt");
    let wanted = std::fs::read_to_string(&requirements).map_err(|error| format!("{requirements:?}: {error}"))?;
    let python = directory.join("bin/python3");
    // Written last: a half made environment is made again.
    let stamp = directory.join("installed.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    run("there is no Python 3 with venv", Command::new("python3").args(["-m", "venv", "--clear"]).arg(directory))?;
    run(
        "the SDK could not be installed from PyPI",
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
            .arg(&requirements),
    )?;
    std::fs::write(&stamp, wanted).map_err(|error| format!("{stamp:?}: {error}"))?;
    Ok(python)
}

fn run(problem: &str, command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{problem}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{problem}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}
