//! One executable has one memory layout, in every process that asks for it.
#![cfg(lockstep_supported)]

mod support;

use support::{in_processes, report};
use tempest_lockstep::fix_addresses;

static STATIC: u8 = 0;

/// Where things are in this process: code, data, heap, stack, the C library.
fn layout() -> String {
    let (local, boxed) = (0u8, Box::new(0u8));
    let places = [
        layout as *const () as usize,
        &raw const STATIC as usize,
        &raw const *boxed as usize,
        &raw const local as usize,
        libc::getpid as *const () as usize,
    ];
    format!("{places:x?}")
}

fn personality(flags: libc::c_int) -> libc::c_int {
    let flags = libc::c_ulong::try_from(flags).unwrap_or(0xffff_ffff);
    unsafe { libc::personality(flags) }
}

#[test]
fn five_processes_have_one_layout_and_the_arguments_they_were_given() {
    let test = "five_processes_have_one_layout_and_the_arguments_they_were_given";
    let layouts = in_processes(test, &["the same"; 5], |argument| {
        // Whatever started these tests may have fixed the addresses already: back to what is usual first.
        if std::env::var_os("TEMPEST_LOCKSTEP_ADDRESSES_FIXED").is_none() {
            personality(personality(-1) & !libc::ADDR_NO_RANDOMIZE);
        }
        match fix_addresses() {
            Ok(()) => {
                assert!(fix_addresses().is_ok(), "there is nothing left to do");
                assert!(std::env::args().any(|given| given == test), "a new start keeps the arguments");
                report(format!("{argument}: {}", layout()));
            }
            // Some containers forbid it; then it is said, once and for all.
            Err(error) => report(format!("{argument}: refused, {error}")),
        }
    });
    assert!(layouts.iter().all(|layout| *layout == layouts[0] && layout.starts_with("the same: ")), "{layouts:#?}");
}

#[test]
fn a_kernel_that_does_not_listen_is_not_asked_forever() {
    let test = "a_kernel_that_does_not_listen_is_not_asked_forever";
    let answers = in_processes(test, &[""], |_| {
        personality(personality(-1) & !libc::ADDR_NO_RANDOMIZE);
        // As if it had been asked, had started this process anew, and had moved the addresses all the same.
        // Safety: no other thread of this process reads the environment now.
        unsafe { std::env::set_var("TEMPEST_LOCKSTEP_ADDRESSES_FIXED", "1") };
        report(fix_addresses().expect_err("it was asked once"));
    });
    assert_eq!(answers, ["the kernel moves addresses about although it was asked not to"]);
}
