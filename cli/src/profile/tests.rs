//! What profiles say is what they make of the key.

use softkey_authenticator::{Backup, Generation, LargeBlobs};

use super::*;
use crate::vault::VaultPaths;

fn complaint(text: &str) -> String {
    let error = Profile::parse("x.toml", text).unwrap_err();
    assert_eq!(error.exit(), Exit::BadInput);
    assert!(error.try_this().contains("softkey profiles show default"), "{}", error.try_this());
    error.what().to_owned()
}

/// The file of the default says what the program does without it, key by key.
#[test]
fn default_profile_is_the_default() {
    let profile = Profile::find("default").unwrap();
    assert!(profile.is_default());
    assert_eq!(profile.config, Config::default());
    assert!(Profile::parse("empty", "").unwrap().is_default());
}

/// Every name is another key than the default but those that say so, and its text loads to the same again.
#[test]
fn built_in_profiles_are_whole() {
    let profiles = Profile::built_in().unwrap();
    for profile in &profiles {
        assert!(!profile.summary.is_empty() && profile.summary.len() < 100, "{}", profile.name);
        assert_eq!(Profile::parse(&profile.name, &profile.text).unwrap(), *profile);
        assert_eq!(profile.config.clone().settled(), profile.config, "{}", profile.name);
        let plain = ["default", "ctap2.3"].contains(&profile.name.as_str());
        assert_eq!(profile.is_default(), plain, "{}", profile.name);
        let twins = profiles.iter().filter(|other| other.config == profile.config).count();
        assert_eq!(twins, if plain { 2 } else { 1 }, "{}", profile.name);
    }
}

#[test]
fn keys_do_what_they_say() {
    let text = "generation = \"2.1\"\naaguid = \"00000000-0000-0000-0000-0000000000ff\"\n\
                attestation = \"self\"\ntransports = [\"nfc\", \"usb\"]\nmax-credentials = 5\n\
                pin-protocols = [1]\nextensions = [\"hmac-secret\"]\nlarge-blobs = \"none\"\n\
                algorithms = [\"EdDSA\", \"-7\"]\nbackup = \"eligible\"\n\
                certifications = { FIDO = 2, CC-EAL = 7 }\nvendor-commands = [0xf00d, 1]\n";
    let long = Profile::parse("x", "long-touch-for-reset = true").unwrap().config;
    assert!(long.long_touch_for_reset && !Config::default().long_touch_for_reset);
    let config = Profile::parse("x", text).unwrap().config;
    assert_eq!((config.generation, config.aaguid[15]), (Generation::Ctap21, 0xFF));
    assert_eq!((config.max_discoverable, config.backup), (5, Backup::Eligible));
    assert_eq!((config.large_blobs, config.transports.len()), (LargeBlobs::None, 2));
    assert!(config.extensions.hmac_secret && !config.extensions.cred_protect);
    assert_eq!(config.certifications, [("CC-EAL".into(), 7), ("FIDO".into(), 2)]);
    assert_eq!(config.vendor_commands, Some(vec![0xF00D, 1]));
}

/// A key nobody knows, a value that is none, a value that cannot be kept: the key and its line are named.
#[test]
fn flaws_are_named_with_their_line() {
    let unknown = complaint("u2f = true\n\nmax-lists = 3\n");
    assert_eq!(unknown, "The profile x.toml makes no sense in line 3: unknown field `max-lists`.");
    let wrong = complaint("# a key\ngeneration = \"2.4\"\n");
    assert!(wrong.contains("line 2") && wrong.contains("2.4"), "{wrong}");
    for (text, key, line) in [
        ("max-list = 0", "max-list", 1),
        ("\naaguid = \"12\"", "aaguid", 2),
        ("\n\ntransports = [\"pigeon\"]", "transports", 3),
        ("transports = [\"usb\", \"usb\"]", "transports", 1),
        ("pin-protocols = [3]", "pin-protocols", 1),
        ("generation = \"2.0\"\nenterprise = []", "enterprise", 2),
        ("enterprise = [\"a.b\", \"a.b\"]", "enterprise", 1),
        ("extensions = [\"appid\"]", "extensions", 1),
        ("algorithms = [\"ES257\"]", "algorithms", 1),
        ("generation = \"2.2\"\nlarge-blobs = \"extension\"", "large-blobs", 2),
        ("client-pin = false\nmin-pin-length = 4\nalways-uv = true", "always-uv", 3),
        ("generation = \"2.0\"\nmax-large-blob-array = 512", "max-large-blob-array", 2),
        ("extensions = [\"credBlob\"]", "extensions", 1),
        ("\nfaults = [\"laziness\"]", "faults", 2),
        ("certifications = { ISO = 1 }", "certifications", 1),
        ("certifications = { FIDO = 7 }", "certifications", 1),
        ("certifications = { CC-EAL = 0 }", "certifications", 1),
        ("generation = \"2.0\"\ncertifications = { FIDO = 1 }", "certifications", 2),
        ("generation = \"2.2\"\ncertifications = { CCN-CPSTIC = 1 }", "certifications", 2),
        ("generation = \"2.1\"\nlong-touch-for-reset = true", "long-touch-for-reset", 2),
        (
            "pin-complexity-policy = true\npin-complexity-policy-url = \"\"",
            "pin-complexity-policy-url",
            2,
        ),
        (
            "pin-complexity-policy = true\nextensions = [\"credProtect\"]",
            "pin-complexity-policy",
            1,
        ),
        ("\nvendor-commands = [2, 1, 2]", "vendor-commands", 2),
        ("generation = \"2.0\"\nvendor-commands = []", "vendor-commands", 2),
    ] {
        let what = complaint(text);
        let expected = format!("makes no sense in line {line}: `{key}`:");
        assert!(what.contains(&expected), "{what}");
    }
    assert!(complaint("u2f = maybe").contains("line 1"));
}

/// The certificate of enterprise attestation is one for the profile's model, wherever that stands in the file; without
/// the key there is none.
#[test]
fn enterprise_attestation_is_for_the_profiles_model() {
    let of = |text: &str| Profile::parse("x", text).unwrap().config.enterprise;
    assert_eq!(of(""), None);
    let plain = of("enterprise = [\"example.com\"]").unwrap();
    assert_eq!(plain.rp_ids(), ["example.com"]);
    assert_eq!(of("enterprise = []").unwrap().rp_ids(), [""; 0]);
    let other = "00000000-0000-0000-0000-0000000000ff";
    let before = of(&format!("aaguid = \"{other}\"\nenterprise = [\"example.com\"]")).unwrap();
    let behind = of(&format!("enterprise = [\"example.com\"]\naaguid = \"{other}\"")).unwrap();
    assert_eq!(before, behind);
    assert_ne!(before, plain);
}

#[test]
fn names_and_files_are_told_apart() {
    let error = Profile::find("no-such-profile").unwrap_err();
    assert_eq!(error.exit(), Exit::BadInput);
    assert!(error.what().contains("no-such-profile"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.toml");
    fs::write(&file, "u2f = false\n").unwrap();
    assert!(!Profile::find(file.to_str().unwrap()).unwrap().config.u2f);
    let missing = folder.path().join("other.toml");
    assert_eq!(Profile::find(missing.to_str().unwrap()).unwrap_err().exit(), Exit::BadInput);
}

/// A vault stays with the profile it was made with, and a refusal changes nothing.
#[test]
fn a_vault_belongs_to_its_profile() {
    let folder = tempfile::tempdir().unwrap();
    let vault = folder.path().join("vault");
    let mark = Mark::of(&VaultPaths::at(&vault));
    let (default, tiny, old) = ("default", "tiny", "ctap2.0");
    let find = |name: &str| Profile::find(name).unwrap();
    mark.check(&find(tiny)).unwrap();
    fs::write(&vault, "a vault").unwrap();
    for wrong in [default, old] {
        let error = mark.check(&find(wrong)).unwrap_err();
        assert_eq!(error.exit(), Exit::Vault);
        assert!(error.what().ends_with("was made with the profile tiny."), "{}", error.what());
    }
    mark.check(&find(tiny)).unwrap();
    // Also while its database is missing.
    fs::write(VaultPaths::at(&vault).header, "a header").unwrap();
    fs::remove_file(&vault).unwrap();
    assert_eq!(mark.check(&find(default)).unwrap_err().exit(), Exit::Vault);
    fs::write(&vault, "a vault").unwrap();
    mark.check(&find(tiny)).unwrap();
    // The same thing under another name is the same thing.
    mark.check(&Profile { name: "./tiny.toml".into(), ..find(tiny) }).unwrap();
    // And another thing under the same name another one, unless the name is the program's own.
    mark.check(&Profile { name: tiny.into(), ..find(old) }).unwrap();
    let file = |of: &str| Profile { name: "mine.toml".into(), ..find(of) };
    let from_file = folder.path().join("from-file");
    Mark::of(&VaultPaths::at(&from_file)).check(&file(tiny)).unwrap();
    fs::write(&from_file, "a vault").unwrap();
    Mark::of(&VaultPaths::at(&from_file)).check(&file(tiny)).unwrap();
    let error = Mark::of(&VaultPaths::at(&from_file)).check(&file(old)).unwrap_err();
    assert!(error.what().ends_with("was made with the profile mine.toml."), "{}", error.what());
    let own = folder.path().join("own");
    Mark::of(&VaultPaths::at(&own)).check(&find(default)).unwrap();
    fs::write(&own, "a vault").unwrap();
    Mark::of(&VaultPaths::at(&own)).check(&find(default)).unwrap();
    let error = Mark::of(&VaultPaths::at(&own)).check(&find(tiny)).unwrap_err();
    assert!(error.what().ends_with("was made with the default profile."), "{}", error.what());
}
