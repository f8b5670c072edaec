//! One key's place in a request: its ceremony, what that waits for, and the selection that may come before a PIN.

use crate::ceremony::{Ceremony, Input, Need, Step};
use crate::credential::Credential;
use crate::entropy::Entropy;
use crate::manage;
use crate::session::Reach;

pub(super) struct Slot {
    reach: Reach,
    ceremony: Option<Ceremony<Credential>>,
    selection: Option<Ceremony<()>>,
    /// What the ceremony waits for.
    need: Option<Need>,
    /// Does the owner's answer to a message stand out?
    in_work: bool,
    cancelled: bool,
}

/// What came of an input.
pub(super) enum Turn {
    /// Nothing was waited for.
    Nothing,
    /// The ceremony goes on.
    Ceremony(Step<Credential>),
    /// The selection goes on.
    Selection(Step<()>),
}

impl Slot {
    pub(super) const fn new(reach: Reach) -> Self {
        let (ceremony, selection, need) = (None, None, None);
        Self { reach, ceremony, selection, need, in_work: false, cancelled: false }
    }

    pub(super) const fn reach(&self) -> Reach {
        self.reach
    }

    pub(super) const fn is_cancelled(&self) -> bool {
        self.cancelled
    }

    /// The ceremony waits for this.
    pub(super) fn wait(&mut self, need: Need, ceremony: Ceremony<Credential>) {
        self.in_work = is_message(&need);
        self.need = Some(need);
        self.ceremony = Some(ceremony);
    }

    /// Puts the ceremony's need off until the key is touched.
    pub(super) fn select(&self, entropy: Entropy) -> Step<()> {
        manage::select(self.reach, entropy).start()
    }

    /// The selection waits for this.
    pub(super) fn wait_for_selection(&mut self, need: &Need, selection: Ceremony<()>) {
        self.in_work = is_message(need);
        self.selection = Some(selection);
    }

    /// The key is selected; what its ceremony needs.
    pub(super) const fn selected(&mut self) -> Option<Need> {
        self.need.take()
    }

    pub(super) fn next(&mut self, input: Input) -> Turn {
        self.in_work = false;
        if let Some(selection) = self.selection.take() {
            return Turn::Selection(selection.next(input));
        }
        match self.ceremony.take() {
            Some(ceremony) => Turn::Ceremony(ceremony.next(input)),
            None => Turn::Nothing,
        }
    }

    /// Cancels; does the key's answer have to be awaited?
    pub(super) const fn cancel(&mut self) -> bool {
        self.cancelled = true;
        self.in_work
    }
}

const fn is_message(need: &Need) -> bool {
    matches!(need, Need::Cbor(_) | Need::Msg(_))
}
