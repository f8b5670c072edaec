//! What becomes of each request, gathered until its line is printed.

use softkey_ctap::Instant;
use softkey_ctap::u2f::StatusWord;
use softkey_ctap_hid::JobKind;

use super::approval::{By, Verdict};
use super::broker::PortId;
use super::event::{Answered, Decided, Event};
use super::slot::Request;

/// The requests' bookkeeper.
#[derive(Debug, Default)]
pub struct Ledger {
    /// What was decided about the CTAP2 request in work.
    ctap2: Option<(Decided, Option<By>)>,
    /// What was decided about the U2F question; it outlives the message that raised it.
    u2f: Option<(Decided, Option<By>)>,
    /// The U2F request that was told to try again, and that tries again without a line of its own.
    polling: Option<(PortId, Answered)>,
    answered: u64,
}

impl Ledger {
    /// Requests answered so far.
    #[must_use]
    pub const fn answered(&self) -> u64 {
        self.answered
    }

    /// A CTAP2 request begins.
    pub fn begin(&mut self) {
        self.ctap2 = None;
    }

    /// The user is asked.
    pub fn asked(&mut self, kind: JobKind) {
        *self.of(kind) = Some((Decided::Unanswered, None));
    }

    /// The user has answered.
    pub fn decided(&mut self, kind: JobKind, verdict: &Verdict) {
        let decided = if verdict.approves() { Decided::Approved } else { Decided::Refused };
        *self.of(kind) = Some((decided, Some(verdict.by)));
    }

    /// The request has its answer: what to print, if it is worth a line.
    pub fn answered_with(
        &mut self,
        now: Instant,
        port: PortId,
        request: Request,
        answer: &[u8],
        pretended: Vec<String>,
    ) -> Option<Event> {
        self.answered += 1;
        let mut line = request.line;
        line.set_status(request.kind, answer);
        line.pretended = pretended;
        let tries_again = request.kind == JobKind::Msg && line.command != "U2F check" && {
            let word = StatusWord::split(answer).map(|(_, word)| word);
            word == Some(StatusWord::CONDITIONS_NOT_SATISFIED)
        };
        let asks = request.kind == JobKind::Cbor || is_u2f_ceremony(&line);
        if asks && let Some((decided, by)) = *self.of(request.kind) {
            // A U2F client that is told to try again has been asked something, but has no answer yet.
            let pending = tries_again && decided == Decided::Unanswered;
            (line.decided, line.by) =
                if pending { (Decided::NotAsked, None) } else { (decided, by) };
        }
        if request.kind == JobKind::Cbor || (asks && !tries_again) {
            *self.of(request.kind) = None;
        }
        if tries_again {
            let seen = (port, line.clone());
            if self.polling.as_ref() == Some(&seen) {
                return None;
            }
            self.polling = Some(seen);
        } else {
            self.polling = None;
        }
        line.ms = u64::try_from(now.duration_since(request.since).as_millis()).unwrap_or(u64::MAX);
        Some(Event::Request(Box::new(line)))
    }

    /// The key has lost its power, and what was going on with it.
    pub fn forget(&mut self) {
        (self.ctap2, self.u2f, self.polling) = (None, None, None);
    }

    const fn of(&mut self, kind: JobKind) -> &mut Option<(Decided, Option<By>)> {
        match kind {
            JobKind::Cbor => &mut self.ctap2,
            JobKind::Msg => &mut self.u2f,
        }
    }
}

fn is_u2f_ceremony(line: &Answered) -> bool {
    matches!(line.command.as_str(), "U2F register" | "U2F authenticate")
}
