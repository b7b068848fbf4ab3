//! Several futures at once, polled in their order and each time all of them: a workflow that other combinators poll would
//! depend on which of them was woken.
use futures::future::LocalBoxFuture;
use std::future::poll_fn;
use std::task::Poll;

/// All results, in the order of the futures.
pub(super) async fn all<T>(futures: Vec<LocalBoxFuture<'static, T>>) -> Vec<T> {
    let mut running: Vec<Option<LocalBoxFuture<'static, T>>> = futures.into_iter().map(Some).collect();
    let mut results: Vec<Option<T>> = running.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (slot, result) in running.iter_mut().zip(results.iter_mut()) {
            if let Some(future) = slot
                && let Poll::Ready(value) = future.as_mut().poll(context)
            {
                *result = Some(value);
                *slot = None;
            }
        }
        if running.iter().all(Option::is_none) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    results.into_iter().flatten().collect()
}

/// The first that is ready, its result, and the others as they are. There must be one at least.
pub(super) async fn first<T>(
    mut futures: Vec<LocalBoxFuture<'static, T>>,
) -> (usize, T, Vec<LocalBoxFuture<'static, T>>) {
    let (which, value) = poll_fn(|context| {
        for (number, future) in futures.iter_mut().enumerate() {
            if let Poll::Ready(value) = future.as_mut().poll(context) {
                return Poll::Ready((number, value));
            }
        }
        Poll::Pending
    })
    .await;
    drop(futures.remove(which));
    (which, value, futures)
}
