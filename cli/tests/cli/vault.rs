//! `softkey vault`: a vault is checked, and opened by something else from then on.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Key, PROGRAM, softkey};
use crate::terminal::Seat;

/// A folder with a vault that a key has made, opened by its key file, and what is done with it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.starts(&[]).told(&["stop"]);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A file with a passphrase.
    fn passphrase(&self, text: &str) -> String {
        let path = self.path(text);
        fs::write(&path, format!("{text}\n")).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Runs a key with the vault.
    fn starts(&self, more: &[&str]) -> Key {
        let vault = self.path("v");
        Key::start(&[&["--vault", vault.to_str().unwrap(), "--approve", "auto"], more].concat())
    }

    /// `softkey vault`: its exit code, its JSON, and its error.
    fn vault(&self, words: &[&str]) -> (Option<i32>, Value, String) {
        let mut command = softkey();
        command.arg("vault").args(words).arg("--json").arg("--vault").arg(self.path("v"));
        command.env_remove("SOFTKEY_PASSPHRASE");
        let output = command.output().unwrap();
        let told = match &output.stdout[..] {
            [] => Value::Null,
            printed => serde_json::from_slice(printed).unwrap(),
        };
        (output.status.code(), told, String::from_utf8(output.stderr).unwrap())
    }

    /// A check must fail, as what cannot be opened does, and say this.
    fn is_refused(&self, more: &[&str], said: &str) {
        let (code, told, err) = self.vault(&[&["check"], more].concat());
        assert_eq!((code, told), (Some(7), Value::Null), "{err}");
        assert!(err.contains(said), "{err}");
    }

    /// A check must find the vault whole, and opened by this.
    fn is_whole(&self, more: &[&str], by: &str) {
        let (code, told, err) = self.vault(&[&["check"], more].concat());
        assert_eq!(code, Some(0), "{err}");
        assert_eq!(told["vault"], json!(self.path("v")));
        assert_eq!(told["openedBy"], by);
        assert!(told["records"].as_u64().is_some_and(|records| records > 0), "{told}");
    }
}

/// From a key file to a passphrase, to another one, and back.
#[test]
fn what_opens_a_vault_is_changed() {
    let place = Place::new();
    place.is_whole(&[], "keyFile");
    let (first, second) = (place.passphrase("first"), place.passphrase("second"));

    let (code, told, _) = place.vault(&["passphrase", "--new-passphrase-file", &first]);
    assert_eq!((code, &told["openedBy"]), (Some(0), &json!("passphrase")));
    assert!(!place.path("v.key").exists(), "a key file that opens nothing is removed");
    place.is_whole(&["--passphrase-file", &first], "passphrase");
    place.starts(&["--passphrase-file", &first]).told(&["stop"]);

    let change = ["passphrase", "--new-passphrase-file", &second, "--passphrase-file"];
    let (code, _, err) = place.vault(&[&change[..], &[&second]].concat());
    assert!(code == Some(7) && err.contains("is not the passphrase"), "{err}");
    place.is_whole(&["--passphrase-file", &first], "passphrase");
    assert_eq!(place.vault(&[&change[..], &[&first]].concat()).0, Some(0));
    place.is_refused(&["--passphrase-file", &first], "is not the passphrase");
    place.is_whole(&["--passphrase-file", &second], "passphrase");

    let (code, told, _) = place.vault(&["passphrase", "--key-file", "--passphrase-file", &second]);
    assert_eq!((code, &told["openedBy"]), (Some(0), &json!("keyFile")));
    place.is_whole(&[], "keyFile");
    place.starts(&[]).told(&["stop"]);
}

/// What cannot be done is said, and the vault stays as it was.
#[test]
fn what_cannot_be_done_changes_nothing() {
    let place = Place::new();
    let files = || ["v", "v.header", "v.key"].map(|name| fs::read(place.path(name)).unwrap());
    let before = files();
    for (words, wanted, said) in [
        (&["passphrase"][..], 2, "Nobody is at a terminal"),
        (&["passphrase", "--new-passphrase-file", "no such file"], 3, "cannot be read"),
        (&["passphrase", "--new-passphrase-file", "/dev/null"], 3, "is empty"),
        (&["check", "--passphrase-file", &place.passphrase("wrong")], 7, "by its key file, not by"),
    ] {
        let (code, told, err) = place.vault(words);
        assert_eq!((code, &told), (Some(wanted), &Value::Null), "{words:?}: {err}");
        assert!(err.contains(said), "{err}");
    }
    assert_eq!(files(), before);
    let key = place.starts(&[]);
    place.is_refused(&[], "is in use by process ");
    key.told(&["stop"]);
    drop(key);
    // The key has counted its start in the database.
    assert_eq!(files()[1..], before[1..]);

    let whole = &before[0];
    let mut damaged = whole.clone();
    let at = damaged.len() / 2;
    damaged[at..].fill(0);
    fs::write(place.path("v"), damaged).unwrap();
    place.is_refused(&[], "/v is damaged: ");
    fs::write(place.path("v"), whole).unwrap();
    place.is_whole(&[], "keyFile");
    fs::remove_file(place.path("v.header")).unwrap();
    place.is_refused(&[], "/v.header, without which its vault cannot be read, is missing");
}

/// At a terminal the old passphrase is asked for, and the new one twice.
#[test]
fn a_person_is_asked_for_both() {
    let place = Place::new();
    let at_terminal = |line: &str| {
        let mut command = Command::new("setsid");
        command.args(["--ctty", "--wait", PROGRAM, "vault", line, "--vault", "v"]);
        command.current_dir(&place.0).env_remove("SOFTKEY_PASSPHRASE");
        Seat::of(command)
    };
    let mut seat = at_terminal("passphrase");
    for prompt in ["New passphrase (empty: a key file): ", "The same again: "] {
        seat.see(prompt);
        seat.type_unseen("new 1234");
    }
    seat.see("v is opened by its passphrase");
    let mut seat = at_terminal("check");
    seat.see("Passphrase of v: ");
    seat.type_unseen("new 1234");
    seat.see("v is whole, with ");
    seat.see(" records, and is opened by its passphrase");
}
