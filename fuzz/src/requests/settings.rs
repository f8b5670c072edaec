//! authenticatorCredentialManagement, authenticatorConfig, authenticatorReset, and what is looked at in the end.

use std::time::Duration;

use softkey_tests::cbor::{Value, map};
use softkey_tests::parts::sha256;
use softkey_tests::pin::Token;
use softkey_tests::request::{Request, cf, cm, command, descriptor};
use softkey_tests::status::{
    INVALID_PARAMETER, NO_CREDENTIALS, NOT_ALLOWED, PIN_AUTH_INVALID, PIN_NOT_SET,
    PIN_POLICY_VIOLATION, PUAT_REQUIRED, SUCCESS,
};

use super::desk::{By, Desk, Outcome};
use super::model::{ACFG, CM, PARTIES};
use crate::Tape;

impl Desk {
    pub(super) fn manage(&mut self, tape: &mut Tape<'_>) {
        let by = self.by(tape);
        match tape.below(4) {
            0 => self.metadata(&by),
            1 => self.change(tape, &by, cm::DELETE_CREDENTIAL),
            2 => self.change(tape, &by, cm::UPDATE_USER_INFORMATION),
            _ => {
                let party = tape.pick(&PARTIES);
                self.enumerate_if_allowed(&by, party);
            }
        }
    }

    fn metadata(&mut self, by: &By) {
        let request = managed(Request::credential_management(cm::GET_CREDS_METADATA), by);
        self.begins();
        let status = self.reading_status(by, None);
        if let Outcome::Done(body) = self.foretold(&request, status, false) {
            assert_eq!(body.get(1).uint(), self.model.stored(None).len() as u64, "how many");
        }
    }

    /// The status of a request that reads, for one party or for all.
    fn reading_status(&mut self, by: &By, party: Option<&str>) -> u8 {
        let By::Token(token) = by else { return PUAT_REQUIRED };
        let same = |known: &Token| known.bytes() == token.bytes();
        if self.model.persistent.as_ref().is_some_and(same) {
            return SUCCESS;
        }
        self.managing_status(token, party)
    }

    fn managing_status(&mut self, token: &Token, party: Option<&str>) -> u8 {
        if !self.serves(token, CM) {
            return PIN_AUTH_INVALID;
        }
        match self.model.token.as_ref().and_then(|granted| granted.party) {
            Some(bound) if Some(bound) != party => PIN_AUTH_INVALID,
            _ => SUCCESS,
        }
    }

    /// deleteCredential or updateUserInformation, for a credential that may be any.
    fn change(&mut self, tape: &mut Tape<'_>, by: &By, sub_command: u8) {
        let number = self.listed(&[usize::from(tape.byte())]).first().copied();
        let id = number.and_then(|number| self.model.credentials[number].id.clone());
        let (id, other_user) = (id.unwrap_or_else(|| vec![1; 97]), tape.below(8) == 7);
        let found = number.map(|number| &self.model.credentials[number]);
        let user = found.map_or(0, |found| found.user) + if other_user { 2 } else { 1 };
        let mut params = map([(2, descriptor(&id))]);
        if sub_command == cm::UPDATE_USER_INFORMATION {
            params =
                params.with(3, map([("id", Value::from([user])), ("name", Value::from("Ada"))]));
        }
        let request = Request::credential_management(sub_command).with(cm::PARAMS, params);
        let request = managed(request, by);
        let stored = found.filter(|found| found.alive && found.discoverable);
        let party = stored.map(|stored| stored.party);
        self.perhaps_cut(tape);
        self.begins();
        let By::Token(token) = by else {
            self.foretold(&request, PUAT_REQUIRED, false);
            return self.no_cut();
        };
        let status = if !self.serves(token, CM) {
            PIN_AUTH_INVALID
        } else if party.is_none() {
            NO_CREDENTIALS
        } else if self.managing_status(token, party) != SUCCESS {
            PIN_AUTH_INVALID
        } else if sub_command == cm::UPDATE_USER_INFORMATION && other_user {
            INVALID_PARAMETER
        } else {
            SUCCESS
        };
        let done = match self.foretold(&request, status, false) {
            Outcome::Done(_) => true,
            Outcome::Refused => false,
            Outcome::Lost(written) => written,
        };
        self.no_cut();
        if let Some(number) = number.filter(|_| done && sub_command == cm::DELETE_CREDENTIAL) {
            self.model.credentials[number].alive = false;
        }
    }

    /// Lists one party's credentials, or is refused.
    fn enumerate_if_allowed(&mut self, by: &By, party: &'static str) {
        let request = begin_credentials(party);
        self.begins();
        let status = match self.reading_status(by, Some(party)) {
            SUCCESS if self.model.stored(Some(party)).is_empty() => NO_CREDENTIALS,
            status => status,
        };
        if let Outcome::Done(first) = self.foretold(&managed(request, by), status, false) {
            self.lists(party, first);
        }
    }

    /// What is listed is what is stored: each credential once.
    fn lists(&mut self, party: &str, first: Value) {
        let mut stored: Vec<(u8, u8, Option<Vec<u8>>)> = self
            .model
            .stored(Some(party))
            .iter()
            .map(|stored| (stored.user, stored.level, stored.id.clone()))
            .collect();
        assert_eq!(first.get(9).uint(), stored.len() as u64, "totalCredentials");
        let mut entry = first;
        for left in (0..stored.len()).rev() {
            let user = entry.get(6).get("id").bytes()[0] - 1;
            let at = stored.iter().position(|(known, ..)| *known == user);
            let (_, level, id) = stored.swap_remove(at.expect("an account that is stored"));
            assert_eq!(entry.get(10).uint(), u64::from(level), "credProtect");
            let listed = entry.get(7).get("id").bytes();
            assert!(id.is_none_or(|id| id == listed), "the identifier");
            if left > 0 {
                let next = Request::credential_management(cm::ENUMERATE_CREDENTIALS_NEXT);
                let Outcome::Done(next) = self.foretold(&next, SUCCESS, false) else { return };
                entry = next;
            }
        }
        let next = Request::credential_management(cm::ENUMERATE_CREDENTIALS_NEXT);
        self.foretold(&next, NOT_ALLOWED, false);
    }

    pub(super) fn configure(&mut self, tape: &mut Tape<'_>) {
        let by = self.by(tape);
        let sub_command = [
            cf::TOGGLE_ALWAYS_UV,
            cf::SET_MIN_PIN_LENGTH,
            cf::ENABLE_LONG_TOUCH_FOR_RESET,
            cf::SET_MIN_PIN_LENGTH,
        ][tape.below(4)];
        let length = tape.pick(&[4_u8, 5, 6, 8, 63, 64, 3]);
        let force = tape.below(4) == 3;
        let mut request = Request::config(sub_command);
        if sub_command == cf::SET_MIN_PIN_LENGTH {
            let mut params = map([(cf::NEW_MIN_PIN_LENGTH, i64::from(length))]);
            if force {
                params = params.with(cf::FORCE_CHANGE_PIN, true);
            }
            request = request.with(cf::PARAMS, params);
        }
        let request = managed(request, &by);
        self.perhaps_cut(tape);
        self.begins();
        let status = self.config_status(&by, sub_command, length.into(), force);
        let done = match self.foretold(&request, status, false) {
            Outcome::Done(_) => true,
            Outcome::Refused => false,
            Outcome::Lost(written) => written,
        };
        self.no_cut();
        if done {
            self.configured(sub_command, length.into(), force);
        }
    }

    fn config_status(&mut self, by: &By, sub_command: u8, length: u64, force: bool) -> u8 {
        let (protected, always_uv) = (self.model.pin.is_some(), self.model.always_uv);
        let open = !protected && (!always_uv || sub_command == cf::TOGGLE_ALWAYS_UV);
        match by {
            _ if open => {}
            By::Nothing => return PUAT_REQUIRED,
            By::Token(token) if !self.serves(token, ACFG) => return PIN_AUTH_INVALID,
            By::Token(_) => {}
        }
        if sub_command != cf::SET_MIN_PIN_LENGTH {
            SUCCESS
        } else if length < self.model.min_pin_length || length > 63 {
            PIN_POLICY_VIOLATION
        } else if force && !protected {
            PIN_NOT_SET
        } else {
            SUCCESS
        }
    }

    fn configured(&mut self, sub_command: u8, length: u64, force: bool) {
        match sub_command {
            cf::TOGGLE_ALWAYS_UV => self.model.always_uv = !self.model.always_uv,
            cf::ENABLE_LONG_TOUCH_FOR_RESET => self.model.long_touch = true,
            _ => {
                self.model.min_pin_length = length;
                let too_short = |pin: &str| (pin.chars().count() as u64) < length;
                self.model.force_change |= force || self.model.pin.is_some_and(too_short);
                if self.model.force_change {
                    self.model.persistent = None;
                    self.forget_token();
                }
            }
        }
    }

    pub(super) fn reset(&mut self, tape: &mut Tape<'_>) {
        self.perhaps_cut(tape);
        self.begins();
        let late = self.now.duration_since(self.model.power_up) > Duration::from_secs(10);
        let status = if late { NOT_ALLOWED } else { self.asked() };
        let done = match self.foretold(&Request::bare(command::RESET), status, false) {
            Outcome::Done(_) => true,
            Outcome::Refused => false,
            Outcome::Lost(written) => written,
        };
        self.no_cut();
        if done {
            self.model.reset();
        }
    }

    /// The end of a run: every credential signs or does not, and all lists are complete.
    pub(super) fn is_as_the_model_says(&mut self) {
        self.begins();
        for number in 0..self.model.credentials.len() {
            let credential = self.model.credentials[number].clone();
            let Some(id) = &credential.id else { continue };
            let request = Request::get_assertion(credential.party).listing(&[id]);
            let (status, body) = self.status_aside(&request.option("up", false));
            let visible = credential.visible(false, true);
            assert_eq!(status == SUCCESS, visible, "credential {number} signs: {status:#04x}");
            assert_eq!(body.is_empty(), !visible, "a body beside {status:#04x}");
        }
        let Some(token) = self.manager() else { return };
        let by = By::Token(token);
        self.metadata(&by);
        for party in PARTIES {
            self.enumerate_if_allowed(&by, party);
        }
        let info = self.aside(&Request::bare(command::GET_INFO));
        assert_eq!(info.get(4).get("alwaysUv").bool(), self.model.always_uv, "alwaysUv");
        assert_eq!(info.get(13).uint(), self.model.min_pin_length, "minPINLength");
        assert_eq!(info.get(24).bool(), self.model.long_touch, "longTouchForReset");
    }
}

fn begin_credentials(party: &str) -> Request {
    let params = map([(1, Value::from(sha256(party.as_bytes())))]);
    Request::credential_management(cm::ENUMERATE_CREDENTIALS_BEGIN).with(cm::PARAMS, params)
}

fn managed(request: Request, by: &By) -> Request {
    match by {
        By::Nothing => request,
        By::Token(token) => request.managed(token),
    }
}
