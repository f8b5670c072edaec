//! authenticatorReset: a new epoch, in one commit whose size does not depend on what is stored.

use core::time::Duration;

use alloc::boxed::Box;
use alloc::vec::Vec;

use rand_core::TryCryptoRng;
use softkey_ctap::Instant;

use crate::authenticator::{
    Authenticator, Consent, Outcome, Progress, Requester, TOUCH_TIMEOUT, Then,
};
use crate::records::{self, Batch, EpochRecord, PinRecord, Totals};
use crate::refusal::Refusal;
use crate::settings::Settings;
use crate::state::epoch_secret;
use crate::step::{Operation, Question};
use crate::store::Store;
use crate::tries::Tries;

/// How long after power-up a reset may be asked for.
const WINDOW: Duration = Duration::from_secs(10);

impl<S: Store, R: TryCryptoRng> Authenticator<S, R> {
    pub(crate) fn reset(&mut self, now: Instant) -> Progress {
        if now.duration_since(self.power_up) > WINDOW {
            return Err(Refusal::ResetWindow);
        }
        let requester = Requester::nobody(Operation::Reset);
        let question = if self.settings.long_touch_for_reset {
            Question::LongPresence
        } else {
            Question::Presence
        };
        let (timeout, then) = (TOUCH_TIMEOUT, Then::Reset);
        Ok(Outcome::Ask(Box::new(Consent { question, requester, timeout, then })))
    }

    /// The new epoch makes every credential identifier and every stored credential unreadable at once; the
    /// records left behind are swept later. The counter that identifiers share goes on.
    pub(crate) fn commit_reset(&mut self) -> Progress {
        let number = self.epoch.wrapping_add(1);
        let record = EpochRecord { number, secret: epoch_secret(&mut self.rng)?, swept: false };
        let pin = PinRecord::NONE;
        let tries = Tries::all(&self.config);
        let settings = Settings::factory(&self.config);
        let totals = Totals::NONE;
        // The new totals are of the new epoch, so they must be sealed by it; if the commit fails, the old
        // epoch goes on.
        let former = self.records.enter(&record);
        let mut batch = Batch::default();
        batch.put(records::EPOCH, &record);
        batch.put_pin(&pin, tries);
        batch.put(records::SETTINGS, &settings.record());
        batch.put(records::TOTALS, &totals);
        if let Err(refusal) = self.records.commit(&mut self.rng, batch) {
            self.records.return_to(former);
            return Err(refusal);
        }
        self.epoch = number;
        self.swept = false;
        self.pin = pin;
        self.tries = tries;
        self.settings = settings;
        self.totals = totals;
        self.tokens.reset_all();
        self.misses = 0;
        self.counters.forget_own();
        self.walk = None;
        self.pending_array = None;
        self.fingers.clear();
        self.enrollment = None;
        Ok(Outcome::Reply(Vec::new()))
    }
}
