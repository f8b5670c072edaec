//! What `softkey run` tells its owner: one event a line, as text or as one JSON object. The JSON form is a
//! promise to scripts.

use std::fmt;

use serde::Serialize;
use softkey_authenticator::{Ask, Operation, Question};
use softkey_ctap::StatusCode;
use softkey_ctap::u2f::StatusWord;
use softkey_ctap_hid::JobKind;

use super::approval::{By, Mode};
use super::request::Summary;
use crate::text;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// How the key will be shown, and why; before it is.
    Transport {
        /// One sentence.
        why: String,
    },
    /// The key is plugged in.
    Ready {
        /// Where: `uhid`, or `udp` with the address.
        devices: Vec<String>,
        /// Where credentials are kept: the vault's path, or `memory`.
        memory: String,
        /// Who answers for the user.
        approve: Mode,
        /// Which time this is, the first being 1.
        power_cycle: u64,
    },
    /// Something the owner has switched on that no real key does. At the start and each minute.
    Warning {
        /// One sentence.
        what: String,
    },
    /// Something the owner should know.
    Notice {
        /// One sentence.
        what: String,
    },
    /// The key waits for an answer.
    Question(Asked),
    /// A request was answered.
    Request(Box<Answered>),
    /// A client wants the key to show itself.
    Wink {
        /// Which device.
        device: String,
    },
    /// The owner switched faults on or off.
    Faults {
        /// Those that are on.
        on: Vec<String>,
    },
    /// The owner changed who answers.
    Approve {
        /// The new mode.
        approve: Mode,
    },
    /// The key was unplugged for good.
    Stopped {
        /// Requests answered since the start.
        requests: u64,
    },
}

/// A question as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// `presence`, `long_presence` (a touch of 5 seconds), `verification`, or `sample` (of a finger to enroll).
    pub asks: &'static str,
    /// What the client wants to do: `register`, `sign in`, `choose this key`, `reset`, `verify the user`,
    /// `enroll a finger`.
    pub operation: &'static str,
    /// The relying party.
    pub rp: Option<String>,
    /// The account.
    pub account: Option<String>,
    /// Will the relying party be able to tell this key from all others?
    pub recognisable: bool,
}

/// A request and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answered {
    /// Which device it came to.
    pub device: String,
    /// Who sent it, where the transport knows.
    pub peer: Option<String>,
    /// The channel, eight hexadecimal digits.
    pub channel: String,
    /// The command.
    pub command: String,
    /// The relying party.
    pub rp: Option<String>,
    /// The account.
    pub account: Option<String>,
    /// What was decided.
    pub decided: Decided,
    /// Who decided.
    pub by: Option<By>,
    /// The status code or U2F status word, in hexadecimal.
    pub status: String,
    /// The standard's name for it.
    pub status_name: Option<String>,
    /// Why the authenticator refused, which the client is not told: a name of [`Refusal`].
    ///
    /// [`Refusal`]: softkey_authenticator::Refusal
    pub reason: Option<String>,
    /// From the whole request to its answer, milliseconds.
    pub ms: u64,
    /// What the owner has switched on that no real key does.
    pub pretended: Vec<String>,
    /// The faults that changed the answer or its packets, which the client is not told.
    pub faults: Vec<String>,
}

/// What was decided about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decided {
    /// Nobody was asked.
    NotAsked,
    /// The user was asked and agreed.
    Approved,
    /// The user was asked and refused.
    Refused,
    /// The user was asked and there was no answer.
    Unanswered,
}

impl Asked {
    /// A question of the authenticator.
    #[must_use]
    pub fn of(ask: &Ask) -> Self {
        Self {
            asks: match ask.question {
                Question::Presence => "presence",
                Question::LongPresence => "long_presence",
                Question::CaptureSample { .. } => "sample",
                _ => "verification",
            },
            operation: match ask.operation {
                Operation::MakeCredential => "register",
                Operation::GetAssertion => "sign in",
                Operation::Selection => "choose this key",
                Operation::Reset => "reset",
                Operation::GetToken => "verify the user",
                Operation::Enroll => "enroll a finger",
                _ => "go on",
            },
            rp: ask.rp_id.clone(),
            account: ask.account.clone(),
            recognisable: ask.recognisable,
        }
    }
}

impl Answered {
    /// The request as far as it is known before its answer. `channel` is the CTAPHID channel number.
    #[must_use]
    pub fn new(device: String, peer: Option<String>, channel: u32, summary: Summary) -> Self {
        Self {
            device,
            peer,
            channel: format!("{channel:08x}"),
            command: summary.command,
            rp: summary.rp,
            account: summary.account,
            decided: Decided::NotAsked,
            by: None,
            status: String::new(),
            status_name: None,
            reason: None,
            ms: 0,
            pretended: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Notes the answer.
    pub fn set_status(&mut self, kind: JobKind, answer: &[u8]) {
        (self.status, self.status_name) = match (kind, answer.first(), StatusWord::split(answer)) {
            (JobKind::Cbor, Some(&code), _) => {
                (format!("{code:02x}"), StatusCode(code).name().map(str::to_owned))
            }
            (JobKind::Msg, _, Some((_, word))) => {
                (format!("{:04x}", word.0), word_name(word).map(str::to_owned))
            }
            _ => (String::new(), None),
        };
    }
}

/// The standard's name of a status word.
const fn word_name(word: StatusWord) -> Option<&'static str> {
    Some(match word {
        StatusWord::NO_ERROR => "SW_NO_ERROR",
        StatusWord::CONDITIONS_NOT_SATISFIED => "SW_CONDITIONS_NOT_SATISFIED",
        StatusWord::COMMAND_NOT_ALLOWED => "SW_COMMAND_NOT_ALLOWED",
        StatusWord::WRONG_DATA => "SW_WRONG_DATA",
        StatusWord::WRONG_LENGTH => "SW_WRONG_LENGTH",
        StatusWord::CLA_NOT_SUPPORTED => "SW_CLA_NOT_SUPPORTED",
        StatusWord::INS_NOT_SUPPORTED => "SW_INS_NOT_SUPPORTED",
        _ => return None,
    })
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transport { why: what } | Self::Notice { what } => write!(f, "note: {what}"),
            Self::Ready { devices, memory, approve, power_cycle } => {
                let again = if *power_cycle > 1 { " again" } else { "" };
                let devices = devices.join(", ");
                write!(f, "ready{again}: {devices}; credentials in {memory}; approve {approve}")
            }
            Self::Warning { what } => write!(f, "warning: {what}"),
            Self::Question(asked) => write!(f, "waiting: {asked}"),
            Self::Request(answered) => answered.fmt(f),
            Self::Wink { device } => write!(f, "wink: a client on {device} looks for this key"),
            Self::Faults { on } if on.is_empty() => write!(f, "no fault from now on"),
            Self::Faults { on } => write!(f, "fault {} from now on", on.join(", fault ")),
            Self::Approve { approve } => write!(f, "approve {approve} from now on"),
            Self::Stopped { requests } => write!(f, "stopped: {requests} requests answered"),
        }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.rp {
            Some(rp) => write!(f, "{} asks to {}", text::rp_id(rp), self.operation)?,
            None => write!(f, "a program asks to {}", self.operation)?,
        }
        if let Some(account) = &self.account {
            write!(f, " as {}", text::quoted(account))?;
        }
        match self.asks {
            "long_presence" => write!(f, " (a touch of 5 seconds)")?,
            "verification" => write!(f, " (user verification)")?,
            _ => {}
        }
        if self.recognisable {
            write!(f, "; it can tell this key from all others then")?;
        }
        Ok(())
    }
}

impl fmt::Display for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.command)?;
        if let Some(rp) = &self.rp {
            write!(f, " for {}", text::rp_id(rp))?;
        }
        if let Some(account) = &self.account {
            write!(f, " as {}", text::quoted(account))?;
        }
        write!(f, " from {}", self.peer.as_deref().unwrap_or(&self.device))?;
        match (self.decided, self.by) {
            (Decided::NotAsked, _) => write!(f, ":")?,
            (decided, Some(by)) => write!(f, ": {decided} by {by},")?,
            (decided, None) => write!(f, ": {decided},")?,
        }
        match &self.status_name {
            Some(name) => write!(f, " {name}")?,
            None => write!(f, " status {}", self.status)?,
        }
        if let Some(reason) = &self.reason {
            write!(f, " because {reason}")?;
        }
        if !self.faults.is_empty() {
            write!(f, " changed by {}", self.faults.join(", "))?;
        }
        write!(f, " ({} ms)", self.ms)?;
        if self.pretended.is_empty() {
            Ok(())
        } else {
            write!(f, " [{}]", self.pretended.join(", "))
        }
    }
}

impl fmt::Display for Decided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAsked => "not asked",
            Self::Approved => "approved",
            Self::Refused => "refused",
            Self::Unanswered => "no answer",
        })
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Terminal => "you",
            Self::Auto => "auto",
            Self::Deny => "deny",
            Self::Nobody => "default, with no terminal to ask at",
            Self::Control => "the control socket",
        })
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ask => "ask",
            Self::Auto => "auto",
            Self::Deny => "deny",
            Self::Hold => "hold",
        })
    }
}

#[cfg(test)]
mod tests {
    use softkey_authenticator::AskId;
    use softkey_ctap::Instant;

    use super::*;

    fn answered() -> Answered {
        let summary = Summary {
            command: "makeCredential".into(),
            rp: Some("example.com".into()),
            account: Some("al\u{1b}ice".into()),
        };
        let peer = Some("127.0.0.1:40000".to_owned());
        let mut answered = Answered::new("udp 127.0.0.1:8111".into(), peer, 0xab, summary);
        answered.set_status(JobKind::Cbor, &[0x27]);
        answered.decided = Decided::Refused;
        answered.by = Some(By::Terminal);
        answered.reason = Some("UserRefused".into());
        answered.ms = 12;
        answered
    }

    /// Who asks, what, and what was decided, on one line, with nothing a terminal would act on.
    #[test]
    fn a_request_is_one_line() {
        let line = Event::Request(Box::new(answered())).to_string();
        assert_eq!(
            line,
            "makeCredential for example.com as \"al\\u{1b}ice\" from 127.0.0.1:40000: refused by you, \
             CTAP2_ERR_OPERATION_DENIED because UserRefused (12 ms)"
        );
        let mut plain = answered();
        (plain.decided, plain.peer, plain.rp) = (Decided::NotAsked, None, None);
        (plain.account, plain.reason) = (None, None);
        plain.set_status(JobKind::Msg, &[1, 2, 0x69, 0x85]);
        plain.pretended = vec!["approve auto".into(), "uv simulated".into()];
        assert_eq!(
            plain.to_string(),
            "makeCredential from udp 127.0.0.1:8111: SW_CONDITIONS_NOT_SATISFIED (12 ms) \
             [approve auto, uv simulated]"
        );
    }

    /// Before the user agrees, the prompt says what a registration gives away.
    #[test]
    fn a_question_says_that_the_key_will_be_recognised() {
        let mut ask = Ask {
            id: AskId(1),
            question: Question::Presence,
            operation: Operation::MakeCredential,
            rp_id: Some("example.com".into()),
            account: Some("ada".into()),
            recognisable: true,
            deadline: Instant::from_millis(0),
        };
        assert_eq!(
            Asked::of(&ask).to_string(),
            "example.com asks to register as \"ada\"; it can tell this key from all others then"
        );
        assert_eq!(
            text::json_line(&Event::Question(Asked::of(&ask))).unwrap(),
            "{\"event\":\"question\",\"asks\":\"presence\",\"operation\":\"register\",\
             \"rp\":\"example.com\",\"account\":\"ada\",\"recognisable\":true}"
        );
        ask.operation = Operation::GetToken;
        ask.question = Question::Verify { tries_left: 3 };
        ask.account = None;
        assert_eq!(
            Asked::of(&ask).to_string(),
            "example.com asks to verify the user (user verification); it can tell this key from all others then"
        );
        ask.operation = Operation::MakeCredential;
        ask.question = Question::Presence;
        ask.account = Some("ada".into());
        ask.recognisable = false;
        assert_eq!(Asked::of(&ask).to_string(), "example.com asks to register as \"ada\"");
    }

    /// Scripts read these members.
    #[test]
    fn the_json_form_is_stable() {
        assert_eq!(
            text::json_line(&Event::Request(Box::new(answered()))).unwrap(),
            "{\"event\":\"request\",\"device\":\"udp 127.0.0.1:8111\",\"peer\":\"127.0.0.1:40000\",\
             \"channel\":\"000000ab\",\"command\":\"makeCredential\",\"rp\":\"example.com\",\
             \"account\":\"al\\u001bice\",\"decided\":\"refused\",\"by\":\"terminal\",\"status\":\"27\",\
             \"status_name\":\"CTAP2_ERR_OPERATION_DENIED\",\"reason\":\"UserRefused\",\"ms\":12,\"pretended\":[],\"faults\":[]}"
        );
        let ready = Event::Ready {
            devices: vec!["udp 127.0.0.1:8111".into()],
            memory: "memory".into(),
            approve: Mode::Auto,
            power_cycle: 1,
        };
        assert_eq!(
            text::json_line(&ready).unwrap(),
            "{\"event\":\"ready\",\"devices\":[\"udp 127.0.0.1:8111\"],\"memory\":\"memory\",\
             \"approve\":\"auto\",\"power_cycle\":1}"
        );
        assert_eq!(
            ready.to_string(),
            "ready: udp 127.0.0.1:8111; credentials in memory; approve auto"
        );
    }
}
