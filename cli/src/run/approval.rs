//! Who answers the authenticator's question and how: a pure state machine.
//!
//! A click is no user verification: in every mode a presence question is answered by presence alone, and a
//! verification question only by the simulated sensor, if there is one. Where that one sees fingers, the person at the
//! terminal must say which.

use serde::Serialize;
use softkey_authenticator::{Answer, Ask, AskId, Decision, Question, Sample};

use super::sensor::{Finds, Sensor, Touched};

/// Who answers for the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The person at the terminal.
    Ask,
    /// Yes, at once.
    Auto,
    /// No, at once.
    Deny,
    /// Nobody, until the owner touches the key.
    Hold,
}

/// Who gave an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// The person at the terminal.
    Terminal,
    /// Mode auto.
    Auto,
    /// Mode deny.
    Deny,
    /// Mode ask where there is no terminal to ask at.
    Nobody,
    /// The owner, over the control socket.
    Control,
}

/// An answer, ready for the authenticator, and where it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The answer to the open question.
    pub decision: Decision,
    /// Whose it is.
    pub by: By,
}

impl Verdict {
    /// Was it in the client's favour?
    #[must_use]
    pub const fn approves(&self) -> bool {
        matches!(
            self.decision.answer,
            Answer::Yes | Answer::Verified { .. } | Answer::Sample(Sample::Good(_))
        )
    }
}

/// Why an order was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswerable {
    /// No question is open.
    NoQuestion,
    /// The open question wants a long touch, of which a short one is no part.
    WantsLongTouch,
    /// The open question is a verification, which a touch does not answer.
    WantsVerification,
    /// The key has no sensor of its own.
    NoSensor,
    /// The key has no fingerprint sensor.
    NoFingerprintSensor,
}

/// How the owner touches the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// For a moment.
    Short,
    /// For 5 seconds or more.
    Long,
}

/// The one open question and who may answer it.
///
/// Tell it each change of the authenticator's question with [`question`](Self::question), and hand every
/// verdict it gives to the authenticator at once.
#[derive(Debug)]
pub struct Approval {
    mode: Mode,
    /// Is there somebody at a terminal?
    attended: bool,
    sensor: Option<Sensor>,
    open: Option<Ask>,
    /// The last question answered; the authenticator may name it again before it hears the answer.
    answered: Option<AskId>,
}

impl Approval {
    /// No question yet. `attended`: is there a terminal to ask at?
    #[must_use]
    pub const fn new(mode: Mode, attended: bool, sensor: Option<Sensor>) -> Self {
        Self { mode, attended, sensor, open: None, answered: None }
    }

    /// The mode.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// The simulated sensor, if the key has one.
    #[must_use]
    pub const fn sensor(&self) -> Option<Sensor> {
        self.sensor
    }

    /// The question that waits for an answer.
    #[must_use]
    pub const fn open(&self) -> Option<&Ask> {
        self.open.as_ref()
    }

    /// The question to put to the person at the terminal, if it is theirs to answer.
    #[must_use]
    pub fn prompt(&self) -> Option<&Ask> {
        self.open.as_ref().filter(|_| self.mode == Mode::Ask)
    }

    /// The authenticator's question is now this one, or none.
    pub fn question(&mut self, ask: Option<&Ask>) -> Option<Verdict> {
        if ask.is_none() {
            // Its number may come again: a power cycle starts from the first.
            self.answered = None;
        }
        self.open = ask.filter(|ask| self.answered != Some(ask.id)).cloned();
        self.by_mode()
    }

    /// From now on the mode is this one; it answers an open question too.
    pub fn set_mode(&mut self, mode: Mode) -> Option<Verdict> {
        self.mode = mode;
        self.by_mode()
    }

    /// The terminal is gone; an open question that was put to it is refused.
    pub fn unattended(&mut self) -> Option<Verdict> {
        self.attended = false;
        self.by_mode()
    }

    /// The owner touches the key.
    ///
    /// # Errors
    ///
    /// [`Unanswerable`] unless a presence question is open that such a touch answers.
    pub fn touch(&mut self, touch: Touch) -> Result<Verdict, Unanswerable> {
        match self.open.as_ref().map(|ask| &ask.question) {
            None => Err(Unanswerable::NoQuestion),
            Some(Question::LongPresence) if touch == Touch::Short => {
                Err(Unanswerable::WantsLongTouch)
            }
            Some(Question::Presence | Question::LongPresence) => {
                self.answer(true, By::Control).ok_or(Unanswerable::NoQuestion)
            }
            Some(_) => Err(Unanswerable::WantsVerification),
        }
    }

    /// From now on the simulated sensor finds this; an open verification question is
    /// answered so.
    ///
    /// # Errors
    ///
    /// [`Unanswerable::NoSensor`] if there is none.
    pub fn verify(&mut self, finds: Finds) -> Result<Option<Verdict>, Unanswerable> {
        self.sensor.as_mut().ok_or(Unanswerable::NoSensor)?.set(finds);
        Ok(if self.wants_sensor() { self.answer(true, By::Control) } else { None })
    }

    /// From now on this finger touches the simulated fingerprint sensor, or the next touch is a bad one; an open
    /// question of verification or enrollment is answered so.
    ///
    /// # Errors
    ///
    /// [`Unanswerable::NoFingerprintSensor`] if there is none.
    pub fn finger(&mut self, touched: Touched) -> Result<Option<Verdict>, Unanswerable> {
        let sensor = self.sensor.as_mut().ok_or(Unanswerable::NoFingerprintSensor)?;
        if !sensor.touched(touched) {
            return Err(Unanswerable::NoFingerprintSensor);
        }
        Ok(if self.wants_sensor() { self.answer(true, By::Control) } else { None })
    }

    /// Must the person at the terminal name a finger?
    #[must_use]
    pub fn asks_for_finger(&self) -> bool {
        let fingers = self.sensor.is_some_and(|sensor| sensor.finger().is_some());
        fingers && self.prompt().is_some() && self.wants_sensor()
    }

    fn wants_sensor(&self) -> bool {
        let question = self.open.as_ref().map(|ask| &ask.question);
        matches!(question, Some(Question::Verify { .. } | Question::CaptureSample { .. }))
    }

    /// The person at the terminal says yes or no; nothing if the question is not theirs, or if yes does not say which
    /// finger.
    pub fn terminal(&mut self, yes: bool) -> Option<Verdict> {
        self.prompt()?;
        if yes && self.asks_for_finger() {
            return None;
        }
        self.answer(yes, By::Terminal)
    }

    /// The person at the terminal puts a finger on the simulated sensor; nothing if none is asked for.
    pub fn terminal_finger(&mut self, touched: Touched) -> Option<Verdict> {
        if !self.asks_for_finger() || !self.sensor.as_mut()?.touched(touched) {
            return None;
        }
        self.answer(true, By::Terminal)
    }

    fn by_mode(&mut self) -> Option<Verdict> {
        match self.mode {
            Mode::Hold => None,
            Mode::Ask if self.attended => None,
            Mode::Ask => self.answer(false, By::Nobody),
            Mode::Auto => self.answer(true, By::Auto),
            Mode::Deny => self.answer(false, By::Deny),
        }
    }

    fn answer(&mut self, yes: bool, by: By) -> Option<Verdict> {
        let ask = self.open.take()?;
        self.answered = Some(ask.id);
        let answer = match (yes, ask.question) {
            (false, _) => Answer::No,
            (true, Question::Presence | Question::LongPresence) => Answer::Yes,
            (true, question) => match &mut self.sensor {
                Some(sensor) => sensor.answer(&question),
                None => Answer::NotVerified,
            },
        };
        Some(Verdict { decision: Decision { ask: ask.id, answer }, by })
    }
}

#[cfg(test)]
mod tests;
