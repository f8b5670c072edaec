//! The owner's side of the key: whoever approves, what is printed, what stands in the terminal's last line,
//! and the warnings that come back each minute.

use std::time::Duration;

use softkey_authenticator::Ask;
use softkey_ctap::Instant;
use softkey_ctap_hid::JobKind;

use super::approval::{Approval, Mode, Touch, Unanswerable, Verdict};
use super::event::{Asked, Event};
use super::key_clock::KeyClock;
use super::screen::Screen;
use super::sensor::{Finds, NoFinger, Touched};
use super::terminal::{Terminal, Word};
use crate::faults::wire::PacketFault;
use crate::faults::{Board, Spec};

/// How often the owner is reminded of what no real key does.
const REMINDER: Duration = Duration::from_mins(1);

/// Approval, screen and terminal.
#[derive(Debug)]
pub struct Desk {
    approval: Approval,
    screen: Screen,
    terminal: Option<Terminal>,
    /// Events alone do not reach the person at the terminal.
    notes: bool,
    /// Nobody's approval will do.
    auto_allowed: bool,
    /// Seconds left in the prompt that is shown.
    shown: Option<u64>,
    remind_at: Option<Instant>,
    faults: Board,
    /// What the key is, if not the default.
    profile: Option<String>,
    /// What its questions end by, if not the machine's clock.
    standing: Option<KeyClock>,
}

/// What the person at the terminal wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typed {
    /// An answer to the open question.
    Verdict(Verdict),
    /// A power cycle.
    Replug,
}

impl Desk {
    /// A desk without a question. `notes`: repeat questions on standard error, because events go elsewhere or
    /// are not for people. `auto_allowed`: may the mode become [`Mode::Auto`] later?
    #[must_use]
    pub fn new(
        approval: Approval,
        screen: Screen,
        terminal: Option<Terminal>,
        notes: bool,
        auto_allowed: bool,
    ) -> Self {
        Self {
            approval,
            screen,
            terminal,
            notes,
            auto_allowed,
            shown: None,
            remind_at: None,
            faults: Board::default(),
            profile: None,
            standing: None,
        }
    }

    /// The same for a key of this profile, which is named wherever it matters.
    #[must_use]
    pub fn with_profile(self, profile: Option<String>) -> Self {
        Self { profile, ..self }
    }

    /// The key's questions end by this clock.
    pub fn go_by(&mut self, clock: KeyClock) {
        self.standing = Some(clock).filter(KeyClock::is_virtual);
    }

    /// Who approves.
    #[must_use]
    pub const fn approval(&self) -> &Approval {
        &self.approval
    }

    /// The terminal, while there is one.
    #[must_use]
    pub const fn terminal(&self) -> Option<&Terminal> {
        self.terminal.as_ref()
    }

    /// Prints an event.
    pub fn event(&mut self, event: &Event) {
        self.screen.event(event);
    }

    /// The authenticator's question is now this one, or none.
    pub fn question(&mut self, now: Instant, ask: Option<&Ask>) -> Option<Verdict> {
        let before = self.approval.open().map(|ask| ask.id);
        let verdict = self.approval.question(ask);
        if let Some(open) = self.approval.open()
            && before != Some(open.id)
        {
            self.announce();
        }
        self.refresh(now);
        verdict
    }

    /// Changes who answers, and says so.
    ///
    /// # Errors
    ///
    /// Nothing changes if the person at the terminal is to answer and there is none, or if nobody is and
    /// strangers can reach the key.
    pub fn set_mode(&mut self, now: Instant, mode: Mode) -> Result<Option<Verdict>, NotThatMode> {
        match mode {
            Mode::Ask if self.terminal.is_none() => return Err(NotThatMode::NoTerminal),
            Mode::Auto if !self.auto_allowed => return Err(NotThatMode::Exposed),
            _ => {}
        }
        let verdict = self.approval.set_mode(mode);
        self.event(&Event::Approve { approve: mode });
        self.warn(now);
        if self.approval.prompt().is_some() {
            self.announce();
        }
        self.refresh(now);
        Ok(verdict)
    }

    /// The owner touches the key over the control socket.
    ///
    /// # Errors
    ///
    /// As [`Approval::touch`].
    pub fn touch(&mut self, now: Instant, touch: Touch) -> Result<Verdict, Unanswerable> {
        let verdict = self.approval.touch(touch);
        self.refresh(now);
        verdict
    }

    /// The owner decides what the simulated sensor finds.
    ///
    /// # Errors
    ///
    /// As [`Approval::verify`].
    pub fn verify(&mut self, now: Instant, finds: Finds) -> Result<Option<Verdict>, Unanswerable> {
        let verdict = self.approval.verify(finds);
        self.refresh(now);
        verdict
    }

    /// The owner puts a finger on the simulated fingerprint sensor.
    ///
    /// # Errors
    ///
    /// As [`Approval::finger`].
    pub fn finger(
        &mut self,
        now: Instant,
        touched: Touched,
    ) -> Result<Option<Verdict>, Unanswerable> {
        let verdict = self.approval.finger(touched);
        self.refresh(now);
        verdict
    }

    /// Reads what was typed; call when the terminal is readable.
    pub fn read_terminal(&mut self, now: Instant) -> Vec<Typed> {
        let Some(terminal) = &mut self.terminal else { return Vec::new() };
        let typed = if let Some(words) = terminal.read() {
            words.into_iter().filter_map(|word| self.obey(word)).collect()
        } else {
            self.terminal = None;
            let what = "the terminal is gone; nobody can be asked there any more".into();
            self.event(&Event::Notice { what });
            self.approval.unattended().map(Typed::Verdict).into_iter().collect()
        };
        // The person's own line feed has moved the cursor: the prompt begins anew.
        self.shown = None;
        self.screen.prompt(None);
        self.refresh(now);
        typed
    }

    /// What the owner has switched on that no real key does.
    #[must_use]
    pub fn pretended(&self) -> Vec<String> {
        let auto = (self.approval.mode() == Mode::Auto).then_some("approve auto");
        let sensor = self.approval.sensor().map(|sensor| sensor.name());
        let faults = self.faults.on().map(|spec| format!("fault {spec}"));
        let profile = self.profile.as_ref().map(|name| format!("profile {name}"));
        let clock = self.standing.is_some().then_some("virtual clock");
        let fixed = auto.into_iter().chain(sensor).chain(clock).map(str::to_owned);
        fixed.chain(profile).chain(faults).collect()
    }

    /// The faults that are on.
    pub fn faults(&self) -> impl Iterator<Item = &Spec> {
        self.faults.on()
    }

    /// Those of them that are about packets: what is to be done to the answer to this request, and their names.
    pub fn packet_faults(
        &mut self,
        kind: JobKind,
        request: &[u8],
    ) -> (Vec<PacketFault>, Vec<String>) {
        self.faults.packets(kind, request)
    }

    /// Switches a fault on, and says so.
    pub fn fault_on(&mut self, now: Instant, spec: Spec) {
        self.faults.switch_on(spec);
        self.tell_faults(now);
    }

    /// Switches the fault of this name off, or all, and says so; false if it is not on.
    pub fn fault_off(&mut self, now: Instant, name: Option<&str>) -> bool {
        let done = self.faults.switch_off(name);
        if done {
            self.tell_faults(now);
        }
        done
    }

    fn tell_faults(&mut self, now: Instant) {
        let on = self.faults.on().map(ToString::to_string).collect();
        self.event(&Event::Faults { on });
        self.warn(now);
    }

    /// Prints the warnings now, and again each minute.
    pub fn warn(&mut self, now: Instant) {
        if self.approval.mode() == Mode::Auto {
            let what = "approve auto: every request is approved and nobody is asked".into();
            self.event(&Event::Warning { what });
        }
        if let Some(sensor) = self.approval.sensor() {
            self.event(&Event::Warning { what: sensor.warning().into() });
        }
        if let Some(name) = &self.profile {
            let what = format!("profile {name}: this is not the key that softkey is by default");
            self.event(&Event::Warning { what });
        }
        if self.standing.is_some() {
            let what = "virtual clock: touches, tokens and the time for a reset end only when the clock is moved";
            self.event(&Event::Warning { what: what.into() });
        }
        let faults = self.faults.on().map(|spec| format!("fault {spec}: {}", spec.does()));
        for what in faults.collect::<Vec<_>>() {
            self.event(&Event::Warning { what });
        }
        self.remind_at = (!self.pretended().is_empty()).then(|| now + REMINDER);
    }

    /// Does what is due: warnings, the countdown.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.remind_at.is_some_and(|at| now >= at) {
            self.warn(now);
        }
        self.refresh(now);
    }

    /// When [`Desk::handle_timeout`] must be called next.
    #[must_use]
    pub fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        // Nothing is counted down on a clock that stands.
        let prompt = self.approval.prompt().filter(|_| self.standing.is_none());
        let left = prompt.map(|ask| ask.deadline.duration_since(now));
        let next_second = left.map(|left| {
            let millis = u64::from(left.subsec_millis()).max(1);
            now + Duration::from_millis(millis)
        });
        self.remind_at.into_iter().chain(next_second).min()
    }

    /// Ends the screen.
    pub fn stop(mut self) {
        self.screen.prompt(None);
        self.screen.stop();
    }

    /// Shows the question that has just been opened.
    fn announce(&mut self) {
        let Some(open) = self.approval.open() else { return };
        let asked = Asked::of(open);
        if self.approval.prompt().is_some() {
            // An answer typed before the question could be seen is no answer to it.
            if let Some(terminal) = &mut self.terminal {
                terminal.forget_typed();
            }
            if self.notes {
                self.screen.note(asked.to_string());
            }
        }
        self.event(&Event::Question(asked));
    }

    /// Brings the terminal's last line up to date.
    fn refresh(&mut self, now: Instant) {
        let now = self.standing.as_ref().map_or(now, KeyClock::now);
        let left = self.approval.prompt().map(|ask| ask.deadline.duration_since(now));
        let seconds = left.map(|left| left.as_millis().div_ceil(1000));
        let seconds = seconds.map(|seconds| u64::try_from(seconds).unwrap_or(u64::MAX));
        if seconds != self.shown {
            self.shown = seconds;
            let asked = if self.approval.asks_for_finger() {
                "which finger? [1-10/n]"
            } else {
                "approve? [y/n]"
            };
            self.screen.prompt(seconds.map(|left| format!("{asked} {left} s ")));
        }
    }

    fn obey(&mut self, word: Word) -> Option<Typed> {
        let asked = self.approval.prompt().is_some();
        match word {
            Word::Yes if self.approval.asks_for_finger() => {
                self.screen.note(format!("y is no finger; {NoFinger}"));
                None
            }
            Word::Yes => self.approval.terminal(true).map(Typed::Verdict),
            Word::Finger(touched) if self.approval.asks_for_finger() => {
                self.approval.terminal_finger(touched).map(Typed::Verdict)
            }
            Word::No => self.approval.terminal(false).map(Typed::Verdict),
            Word::Replug => Some(Typed::Replug),
            Word::Nothing => None,
            Word::Unknown | Word::Finger(_) => {
                let hint = match asked {
                    true if self.approval.asks_for_finger() => {
                        "1 to 10: that finger, too-high and the like: a bad sample, n: refuse, "
                    }
                    true => "y: approve, n: refuse, ",
                    false => "",
                };
                self.screen.note(format!("{hint}r: unplug and plug in again, Ctrl-C: stop"));
                None
            }
        }
    }
}

/// Why the mode stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotThatMode {
    /// There is no terminal to ask at.
    NoTerminal,
    /// Strangers can reach the key, and what it does outlives the process.
    Exposed,
}

#[cfg(test)]
mod tests;
