//! Tasks under madsim. It drops the future of a task that is killed or aborted where a panic would end the process; tokio ends
//! the task.
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future whose destructors may panic: it is noted, and that is all.
pub struct Contained<F>(Option<Pin<Box<F>>>);

impl<F> Contained<F> {
    pub fn new(future: F) -> Self {
        Self(Some(Box::pin(future)))
    }
}

impl<F: Future> Future for Contained<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.get_mut().0.as_mut().expect("it is there until it is dropped").as_mut().poll(cx)
    }
}

impl<F> Drop for Contained<F> {
    fn drop(&mut self) {
        let future = self.0.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(future)));
    }
}
