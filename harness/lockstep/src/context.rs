//! What code on a host can ask and tell the simulation it runs in.

use crate::HostId;
use crate::kernel;

/// The host that the calling thread belongs to; [`HostId::CONTROLLER`] on the thread that began the simulation, nothing
/// outside a simulation.
pub fn current_host() -> Option<HostId> {
    kernel::with(|kernel| kernel.current_host())
}

pub fn host_name() -> Option<String> {
    kernel::with(|kernel| {
        let host = kernel.current_host();
        kernel.host(host).name.clone()
    })
}

/// How often the current host was started.
pub fn incarnation() -> Option<u32> {
    kernel::with(|kernel| {
        let host = kernel.current_host();
        kernel.host(host).incarnation
    })
}

/// True virtual time since the simulation began, in nanoseconds, whatever the clock of the host says. Asking takes no
/// time.
pub fn now_ns() -> Option<u64> {
    kernel::with(|kernel| kernel.elapsed())
}

/// Ends the controller's run, which returns [`RunEnd::Requested`](crate::RunEnd::Requested) once this thread gives its
/// turn away.
pub fn request_stop() {
    kernel::with(|kernel| kernel.request_stop());
}

/// Runs something that must not change the run, such as logging: its clock reads take no time, its randomness comes
/// from a stream of its own, nothing in it is preempted.
///
/// What it cannot hide: a `HashMap` made in here shifts the keys of later ones on the same thread.
pub fn quiet<T>(body: impl FnOnce() -> T) -> T {
    struct Loud;
    impl Drop for Loud {
        fn drop(&mut self) {
            kernel::add_quiet(-1);
        }
    }
    kernel::add_quiet(1);
    let _loud = Loud;
    body()
}
