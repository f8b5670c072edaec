//! The demo's key: an authenticator in memory behind a CTAPHID device, which touches itself and remembers what
//! was said.

use softkey_authenticator::{
    Answer, Ask, Authenticator, Config, Decision, MemoryStore, Question, RootKey, Session, Step,
    Transport, Via,
};
use softkey_ctap::Instant;
use softkey_ctap_hid::{Application, Device, Event, Job, JobKind};

use super::draw;
use crate::error::{CliError, Exit};
use crate::run::memory::Entropy;

/// The key's end of the loopback.
pub(super) struct DemoKey {
    authenticator: Authenticator<MemoryStore, Entropy>,
    heard: Vec<Exchange>,
}

/// One request and what became of it.
pub(super) struct Exchange {
    /// Is it one of CTAP2, or of U2F?
    pub(super) kind: JobKind,
    /// Command byte and CBOR, or an APDU.
    pub(super) request: Vec<u8>,
    /// What the user was asked, and answered with a touch.
    pub(super) asked: Option<Ask>,
    /// Status byte and CBOR, or data and status word.
    pub(super) response: Vec<u8>,
}

impl DemoKey {
    /// A new key of this configuration with an empty memory.
    pub(super) fn new(entropy: &Entropy, config: Config) -> Result<Self, CliError> {
        let root_key = RootKey::new(draw(entropy)?);
        let (store, now) = (MemoryStore::default(), Instant::from_millis(0));
        let opened = Authenticator::open(store, root_key, entropy.clone(), config, now);
        let authenticator = opened.map_err(|error| {
            CliError::new(Exit::Failed, format!("The key has no power: {error:?}."), "try again")
        })?;
        Ok(Self { authenticator, heard: Vec::new() })
    }

    /// What was said since the last call.
    pub(super) fn take_heard(&mut self) -> Vec<Exchange> {
        std::mem::take(&mut self.heard)
    }

    fn carry_out(&mut self, now: Instant, job: Job) -> Vec<u8> {
        let session = Session(u64::from(job.channel.as_u32()));
        let via = Via { transport: Transport::Usb, session };
        let Job { kind, bytes: request, .. } = job;
        let (asked, response) = match kind {
            JobKind::Cbor => self.ctap2(now, via, &request),
            JobKind::Msg => self.u2f(now, via, &request),
        };
        self.heard.push(Exchange { kind, request, asked, response: response.clone() });
        response
    }

    fn ctap2(&mut self, now: Instant, via: Via, request: &[u8]) -> (Option<Ask>, Vec<u8>) {
        let mut asked = None;
        let mut step = Some(self.authenticator.begin(now, via, request));
        while let Some(Step::Asking(ask)) = step {
            let decision = approval(&ask);
            asked = Some(ask);
            step = self.authenticator.resume(now, decision);
        }
        match step {
            Some(Step::Reply(response)) => (asked, response),
            _ => (asked, Vec::new()),
        }
    }

    /// U2F answers at once and asks meanwhile; the client asks again after the touch.
    fn u2f(&mut self, now: Instant, via: Via, request: &[u8]) -> (Option<Ask>, Vec<u8>) {
        let response = self.authenticator.begin_u2f(now, via, request);
        let asked = self.authenticator.asking().cloned();
        if let Some(ask) = &asked {
            self.authenticator.resume(now, approval(ask));
        }
        (asked, response)
    }
}

/// Who touches everything is verified by that.
const fn approval(ask: &Ask) -> Decision {
    let answer = match ask.question {
        Question::Verify { .. } => Answer::Verified { shows_presence: true },
        _ => Answer::Yes,
    };
    Decision { ask: ask.id, answer }
}

impl Application for DemoKey {
    fn attend(&mut self, now: Instant, device: &mut Device) {
        while let Some(job) = device.poll_job() {
            let id = job.id;
            let answer = self.carry_out(now, job);
            device.answer(now, id, &answer);
        }
        while let Some(event) = device.poll_event() {
            if let Event::SessionEnded(channel) = event {
                self.authenticator.session_ended(Session(u64::from(channel.as_u32())));
            }
        }
    }
}
