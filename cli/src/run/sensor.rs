//! The simulated sensor of built-in user verification: what it finds when somebody touches it.
//!
//! It is of one of two kinds. The plain one finds the user or does not. The fingerprint sensor sees fingers by
//! number, some of which the authenticator has enrolled; which of them verify is the authenticator's affair.

use std::fmt;
use std::str::FromStr;

use softkey_authenticator::{Answer, Finger, Question, Sample};
use softkey_ctap::bio_enrollment::SampleStatus;

/// What the sensor finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finds {
    /// What there is: the user, or the finger.
    Ok,
    /// Nobody.
    Fail,
    /// It has locked itself and finds nobody. That the authenticator stops trying is for the owner of both to
    /// tell it.
    Lock,
}

impl fmt::Display for Finds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::Fail => "fail",
            Self::Lock => "lock",
        })
    }
}

/// How a finger is put on a fingerprint sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touched {
    /// Well; it is this one of a person's ten.
    Finger(u64),
    /// Badly, so that the sample is of no use.
    Badly(SampleStatus),
}

/// It is neither a number from 1 to 10 nor a way to spoil a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoFinger;

impl fmt::Display for NoFinger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ways: Vec<_> = Touched::ways().map(|(way, _)| way).collect();
        write!(f, "a finger is a number from 1 to 10, a bad sample one of {}", ways.join(", "))
    }
}

impl std::error::Error for NoFinger {}

impl Touched {
    /// The ways to spoil a sample, as they are written: `too-high` for `FP_TOO_HIGH`.
    fn ways() -> impl Iterator<Item = (String, SampleStatus)> {
        let bad = SampleStatus::ALL.iter().filter(|status| **status != SampleStatus::GOOD);
        bad.filter_map(|status| {
            let name = status.name()?;
            let name = name.strip_prefix("FP_").unwrap_or(name);
            Some((name.to_ascii_lowercase().replace('_', "-"), *status))
        })
    }
}

impl FromStr for Touched {
    type Err = NoFinger;

    fn from_str(text: &str) -> Result<Self, NoFinger> {
        if let Ok(number @ 1..=10) = text.parse() {
            return Ok(Self::Finger(number));
        }
        let way = Self::ways().find(|(way, _)| way == text);
        way.map(|(_, status)| Self::Badly(status)).ok_or(NoFinger)
    }
}

impl fmt::Display for Touched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finger(number) => write!(f, "{number}"),
            Self::Badly(status) => {
                let way = Self::ways().find(|(_, known)| known == status);
                f.write_str(&way.map(|(way, _)| way).unwrap_or_default())
            }
        }
    }
}

/// A simulated sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sensor {
    finds: Finds,
    fingers: Option<Fingers>,
}

/// What touches a fingerprint sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fingers {
    /// This one, until another is named.
    finger: u64,
    /// The next sample is spoilt so.
    spoilt: Option<SampleStatus>,
}

impl Sensor {
    /// One that finds the user.
    #[must_use]
    pub const fn plain() -> Self {
        Self { finds: Finds::Ok, fingers: None }
    }

    /// One for fingerprints, which finger 1 touches.
    #[must_use]
    pub const fn fingerprint() -> Self {
        Self { finds: Finds::Ok, fingers: Some(Fingers { finger: 1, spoilt: None }) }
    }

    /// What it finds.
    #[must_use]
    pub const fn finds(&self) -> Finds {
        self.finds
    }

    /// From now on it finds this.
    pub const fn set(&mut self, finds: Finds) {
        self.finds = finds;
    }

    /// The finger that touches it; nothing if it is not for fingerprints.
    #[must_use]
    pub fn finger(&self) -> Option<u64> {
        self.fingers.map(|fingers| fingers.finger)
    }

    /// From now on this finger touches it, or the next touch is a bad one; false if it is not for fingerprints.
    pub const fn touched(&mut self, touched: Touched) -> bool {
        let Some(fingers) = &mut self.fingers else { return false };
        match touched {
            Touched::Finger(finger) => fingers.finger = finger,
            Touched::Badly(status) => fingers.spoilt = Some(status),
        }
        true
    }

    /// What the owner calls it where its pretences are listed.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.fingers {
            None => "uv simulated",
            Some(_) => "uv fingerprint",
        }
    }

    /// What the owner must know of it.
    #[must_use]
    pub const fn warning(&self) -> &'static str {
        match self.fingers {
            None => "uv simulated: the key claims to verify its user and does not",
            Some(_) => {
                "uv fingerprint: the sensor is simulated; whoever may approve is every finger that is enrolled"
            }
        }
    }

    /// Somebody answers a question of verification or enrollment with it.
    pub(super) fn answer(&mut self, question: &Question) -> Answer {
        let enrolls = matches!(question, Question::CaptureSample { .. });
        match (&mut self.fingers, self.finds) {
            // Like a finger on a sensor, the gesture shows presence too.
            (None, Finds::Ok) => Answer::Verified { shows_presence: true },
            (Some(fingers), Finds::Ok) => Answer::Sample(match fingers.spoilt.take() {
                Some(status) => Sample::Bad(status),
                None => Sample::Good(Finger(fingers.finger)),
            }),
            (Some(_), _) if enrolls => Answer::Sample(Sample::Bad(SampleStatus::POOR_QUALITY)),
            (_, Finds::Fail | Finds::Lock) => Answer::NotVerified,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingers_and_bad_samples_read_back() {
        for touched in (1..=10).map(Touched::Finger) {
            assert_eq!(touched.to_string().parse(), Ok(touched));
        }
        let ways: Vec<_> = Touched::ways().collect();
        assert_eq!(ways.len(), 14);
        for (way, status) in ways {
            assert_eq!(way.parse(), Ok(Touched::Badly(status)));
            assert_eq!(Touched::Badly(status).to_string(), way);
        }
        assert_eq!("too-high".parse(), Ok(Touched::Badly(SampleStatus::TOO_HIGH)));
        for wrong in ["", "0", "11", "-1", "good", "TOO-HIGH", "thumb"] {
            assert_eq!(wrong.parse::<Touched>(), Err(NoFinger), "{wrong}");
        }
    }

    /// A finger stays until another is named; a bad touch happens once.
    #[test]
    fn the_fingerprint_sensor_sees_what_touches_it() {
        let (verify, capture) =
            (Question::Verify { tries_left: 3 }, Question::CaptureSample { remaining: 2 });
        let mut sensor = Sensor::fingerprint();
        let good = |finger| Answer::Sample(Sample::Good(Finger(finger)));
        let bad = |status| Answer::Sample(Sample::Bad(status));
        assert_eq!(sensor.answer(&verify), good(1));
        assert!(sensor.touched(Touched::Finger(4)));
        assert!(sensor.touched(Touched::Badly(SampleStatus::TOO_LEFT)));
        assert_eq!(sensor.answer(&capture), bad(SampleStatus::TOO_LEFT));
        assert_eq!(sensor.answer(&capture), good(4));
        sensor.set(Finds::Fail);
        assert_eq!(sensor.answer(&verify), Answer::NotVerified);
        assert_eq!(sensor.answer(&capture), bad(SampleStatus::POOR_QUALITY));
        assert!(!Sensor::plain().touched(Touched::Finger(1)));
    }
}
