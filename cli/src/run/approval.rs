//! Who answers the authenticator's question and how: a pure state machine.
//!
//! A click is no user verification: in every mode a presence question is answered by presence alone, and a
//! verification question only by the simulated sensor, if there is one.

use serde::Serialize;
use softkey_authenticator::{Answer, Ask, AskId, Decision, Question};

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
        matches!(self.decision.answer, Answer::Yes | Answer::Verified { .. })
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

/// The simulated sensor: what it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sensor {
    /// It recognises the user.
    Ok,
    /// It does not.
    Fail,
    /// It has locked itself and finds nobody. That the authenticator stops trying is for the owner of both to
    /// tell it.
    Lock,
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
    pub fn verify(&mut self, finds: Sensor) -> Result<Option<Verdict>, Unanswerable> {
        *self.sensor.as_mut().ok_or(Unanswerable::NoSensor)? = finds;
        let wanted = matches!(&self.open, Some(Ask { question: Question::Verify { .. }, .. }));
        Ok(if wanted { self.answer(true, By::Control) } else { None })
    }

    /// The person at the terminal says yes or no; nothing if the question is not theirs.
    pub fn terminal(&mut self, yes: bool) -> Option<Verdict> {
        self.prompt()?;
        self.answer(yes, By::Terminal)
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
            (true, _) => match self.sensor {
                // Like a finger on a sensor, the gesture shows presence too.
                Some(Sensor::Ok) => Answer::Verified { shows_presence: true },
                _ => Answer::NotVerified,
            },
        };
        Some(Verdict { decision: Decision { ask: ask.id, answer }, by })
    }
}

#[cfg(test)]
mod tests;
