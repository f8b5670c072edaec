//! The button: the user's only word, and it is yes.

use softkey_authenticator::{Answer, Ask, AskId, Question};
use softkey_ctap::Instant;

/// A level that lasted this long, in milliseconds, is no bouncing.
const STEADY: u64 = 20;
/// How long a press must last, in milliseconds, that stands for "yes, erase everything" (CTAP 2.3, 6.6).
const LONG: u64 = 5000;

/// A button, read every few milliseconds while a question is open.
///
/// A press counts for one question only, and only if it began after the question was asked: who leans on the button, or
/// jams it, agrees to nothing.
#[derive(Clone, Debug, Default)]
pub struct Button {
    /// The level, and since when it has been so.
    level: Option<(bool, Instant)>,
    /// The open question, and when it was heard of.
    asked: Option<(AskId, Instant)>,
}

impl Button {
    /// A button that nobody has read yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { level: None, asked: None }
    }

    /// Takes a reading: is it pressed?
    pub fn read(&mut self, now: Instant, pressed: bool) {
        if self.level.is_none_or(|(level, _)| level != pressed) {
            self.level = Some((pressed, now));
        }
    }

    /// What the last readings say to this question.
    pub fn answer(&mut self, now: Instant, ask: &Ask) -> Option<Answer> {
        let asked = match self.asked {
            Some((id, at)) if id == ask.id => at,
            _ => now,
        };
        self.asked = Some((ask.id, asked));
        let (true, since) = self.level? else { return None };
        let needed = match ask.question {
            Question::Presence => STEADY,
            Question::LongPresence => LONG,
            // Verification and fingers need more than a button.
            _ => return None,
        };
        let held = now.as_millis().saturating_sub(since.as_millis());
        (since > asked && held >= needed).then_some(Answer::Yes)
    }
}

#[cfg(test)]
mod tests {
    use softkey_authenticator::Operation;

    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    fn ask(id: u64, question: Question) -> Ask {
        Ask {
            id: AskId(id),
            question,
            operation: Operation::Selection,
            rp_id: None,
            account: None,
            recognisable: false,
            deadline: at(1_000_000),
        }
    }

    /// Reads a button that is pressed in these spans, every 10 ms, and gives when it first answers.
    fn first_answer(ask: &Ask, asked: u64, pressed: &[(u64, u64)]) -> Option<u64> {
        let mut button = Button::new();
        (0..20_000).step_by(10).find(|millis| {
            button.read(at(*millis), pressed.iter().any(|(from, to)| (from..to).contains(&millis)));
            *millis >= asked && button.answer(at(*millis), ask) == Some(Answer::Yes)
        })
    }

    #[test]
    fn a_press_answers_once_it_is_steady() {
        let presence = ask(1, Question::Presence);
        assert_eq!(first_answer(&presence, 100, &[(300, 500)]), Some(320));
        assert_eq!(first_answer(&presence, 100, &[]), None);
    }

    #[test]
    fn bouncing_is_no_press() {
        let presence = ask(1, Question::Presence);
        assert_eq!(first_answer(&presence, 0, &[(300, 310), (320, 330), (340, 350)]), None);
        assert_eq!(first_answer(&presence, 0, &[(300, 310), (330, 500)]), Some(350));
    }

    #[test]
    fn a_press_from_before_the_question_is_none() {
        let presence = ask(1, Question::Presence);
        assert_eq!(first_answer(&presence, 400, &[(300, 9000)]), None);
        assert_eq!(first_answer(&presence, 400, &[(300, 9000), (9500, 9600)]), Some(9520));
    }

    /// Five seconds on end, and not in pieces.
    #[test]
    fn a_reset_takes_five_seconds_on_end() {
        let long = ask(1, Question::LongPresence);
        assert_eq!(first_answer(&long, 0, &[(100, 5090)]), None);
        assert_eq!(first_answer(&long, 0, &[(100, 3000), (3010, 7000)]), None);
        assert_eq!(first_answer(&long, 0, &[(100, 9000)]), Some(5100));
    }

    #[test]
    fn one_press_is_not_good_for_the_next_question() {
        let mut button = Button::new();
        button.read(at(0), false);
        assert_eq!(button.answer(at(0), &ask(1, Question::Presence)), None);
        button.read(at(10), true);
        assert_eq!(button.answer(at(30), &ask(1, Question::Presence)), Some(Answer::Yes));
        assert_eq!(button.answer(at(30), &ask(2, Question::Presence)), None);
        button.read(at(9000), true);
        assert_eq!(button.answer(at(9000), &ask(2, Question::LongPresence)), None);
    }

    #[test]
    fn a_button_verifies_nobody() {
        assert_eq!(
            first_answer(&ask(1, Question::Verify { tries_left: 3 }), 0, &[(100, 9000)]),
            None
        );
        assert_eq!(
            first_answer(&ask(1, Question::CaptureSample { remaining: 1 }), 0, &[(100, 9000)]),
            None
        );
    }
}
