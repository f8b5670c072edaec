//! PINs, and the tokens that they and the sensor give.

use softkey_tests::Request;
use softkey_tests::key::Profile;
use softkey_tests::pin::{Protocol, Token, padded};
use softkey_tests::platform::permission::{ACFG, BE, CM, GA, LBW, MC, PCMR};
use softkey_tests::platform::{
    change_pin_request, pin_token_request, set_pin_request, token_request,
};
use softkey_tests::request::cp;

use super::bench::{Bench, PARTIES};
use crate::Tape;

/// The PINs that people choose here: the second keeps to every policy, the last to none.
const PINS: [&str; 5] = ["1234", "a9!kZ0pq", "123456", "000000", "12"];

/// What is known of the PIN.
#[derive(Clone, Copy, Default)]
pub(super) struct Pins {
    set: Option<&'static str>,
    /// Wrong ones since the right one, and those of them since power-up.
    misses: (u8, u8),
    /// Must it be changed, as far as one can see?
    perhaps_forced: bool,
}

impl Pins {
    pub(super) fn power_cycle(&mut self) {
        self.misses.1 = 0;
    }

    /// The rules for PINs have changed.
    pub(super) fn rules_changed(&mut self) {
        self.perhaps_forced = true;
    }

    fn missed(&mut self) {
        self.misses = (self.misses.0.saturating_add(1), self.misses.1.saturating_add(1));
    }

    /// Must the right PIN be taken?
    fn is_open(&self) -> bool {
        self.set.is_some() && self.misses.0 < 8 && self.misses.1 < 3
    }
}

impl Bench {
    /// Sets the first PIN of a key that has one.
    pub(super) fn set_first_pin(&mut self) {
        let pin = if self.setup.profile == Profile::Tiny { PINS[2] } else { PINS[0] };
        self.set_this_pin(Protocol::Two, pin);
    }

    pub(super) fn set_pin(&mut self, tape: &mut Tape<'_>) {
        let (protocol, pin) = (tape.pick(&Protocol::BOTH), tape.pick(&PINS));
        self.set_this_pin(protocol, pin);
    }

    fn set_this_pin(&mut self, protocol: Protocol, pin: &'static str) {
        let Some(shared) = self.agree(protocol) else { return };
        if self.send(&set_pin_request(&shared, &padded(pin))).is_ok() {
            assert!(self.pins.set.is_none(), "a second first PIN");
            assert!(pin.len() >= 4, "a PIN of {} characters", pin.len());
            self.pins = Pins { set: Some(pin), ..Pins::default() };
            self.look();
        }
    }

    pub(super) fn change_pin(&mut self, tape: &mut Tape<'_>) {
        let (protocol, new) = (tape.pick(&Protocol::BOTH), tape.pick(&PINS));
        let old = if tape.below(4) == 3 { tape.pick(&PINS) } else { self.right_pin() };
        let Some(shared) = self.agree(protocol) else { return };
        match self.send(&change_pin_request(&shared, old, &padded(new))) {
            Ok(_) => {
                assert_eq!(self.pins.set, Some(old), "changed by a wrong PIN");
                self.pins = Pins { set: Some(new), ..Pins::default() };
                self.token = None;
            }
            Err(_) if self.pins.set != Some(old) => self.pins.missed(),
            Err(_) => {}
        }
    }

    fn right_pin(&self) -> &'static str {
        self.pins.set.unwrap_or(PINS[0])
    }

    pub(super) fn ask_for_tries(&mut self) {
        let tries = self.send_well(&Request::client_pin(cp::GET_PIN_RETRIES));
        if let Ok(body) = tries {
            let left = body.get(3).uint();
            // A key that is asked for a token it does not give has counted nothing.
            assert!(
                left <= 8 && left + u64::from(self.pins.misses.0) >= 8,
                "{left} tries are left"
            );
        }
        if let Ok(body) = self.send_well(&Request::client_pin(cp::GET_UV_RETRIES)) {
            assert!(body.get(5).uint() <= 5, "more tries than there ever are");
        }
    }

    /// The permissions that there are here to ask for.
    fn permissions(&self) -> i64 {
        let offered = [("largeBlobs", LBW), ("credMgmt", CM), ("authnrCfg", ACFG)];
        let offered = offered.into_iter().filter(|(option, _)| self.offers(option));
        let fingers = if self.has_fingers() { BE } else { 0 };
        offered.fold(MC | GA | fingers, |all, (_, permission)| all | permission)
    }

    /// A token, by the PIN or the sensor.
    pub(super) fn authorize(&mut self, tape: &mut Tape<'_>) {
        let protocol = tape.pick(&Protocol::BOTH);
        let party = PARTIES[tape.below(PARTIES.len())];
        let how = tape.byte();
        let Some(shared) = self.agree(protocol) else { return };
        let pin = self.right_pin();
        let all = self.permissions();
        let wrong = PINS.into_iter().find(|other| *other != pin).unwrap_or(PINS[0]);
        let (request, given) = match (how & 1 == 1, (how >> 1) % 8) {
            (true, which) => {
                let permissions = match which {
                    7 => 0,
                    6 => all,
                    _ => all & !(CM | ACFG | BE),
                };
                let request = Request::client_pin(cp::GET_TOKEN_USING_UV)
                    .with(cp::PROTOCOL, protocol.number())
                    .with(cp::KEY_AGREEMENT, &shared.platform_key)
                    .with(cp::PERMISSIONS, permissions)
                    .with(cp::RP_ID, party);
                (request, None)
            }
            (_, 1) => (pin_token_request(&shared, pin), None),
            (_, 2) => (token_request(&shared, wrong, all, Some(party)), Some(wrong)),
            (_, 3) => (token_request(&shared, pin, PCMR, None), None),
            (_, 4 | 5) => (token_request(&shared, pin, all & !(MC | GA), None), None),
            (_, 6) => (token_request(&shared, pin, i64::from(how), Some(party)), None),
            (_, 7) => (pin_token_request(&shared, wrong), Some(wrong)),
            _ => (token_request(&shared, pin, all, Some(party)), Some(pin)),
        };
        let well = self.is_well();
        let open =
            self.pins.is_open() && !self.pins.perhaps_forced && self.offers("pinUvAuthToken");
        match self.send(&request) {
            Ok(body) => {
                assert!(given.is_none_or(|given| self.pins.set == Some(given)), "by a wrong PIN");
                if how & 1 == 1 {
                    self.was_verified();
                } else {
                    assert!(self.pins.set.is_some(), "a token without a PIN");
                    self.pins.misses = (0, 0);
                }
                self.token = Some(Token::new(protocol, shared.decrypt(body.get(2).bytes())));
            }
            Err(_) if given == Some(wrong) => self.pins.missed(),
            Err(status) => {
                let must = given == Some(pin) && open && well;
                assert!(!must, "the right PIN is refused: {status:#04x}");
            }
        }
    }
}
