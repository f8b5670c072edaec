//! CTAP1/U2F: REGISTER, AUTHENTICATE and VERSION, which never wait.
//!
//! A request that needs presence is answered at once with `CONDITIONS_NOT_SATISFIED`; the client asks again every
//! few hundred milliseconds, and the question stays open meanwhile. There is one such question at a time, keyed by
//! what was asked. Another client's cannot take its place while it is polled for, nor use the touch; a client that
//! asks for something else itself has given up what it asked for before.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use rand_core::TryCryptoRng;
use softkey_ctap::Instant;
use softkey_ctap::Secret;
use softkey_ctap::u2f::{
    Apdu, AuthenticateRequest, AuthenticateResponse, Body, RegisterRequest, RegisterResponse,
    StatusWord, VERSION, control, instruction,
};

use crate::algorithm::Algorithm;
use crate::attestation;
use crate::authenticator::{Authenticator, Requester};
use crate::credential::{self, Credential, Inside, Kind, Protection};
use crate::key_pair::{PrivateKey, PublicKey};
use crate::refusal::Refusal;
use crate::step::{Answer, Ask, AskId, Operation, Question, Session, Via};
use crate::store::Store;

/// A question that nobody asks about any more is withdrawn after this time.
const POLL_LIMIT: Duration = Duration::from_secs(2);

/// How long presence counts once it was shown.
const PRESENCE_LIMIT: Duration = Duration::from_secs(10);

/// The open question of U2F.
pub(crate) struct OpenQuestion {
    ask: Ask,
    /// Who asked last.
    session: Session,
    key: (Operation, [u8; 32]),
    polled: Instant,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Presence was shown then.
    Present(Instant),
    /// No more is asked until the client gives up.
    Refused,
}

impl OpenQuestion {
    /// The question, while it wants an answer.
    pub(crate) fn ask(&self) -> Option<&Ask> {
        (self.state == State::Open).then_some(&self.ask)
    }

    /// Is it this question, and does it want an answer?
    pub(crate) fn is(&self, id: AskId) -> bool {
        self.state == State::Open && self.ask.id == id
    }

    pub(crate) fn answered(&mut self, now: Instant, answer: Answer) {
        match answer {
            Answer::Yes => self.state = State::Present(now),
            Answer::No => self.state = State::Refused,
            Answer::Verified { .. } | Answer::NotVerified | Answer::Sample(_) => {}
        }
    }

    /// Does it stand in the way of another one, by this client?
    fn holds(&self, now: Instant, session: Session) -> bool {
        self.session != session && now < self.polled + POLL_LIMIT
    }

    /// When it is over.
    pub(crate) fn ends(&self) -> Instant {
        match self.state {
            State::Open | State::Refused => self.polled + POLL_LIMIT,
            State::Present(since) => since + PRESENCE_LIMIT,
        }
    }
}

type Answered = Result<Vec<u8>, StatusWord>;

impl<S: Store, R: TryCryptoRng> Authenticator<S, R> {
    /// Answers one U2F message, an APDU; the answer ends with its status word.
    pub fn begin_u2f(&mut self, now: Instant, via: Via, apdu: &[u8]) -> Vec<u8> {
        self.walk.take_if(|walk| walk.session == via.session);
        self.u2f.take_if(|question| now >= question.ends());
        match self.u2f_message(now, via.session, apdu) {
            Ok(data) => StatusWord::NO_ERROR.behind(data),
            Err(word) => word.to_bytes(),
        }
    }

    fn u2f_message(&mut self, now: Instant, session: Session, apdu: &[u8]) -> Answered {
        if self.settings.always_uv || !self.config.u2f {
            return Err(StatusWord::COMMAND_NOT_ALLOWED);
        }
        let apdu = Apdu::from_bytes(apdu).ok_or(StatusWord::WRONG_LENGTH)?;
        if apdu.cla != 0 {
            return Err(StatusWord::CLA_NOT_SUPPORTED);
        }
        let data = || match apdu.data {
            Body::Data(data) => Ok(data),
            Body::WrongLength => Err(StatusWord::WRONG_LENGTH),
        };
        match apdu.ins {
            instruction::REGISTER => {
                let request = RegisterRequest::from_bytes(data()?);
                self.register(now, session, &request.ok_or(StatusWord::WRONG_LENGTH)?)
            }
            instruction::AUTHENTICATE => {
                let request = AuthenticateRequest::from_bytes(data()?);
                self.authenticate(now, session, apdu.p1, &request.ok_or(StatusWord::WRONG_LENGTH)?)
            }
            instruction::VERSION if data()?.is_empty() => Ok(VERSION.to_vec()),
            instruction::VERSION => Err(StatusWord::WRONG_LENGTH),
            _ => Err(StatusWord::INS_NOT_SUPPORTED),
        }
    }

    fn register(&mut self, now: Instant, session: Session, request: &RegisterRequest) -> Answered {
        self.test_presence(now, session, Operation::MakeCredential, &request.application)?;
        let RegisterRequest { challenge, application } = request;
        let seed = Secret::try_make(|bytes| self.rng.try_fill_bytes(bytes));
        let seed = seed.map_err(|_| StatusWord::OTHER)?;
        let PublicKey::Point { sec1, .. } =
            PrivateKey::from_seed(Algorithm::Es256, &seed).map_err(internal)?.public()
        else {
            return Err(StatusWord::OTHER);
        };
        let public_key: [u8; 65] = sec1.try_into().map_err(|_| StatusWord::OTHER)?;
        #[cfg(feature = "faults")]
        let public_key = self.faults.distort_u2f_key(public_key);
        let keys = self.records.keys();
        let inside = Inside {
            kind: Kind::U2f,
            algorithm: Algorithm::Es256,
            protection: Protection::Optional,
            third_party_payment: false,
            backup_eligible: false,
            rp16: keys.rp16(application),
            secret: seed,
        };
        let handle = inside.seal(&keys.credential_id, &mut self.rng).map_err(internal)?;
        let message: [&[u8]; 5] = [&[0], application, challenge, &handle, &public_key];
        let (signature, certificate) = attestation::register(&self.config.attestation, &message);
        let response = RegisterResponse {
            public_key: &public_key,
            key_handle: &handle,
            certificate: &certificate,
            signature: &signature,
        };
        let response = response.to_bytes().ok_or(StatusWord::OTHER)?;
        #[cfg(feature = "faults")]
        self.faults.tell();
        Ok(response)
    }

    fn authenticate(
        &mut self,
        now: Instant,
        session: Session,
        control: u8,
        request: &AuthenticateRequest<'_>,
    ) -> Answered {
        let known = [
            control::CHECK_ONLY,
            control::ENFORCE_USER_PRESENCE,
            control::DONT_ENFORCE_USER_PRESENCE,
        ];
        if !known.contains(&control) {
            return Err(StatusWord::WRONG_DATA);
        }
        let found = credential::find(&mut self.records, &request.application, request.key_handle);
        let credential = found.map_err(internal)?.filter(usable);
        #[cfg(feature = "faults")]
        let credential = credential.filter(|credential| self.faults.finds_by_u2f(credential));
        let credential = credential.ok_or(StatusWord::WRONG_DATA)?;
        if control == control::CHECK_ONLY {
            return Err(StatusWord::CONDITIONS_NOT_SATISFIED);
        }
        let enforce = control == control::ENFORCE_USER_PRESENCE;
        if enforce {
            self.test_presence(now, session, Operation::GetAssertion, &request.application)?;
        }
        let counter = self.next_shared_count().map_err(internal)?;
        let user_presence = u8::from(enforce);
        let (application, challenge) = (request.application, request.challenge);
        #[cfg(feature = "faults")]
        let (application, challenge, user_presence, counter) =
            self.faults.distort_u2f((application, challenge, user_presence, counter));
        let key = credential.private_key().map_err(internal)?;
        let signature =
            key.sign(&[&application, &[user_presence], &counter.to_be_bytes(), &challenge]);
        let signature = signature.map_err(internal)?;
        #[cfg(feature = "faults")]
        self.faults.tell();
        Ok(AuthenticateResponse { user_presence, counter, signature: &signature }.to_bytes())
    }

    /// Takes presence that was shown for just this, or leaves the question open.
    fn test_presence(
        &mut self,
        now: Instant,
        session: Session,
        operation: Operation,
        application: &[u8; 32],
    ) -> Result<(), StatusWord> {
        let key = (operation, *application);
        if self.is_waiting() {
            return Err(StatusWord::CONDITIONS_NOT_SATISFIED);
        }
        match &mut self.u2f {
            Some(question) if question.key == key => {
                if let State::Present(_) = question.state {
                    self.u2f = None;
                    return Ok(());
                }
                question.session = session;
                question.polled = now;
                question.ask.deadline = now + POLL_LIMIT;
            }
            Some(question) if question.holds(now, session) => {}
            _ => {
                let rp_id = Some(hexadecimal(application));
                let recognisable = operation == Operation::MakeCredential
                    && attestation::is_recognisable_by_u2f(&self.config.attestation);
                let requester = Requester { rp_id, recognisable, ..Requester::nobody(operation) };
                let mut ask = self.ask(now, Question::Presence, requester);
                ask.deadline = now + POLL_LIMIT;
                self.u2f =
                    Some(OpenQuestion { ask, session, key, polled: now, state: State::Open });
            }
        }
        Err(StatusWord::CONDITIONS_NOT_SATISFIED)
    }
}

/// May U2F use this credential? It cannot verify the user, and knows nothing but ES256 without a store.
fn usable(credential: &Credential) -> bool {
    !matches!(credential.kind, Kind::Discoverable(_))
        && credential.algorithm == Algorithm::Es256
        && credential.visible(false, true)
}

/// U2F has no codes for what goes wrong inside.
const fn internal(_: Refusal) -> StatusWord {
    StatusWord::OTHER
}

fn hexadecimal(hash: &[u8; 32]) -> String {
    hash.iter().fold(String::from("sha256:"), |text, byte| text + &format!("{byte:02x}"))
}
