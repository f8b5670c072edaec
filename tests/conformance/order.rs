//! The order of checks: of two faults in one request the one that the standard finds first is answered
//! (makeCredential, section 6.1.2; getAssertion, section 6.2.2).

use std::panic::{AssertUnwindSafe, catch_unwind};

use softkey_tests::cbor::map;
use softkey_tests::pin::{Protocol, Token};
use softkey_tests::platform::Made;
use softkey_tests::platform::permission::{ACFG, GA, MC};
use softkey_tests::request::{algorithms, cf, ga, mc};
use softkey_tests::status::{
    CBOR_UNEXPECTED_TYPE, CREDENTIAL_EXCLUDED, INVALID_OPTION, INVALID_PARAMETER, LIMIT_EXCEEDED,
    MISSING_PARAMETER, NO_CREDENTIALS, OPERATION_DENIED, PIN_AUTH_INVALID, PIN_NOT_SET,
    PUAT_REQUIRED, SUCCESS, UNSUPPORTED_ALGORITHM, UNSUPPORTED_OPTION,
};
use softkey_tests::{Key, Request, User};

use crate::planted_faults::panic_message;

const PIN: &str = "1234";
const RP: &str = "example.com";

/// What is wrong with a request.
struct Fault {
    name: &'static str,
    status: u8,
    change: Change,
}

enum Change {
    /// The pinUvAuthParam; a request has one of these faults at most.
    Param(Param),
    /// The option uv, which counts only without a param.
    Uv,
    /// Something else in the request.
    Request(fn(Request, &Made) -> Request),
    /// The user refuses the touch.
    Refusal,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Param {
    Right,
    Absent,
    WithoutProtocol,
    OfUnknownProtocol,
    Wrong,
}

const fn fault(name: &'static str, status: u8, change: Change) -> Fault {
    Fault { name, status, change }
}

/// A key, a credential on it, and a token for it if it has a PIN.
struct Desk {
    key: Key,
    made: Made,
    token: Option<Token>,
}

impl Desk {
    fn without_pin() -> Self {
        let mut key = Key::fresh();
        let made = key.make(&Request::make_credential().discoverable());
        Self { key, made, token: None }
    }

    fn with_pin(always_uv: bool) -> Self {
        let mut desk = Self::without_pin();
        desk.key.set_pin(PIN);
        if always_uv {
            let token = desk.key.token(Protocol::Two, PIN, ACFG, None).unwrap();
            let toggle = Request::config(cf::TOGGLE_ALWAYS_UV).managed(&token);
            assert_eq!(desk.key.status(&toggle), SUCCESS);
        }
        desk
    }

    fn send(&mut self, base: &Request, faults: [&Fault; 2]) -> u8 {
        let right = if self.key.info().option("clientPin") == Some(true) {
            let permission = if base.command() == mc::COMMAND { MC } else { GA };
            self.token.get_or_insert_with(|| {
                self.key.token(Protocol::Two, PIN, permission, Some(RP)).unwrap()
            });
            Param::Right
        } else {
            Param::Absent
        };
        let (mut request, mut param, mut user) = (base.clone(), right, User::Approves);
        // The later fault first, so that the earlier one is whole where both change the same member.
        for fault in faults.into_iter().rev() {
            match &fault.change {
                Change::Param(wrong) => param = *wrong,
                Change::Uv => request = request.option("uv", true),
                Change::Request(change) => request = change(request, &self.made),
                Change::Refusal => user = User::Refuses,
            }
        }
        let hash = request.client_data_hash().to_vec();
        let protocol = if base.command() == mc::COMMAND { mc::PROTOCOL } else { ga::PROTOCOL };
        let bytes = self.token.as_ref().map_or(vec![7; 32], |token| token.authenticate(&hash));
        request = match param {
            Param::Right => request.with_param(&bytes, 2),
            Param::Absent => request,
            Param::WithoutProtocol => request.with_param(&bytes, 2).without(protocol),
            Param::OfUnknownProtocol => request.with_param(&bytes, 3),
            Param::Wrong => request.with_param(&[7; 32], 2),
        };
        self.key.user(user);
        let status = self.key.status(&request);
        self.key.user(User::Approves);
        status
    }

    /// Each fault alone gives its status, and each two give the status of the first. A refused request must leave
    /// the token usable, for all of them are made with the same one.
    fn in_order(&mut self, base: &Request, faults: &[Fault]) {
        for (place, first) in faults.iter().enumerate() {
            for second in &faults[place..] {
                let pair = [first, second];
                if pair.iter().all(|fault| matches!(fault.change, Change::Param(_)))
                    && !std::ptr::eq(first, second)
                {
                    continue;
                }
                let prompts = self.key.prompts();
                let names = (first.name, second.name);
                assert_eq!(self.send(base, pair), first.status, "{names:?}");
                let asked = matches!(first.status, CREDENTIAL_EXCLUDED | OPERATION_DENIED);
                assert_eq!(self.key.prompts() - prompts, u32::from(asked), "{names:?}");
            }
        }
    }
}

fn wrong_type(request: Request, _: &Made) -> Request {
    let key = if request.command() == mc::COMMAND { mc::RP } else { ga::RP_ID };
    request.with(key, 1)
}

fn long_list(request: Request, made: &Made) -> Request {
    request.listing(&[made.id(); 17])
}

fn unsupported(request: Request, _: &Made) -> Request {
    request.with(mc::PUB_KEY_CRED_PARAMS, algorithms(&[-1]))
}

fn silent(request: Request, _: &Made) -> Request {
    request.option("up", false)
}

fn enterprise(request: Request, _: &Made) -> Request {
    request.with(mc::ENTERPRISE_ATTESTATION, 1)
}

fn excluding(request: Request, made: &Made) -> Request {
    request.listing(&[made.id()])
}

fn protection(request: Request, _: &Made) -> Request {
    request.extension("credProtect", 4)
}

/// MC-35, MC-43, MC-65: a key without PIN.
#[test]
fn make_credential_without_pin() {
    let request = Request::make_credential().discoverable();
    Desk::without_pin().in_order(
        &request,
        &[
            fault("type", CBOR_UNEXPECTED_TYPE, Change::Request(wrong_type)),
            fault("no protocol", MISSING_PARAMETER, Change::Param(Param::WithoutProtocol)),
            fault("protocol", INVALID_PARAMETER, Change::Param(Param::OfUnknownProtocol)),
            fault("param for nothing", PIN_NOT_SET, Change::Param(Param::Wrong)),
            fault("algorithm", UNSUPPORTED_ALGORITHM, Change::Request(unsupported)),
            fault("up", INVALID_OPTION, Change::Request(silent)),
            fault("list", LIMIT_EXCEEDED, Change::Request(long_list)),
            fault("enterprise", INVALID_PARAMETER, Change::Request(enterprise)),
            fault("excluded", CREDENTIAL_EXCLUDED, Change::Request(excluding)),
            fault("level", INVALID_OPTION, Change::Request(protection)),
            fault("refusal", OPERATION_DENIED, Change::Refusal),
        ],
    );
}

/// MC-38, MC-40, MC-44: a key with a PIN, alwaysUv off and on.
#[test]
fn make_credential_with_pin() {
    let request = Request::make_credential().discoverable();
    for always_uv in [false, true] {
        Desk::with_pin(always_uv).in_order(
            &request,
            &[
                fault("type", CBOR_UNEXPECTED_TYPE, Change::Request(wrong_type)),
                fault("no protocol", MISSING_PARAMETER, Change::Param(Param::WithoutProtocol)),
                fault("protocol", INVALID_PARAMETER, Change::Param(Param::OfUnknownProtocol)),
                fault("algorithm", UNSUPPORTED_ALGORITHM, Change::Request(unsupported)),
                fault("up", INVALID_OPTION, Change::Request(silent)),
                fault("list", LIMIT_EXCEEDED, Change::Request(long_list)),
                fault("no param", PUAT_REQUIRED, Change::Param(Param::Absent)),
                fault("enterprise", INVALID_PARAMETER, Change::Request(enterprise)),
                fault("param", PIN_AUTH_INVALID, Change::Param(Param::Wrong)),
                fault("excluded", CREDENTIAL_EXCLUDED, Change::Request(excluding)),
                fault("level", INVALID_OPTION, Change::Request(protection)),
                fault("refusal", OPERATION_DENIED, Change::Refusal),
            ],
        );
    }
}

/// MC-31, GA-16: the option uv, where no param stands beside it.
#[test]
fn option_uv_comes_before_what_needs_verification() {
    let make = Request::make_credential().discoverable();
    for mut desk in [Desk::without_pin(), Desk::with_pin(false), Desk::with_pin(true)] {
        let absent = fault("no param", PUAT_REQUIRED, Change::Param(Param::Absent));
        let uv = fault("uv", INVALID_OPTION, Change::Uv);
        for base in [&make, &Request::get_assertion(RP)] {
            assert_eq!(desk.send(base, [&absent, &uv]), INVALID_OPTION);
            desk.token = None;
        }
        for later in [
            fault("list", LIMIT_EXCEEDED, Change::Request(long_list)),
            fault("enterprise", INVALID_PARAMETER, Change::Request(enterprise)),
        ] {
            let base = match later.change {
                Change::Request(change) => change(make.clone(), &desk.made),
                _ => make.clone(),
            };
            assert_eq!(desk.send(&base, [&absent, &uv]), INVALID_OPTION, "{}", later.name);
        }
        let rk = resident(Request::get_assertion(RP), &desk.made);
        assert_eq!(desk.send(&rk, [&absent, &uv]), INVALID_OPTION, "rk");
    }
}

fn resident(request: Request, _: &Made) -> Request {
    request.option("rk", true)
}

fn nobody(request: Request, _: &Made) -> Request {
    request.listing(&[&[9; 97]])
}

fn salt_of_unknown_protocol(request: Request, _: &Made) -> Request {
    let input = map([
        (1, softkey_tests::pin::cose_key_agreement(&[1; 32], &[2; 32])),
        (2, softkey_tests::Value::from([0; 48])),
        (3, [0; 32].into()),
        (4, 3.into()),
    ]);
    request.extension("hmac-secret", input)
}

/// GA-13, GA-21, GA-22: a key without PIN.
#[test]
fn get_assertion_without_pin() {
    Desk::without_pin().in_order(
        &Request::get_assertion(RP),
        &[
            fault("type", CBOR_UNEXPECTED_TYPE, Change::Request(wrong_type)),
            fault("no protocol", MISSING_PARAMETER, Change::Param(Param::WithoutProtocol)),
            fault("protocol", INVALID_PARAMETER, Change::Param(Param::OfUnknownProtocol)),
            fault("param for nothing", PIN_NOT_SET, Change::Param(Param::Wrong)),
            fault("rk", UNSUPPORTED_OPTION, Change::Request(resident)),
            fault("list", LIMIT_EXCEEDED, Change::Request(long_list)),
            fault("nobody", NO_CREDENTIALS, Change::Request(nobody)),
            fault("salt", INVALID_PARAMETER, Change::Request(salt_of_unknown_protocol)),
            fault("refusal", OPERATION_DENIED, Change::Refusal),
        ],
    );
}

/// GA-19, GA-22: a key with a PIN and alwaysUv on.
#[test]
fn get_assertion_with_pin() {
    Desk::with_pin(true).in_order(
        &Request::get_assertion(RP),
        &[
            fault("type", CBOR_UNEXPECTED_TYPE, Change::Request(wrong_type)),
            fault("no protocol", MISSING_PARAMETER, Change::Param(Param::WithoutProtocol)),
            fault("protocol", INVALID_PARAMETER, Change::Param(Param::OfUnknownProtocol)),
            fault("rk", UNSUPPORTED_OPTION, Change::Request(resident)),
            fault("list", LIMIT_EXCEEDED, Change::Request(long_list)),
            fault("no param", PUAT_REQUIRED, Change::Param(Param::Absent)),
            fault("param", PIN_AUTH_INVALID, Change::Param(Param::Wrong)),
            fault("nobody", NO_CREDENTIALS, Change::Request(nobody)),
            fault("salt", INVALID_PARAMETER, Change::Request(salt_of_unknown_protocol)),
            fault("refusal", OPERATION_DENIED, Change::Refusal),
        ],
    );
}

/// The plant: two faults given in the wrong order are found out, each pair.
#[test]
fn wrong_order_is_found_out() {
    let request = Request::make_credential().discoverable();
    let faults = || {
        [
            fault("no protocol", MISSING_PARAMETER, Change::Param(Param::WithoutProtocol)),
            fault("algorithm", UNSUPPORTED_ALGORITHM, Change::Request(unsupported)),
            fault("list", LIMIT_EXCEEDED, Change::Request(long_list)),
            fault("enterprise", INVALID_PARAMETER, Change::Request(enterprise)),
            fault("excluded", CREDENTIAL_EXCLUDED, Change::Request(excluding)),
        ]
    };
    Desk::without_pin().in_order(&request, &faults());
    for place in 1..faults().len() {
        let mut swapped = faults();
        swapped.swap(place - 1, place);
        let found = catch_unwind(AssertUnwindSafe(|| {
            Desk::without_pin().in_order(&request, &swapped);
        }));
        let pair = (swapped[place - 1].name, swapped[place].name);
        let complaint = panic_message(found.expect_err(pair.0).as_ref());
        assert!(complaint.contains(&format!("{pair:?}")), "{complaint}");
    }
}
