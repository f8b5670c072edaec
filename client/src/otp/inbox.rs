//! Where messages arrive: whoever has a source pushes texts here, and calls that wait look.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::secret_text::SecretText;

/// How many messages are kept for calls that look late.
const ROOM: usize = 64;

/// A profile's inbox. Clones are the same inbox, so another thread may fill it.
///
/// A message that came before a call is nothing to it, and each is given to one call at most. The oldest of more than 64
/// messages are forgotten.
#[derive(Clone, Default)]
pub struct Inbox(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    arrived: u64,
    messages: VecDeque<(u64, SecretText)>,
}

impl Inbox {
    /// A message has come.
    pub fn push(&self, text: impl Into<String>) {
        self.with(|state| {
            state.messages.push_back((state.arrived, SecretText::new(text)));
            state.arrived += 1;
            if state.messages.len() > ROOM {
                state.messages.pop_front();
            }
        });
    }

    /// How many messages have come in all.
    #[must_use]
    pub fn arrived(&self) -> u64 {
        self.with(|state| state.arrived)
    }

    /// Takes the first message that fits out, of those that came at this place or later.
    pub(super) fn take<T>(&self, from: u64, mut fits: impl FnMut(&str) -> Option<T>) -> Option<T> {
        self.with(|state| {
            let mut later =
                state.messages.iter().enumerate().filter(|(_, (place, _))| *place >= from);
            let (index, fit) =
                later.find_map(|(index, (_, text))| Some((index, fits(text.expose())?)))?;
            state.messages.remove(index);
            Some(fit)
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        // A queue is whole after every change, so a panic elsewhere did no harm.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("arrived", &self.arrived()).finish_non_exhaustive()
    }
}
