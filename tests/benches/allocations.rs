//! Allocations of the core, transition by transition of a plain run: how many, and of how many bytes.
//!
//! Not criterion: they are counted, not timed, and the same every time. `cargo bench --bench allocations`.
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on says so by a panic")]
#![allow(unsafe_code, reason = "an allocator cannot be written without")]
#[path = "life.rs"]
mod life;

use life::{Run, complete, schedule};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The system's allocator, and what was asked of it.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

fn count(bytes: usize) {
    ALLOCATIONS.fetch_add(1, Relaxed);
    BYTES.fetch_add(bytes as u64, Relaxed);
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A step of a run, by name.
type Step = (&'static str, fn(&mut Run));

fn main() {
    let steps: [Step; 4] = [
        ("start", Run::start),
        ("workflow task that schedules", |run| run.workflow_task(vec![schedule("charge".into())])),
        ("activity", |run| run.activity(5)),
        ("workflow task that completes", |run| run.workflow_task(vec![complete()])),
    ];
    println!("{:<30}  {:>11}  {:>9}", "of the core", "allocations", "bytes");
    let mut run = Run::new();
    let mut total = (0, 0);
    for (name, step) in steps {
        let before = (ALLOCATIONS.load(Relaxed), BYTES.load(Relaxed));
        step(&mut run);
        let (allocations, bytes) = (ALLOCATIONS.load(Relaxed) - before.0, BYTES.load(Relaxed) - before.1);
        total = (total.0 + allocations, total.1 + bytes);
        println!("{name:<30}  {allocations:>11}  {bytes:>9}");
    }
    println!("{:<30}  {:>11}  {:>9}", "a life", total.0, total.1);
}
