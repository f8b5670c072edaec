//! Members that belong together, over every profile, and the default profile whole.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use softkey_tests::cbor::{Value, array, map};
use softkey_tests::key::{CERTIFICATIONS, POLICY_URL, Profile, Sensor, Setup, beyond_a_board};
use softkey_tests::pin::Protocol;
use softkey_tests::platform::Info;
use softkey_tests::platform::permission::PCMR;
use softkey_tests::request::cf;
use softkey_tests::status::SUCCESS;
use softkey_tests::{Key, Request};

/// A key of each profile that has a getInfo, with and without a sensor.
fn keys() -> Vec<(Profile, Key)> {
    let sensor = Sensor { max_retries: 5, tries_per_request: 3, shows_presence: true };
    let profiles = Profile::ALL.into_iter().chain(Profile::built_in());
    let profiles = profiles.filter(|it| ![Profile::U2f, Profile::BuiltIn("u2f")].contains(it));
    let setups = profiles.flat_map(|profile| {
        [None, Some(sensor)].map(|sensor| Setup { profile, sensor, ..Setup::default() })
    });
    setups.map(|setup| (setup.profile, Key::new(setup))).collect()
}

/// The generation of the protocol, as 20 to 23.
fn generation(profile: Profile) -> u8 {
    match profile {
        Profile::Ctap20 | Profile::Ctap20Previews | Profile::BuiltIn("ctap2.0" | "previews2.0") => {
            20
        }
        Profile::Ctap21 | Profile::Ctap21NoPin | Profile::BuiltIn("ctap2.1") => 21,
        Profile::Ctap22 | Profile::BuiltIn("ctap2.2") => 22,
        _ => 23,
    }
}

fn has(info: &Info, member: i64) -> bool {
    info.0.at(member).is_some()
}

fn number(info: &Info, member: i64) -> Option<u64> {
    info.0.at(member).map(Value::uint)
}

fn offers_subcommand(info: &Info, subcommand: i64) -> bool {
    info.0.get(0x1F).items().contains(&Value::from(subcommand))
}

/// GI-07, GI-12, GI-15: what belongs to an extension is there exactly if the extension is.
#[track_caller]
fn extensions_and_members(info: &Info) {
    let listed = |name: &str| info.has_extension(name);
    let array = info.option("largeBlobs") == Some(true);
    assert_eq!(listed("credBlob"), number(info, 0x0F).is_some_and(|max| max >= 32));
    assert_eq!(listed("largeBlobKey"), array);
    assert_eq!(array, number(info, 0x0B).is_some_and(|max| max >= 1024));
    assert!(!(listed("largeBlob") && array), "largeBlob beside the array");
    assert_eq!(listed("minPinLength"), info.option("setMinPINLength") == Some(true));
    assert_eq!(listed("pinComplexityPolicy"), has(info, 0x1B));
    // The policy is turned on by setMinPINLength.
    assert!(!has(info, 0x1B) || info.option("setMinPINLength") == Some(true));
    assert!(!has(info, 0x02) || !info.texts(2).is_empty());
    assert!(!listed("hmac-secret-mc") || listed("hmac-secret"));
    assert!(!listed("credBlob") || listed("credProtect"));
}

/// GI-05, GI-06, GI-13, GI-16, GI-18, GI-20: what belongs to an option is there exactly if the option is.
#[track_caller]
fn options_and_members(info: &Info, generation: u8) {
    let option = |name: &str| info.option(name);
    let verifies = option("clientPin").is_some() || option("uv").is_some();
    let tokens = verifies && generation >= 21;
    assert_eq!(option("pinUvAuthToken") == Some(true), tokens);
    assert_eq!(
        option("perCredMgmtRO") == Some(true),
        tokens && generation >= 22 && option("rk") == Some(true)
    );
    // hmac-secret agrees on a key by the same command.
    assert_eq!(has(info, 0x06), verifies || info.has_extension("hmac-secret"));
    assert_eq!(has(info, 0x0D), option("clientPin").is_some() && generation >= 21);
    assert!(!has(info, 0x1D) || option("clientPin").is_some());
    assert!(!has(info, 0x1B) || option("clientPin").is_some());
    assert!(!has(info, 0x1C) || has(info, 0x1B), "a policy's address without the policy");
    assert_eq!(has(info, 0x10), option("setMinPINLength") == Some(true));
    for (of_the_sensor, since) in [(0x11, 21), (0x12, 21), (0x17, 22)] {
        let expected = option("uv").is_some() && generation >= since;
        assert_eq!(has(info, of_the_sensor), expected, "{of_the_sensor:#x}");
    }
    assert_eq!(option("noMcGaPermissionsWithClientPin"), None, "not offered");
    assert!(option("uvBioEnroll").is_none() || option("bioEnroll").is_some());
    if let Some(enrolled) = option("bioEnroll") {
        assert_eq!(option("uv"), Some(enrolled), "a finger is what verifies");
        let preview = option("userVerificationMgmtPreview");
        assert!(preview.is_none_or(|preview| preview == enrolled));
    }
    if option("alwaysUv") == Some(true) {
        assert_ne!(option("makeCredUvNotRqd"), Some(true));
        assert!(!info.has_version("U2F_V2"));
    }
}

/// GI-21, GI-22: the subcommands of authenticatorConfig are those whose settings getInfo shows.
#[track_caller]
fn subcommands_and_members(info: &Info, generation: u8) {
    let configures = info.option("authnrCfg") == Some(true);
    assert!(configures || !has(info, 0x15), "a vendor's commands without the command");
    // Once the key can verify its user, tokens must be had that configure: by the PIN, or else by the sensor.
    let by_sensor = info.option("clientPin").is_none() && info.option("uv").is_some();
    assert_eq!(info.option("uvAcfg"), (configures && by_sensor).then_some(true));
    assert_eq!(has(info, 0x1F), configures && generation >= 23);
    if !has(info, 0x1F) {
        return;
    }
    assert!(!info.0.get(0x1F).items().is_empty());
    assert_eq!(offers_subcommand(info, 1), info.option("ep").is_some());
    assert_eq!(offers_subcommand(info, 2), info.option("alwaysUv").is_some());
    assert_eq!(offers_subcommand(info, 3), info.option("setMinPINLength") == Some(true));
    assert_eq!(offers_subcommand(info, 4), has(info, 0x18));
    assert_eq!(offers_subcommand(info, 0xFF), has(info, 0x15));
    assert!(info.0.get(0x1F).items().is_sorted_by(|one, next| one.uint() < next.uint()));
    assert_eq!(has(info, 0x1A), has(info, 0x18), "the transports for a reset");
}

/// GI-02: a level is claimed exactly if what it demands is there, and previews come with their level only.
#[track_caller]
fn versions_and_features(info: &Info, generation: u8) {
    let preview = info.option("credentialMgmtPreview").is_some()
        || info.option("userVerificationMgmtPreview").is_some();
    assert_eq!(info.has_version("FIDO_2_1_PRE"), preview);
    assert!(info.has_version("FIDO_2_0"));
    let option = |name: &str| info.option(name);
    let verifies = option("clientPin").is_some() || option("uv").is_some();
    let complete = info.has_extension("hmac-secret")
        && (!verifies || info.has_extension("credProtect"))
        && (option("rk") != Some(true) || verifies)
        && info.0.get(6).items().contains(&Value::from(2));
    assert_eq!(info.has_version("FIDO_2_1"), generation >= 21 && complete);
    assert_eq!(info.has_version("FIDO_2_3"), generation >= 23 && complete);
    let manages = option("rk") == Some(true) && verifies && generation >= 21;
    assert_eq!(option("credMgmt") == Some(true), manages);
}

/// GI-06, GI-10, GI-11, GI-19, GI-21: a list that is there says something, and nothing twice.
#[track_caller]
fn lists(info: &Info) {
    for member in [0x01, 0x02, 0x06, 0x09, 0x0A, 0x15, 0x16, 0x1A] {
        let Some(list) = info.0.at(member).map(Value::items) else { continue };
        let distinct: BTreeSet<_> = list.iter().map(Value::encode).collect();
        assert_eq!(distinct.len(), list.len(), "{member:#x}");
        assert!(!list.is_empty() || member == 0x15, "{member:#x}");
    }
    let ways = |member: i64| info.texts(member).into_iter().collect::<BTreeSet<_>>();
    let known = ["usb", "nfc", "ble", "smart-card", "hybrid", "internal"].into();
    assert!(ways(0x09).is_subset(&known) && ways(0x1A).is_subset(&ways(0x09)));
    assert!(!ways(0x16).contains("none"));
}

/// GI-08, GI-09, GI-13, GI-14, GI-17, GI-18, GI-20: a number that is there is in its bounds.
#[track_caller]
fn numbers(info: &Info, generation: u8) {
    let within = |member: i64, bounds: RangeInclusive<u64>| {
        let number = number(info, member);
        assert!(number.is_none_or(|number| bounds.contains(&number)), "{member:#x}: {number:?}");
    };
    within(0x05, 1024..=7609);
    for above_zero in [0x07, 0x08, 0x0E, 0x11, 0x12] {
        within(above_zero, 1..=u64::MAX);
    }
    within(0x1D, 8..=63);
    within(0x0D, 4..=number(info, 0x1D).unwrap_or(63));
    // passcode_external is the client's PIN, and no way of the key's own; nor is pattern_external.
    assert_eq!(number(info, 0x12).unwrap_or_default() & 0x1800, 0);
    assert_eq!(has(info, 0x0C), has(info, 0x0D));
    assert_eq!(has(info, 0x14), info.option("rk") == Some(true) && generation >= 21);
    assert_eq!(has(info, 0x0E), generation >= 21);
    assert!(!has(info, 0x1C) || !info.0.get(0x1C).bytes().is_empty());
    let highest = [
        ("CC-EAL", 7),
        ("CCN-CPSTIC", 1),
        ("FIDO", 6),
        ("FIPS-CMVP-2", 4),
        ("FIPS-CMVP-2-PHY", 4),
        ("FIPS-CMVP-3", 4),
        ("FIPS-CMVP-3-PHY", 4),
    ];
    for (name, level) in info.0.at(0x13).map(Value::entries).unwrap_or_default() {
        let highest = highest.iter().find(|(known, _)| *known == name.text()).unwrap().1;
        assert!((1..=highest).contains(&level.uint()), "{name:?}");
    }
}

/// GI-25: no member and no option but those that the generation defines.
#[track_caller]
fn members_of_the_generation(info: &Info, generation: u8) {
    let last = match generation {
        20 => 0x06,
        21 => 0x15,
        22 => 0x1D,
        _ => 0x1F,
    };
    for member in info.0.keys() {
        assert!((1..=last).contains(&member.uint()), "{member:?}");
    }
    let known = ["rk", "up", "uv", "plat", "clientPin", "credentialMgmtPreview"];
    if generation == 20 {
        let options = info.0.get(4);
        assert!(options.keys().iter().all(|name| known.contains(&name.text())), "{options:?}");
    }
}

#[track_caller]
fn relations(info: &Info, generation: u8) {
    extensions_and_members(info);
    options_and_members(info, generation);
    subcommands_and_members(info, generation);
    versions_and_features(info, generation);
    lists(info);
    numbers(info, generation);
    members_of_the_generation(info, generation);
}

/// GI-02, GI-06, GI-07, GI-10, GI-12, GI-15, GI-16, GI-18, GI-19, GI-21, GI-22, GI-23, GI-25: the relations hold for every
/// profile, fresh and in use.
/// CT-GI-relations, CT-XB-info.
#[test]
fn relations_hold_for_every_profile() {
    for (profile, mut key) in keys() {
        println!("{profile:?}");
        let generation = generation(profile);
        let info = key.info();
        relations(&info, generation);
        let encrypted = |info: &Info| (has(info, 0x19), has(info, 0x1E));
        assert_eq!(encrypted(&info), (false, false), "before a persistent token");
        if info.option("clientPin").is_none() {
            continue;
        }
        key.set_pin_by(Protocol::One, "739164");
        let info = key.info();
        relations(&info, generation);
        assert_eq!(encrypted(&info), (false, false), "before a persistent token");
        if info.option("perCredMgmtRO") == Some(true) {
            key.token(Protocol::Two, "739164", PCMR, None).unwrap();
            let info = key.info();
            relations(&info, generation);
            assert_eq!(encrypted(&info), (true, generation >= 23));
        }
        key.power_cycle();
        relations(&key.info(), generation);
    }
}

/// GI-26: with alwaysUv on, makeCredUvNotRqd is false and `U2F_V2` gone; both come back.
#[test]
fn relations_hold_with_always_uv() {
    let mut toggled = 0;
    for (profile, mut key) in keys() {
        let before = key.info();
        let Some(on) = before.option("alwaysUv") else { continue };
        if before.option("uv").is_some() {
            continue;
        }
        for on in [!on, on] {
            assert_eq!(key.status(&Request::config(cf::TOGGLE_ALWAYS_UV)), SUCCESS);
            let info = key.info();
            assert_eq!(info.option("alwaysUv"), Some(on));
            relations(&info, generation(profile));
        }
        assert_eq!(key.info(), before);
        toggled += 1;
    }
    assert!(toggled >= 10, "{toggled} keys have alwaysUv");
}

/// GI-18: certifications and the policy's address are what the owner gave, in bytes and in order.
#[test]
fn what_the_owner_gave_is_told() {
    let info = Key::with_profile(Profile::Certified).info();
    let (names, levels): (Vec<_>, Vec<_>) = info.0.get(0x13).entries().iter().cloned().unzip();
    assert_eq!(names, ["FIDO", "CC-EAL", "FIPS-CMVP-3"].map(Value::from));
    assert_eq!(levels, [1, 4, 2].map(Value::from));
    assert_eq!(CERTIFICATIONS.len(), names.len());
    assert!(!has(&info, 0x1C), "no policy, no address");
    let info = Key::with_profile(Profile::PinComplexity).info();
    assert_eq!(info.0.get(0x1C).bytes(), POLICY_URL.as_bytes());
}

/// 10203 for 1.2.3.
fn package_version() -> u64 {
    env!("CARGO_PKG_VERSION")
        .split('.')
        .fold(0, |all, part| all * 100 + part.parse::<u64>().unwrap())
}

/// GI-02, GI-04, GI-07, GI-10, GI-19, GI-21, GI-22: the default key says this and nothing else, apart from its AAGUID;
/// GI-18: its firmware's version is the package's, two digits for each part but the first.
/// CT-GI-version, CT-EA-consumer-option, CT-LB-info.
#[test]
fn default_key_says_exactly_this() {
    beyond_a_board("another configuration");
    let mut key = Key::with_profile(Profile::Default);
    let info = key.info();
    let algorithm = |alg: i64| map([("alg", Value::from(alg)), ("type", "public-key".into())]);
    let extensions = [
        "credBlob",
        "credProtect",
        "hmac-secret",
        "hmac-secret-mc",
        "largeBlobKey",
        "minPinLength",
        "thirdPartyPayment",
    ];
    let options = [
        ("rk", true),
        ("up", true),
        ("plat", false),
        ("alwaysUv", false),
        ("credMgmt", true),
        ("authnrCfg", true),
        ("clientPin", false),
        ("largeBlobs", true),
        ("perCredMgmtRO", true),
        ("pinUvAuthToken", true),
        ("setMinPINLength", true),
        ("makeCredUvNotRqd", true),
    ];
    let expected = [
        (0x01, array(["U2F_V2", "FIDO_2_0", "FIDO_2_1", "FIDO_2_3"])),
        (0x02, array(extensions)),
        (0x03, info.0.get(0x03).clone()),
        (0x04, map(options)),
        (0x05, 7609.into()),
        (0x06, array([2, 1])),
        (0x07, 16.into()),
        (0x08, 255.into()),
        (0x09, array(["usb"])),
        (0x0A, array([-7, -8, -35, -36, -47].map(algorithm))),
        (0x0B, 4096.into()),
        (0x0C, false.into()),
        (0x0D, 4.into()),
        (0x0E, package_version().into()),
        (0x0F, 128.into()),
        (0x10, 8.into()),
        (0x14, 100_000.into()),
        (0x16, array(["packed"])),
        (0x18, false.into()),
        (0x1A, array(["usb"])),
        (0x1D, 63.into()),
        (0x1F, array([2, 3, 4])),
    ];
    for (member, value) in info.0.entries() {
        let expected = expected.iter().find(|(number, _)| Value::from(*number) == *member);
        let name = member.uint();
        let (_, expected) = expected.unwrap_or_else(|| panic!("member {name:#x}: {value:?}"));
        let (got, wanted) = (value.encode(), expected.encode());
        assert!(got == wanted, "member {name:#x}: {value:?} instead of {expected:?}");
    }
    assert_eq!(info.0.keys().len(), expected.len());
}
