//! A user who does what a script says, step by step, and so the same in every run.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zeroize::Zeroizing;

use super::{User, Waits};
use crate::ceremony::{Account, PinNeed};

/// What the user does when a key wants a touch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Act {
    /// Touches it.
    #[default]
    Consent,
    /// Refuses.
    Refuse,
    /// Does nothing, until the time is over.
    Ignore,
    /// Pulls the key out.
    Unplug,
}

/// What the user was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// For a touch; what they did.
    Touch(Act),
    /// For the PIN.
    Pin(PinNeed),
    /// For one of these accounts.
    Account(Vec<Account>),
}

/// A user by script. Clones are the same user, so that one clone can stand at the page, as the [`User`] of a driver, and
/// another one at the key, where it plays the hand by [`Script::touch`].
///
/// Without a script they consent to everything, choose the first account and know no PIN.
#[derive(Clone, Default)]
pub struct Script(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    acts: VecDeque<Act>,
    /// What is done once there are no more acts.
    always: Act,
    accounts: VecDeque<usize>,
    pin: Option<Zeroizing<String>>,
    wrong_pins: u32,
    asked: Vec<Asked>,
}

impl Script {
    /// A user who consents to everything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What they do at the next touch that no act was named for yet.
    #[must_use]
    pub fn then(self, act: Act) -> Self {
        self.lock().acts.push_back(act);
        self
    }

    /// What they do at every touch behind the acts that were named.
    #[must_use]
    pub fn always(self, act: Act) -> Self {
        self.lock().always = act;
        self
    }

    /// Which account they choose the next time that no choice was named for, as an index of the list. Of a list that is
    /// shorter they choose none, as if they closed it.
    #[must_use]
    pub fn account(self, index: usize) -> Self {
        self.lock().accounts.push_back(index);
        self
    }

    /// The PIN that they know.
    #[must_use]
    pub fn pin(self, pin: &str) -> Self {
        self.lock().pin = Some(Zeroizing::new(pin.to_owned()));
        self
    }

    /// How often they mistype it from now on, before they type it right.
    #[must_use]
    pub fn wrong_pins(self, times: u32) -> Self {
        self.lock().wrong_pins = times;
        self
    }

    /// A key wants a touch: what they do. To be called once for each question.
    #[must_use]
    pub fn touch(&self) -> Act {
        let mut state = self.lock();
        let act = state.acts.pop_front().unwrap_or(state.always);
        state.asked.push(Asked::Touch(act));
        act
    }

    /// What they were asked since the last call.
    #[must_use]
    pub fn take_asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.lock().asked)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves these lists as good as they were.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl User for Script {
    /// They wait at the page as long as the page does; what they do at the key is the key's to ask.
    fn waits(&mut self, _: Waits) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn pin(&mut self, need: PinNeed) -> Option<Zeroizing<String>> {
        let mut state = self.lock();
        state.asked.push(Asked::Pin(need));
        let right = state.pin.clone()?;
        if state.wrong_pins == 0 {
            return Some(right);
        }
        state.wrong_pins -= 1;
        let wrong = if right.as_str() == "mistyped" { "mistyped!" } else { "mistyped" };
        Some(Zeroizing::new(wrong.to_owned()))
    }

    fn account(&mut self, accounts: &[Account]) -> Option<usize> {
        let mut state = self.lock();
        state.asked.push(Asked::Account(accounts.to_vec()));
        let index = state.accounts.pop_front().unwrap_or(0);
        (index < accounts.len()).then_some(index)
    }
}
