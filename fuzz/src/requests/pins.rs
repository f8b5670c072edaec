//! authenticatorClientPIN, and the end of a run, for which a token is needed.

use softkey_tests::pin::{Protocol, Shared, Token, padded};
use softkey_tests::platform::{
    change_pin_request, pin_token_request, set_pin_request, token_request,
};
use softkey_tests::status::{
    INVALID_PARAMETER, MISSING_PARAMETER, PIN_AUTH_BLOCKED, PIN_AUTH_INVALID, PIN_BLOCKED,
    PIN_INVALID, PIN_NOT_SET, PIN_POLICY_VIOLATION, SUCCESS, UNAUTHORIZED_PERMISSION,
};

use super::desk::{Desk, Outcome};
use super::model::{ACFG, CM, GA, Granted, MAX_RETRIES, MC, Model, PARTIES, PCMR, PINS};
use crate::Tape;

/// What can be asked for. largeBlobs and bioEnrollment are other people's matter.
const PERMISSIONS: [i64; 12] = [
    MC,
    GA,
    MC | GA,
    CM,
    ACFG,
    CM | ACFG,
    PCMR,
    MC | GA | CM | ACFG,
    0,
    PCMR | CM,
    MC | CM,
    GA | 0x80,
];

impl Desk {
    pub(super) fn set_pin(&mut self, tape: &mut Tape<'_>) {
        let (protocol, pin) = (protocol(tape), tape.pick(&PINS));
        let shared = self.agree(protocol);
        let mut request = set_pin_request(&shared, &padded(pin));
        let spoilt = tape.below(8) == 7;
        if spoilt {
            request = request.with(0x04, vec![0; 16]);
        }
        let status = match &self.model {
            Model { pin: Some(_), .. } => PIN_AUTH_INVALID,
            _ if spoilt => PIN_AUTH_INVALID,
            model if !model.takes(pin) => PIN_POLICY_VIOLATION,
            _ => SUCCESS,
        };
        self.perhaps_cut(tape);
        self.begins();
        let made = match self.foretold(&request, status, false) {
            Outcome::Done(_) => true,
            Outcome::Refused => false,
            Outcome::Lost(written) => written,
        };
        self.no_cut();
        if made {
            self.has_pin(pin);
        }
    }

    pub(super) fn change_pin(&mut self, tape: &mut Tape<'_>) {
        let (protocol, new) = (protocol(tape), tape.pick(&PINS));
        let shared = self.agree(protocol);
        let old = self.given(tape);
        let request = change_pin_request(&shared, old, &padded(new));
        self.begins();
        let mut status = self.tries(old);
        if status == SUCCESS {
            let same = self.model.force_change && self.model.pin == Some(new);
            if !self.model.takes(new) || same {
                status = PIN_POLICY_VIOLATION;
            }
        }
        if let Outcome::Done(_) = self.foretold(&request, status, true) {
            self.has_pin(new);
            self.forget_token();
        }
    }

    pub(super) fn get_token(&mut self, tape: &mut Tape<'_>) {
        let protocol = protocol(tape);
        let shared = self.agree(protocol);
        let pin = self.given(tape);
        if tape.below(4) == 3 {
            return self.legacy_token(&shared, pin);
        }
        let permissions = tape.pick(&PERMISSIONS);
        let party = [None, Some(PARTIES[0]), Some(PARTIES[1])][tape.below(3)];
        let request = token_request(&shared, pin, permissions, party);
        self.begins();
        // The bit 0x80 has no meaning and is passed over.
        let permissions = permissions & 0x7F;
        let status = if permissions & (MC | GA) != 0 && party.is_none() {
            MISSING_PARAMETER
        } else if permissions == 0 {
            INVALID_PARAMETER
        } else if permissions & PCMR != 0 && permissions != PCMR {
            UNAUTHORIZED_PERMISSION
        } else {
            match self.tries(pin) {
                SUCCESS if self.model.force_change => PIN_POLICY_VIOLATION,
                status => status,
            }
        };
        let Outcome::Done(body) = self.foretold(&request, status, true) else { return };
        let token = Token::new(protocol, shared.decrypt(body.get(2).bytes()));
        if permissions == PCMR {
            let known = self.model.persistent.as_ref().map(Token::bytes);
            assert!(known.is_none_or(|known| known == token.bytes()), "it persists");
            self.model.persistent = Some(token);
        } else {
            let issued = self.now;
            self.granted(Granted { token, permissions, party, issued, used: false });
        }
    }

    fn legacy_token(&mut self, shared: &Shared, pin: &str) {
        let request = pin_token_request(shared, pin);
        self.begins();
        let status = match self.tries(pin) {
            SUCCESS if self.model.force_change => PIN_INVALID,
            status => status,
        };
        if let Outcome::Done(body) = self.foretold(&request, status, true) {
            let token = Token::new(shared.protocol(), shared.decrypt(body.get(2).bytes()));
            let (permissions, issued) = (MC | GA, self.now);
            self.granted(Granted { token, permissions, party: None, issued, used: false });
        }
    }

    /// Any request ends what was walked through, and is the occasion to look at the token's age.
    pub(super) fn begins(&mut self) {
        self.expire();
        self.model.walk = None;
    }

    /// A PIN as somebody types it: mostly the right one.
    fn given(&self, tape: &mut Tape<'_>) -> &'static str {
        match tape.below(4) {
            0 => tape.pick(&PINS),
            _ => self.model.pin.unwrap_or(PINS[0]),
        }
    }

    /// Tries a PIN in the model; the status that follows, success if it is right.
    fn tries(&mut self, pin: &str) -> u8 {
        let model = &mut self.model;
        if model.pin.is_none() {
            return PIN_NOT_SET;
        }
        if model.retries == 0 {
            return PIN_BLOCKED;
        }
        if model.misses >= 3 {
            return PIN_AUTH_BLOCKED;
        }
        if model.pin == Some(pin) {
            (model.retries, model.misses) = (MAX_RETRIES, 0);
            return SUCCESS;
        }
        model.retries -= 1;
        model.misses += 1;
        match model {
            Model { retries: 0, .. } => PIN_BLOCKED,
            Model { misses: 3, .. } => PIN_AUTH_BLOCKED,
            _ => PIN_INVALID,
        }
    }

    fn has_pin(&mut self, pin: &'static str) {
        self.model.pin = Some(pin);
        self.model.retries = MAX_RETRIES;
        self.model.force_change = false;
        self.model.persistent = None;
    }

    pub(super) fn forget_token(&mut self) {
        self.model.token = None;
        self.model.walk = None;
    }

    /// A token with this permission and no relying party, if the PIN can be had at all.
    pub(super) fn manager(&mut self) -> Option<Token> {
        self.power_cycle();
        if self.model.pin.is_none() {
            let pin = PINS.into_iter().find(|pin| self.model.takes(pin))?;
            let shared = self.agree(Protocol::Two);
            self.begins();
            self.foretold(&set_pin_request(&shared, &padded(pin)), SUCCESS, false);
            self.has_pin(pin);
        }
        if self.model.retries == 0 || self.model.force_change {
            return None;
        }
        let shared = self.agree(Protocol::Two);
        let request = token_request(&shared, self.model.pin?, CM, None);
        self.begins();
        let Outcome::Done(body) = self.foretold(&request, SUCCESS, true) else { return None };
        let token = Token::new(Protocol::Two, shared.decrypt(body.get(2).bytes()));
        let (issued, granted) = (self.now, token.clone());
        self.model.retries = MAX_RETRIES;
        self.granted(Granted { token, permissions: CM, party: None, issued, used: false });
        Some(granted)
    }
}

pub(super) fn protocol(tape: &mut Tape<'_>) -> Protocol {
    tape.pick(&Protocol::BOTH)
}
