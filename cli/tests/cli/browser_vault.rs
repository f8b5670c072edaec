//! A browser profile in a vault, through the program: one process for each call.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::softkey_piped;

/// A vault that may not be there yet, and what the program's environment has as passphrase.
pub(crate) struct Vault {
    pub(crate) folder: TempDir,
    pub(crate) passphrase: Option<&'static str>,
}

/// How a command ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Vault {
    pub(crate) fn new(passphrase: Option<&'static str>) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), passphrase }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("browser")
    }

    pub(crate) fn bare(&self, words: &[&str], input: &str) -> Ended {
        let mut command = softkey_piped();
        command.args(words).env("HOME", self.folder.path()).env_remove("XDG_DATA_HOME");
        command.envs(self.passphrase.map(|passphrase| ("SOFTKEY_PASSPHRASE", passphrase)));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // The command may end without reading it.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    fn with(&self, words: &[&str], input: &Value) -> Ended {
        let path = self.path();
        let words = [words, &["--browser-vault", path.to_str().unwrap()]].concat();
        self.bare(&words, &input.to_string())
    }

    /// The same with success; what it printed.
    pub(crate) fn done(&self, words: &[&str], input: &Value) -> String {
        let ended = self.with(words, input);
        assert_eq!(ended.code, Some(0), "{words:?}: {}", ended.err);
        ended.out
    }

    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> =
            fs::read_dir(self.folder.path()).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        files
    }
}

const ORIGIN: [&str; 2] = ["--origin", "https://example.org"];

fn ada() -> Value {
    json!({"password": {"id": "ada.lovelace", "origin": "https://example.org", "password": "correct horse"}})
}

fn federated() -> Value {
    json!({"federated": {"id": "ada@idp", "provider": "https://accounts.example"}})
}

fn has(path: &Path, text: &str) -> bool {
    fs::read(path).unwrap().windows(text.len()).any(|piece| piece == text.as_bytes())
}

/// Kept, listed, given back with and without asking, and removed; no file ever has it in the open.
#[test]
fn passwords_live_in_a_vault() {
    let vault = Vault::new(Some("battery staple"));
    let store = [&["store", "--yes"], &ORIGIN[..]].concat();
    assert_eq!(vault.done(&store, &ada()), "Kept.\n");
    assert_eq!(vault.done(&store, &federated()), "Kept.\n");
    let list = vault.done(&["passwords", "list", "--json", "--show-passwords"], &Value::Null);
    let kept: Vec<Value> = list.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(kept[0]["password"], "correct horse");
    assert_eq!(kept[1]["provider"], "https://accounts.example");
    let stays = [&["get", "--yes", "--stay-signed-in"], &ORIGIN[..]].concat();
    let given = vault.done(&stays, &json!({"password": true}));
    assert!(given.contains("\"correct horse\""), "{given}");
    let silent = [&["get"], &ORIGIN[..]].concat();
    let asked = json!({"password": true, "mediation": "silent"});
    assert!(vault.done(&silent, &asked).contains("\"correct horse\""));

    let names: Vec<_> =
        vault.files().iter().map(|path| path.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, ["browser", "browser.header", "browser.lock"]);
    for (file, secret) in vault.files().iter().flat_map(|file| {
        // Each is so long that sealed bytes do not happen to hold it.
        ["correct horse", "ada.lovelace", "example.org", "battery staple"]
            .map(|secret| (file, secret))
    }) {
        assert!(!has(file, secret), "{secret} lies open in {}", file.display());
    }

    vault.done(&["passwords", "remove", "https://example.org", "ada.lovelace"], &Value::Null);
    assert!(!vault.done(&["passwords", "list"], &Value::Null).contains("\"ada.lovelace\""));
    vault.done(&[&["prevent-silent-access"], &ORIGIN[..]].concat(), &Value::Null);
    assert_eq!(vault.done(&silent, &asked), "null\n");
}

/// Without a passphrase a key file opens it, and the program says what that means; nothing is made for a look.
#[test]
fn a_key_file_opens_it_where_there_is_no_passphrase() {
    let vault = Vault::new(None);
    assert_eq!(vault.done(&["passwords", "list"], &Value::Null), "");
    assert!(vault.files().is_empty());
    let ended = vault.with(&[&["store", "--yes"], &ORIGIN[..]].concat(), &ada());
    assert_eq!(ended.code, Some(0));
    assert!(ended.err.contains("whoever can read both can read the passwords"), "{}", ended.err);
    assert!(vault.done(&["passwords", "list"], &Value::Null).contains("\"ada.lovelace\""));
    fs::remove_file(vault.folder.path().join("browser.key")).unwrap();
    let ended = vault.with(&["passwords", "list"], &Value::Null);
    assert_eq!(ended.code, Some(7));
    assert!(ended.err.contains("browser.key, which opens the vault, is missing"), "{}", ended.err);
}

/// Another passphrase, none, a file that cannot be read: told, with the exit code for it, and the vault stays.
#[test]
fn whoever_has_not_the_passphrase_gets_nothing() {
    let mut vault = Vault::new(Some("battery staple"));
    vault.done(&[&["store", "--yes"], &ORIGIN[..]].concat(), &ada());
    let refused = |vault: &Vault, words: &[&str]| {
        let ended = vault.with(words, &ada());
        assert!(ended.out.is_empty() && !ended.err.contains("horse"), "{}", ended.err);
        (ended.code, ended.err)
    };
    vault.passphrase = Some("battery horse");
    for words in [&["passwords", "list"][..], &["store", "--yes", ORIGIN[0], ORIGIN[1]]] {
        let (code, told) = refused(&vault, words);
        assert_eq!(code, Some(7));
        assert!(told.contains("is not the passphrase of the vault"), "{told}");
    }
    vault.passphrase = None;
    let (code, told) = refused(&vault, &["passwords", "list"]);
    assert_eq!(code, Some(7));
    assert!(told.contains("protected by a passphrase, and none was given"), "{told}");
    let (code, told) =
        refused(&vault, &["passwords", "list", "--passphrase-file", "/no such file"]);
    assert_eq!(code, Some(3));
    assert!(told.contains("The passphrase file /no such file cannot be read"), "{told}");
    let file = vault.folder.path().join("passphrase");
    fs::write(&file, "battery staple\n").unwrap();
    let words = ["passwords", "--passphrase-file", file.to_str().unwrap(), "list"];
    assert!(vault.done(&words, &Value::Null).contains("\"ada.lovelace\""));
}

/// It is in one place, a passphrase is for a vault, and a key's vault is another thing.
#[test]
fn what_contradicts_itself_is_refused() {
    let vault = Vault::new(None);
    let told = |words: &[&str], code| {
        let ended = vault.with(words, &json!({"password": true}));
        assert_eq!(ended.code, Some(code), "{words:?}: {}", ended.err);
        ended.err
    };
    let both = told(&["passwords", "list", "--browser-profile", "x"], 2);
    assert!(both.contains("is in a file or in a vault"), "{both}");
    let ended = vault.bare(&["passwords", "list", "--passphrase-file", "x"], "");
    assert_eq!(ended.code, Some(2));
    assert!(ended.err.contains("for a browser vault, and none is named"), "{}", ended.err);

    vault.done(&[&["store", "--yes"], &ORIGIN[..]].concat(), &ada());
    let path = vault.path();
    let run =
        ["run", "--transport", "udp", "--listen", "127.0.0.1:0", "--vault", path.to_str().unwrap()];
    let ended = vault.bare(&run, "");
    assert_eq!(ended.code, Some(7));
    assert!(ended.err.contains("is a browser profile, and no security key's"), "{}", ended.err);
    assert!(vault.done(&["passwords", "list"], &Value::Null).contains("\"ada.lovelace\""));
}

/// A passphrase may come out of a pipe, which gives it once, also for a vault that is only made by the call.
#[test]
fn a_passphrase_out_of_a_pipe_makes_a_vault() {
    let vault = Vault::new(None);
    let options = vault.folder.path().join("options");
    fs::write(&options, ada().to_string()).unwrap();
    let path = vault.path();
    let place = ["--browser-vault", path.to_str().unwrap(), "--passphrase-file", "/dev/stdin"];
    let store = ["store", "--yes", "--options", options.to_str().unwrap()];
    let stored = vault.bare(&[&store, &ORIGIN[..], &place].concat(), "open sesame\n");
    assert_eq!(stored.code, Some(0), "{}", stored.err);
    let listed = vault.bare(&[&["passwords", "list"], &place[..]].concat(), "open sesame\n");
    assert!(listed.code == Some(0) && listed.out.contains("ada.lovelace"), "{}", listed.err);
}
