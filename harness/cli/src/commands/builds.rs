//! Two builds of this binary: madsim takes the same symbols of the C library as the default world, so that no process has
//! both. Who asks for a run in the other one's world is handed over to it.
use std::collections::BTreeMap;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempest_artifact::WorldKind;

/// Where the build with the world madsim is, if it is not beside this one.
const MADSIM_BINARY: &str = "TEMPEST_MADSIM";

/// Set in a process that was started for this: that it is no such build either must not go on without end.
const HANDED_OVER: &str = "TEMPEST_HANDED_OVER";

/// How to make it.
const BUILD: &str = r#"RUSTFLAGS="--cfg madsim" cargo build --target-dir target/madsim -p tempest-cli"#;

/// Goes on in the build that has this world, with the arguments of this process: returns only if it is this one.
///
/// # Errors
/// That build is not there, or this is the one that has madsim alone.
pub fn enter(world: WorldKind) -> anyhow::Result<()> {
    if is_here(world)? {
        return Ok(());
    }
    let binary = madsim_binary()?;
    anyhow::ensure!(
        std::env::var_os(HANDED_OVER).is_none(),
        "{} was built without --cfg madsim: make one with the world madsim by `{BUILD}`",
        binary.display()
    );
    let error = Command::new(&binary).args(std::env::args_os().skip(1)).env(HANDED_OVER, "1").exec();
    Err(anyhow::Error::from(error).context(format!("cannot start {}", binary.display())))
}

/// The binary that has this world.
///
/// # Errors
/// As [`enter`].
pub fn executable(world: WorldKind) -> anyhow::Result<PathBuf> {
    if is_here(world)? { Ok(std::env::current_exe()?) } else { madsim_binary() }
}

/// The binaries of all these worlds.
///
/// # Errors
/// As [`enter`].
pub fn executables(worlds: &[WorldKind]) -> anyhow::Result<BTreeMap<WorldKind, PathBuf>> {
    worlds.iter().map(|&world| Ok((world, executable(world)?))).collect()
}

/// Refuses in the build for madsim what needs sockets.
///
/// # Errors
/// This is that build.
pub fn need_sockets() -> anyhow::Result<()> {
    anyhow::ensure!(
        !cfg!(madsim),
        "this build is for simulations in the world madsim and has no sockets: use one that was built without --cfg madsim"
    );
    Ok(())
}

fn is_here(world: WorldKind) -> anyhow::Result<bool> {
    anyhow::ensure!(
        !cfg!(madsim) || world == WorldKind::Madsim,
        "this build has the world madsim alone: use one that was built without --cfg madsim for {world}"
    );
    Ok(cfg!(madsim) || world != WorldKind::Madsim)
}

fn madsim_binary() -> anyhow::Result<PathBuf> {
    let told = std::env::var_os(MADSIM_BINARY).map(PathBuf::from);
    let binary = match told {
        Some(told) => told,
        None => beside(&std::env::current_exe()?),
    };
    anyhow::ensure!(
        binary.exists(),
        "the world madsim has a build of its own, which is not at {}: make it by `{BUILD}`, or say in {MADSIM_BINARY} where it is",
        binary.display()
    );
    Ok(binary)
}

/// Of `target/debug/tempest`: `target/madsim/debug/tempest`.
fn beside(executable: &Path) -> PathBuf {
    let name = executable.file_name().unwrap_or_default();
    let folder = executable.parent().unwrap_or(Path::new(""));
    let profile = folder.file_name().unwrap_or_default();
    folder.parent().unwrap_or(Path::new("")).join("madsim").join(profile).join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_build_is_beside_this_one() {
        assert_eq!(beside(Path::new("/t/target/debug/tempest")), Path::new("/t/target/madsim/debug/tempest"));
    }
}
