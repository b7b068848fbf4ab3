//! The same addresses in every process: Linux moves a program's memory about from start to start, and libraries that
//! hash or compare addresses would then choose differently for one seed.
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Set in a process that has asked for fixed addresses, so that a kernel which ignores the wish is not asked again and again.
const ASKED: &str = "TEMPEST_LOCKSTEP_ADDRESSES_FIXED";

/// Makes sure that this process has the same memory layout as every other of its executable: if the kernel has
/// randomised it, the process starts itself anew without, with the same arguments and environment.
///
/// Call it first thing, before anything is printed or opened: on success with a randomised layout it does not return.
///
/// # Errors
/// The kernel does not allow it, as in some containers. A simulation runs all the same, but the same seed may take
/// another course in another process.
pub fn fix_addresses() -> io::Result<()> {
    const QUERY: libc::c_ulong = 0xffff_ffff;
    let fixed = libc::ADDR_NO_RANDOMIZE;
    // SAFETY: personality reads and writes a flag word of this process and touches no memory of ours.
    let current = unsafe { libc::personality(QUERY) };
    if current == -1 {
        return Err(io::Error::last_os_error());
    }
    if current & fixed != 0 {
        return Ok(());
    }
    if std::env::var_os(ASKED).is_some() {
        return Err(io::Error::other("the kernel moves addresses about although it was asked not to"));
    }
    let wanted = libc::c_ulong::try_from(current | fixed).map_err(io::Error::other)?;
    // SAFETY: as above.
    if unsafe { libc::personality(wanted) } == -1 {
        return Err(io::Error::last_os_error());
    }
    let mut arguments = std::env::args_os();
    let mut again = Command::new(std::env::current_exe()?);
    if let Some(name) = arguments.next() {
        again.arg0(name);
    }
    Err(again.args(arguments).env(ASKED, "1").exec())
}
