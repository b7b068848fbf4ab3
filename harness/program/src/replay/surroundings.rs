//! [`Surroundings`] of code that is replayed.
use super::commands;
use super::run::{Heard, Kind, Number, Run};
use crate::interpret::{ActivityEnd, ActivityOrder, Asked, ChildEnd, ChildOrder, Surroundings};
use futures::future::{FutureExt, LocalBoxFuture};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::{Rc, Weak};
use std::task::Poll;

/// What the code of a replayed run can do.
#[derive(Clone)]
pub(super) struct Replayed {
    run: Run,
    root: Scope,
}

/// Something that is cancelled once, and tells those that wait for it in the order in which they came.
#[derive(Default)]
struct Token {
    cancelled: Cell<bool>,
    next: Cell<u64>,
    waiting: RefCell<BTreeMap<u64, Box<dyn FnOnce()>>>,
}

impl Token {
    fn cancel(&self) {
        if !self.cancelled.replace(true) {
            let waiting = std::mem::take(&mut *self.waiting.borrow_mut());
            waiting.into_values().for_each(|tell| tell());
        }
    }

    fn on_cancel(self: &Rc<Token>, tell: impl FnOnce() + 'static) -> Registration {
        if self.cancelled.get() {
            tell();
            return Registration { token: Weak::new(), number: 0 };
        }
        let number = self.next.get();
        self.next.set(number + 1);
        self.waiting.borrow_mut().insert(number, Box::new(tell));
        Registration { token: Rc::downgrade(self), number }
    }

    fn below(self: &Rc<Token>) -> Rc<Token> {
        let child = Rc::new(Token::default());
        let weak = Rc::downgrade(&child);
        self.on_cancel(move || {
            if let Some(child) = weak.upgrade() {
                child.cancel();
            }
        })
        .keep();
        child
    }
}

/// What waits for a token; it no longer does once this is dropped.
struct Registration {
    token: Weak<Token>,
    number: u64,
}

impl Registration {
    fn keep(mut self) {
        self.token = Weak::new();
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        if let Some(token) = self.token.upgrade() {
            // It may be telling those that wait at this moment.
            if let Ok(mut waiting) = token.waiting.try_borrow_mut() {
                waiting.remove(&self.number);
            }
        }
    }
}

/// What can be cancelled at once.
#[derive(Clone, Default)]
pub(super) struct Scope {
    /// Also with the workflow.
    all: Rc<Token>,
    /// By the program only: timers.
    own: Rc<Token>,
}

impl Replayed {
    pub fn new(run: Run) -> Replayed {
        let root = Scope::default();
        let all = root.all.clone();
        run.on_cancel_request(move || all.cancel());
        Replayed { run, root }
    }

    /// Asks for an operation and waits until the run has heard of it; a cancelled token makes the run take it back. Nothing
    /// happens before the future is polled first, as with the official SDK.
    fn operation(
        &self,
        token: Rc<Token>,
        ask: impl FnOnce(&Run) -> Number + 'static,
    ) -> LocalBoxFuture<'static, Heard> {
        let run = self.run.clone();
        async move {
            let number = ask(&run);
            let _registration = token.on_cancel({
                let run = run.clone();
                move || run.cancel(number)
            });
            poll_fn(|_| run.heard(number).map_or(Poll::Pending, Poll::Ready)).await
        }
        .boxed_local()
    }

    /// As [`Replayed::operation`] for what no scope takes back.
    fn asked(&self, ask: impl FnOnce(&Run) -> Number + 'static) -> LocalBoxFuture<'static, Asked> {
        let heard = self.operation(Rc::default(), ask);
        let asked = |heard| if heard == Heard::Asked(Asked::Delivered) { Asked::Delivered } else { Asked::Refused };
        heard.map(asked).boxed_local()
    }
}

impl Surroundings for Replayed {
    type Scope = Scope;

    fn workflow_id(&self) -> String {
        self.run.workflow_id()
    }

    fn root(&self) -> Scope {
        self.root.clone()
    }

    fn scope_below(&self, scope: &Scope) -> Scope {
        Scope { all: scope.all.below(), own: scope.own.below() }
    }

    fn cancel(&self, scope: &Scope) {
        scope.own.cancel();
        scope.all.cancel();
    }

    fn is_cancelled(&self, scope: &Scope) -> bool {
        scope.all.cancelled.get()
    }

    fn activity(&self, scope: &Scope, order: ActivityOrder) -> LocalBoxFuture<'static, ActivityEnd> {
        let heard = self.operation(scope.all.clone(), move |run| {
            run.ask(Kind::Activity(order.activity.cancel), commands::schedule_activity(&run.names(), &order))
        });
        heard.map(|heard| if let Heard::Activity(end) = heard { end } else { ActivityEnd::Failed }).boxed_local()
    }

    fn timer(&self, scope: &Scope, ms: u64) -> LocalBoxFuture<'static, bool> {
        let heard = self.operation(scope.own.clone(), move |run| {
            let id = run.next_timer_id();
            run.ask(Kind::Timer(id.clone()), commands::start_timer(&id, ms))
        });
        heard.map(|heard| heard == Heard::Timer(true)).boxed_local()
    }

    fn received(&self, scope: &Scope, signal: String) -> LocalBoxFuture<'static, bool> {
        let (run, token) = (self.run.clone(), scope.all.clone());
        poll_fn(move |_| {
            if run.take_signal(&signal) {
                Poll::Ready(true)
            } else if token.cancelled.get() {
                Poll::Ready(false)
            } else {
                Poll::Pending
            }
        })
        .boxed_local()
    }

    fn signal(&self, workflow_id: String, signal: String) -> LocalBoxFuture<'static, Asked> {
        self.asked(move |run| run.ask(Kind::SignalOfAnother, commands::signal_another(&workflow_id, &signal)))
    }

    fn request_cancel(&self, workflow_id: String) -> LocalBoxFuture<'static, Asked> {
        self.asked(move |run| run.ask(Kind::CancelOfAnother, commands::cancel_another(&workflow_id)))
    }

    fn child(&self, scope: &Scope, order: ChildOrder) -> LocalBoxFuture<'static, ChildEnd> {
        let heard = self.operation(Rc::default(), {
            let token = scope.all.clone();
            move |run| {
                let number = run.start_child(&order);
                // Also when its parent does not wait for it any more: so does the official SDK.
                token
                    .on_cancel({
                        let run = run.clone();
                        move || run.cancel(number)
                    })
                    .keep();
                number
            }
        });
        heard.map(|heard| if let Heard::Child(end) = heard { end } else { ChildEnd::NotStarted }).boxed_local()
    }

    fn memo(&self, key: &str, value: u64) {
        self.run.tell(commands::memo(key, value));
    }

    fn attribute(&self, value: u64) {
        self.run.tell(commands::attribute(value));
    }

    fn version(&self, change: &str) -> bool {
        self.run.ask_for_version(change);
        true
    }
}
