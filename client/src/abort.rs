//! `AbortController` and `AbortSignal` (DOM Standard section 3): how a page withdraws a call that waits.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use softkey_ctap::Instant;

/// Why a page aborts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AbortReason {
    /// No reason of its own: the promise is rejected with `AbortError`.
    Abort,
    /// The time of the signal has passed: `TimeoutError`.
    Timeout,
    /// The page's own reason: the promise is rejected with this very value.
    Value(Value),
}

/// The end that aborts. Clones are the same controller, so another thread may hold one.
#[derive(Clone, Debug, Default)]
pub struct AbortController {
    signal: AbortSignal,
}

impl AbortController {
    /// A controller whose signal is not aborted.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The signal, to be given to create or get.
    #[must_use]
    pub fn signal(&self) -> AbortSignal {
        self.signal.clone()
    }

    /// Aborts without a reason of its own.
    pub fn abort(&self) {
        self.abort_with(AbortReason::Abort);
    }

    /// Aborts with a reason. The first reason stays.
    pub fn abort_with(&self, reason: AbortReason) {
        self.signal.lock(|state| {
            state.reason.get_or_insert(reason);
        });
    }
}

/// The end that is looked at. Clones are the same signal.
#[derive(Clone, Debug, Default)]
pub struct AbortSignal(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    reason: Option<AbortReason>,
    at: Option<Instant>,
}

impl AbortSignal {
    /// A signal that is aborted already.
    #[must_use]
    pub fn aborted(reason: AbortReason) -> Self {
        Self(Arc::new(Mutex::new(State { reason: Some(reason), at: None })))
    }

    /// A signal that aborts by itself when the clock of the call reaches this instant.
    #[must_use]
    pub fn timeout(at: Instant) -> Self {
        Self(Arc::new(Mutex::new(State { reason: None, at: Some(at) })))
    }

    /// The reason, if the signal is aborted at this instant.
    #[must_use]
    pub fn reason(&self, now: Instant) -> Option<AbortReason> {
        self.lock(|state| {
            if state.reason.is_none() && state.at.is_some_and(|at| at <= now) {
                state.reason = Some(AbortReason::Timeout);
            }
            state.reason.clone()
        })
    }

    /// When it aborts by itself.
    pub(crate) fn at(&self) -> Option<Instant> {
        self.lock(|state| state.at)
    }

    fn lock<T>(&self, with: impl FnOnce(&mut State) -> T) -> T {
        // A panic elsewhere leaves these two options as good as they were.
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_stays() {
        let controller = AbortController::new();
        let signal = controller.signal();
        let now = Instant::from_millis(0);
        assert_eq!(signal.reason(now), None);
        controller.abort_with(AbortReason::Value("enough".into()));
        controller.abort();
        assert_eq!(signal.reason(now), Some(AbortReason::Value("enough".into())));
    }

    #[test]
    fn a_timeout_comes_at_its_instant() {
        let signal = AbortSignal::timeout(Instant::from_millis(10));
        assert_eq!(signal.reason(Instant::from_millis(9)), None);
        assert_eq!(signal.reason(Instant::from_millis(10)), Some(AbortReason::Timeout));
    }
}
