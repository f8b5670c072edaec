//! What credentials of other keys look like: backup flags, counters, the model's identifier.

use softkey_tests::auth_data::{BE, BS};
use softkey_tests::cbor::{Value, map};
use softkey_tests::key::{OTHER_AAGUID, Profile, Setup};
use softkey_tests::parts::sha256;
use softkey_tests::pin::Protocol;
use softkey_tests::platform::permission::PCMR;
use softkey_tests::request::cm;
use softkey_tests::status::PIN_AUTH_INVALID;
use softkey_tests::u2f::{Registration, authenticate, authentication, register};
use softkey_tests::{Key, Request};

fn power_cycle_as(key: &mut Key, profile: Profile) {
    key.power_cycle_as(Setup { profile, ..Setup::default() });
}

/// BE is fixed when a credential is made, of either kind; BS follows the key.
#[test]
fn backup_eligibility_is_fixed_for_each_credential() {
    for discoverable in [true, false] {
        let request = Request::make_credential().option("rk", discoverable);
        let mut key = Key::with_profile(Profile::Synced);
        let synced = key.make(&request);
        assert!(synced.auth_data.has(BE | BS));
        assert!(key.assertion_by(&synced, &synced.get()).auth_data.has(BE | BS));
        power_cycle_as(&mut key, Profile::Default);
        let flags = key.assertion_by(&synced, &synced.get()).auth_data.flags;
        assert_eq!(flags & (BE | BS), BE, "eligible for ever, backed up no more");
        let other = Request::make_credential_for("other.example", &[2]);
        let bound = key.make(&other.option("rk", discoverable));
        assert_eq!(bound.auth_data.flags & (BE | BS), 0);
        power_cycle_as(&mut key, Profile::Synced);
        let flags = key.assertion_by(&bound, &bound.get()).auth_data.flags;
        assert_eq!(flags & (BE | BS), 0, "bound for ever");
    }
}

/// GA-30: the counter is zero everywhere and nothing is written for it; without the profile it goes on.
#[test]
fn zero_counter_stays_zero() {
    let mut key = Key::new(Setup { profile: Profile::ZeroCounter, ..Setup::default() });
    for discoverable in [true, false] {
        let made = key.make(&Request::make_credential().option("rk", discoverable));
        assert_eq!(made.auth_data.sign_count, 0);
        let commits = key.commits();
        for _ in 0..40 {
            assert_eq!(key.assertion_by(&made, &made.get()).auth_data.sign_count, 0);
        }
        assert_eq!(key.commits(), commits);
        power_cycle_as(&mut key, Profile::Default);
        assert!(key.assertion_by(&made, &made.get()).auth_data.sign_count > 0);
        power_cycle_as(&mut key, Profile::ZeroCounter);
    }
}

/// UF-17: the counter of U2F too.
#[test]
fn zero_counter_stays_zero_for_u2f() {
    let mut key = Key::with_profile(Profile::ZeroCounter);
    let (application, challenge) = ([1; 32], [2; 32]);
    let answer = key.u2f_polling(&register(&application, &challenge));
    let made = Registration::parse(&answer, &application, &challenge);
    let answer = key.u2f_polling(&authenticate(0x03, &application, &challenge, &made.handle));
    let (_, counter) = authentication(&answer, &application, &challenge, &made.public_key);
    assert_eq!(counter, 0);
}

/// GI-03, GI-06, GI-10, GI-21: the model, the transports and the order of protocols that the owner chose.
#[test]
fn disguise_is_worn_everywhere() {
    let mut key = Key::with_profile(Profile::Disguised);
    let info = key.info();
    assert_eq!(info.aaguid(), OTHER_AAGUID);
    assert_eq!(key.make(&Request::make_credential()).attested().aaguid, OTHER_AAGUID);
    assert_eq!((info.texts(9), info.texts(0x1A)), (vec!["nfc", "usb"], vec!["nfc", "usb"]));
    assert_eq!(info.0.get(6).items(), [1, 2].map(Value::from));
    for protocol in Protocol::BOTH {
        key.key_agreement(protocol);
    }
}

/// CM-03, CM-14: what another profile left in the store is not told or taken by one that does not offer it: the key for the
/// large-blob array, and the persistent token of 2.2.
#[test]
fn what_is_not_offered_is_neither_told_nor_taken() {
    let mut key = Key::with_profile(Profile::Default);
    key.make(&Request::make_credential().discoverable().extension("largeBlobKey", true));
    key.set_pin("1234");
    let persistent = key.token(Protocol::Two, "1234", PCMR, None).unwrap();
    let list = Request::credential_management(cm::ENUMERATE_CREDENTIALS_BEGIN)
        .with(cm::PARAMS, map([(1, sha256(b"example.com"))]))
        .managed(&persistent);
    assert!(key.ok(&list).at(0x0B).is_some());
    power_cycle_as(&mut key, Profile::LargeBlob);
    assert_eq!(key.ok(&list).at(0x0B), None, "largeBlobKey is not offered");
    power_cycle_as(&mut key, Profile::Ctap22);
    assert!(key.ok(&list).at(0x0B).is_some());
    power_cycle_as(&mut key, Profile::Ctap21);
    assert_eq!(key.status(&list), PIN_AUTH_INVALID, "2.1 has no persistent token");
}
