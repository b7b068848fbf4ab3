//! Where PostgreSQL is installed, and as whom it may run.
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Set to 1, a machine without PostgreSQL fails the tests instead of skipping them.
const REQUIRE: &str = "TEMPEST_REQUIRE_POSTGRES";
/// Where Debian, Red Hat and Homebrew keep the versions.
const VERSION_DIRECTORIES: [&str; 3] = ["/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt"];
const NEEDED: [&str; 3] = ["initdb", "postgres", "pg_basebackup"];
/// PostgreSQL refuses root; these are tried instead.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// A directory with PostgreSQL's programs.
#[derive(Clone, Debug)]
pub struct Binaries {
    directory: PathBuf,
    /// User and group to run as; `None`: as we are.
    user: Option<(u32, u32)>,
}

impl Binaries {
    /// `None`, with a word to standard error, if PostgreSQL is not installed.
    ///
    /// # Panics
    /// Instead, if the environment demands PostgreSQL.
    pub fn find() -> Option<Self> {
        let found = candidates().into_iter().find(|directory| NEEDED.iter().all(|name| directory.join(name).is_file()));
        if let Some(directory) = found {
            return Some(Self { directory, user: unprivileged_user() });
        }
        assert!(std::env::var(REQUIRE).as_deref() != Ok("1"), "{REQUIRE}=1, but no PostgreSQL is installed");
        eprintln!("skipped: no PostgreSQL is installed ({REQUIRE}=1 makes this a failure)");
        None
    }

    /// A program of PostgreSQL's, to be run as an unprivileged user.
    pub fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.directory.join(name));
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        // Whatever the tests' surroundings say about another server.
        for (variable, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
            command.env_remove(variable);
        }
        command.env("LC_ALL", "C").current_dir("/");
        command
    }

    /// Gives `path` to the user that PostgreSQL runs as.
    pub fn give(&self, path: &Path) -> std::io::Result<()> {
        match self.user {
            Some((user, group)) => std::os::unix::fs::chown(path, Some(user), Some(group)),
            None => Ok(()),
        }
    }
}

/// Newest version first, then what is on the path.
fn candidates() -> Vec<PathBuf> {
    let mut versions: Vec<PathBuf> = VERSION_DIRECTORIES
        .iter()
        .filter_map(|directory| std::fs::read_dir(directory).ok())
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    versions.sort_by_key(|path| std::cmp::Reverse(version_in(path)));
    let path = std::env::var_os("PATH").unwrap_or_default();
    versions.extend(std::env::split_paths(&path));
    versions
}

fn version_in(path: &Path) -> u32 {
    let digits: String = path.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}

fn unprivileged_user() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    UNPRIVILEGED.iter().find_map(|wanted| {
        accounts.lines().find_map(|line| {
            let mut fields = line.split(':');
            (fields.next() == Some(*wanted)).then_some(())?;
            Some((fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?))
        })
    })
}
