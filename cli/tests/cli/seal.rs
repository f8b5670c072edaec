//! `softkey passwords seal`: a browser profile goes from a JSON file into a vault, whole or not at all.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;

use serde_json::{Value, json};

use crate::browser_vault::{Ended, Vault};
use crate::harness::softkey;

/// As an older, a newer and a careless hand would have written it.
const PROFILE: &str = r#"{"kept": {"passwords": [
    {"id": "ada", "name": "Ada", "iconURL": "", "origin": "https://example.org", "password": "correct horse"},
    {"id": "bea", "name": "", "iconURL": "", "origin": "https://shop.example", "password": "battery staple"}],
  "federated": [{"id": "ada@idp", "name": "", "iconURL": "", "origin": "https://example.org",
    "provider": "https://accounts.example", "protocol": null}],
  "never": ["https://never.example"]}, "silentAccess": ["https://example.org"], "ofTomorrow": [1, 2]}"#;

struct Sealing(Vault);

impl Sealing {
    fn new(passphrase: Option<&'static str>) -> Self {
        let sealing = Self(Vault::new(passphrase));
        sealing.write(PROFILE);
        sealing
    }

    fn file(&self) -> PathBuf {
        self.0.folder.path().join("profile.json")
    }

    fn write(&self, text: &str) {
        fs::write(self.file(), text).unwrap();
        fs::set_permissions(self.file(), Permissions::from_mode(0o600)).unwrap();
    }

    fn words(&self, more: &[&str]) -> Vec<String> {
        let (file, vault) = (self.file(), self.0.path());
        let words = ["passwords", "seal", "--browser-profile", file.to_str().unwrap()];
        let place = ["--browser-vault", vault.to_str().unwrap()];
        [&words[..], &place, more].concat().into_iter().map(str::to_owned).collect()
    }

    fn seal(&self, more: &[&str]) -> Ended {
        let words = self.words(more);
        self.0.bare(&words.iter().map(String::as_str).collect::<Vec<_>>(), "")
    }

    /// What the command prints that must be refused with this code.
    #[track_caller]
    fn refused(&self, more: &[&str], code: i32) -> String {
        let before = fs::read(self.file()).ok();
        let ended = self.seal(more);
        assert_eq!((ended.code, ended.out.as_str()), (Some(code), ""), "{}", ended.err);
        assert_eq!(fs::read(self.file()).ok(), before);
        ended.err
    }

    /// Is all of it in the vault?
    fn is_in_vault(&self) -> bool {
        let vault = self.0.path();
        let place = ["--browser-vault", vault.to_str().unwrap()];
        let list = ["passwords", "list", "--show-passwords"];
        let listed = self.0.bare(&[&list[..], &place].concat(), "").out;
        let sites = self.0.bare(&[&["passwords", "sites"], &place[..]].concat(), "").out;
        let kept =
            ["\"ada\" (\"Ada\")", "correct horse", "\"bea\"", "battery staple", "\"ada@idp\""];
        kept.iter().all(|it| listed.contains(it))
            && sites.contains("https://example.org  signs in without asking")
            && sites.contains("https://never.example  never keeps anything")
    }

    fn is_in_file(&self) -> bool {
        fs::read_to_string(self.file()).is_ok_and(|text| text == PROFILE)
    }
}

/// Everything is in the vault, and stays in the file until it is asked away; what it did is said each time.
#[test]
fn a_profile_is_sealed_and_its_file_goes_when_asked() {
    let sealing = Sealing::new(Some("open sesame"));
    let ended = sealing.seal(&[]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let inside = "2 passwords, 1 federated credential, 0 connected accounts, and what is remembered of sites";
    let (file, vault) = (sealing.file(), sealing.0.path());
    let (file, vault) = (file.display(), vault.display());
    assert_eq!(ended.out, format!("{file} is sealed in {vault}: {inside}.\n"));
    assert!(ended.err.contains("is still there, and not sealed"), "{}", ended.err);
    assert!(sealing.is_in_file() && sealing.is_in_vault());
    for path in sealing.0.files().iter().filter(|path| **path != sealing.file()) {
        let bytes = fs::read(path).unwrap();
        for secret in ["correct horse", "example.org", "ofTomorrow"] {
            let lies_open = bytes.windows(secret.len()).any(|piece| piece == secret.as_bytes());
            assert!(!lies_open, "{secret} in {}", path.display());
        }
    }

    let ended = sealing.seal(&["--remove-file", "--json"]);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    let told = json!({"vault": vault.to_string(), "file": file.to_string(), "passwords": 2,
        "federated": 1, "connections": 0, "wasThere": true, "fileRemoved": true});
    assert_eq!(serde_json::from_str::<Value>(&ended.out).unwrap(), told);
    assert!(!sealing.file().exists() && sealing.is_in_vault());
    let told = sealing.refused(&["--remove-file"], 3);
    assert!(told.contains("profile.json: there is none"), "{told}");
    assert!(sealing.is_in_vault());
}

/// A leftover of an interrupted write is a copy of the passwords; it goes with the file.
#[test]
fn no_copy_stays_beside_the_removed_file() {
    let sealing = Sealing::new(None);
    let leftover = sealing.0.folder.path().join("profile.json.new");
    fs::write(&leftover, PROFILE).unwrap();
    assert_eq!(sealing.seal(&["--remove-file"]).code, Some(0));
    assert!(!leftover.exists() && sealing.is_in_vault());
}

/// What only the vault has, and this version does not know, is not replaced.
#[test]
fn what_a_newer_version_sealed_stays() {
    let sealing = Sealing::new(None);
    assert_eq!(sealing.seal(&[]).code, Some(0));
    sealing.write(&PROFILE.replace(", \"ofTomorrow\": [1, 2]", ""));
    let told = sealing.refused(&["--remove-file"], 3);
    assert!(told.contains("holds another browser profile, which was not touched"), "{told}");
    assert!(sealing.file().exists() && sealing.is_in_vault());
    sealing.write(PROFILE);
    assert_eq!(sealing.seal(&["--remove-file"]).code, Some(0));
}

/// Another profile in the vault is not replaced, whether the file is to go or not.
#[test]
fn another_profile_in_the_vault_stays() {
    let sealing = Sealing::new(None);
    assert_eq!(sealing.seal(&[]).code, Some(0));
    sealing.write(r#"{"kept": {"never": ["https://a.example"]}}"#);
    for more in [&[][..], &["--remove-file"]] {
        let told = sealing.refused(more, 3);
        assert!(told.contains("holds another browser profile, which was not touched"), "{told}");
        assert!(told.contains("\n    try: another --browser-vault"), "{told}");
    }
    assert!(sealing.is_in_vault());
}

/// No vault is named, no file is there, the file is no profile or another's to read, it has another name, the passphrase is
/// wrong, the vault is a key's: each is told, nothing is made, and the file stays.
#[test]
fn what_cannot_be_sealed_is_told() {
    let mut sealing = Sealing::new(Some("open sesame"));
    let file = sealing.file();
    let words = ["passwords", "seal", "--browser-profile", file.to_str().unwrap()];
    let ended = sealing.0.bare(&words, "");
    assert_eq!(ended.code, Some(2));
    assert!(ended.err.contains("No vault is named to seal"), "{}", ended.err);

    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let told = sealing.refused(&["--remove-file"], 3);
    assert!(told.contains("others can read or change"), "{told}");
    sealing.write(r#"{"kept": {"passwords": [{"id": "ada", "password": "correct horse""#);
    let told = sealing.refused(&["--remove-file"], 3);
    assert!(told.contains("it is no browser profile from line 1"), "{told}");
    assert!(!told.contains("horse"), "{told}");

    sealing.write(PROFILE);
    let other = sealing.0.folder.path().join("other.json");
    fs::hard_link(&file, &other).unwrap();
    let told = sealing.refused(&["--remove-file"], 3);
    assert!(told.contains("was not removed, and nothing was sealed"), "{told}");
    fs::rename(&other, sealing.file()).unwrap();
    fs::remove_file(&file).unwrap();
    fs::write(&other, PROFILE).unwrap();
    fs::set_permissions(&other, Permissions::from_mode(0o600)).unwrap();
    symlink(&other, &file).unwrap();
    let told = sealing.refused(&["--remove-file"], 3);
    assert!(told.contains("it is also under another name"), "{told}");
    fs::remove_file(&file).unwrap();
    assert!(!sealing.0.path().exists(), "no vault was made for any of these");

    sealing.write(PROFILE);
    assert_eq!(sealing.seal(&[]).code, Some(0));
    sealing.0.passphrase = Some("open barley");
    let told = sealing.refused(&["--remove-file"], 7);
    assert!(told.contains("is not the passphrase of the vault"), "{told}");
    sealing.0.passphrase = None;
    let told = sealing.refused(&["--remove-file"], 7);
    assert!(told.contains("protected by a passphrase, and none was given"), "{told}");
}

/// A vault that is the file itself, and one that is something else.
#[test]
fn a_vault_that_is_none_is_not_written_over() {
    let sealing = Sealing::new(None);
    let file = sealing.file();
    let name = file.to_str().unwrap();
    let words =
        ["passwords", "seal", "--remove-file", "--browser-profile", name, "--browser-vault", name];
    let ended = sealing.0.bare(&words, "");
    assert_eq!(ended.code, Some(7), "{}", ended.err);
    assert!(sealing.is_in_file());
    fs::write(sealing.0.path(), "something else").unwrap();
    sealing.refused(&["--remove-file"], 7);
    assert_eq!(fs::read_to_string(sealing.0.path()).unwrap(), "something else");
}

/// kill -9 at each file that is made on the way, and once the old one is gone: the profile is whole in one of both places,
/// and who starts again comes to the end. The moments are not exact, and need not be.
#[test]
fn whoever_is_killed_loses_nothing() {
    let made = [
        "profile.json.lock",
        "browser.lock",
        "browser.key",
        "browser.new",
        "browser",
        "browser.header",
    ];
    for until in made.into_iter().chain(["profile.json"]) {
        let sealing = Sealing::new(None);
        let awaited = sealing.0.folder.path().join(until);
        let mut command = softkey();
        command.args(sealing.words(&["--remove-file"])).env("HOME", sealing.0.folder.path());
        command.env_remove("SOFTKEY_PASSPHRASE");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        while awaited.exists() == (until == "profile.json") && child.try_wait().unwrap().is_none() {
            thread::yield_now();
        }
        let _ = child.kill();
        child.wait().unwrap();
        let in_file = sealing.is_in_file();
        assert!(in_file || sealing.is_in_vault(), "lost at {until}");
        assert!(in_file || !sealing.file().exists(), "half a file at {until}");
        let again = sealing.seal(&["--remove-file"]);
        assert_eq!(again.code, Some(if in_file { 0 } else { 3 }), "{until}: {}", again.err);
        assert!(sealing.is_in_vault() && !sealing.file().exists(), "{until}");
    }
}

/// Planted: what the tests above take for whole is not whole with one thing missing.
#[test]
fn a_loss_is_found() {
    let without = |what: &str, instead: &str| {
        let sealing = Sealing::new(None);
        assert!(PROFILE.contains(what));
        sealing.write(&PROFILE.replace(what, instead));
        assert_eq!(sealing.seal(&[]).code, Some(0));
        assert!(!sealing.is_in_file());
        sealing.is_in_vault()
    };
    assert!(!without("battery staple", "staple"));
    assert!(!without("\"ada@idp\"", "\"ada\""));
    assert!(!without("\"never\": [\"https://never.example\"]", "\"never\": []"));
    assert!(!without("\"silentAccess\": [\"https://example.org\"]", "\"silentAccess\": []"));
    assert!(without("\"ofTomorrow\": [1, 2]", "\"ofTomorrow\": [1]"), "which no list shows");
}
