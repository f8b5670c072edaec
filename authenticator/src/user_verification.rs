//! Built-in user verification: performBuiltInUv, as a question to the owner.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use rand_core::TryCryptoRng;
use softkey_ctap::Instant;
use softkey_ctap::pin_uv::SharedSecret;

use crate::attestation;
use crate::authenticator::{
    Authenticator, Consent, Outcome, Progress, Requester, TOUCH_TIMEOUT, Then,
};
use crate::client_pin::Wanted;
use crate::pin::max_uv_retries;
use crate::refusal::Refusal;
use crate::step::{Answer, Operation, Question, Sample, Via};
use crate::store::Store;
use crate::token::Method;
use crate::tries::Tries;

/// What a request knows of built-in user verification done for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verification {
    pub(crate) done: bool,
    pub(crate) shows_presence: bool,
}

impl Verification {
    pub(crate) const NOT_DONE: Self = Self { done: false, shows_presence: false };
}

/// A request that waits for built-in user verification.
pub(crate) struct Waiting {
    tries_left: u8,
    requester: Requester,
    purpose: Purpose,
}

/// What verification is for.
pub(crate) enum Purpose {
    /// authenticatorMakeCredential with these parameters, from the start.
    MakeCredential(Vec<u8>),
    /// authenticatorGetAssertion with these parameters, from the start.
    GetAssertion(Vec<u8>),
    /// A token.
    Token(Wanted, SharedSecret),
}

impl<S: Store, R: TryCryptoRng> Authenticator<S, R> {
    /// Verifies the user for a request that will then be looked at from the start.
    pub(crate) fn verify_for_request(
        &mut self,
        purpose: Purpose,
        requester: Requester,
    ) -> Progress {
        let tries = self.config.user_verification.map_or(1, |method| method.tries_per_request);
        self.try_verification(Waiting { tries_left: tries, requester, purpose })
    }

    /// Verifies the user for a token. The platform itself tries again.
    pub(crate) fn verify_for_token(
        &mut self,
        wanted: Wanted,
        shared: SharedSecret,
        rp_id: Option<String>,
    ) -> Progress {
        // A gesture that shows presence is the only question: the registration that follows asks nothing more.
        let enterprise = self.enterprise_attestation() == Some(true);
        let recognisable = wanted.registers()
            && attestation::may_be_recognisable(&self.config.attestation, enterprise);
        let nobody = Requester::nobody(Operation::GetToken);
        let requester = Requester { rp_id, recognisable, ..nobody };
        let purpose = Purpose::Token(wanted, shared);
        self.try_verification(Waiting { tries_left: 1, requester, purpose })
    }

    /// Blocks built-in user verification as its last failure does, until the right PIN or a reset: for an owner
    /// whose sensor has locked itself.
    ///
    /// # Errors
    ///
    /// The store's; then nothing has changed.
    pub fn block_user_verification(&mut self) -> Result<(), Refusal> {
        self.store_tries(Tries { uv: 0, ..self.tries })
    }

    /// Counts a try, then asks. The count is stored first, as for the PIN.
    fn try_verification(&mut self, waiting: Waiting) -> Progress {
        if self.pin.hash.is_some() && self.tries.pin == 0 && self.tries.uv > 0 {
            self.store_tries(Tries { uv: 0, ..self.tries })?;
        }
        if self.tries.uv == 0 || waiting.tries_left == 0 {
            return Err(self.verification_failed(&waiting.purpose));
        }
        let tries_left = self.tries.uv;
        let uv = tries_left.saturating_sub(1);
        let uv_attempts = self.tries.uv_attempts.saturating_add(1);
        self.store_tries(Tries { uv, uv_attempts, ..self.tries })?;
        let requester = waiting.requester.clone();
        let question = Question::Verify { tries_left };
        let then = Then::Verify(waiting);
        let timeout = TOUCH_TIMEOUT;
        Ok(Outcome::Ask(Box::new(Consent { question, requester, timeout, then })))
    }

    /// The user tried.
    pub(crate) fn verified(
        &mut self,
        now: Instant,
        via: Via,
        waiting: Waiting,
        answer: Answer,
    ) -> Progress {
        let shows_presence = match answer {
            Answer::Verified { shows_presence } => Some(shows_presence),
            Answer::Sample(Sample::Good(finger)) if self.knows_finger(finger) => Some(true),
            _ => None,
        };
        let Some(shows_presence) = shows_presence else {
            let tries_left = waiting.tries_left.saturating_sub(1);
            return self.try_verification(Waiting { tries_left, ..waiting });
        };
        self.store_tries(Tries { uv: max_uv_retries(&self.config), ..self.tries })?;
        let verification = Verification { done: true, shows_presence };
        match waiting.purpose {
            Purpose::MakeCredential(body) => self.make_credential(&body, verification),
            Purpose::GetAssertion(body) => self.get_assertion(now, via, &body, verification),
            Purpose::Token(wanted, shared) => {
                self.grant_token(now, &shared, &wanted, (Method::BuiltIn, shows_presence))
            }
        }
    }

    fn verification_failed(&self, purpose: &Purpose) -> Refusal {
        let blocked = self.tries.uv == 0;
        match purpose {
            Purpose::Token(..) if blocked => Refusal::VerificationBlocked,
            Purpose::Token(..) => Refusal::VerificationFailed,
            _ if self.pin.hash.is_some() => Refusal::VerificationFailedPinPossible,
            _ if blocked => Refusal::VerificationExhausted,
            _ => Refusal::VerificationRequired,
        }
    }
}
