//! Every way of answering a question.

use softkey_authenticator::Operation;
use softkey_ctap::Instant;

use super::*;

fn ask(id: u64, question: Question) -> Ask {
    Ask {
        id: AskId(id),
        question,
        operation: Operation::MakeCredential,
        rp_id: Some("example.com".into()),
        account: None,
        recognisable: false,
        deadline: Instant::from_millis(30_000),
    }
}

fn presence(id: u64) -> Ask {
    ask(id, Question::Presence)
}

fn verification(id: u64) -> Ask {
    ask(id, Question::Verify { tries_left: 3 })
}

fn verdict(id: u64, answer: Answer, by: By) -> Verdict {
    Verdict { decision: Decision { ask: AskId(id), answer }, by }
}

const SENSOR: Option<Sensor> = Some(Sensor::plain());

/// Each mode answers as it says, and only auto approves without anybody.
#[test]
fn each_mode_answers_by_its_name() {
    let first = |mode, attended| Approval::new(mode, attended, None).question(Some(&presence(1)));
    assert_eq!(first(Mode::Auto, false), Some(verdict(1, Answer::Yes, By::Auto)));
    assert_eq!(first(Mode::Deny, true), Some(verdict(1, Answer::No, By::Deny)));
    assert_eq!(first(Mode::Hold, true), None);
    assert_eq!(first(Mode::Ask, true), None);
    assert_eq!(first(Mode::Ask, false), Some(verdict(1, Answer::No, By::Nobody)));
}

/// A touch answers the open presence question once; one that comes too early or twice is worth nothing.
#[test]
fn a_touch_is_for_the_open_question_only() {
    let mut approval = Approval::new(Mode::Hold, false, SENSOR);
    assert_eq!(approval.touch(Touch::Short), Err(Unanswerable::NoQuestion));
    assert_eq!(approval.question(Some(&presence(1))), None);
    assert_eq!(approval.touch(Touch::Short), Ok(verdict(1, Answer::Yes, By::Control)));
    assert_eq!(approval.touch(Touch::Short), Err(Unanswerable::NoQuestion));
    // The authenticator names the question once more before it has heard the answer.
    assert_eq!(approval.question(Some(&presence(1))), None);
    assert_eq!(approval.touch(Touch::Short), Err(Unanswerable::NoQuestion));
    approval.question(Some(&verification(2)));
    assert_eq!(approval.touch(Touch::Short), Err(Unanswerable::WantsVerification));
    approval.question(None);
    assert_eq!(approval.touch(Touch::Short), Err(Unanswerable::NoQuestion));
}

/// RS-11: a long touch is wanted: a short one is worth nothing and changes nothing, a long one answers; every mode
/// answers as it does a short question. A long touch is one too where a short one is wanted.
#[test]
fn a_long_touch_is_a_question_of_its_own() {
    let long = || ask(1, Question::LongPresence);
    let first = |mode, attended| Approval::new(mode, attended, SENSOR).question(Some(&long()));
    assert_eq!(first(Mode::Auto, false), Some(verdict(1, Answer::Yes, By::Auto)));
    assert_eq!(first(Mode::Deny, true), Some(verdict(1, Answer::No, By::Deny)));
    assert_eq!(first(Mode::Ask, false), Some(verdict(1, Answer::No, By::Nobody)));
    let mut asked = Approval::new(Mode::Ask, true, None);
    assert_eq!(asked.question(Some(&long())), None);
    assert_eq!(asked.terminal(true), Some(verdict(1, Answer::Yes, By::Terminal)));
    let mut held = Approval::new(Mode::Hold, false, SENSOR);
    assert_eq!(held.question(Some(&long())), None);
    assert_eq!(held.touch(Touch::Short), Err(Unanswerable::WantsLongTouch));
    assert_eq!(held.verify(Finds::Ok), Ok(None), "it is not the sensor's business");
    assert_eq!(held.touch(Touch::Long), Ok(verdict(1, Answer::Yes, By::Control)));
    held.question(Some(&presence(2)));
    assert_eq!(held.touch(Touch::Long), Ok(verdict(2, Answer::Yes, By::Control)));
}

/// A power cycle withdraws the question and begins the identifiers anew: the next question is a new one.
#[test]
fn identifiers_begin_anew_after_a_power_cycle() {
    let mut approval = Approval::new(Mode::Auto, false, None);
    let yes = Some(verdict(1, Answer::Yes, By::Auto));
    assert_eq!(approval.question(Some(&presence(1))), yes);
    assert_eq!(approval.question(None), None);
    assert_eq!(approval.question(Some(&presence(1))), yes);
}

/// No approval, by whomever, becomes a verification without a sensor.
#[test]
fn a_click_never_verifies() {
    let mut auto = Approval::new(Mode::Auto, false, None);
    assert_eq!(
        auto.question(Some(&verification(1))),
        Some(verdict(1, Answer::NotVerified, By::Auto))
    );
    let mut asked = Approval::new(Mode::Ask, true, None);
    asked.question(Some(&verification(1)));
    assert_eq!(asked.terminal(true), Some(verdict(1, Answer::NotVerified, By::Terminal)));
    assert_eq!(asked.verify(Finds::Ok), Err(Unanswerable::NoSensor));
}

/// The simulated sensor finds what the owner says, at once and from then on.
#[test]
fn the_sensor_obeys_the_owner() {
    let mut approval = Approval::new(Mode::Hold, false, SENSOR);
    approval.question(Some(&verification(1)));
    assert_eq!(
        approval.verify(Finds::Fail),
        Ok(Some(verdict(1, Answer::NotVerified, By::Control)))
    );
    assert_eq!(approval.verify(Finds::Ok), Ok(None));
    approval.question(Some(&verification(4)));
    assert_eq!(
        approval.verify(Finds::Lock),
        Ok(Some(verdict(4, Answer::NotVerified, By::Control)))
    );
    assert_eq!(approval.verify(Finds::Ok), Ok(None));
    approval.set_mode(Mode::Auto);
    let verified = Answer::Verified { shows_presence: true };
    assert_eq!(approval.question(Some(&verification(2))), Some(verdict(2, verified, By::Auto)));
    // A presence question is not the sensor's business.
    approval.set_mode(Mode::Hold);
    approval.question(Some(&presence(3)));
    assert_eq!(approval.verify(Finds::Ok), Ok(None));
    assert_eq!(approval.open().map(|ask| ask.id), Some(AskId(3)));
}

/// A change of mode, and the end of the terminal, answer the open question too.
#[test]
fn a_new_mode_answers_the_open_question() {
    let mut approval = Approval::new(Mode::Ask, true, None);
    approval.question(Some(&presence(1)));
    assert_eq!(approval.set_mode(Mode::Hold), None);
    assert_eq!(approval.terminal(true), None, "the question is not the terminal's");
    assert_eq!(approval.set_mode(Mode::Ask), None);
    assert_eq!(approval.unattended(), Some(verdict(1, Answer::No, By::Nobody)));
    approval.set_mode(Mode::Hold);
    approval.question(Some(&presence(2)));
    assert_eq!(approval.set_mode(Mode::Auto), Some(verdict(2, Answer::Yes, By::Auto)));
    assert_eq!(approval.set_mode(Mode::Deny), None);
}

/// After a power cycle the authenticator numbers its questions from one again: the first is answered although
/// the last one answered before bore the same number.
#[test]
fn a_number_that_comes_again_after_the_question_ended_is_a_new_question() {
    let mut approval = Approval::new(Mode::Auto, false, None);
    let yes = Some(verdict(1, Answer::Yes, By::Auto));
    assert_eq!(approval.question(Some(&presence(1))), yes);
    assert_eq!(approval.question(Some(&presence(1))), None);
    approval.question(None);
    assert_eq!(approval.question(Some(&presence(1))), yes);
}

/// A fingerprint sensor is touched by fingers, not by a yes: at the terminal, over the socket, and by auto with the
/// finger named last. A refusal refuses all the same.
#[test]
fn fingers_touch_the_fingerprint_sensor() {
    let good = |finger| Answer::Sample(Sample::Good(softkey_authenticator::Finger(finger)));
    let capture = |id| ask(id, Question::CaptureSample { remaining: 3 });
    let mut asked = Approval::new(Mode::Ask, true, Some(Sensor::fingerprint()));
    asked.question(Some(&presence(1)));
    assert!(!asked.asks_for_finger());
    assert_eq!(asked.terminal_finger(Touched::Finger(2)), None);
    assert_eq!(asked.terminal(true), Some(verdict(1, Answer::Yes, By::Terminal)));
    for (id, question) in [(2, capture(2)), (3, verification(3))] {
        asked.question(Some(&question));
        assert!(asked.asks_for_finger());
        assert_eq!(asked.terminal(true), None, "a click is no finger");
        let touched = asked.terminal_finger(Touched::Finger(id));
        assert_eq!(touched, Some(verdict(id, good(id), By::Terminal)));
    }
    asked.question(Some(&capture(4)));
    assert_eq!(asked.terminal(false), Some(verdict(4, Answer::No, By::Terminal)));

    let mut held = Approval::new(Mode::Hold, false, Some(Sensor::fingerprint()));
    assert_eq!(held.finger(Touched::Finger(7)), Ok(None));
    held.question(Some(&capture(1)));
    assert_eq!(held.touch(Touch::Short), Err(Unanswerable::WantsVerification));
    let bad = softkey_ctap::bio_enrollment::SampleStatus::TOO_LOW;
    let spoilt = verdict(1, Answer::Sample(Sample::Bad(bad)), By::Control);
    assert!(!spoilt.approves());
    assert_eq!(held.finger(Touched::Badly(bad)), Ok(Some(spoilt)));
    assert_eq!(held.set_mode(Mode::Auto), None);
    assert_eq!(held.question(Some(&capture(2))), Some(verdict(2, good(7), By::Auto)));

    let mut plain = Approval::new(Mode::Hold, false, SENSOR);
    assert_eq!(plain.finger(Touched::Finger(1)), Err(Unanswerable::NoFingerprintSensor));
    let mut without = Approval::new(Mode::Hold, false, None);
    assert_eq!(without.finger(Touched::Finger(1)), Err(Unanswerable::NoFingerprintSensor));
}
