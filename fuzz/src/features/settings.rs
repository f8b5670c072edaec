//! authenticatorConfig.

use softkey_tests::Request;
use softkey_tests::cbor::{Value, array, map};
use softkey_tests::request::cf;

use super::bench::{Bench, PARTIES};
use crate::Tape;

impl Bench {
    /// A setting, perhaps without the token that it takes.
    pub(super) fn configure(&mut self, tape: &mut Tape<'_>) {
        let sub_command = tape.pick(&[
            cf::ENABLE_ENTERPRISE_ATTESTATION,
            cf::TOGGLE_ALWAYS_UV,
            cf::SET_MIN_PIN_LENGTH,
            cf::ENABLE_LONG_TOUCH_FOR_RESET,
            cf::SET_MIN_PIN_LENGTH,
            cf::VENDOR_PROTOTYPE,
        ]);
        let mut request = Request::config(sub_command);
        let how = tape.byte();
        if sub_command == cf::SET_MIN_PIN_LENGTH && how & 0x80 == 0 {
            request = request.with(cf::PARAMS, rules(how));
        }
        let request = match &self.token {
            Some(token) if how & 0x40 == 0 => request.managed(token),
            _ => request,
        };
        let before = self.offers("alwaysUv");
        let done = self.send(&request).is_ok();
        self.look();
        let toggled = before != self.offers("alwaysUv");
        assert_eq!(toggled, done && sub_command == cf::TOGGLE_ALWAYS_UV, "alwaysUv is toggled");
        if done && sub_command == cf::SET_MIN_PIN_LENGTH {
            self.pins.rules_changed();
        }
    }
}

/// The parameters of setMinPINLength, by the bits of a byte.
fn rules(how: u8) -> Value {
    let mut params = Value::Map(Vec::new());
    if how & 1 == 1 {
        params = params.with(cf::NEW_MIN_PIN_LENGTH, [4_u64, 6, 8, 64][usize::from(how >> 4) % 4]);
    }
    if how & 2 == 0 {
        let many = if how & 4 == 0 { 1 } else { PARTIES.len() };
        params =
            params.with(cf::MIN_PIN_LENGTH_RP_IDS, array(PARTIES.into_iter().rev().take(many)));
    }
    if how & 8 != 0 {
        params = params.with(cf::FORCE_CHANGE_PIN, how & 0x10 != 0);
    }
    if how & 0x20 != 0 {
        params = params.with(cf::PIN_COMPLEXITY_POLICY, true);
    }
    if params.entries().is_empty() { map([(cf::FORCE_CHANGE_PIN, false)]) } else { params }
}
