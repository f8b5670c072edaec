//! The manager at a terminal: PINs and passphrases that are asked for and not shown, also while standard input is a pipe
//! or a file, and a choice of accounts.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::harness::{Key, PROGRAM, make_credential, softkey};
use crate::terminal::Seat;

/// A command at a terminal that is its own, as a shell gives it: prompts for PINs speak to that alone.
fn at_terminal(key: &Key, args: &[&str]) -> Seat {
    let mut command = Command::new("setsid");
    command.args(["--ctty", "--wait"]).arg(PROGRAM).args(args);
    command.env("SOFTKEY_DEVICE", format!("udp:{}", key.address));
    command.env_remove("SOFTKEY_PIN").env_remove("SOFTKEY_NEW_PIN");
    Seat::of(command)
}

/// Sets a first PIN, 1234.
fn set_pin(key: &Key) {
    let mut seat = at_terminal(key, &["pin", "set"]);
    answer(&mut seat, "New PIN: ", "1234");
    answer(&mut seat, "New PIN again: ", "1234");
    seat.see("is set.");
}

/// Answers a prompt; what was typed for the one before must not have been shown.
fn answer(seat: &mut Seat, prompt: &str, secret: &str) {
    let shown = seat.see(prompt);
    assert!(!shown.contains("1234") && !shown.contains("4321"), "{shown:?}");
    seat.type_unseen(secret);
}

#[test]
fn a_new_pin_is_asked_for_twice_and_never_shown() {
    let key = Key::forgetful("auto");
    let mut seat = at_terminal(&key, &["pin", "set"]);
    answer(&mut seat, "New PIN: ", "1234");
    answer(&mut seat, "New PIN again: ", "4321");
    seat.see("The two PINs are not the same.");

    set_pin(&key);

    let mut seat = at_terminal(&key, &["pin", "change"]);
    answer(&mut seat, "Present PIN: ", "1234");
    answer(&mut seat, "New PIN: ", "4321");
    answer(&mut seat, "New PIN again: ", "4321");
    seat.see("is changed.");
}

/// Does this process, and so what it starts, ignore the signal?
fn ignores(signal: Signal) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:\t")).unwrap();
    u64::from_str_radix(mask, 16).unwrap() >> (signal.as_raw() - 1) & 1 == 1
}

/// Ctrl-C at a prompt for a secret ends the command and leaves the terminal as it was.
#[test]
fn an_interrupted_prompt_leaves_the_terminal_as_it_was() {
    let key = Key::forgetful("auto");
    set_pin(&key);
    let mut seat = at_terminal(&key, &["credentials", "list"]);
    seat.see("PIN: ");
    assert_eq!(seat.interrupt_unseen().code(), Some(130));
    assert!(seat.is_sane());

    // Here the signal itself ends the program, unless whoever began these tests ignores it, as a script in the background.
    let folder = tempfile::tempdir().unwrap();
    let vault = folder.path().join("v");
    let mut seat = at_terminal(&key, &["run", "--vault", vault.to_str().unwrap()]);
    seat.see("Passphrase for the new vault (empty: a key file): ");
    let ended = seat.interrupt_unseen();
    let ended = (ended.code(), ended.signal());
    let expected =
        if ignores(Signal::INT) { (Some(3), None) } else { (None, Some(Signal::INT.as_raw())) };
    assert_eq!(ended, expected);
    assert!(seat.is_sane());
    assert!(!vault.exists());
}

/// A secret in the environment that is no text is not passed over, as if there were none.
#[test]
fn what_is_no_text_is_not_passed_over() {
    let key = Key::forgetful("auto");
    let folder = tempfile::tempdir().unwrap();
    let vault = folder.path().join("v");
    let device = format!("udp:{}", key.address);
    let run = ["run", "--transport", "udp", "--listen", "127.0.0.1:0", "--vault"];
    let run = [&run[..], &[vault.to_str().unwrap()]].concat();
    for (name, args) in [
        ("SOFTKEY_PASSPHRASE", &run[..]),
        ("SOFTKEY_PIN", &["pin", "set", &device]),
        ("SOFTKEY_NEW_PIN", &["pin", "change", &device]),
        ("SOFTKEY_DEVICE", &["info"]),
    ] {
        let output = softkey().args(args).env(name, OsStr::from_bytes(b"\xff")).output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{err}");
        assert!(err.contains(&format!("{name} is no UTF-8 text.")), "{err}");
    }
    assert!(!vault.exists());
}

/// A list that takes long shows how far it has come, in a line that is gone before the first result; who reads JSON, or
/// has no terminal, sees nothing of it.
#[test]
fn a_list_shows_how_far_it_has_come() {
    let key = Key::forgetful("auto");
    let mut host = key.host();
    for user in ["ada", "bea", "cec"] {
        assert_eq!(host.cbor(&make_credential(user, &[("rk", true)]))[0], 0);
    }
    set_pin(&key);

    let mut seat = at_terminal(&key, &["credentials", "list"]);
    answer(&mut seat, "PIN: ", "1234");
    seat.see("\r\x1b[K1 of 1 relying parties");
    seat.see("\r\x1b[K1 credentials, of 0 of 1 relying parties");
    seat.see("\r\x1b[K3 credentials, of 1 of 1 relying parties");
    assert_eq!(seat.see("example.com"), "\r\x1b[K", "the line is gone");

    let mut seat = at_terminal(&key, &["credentials", "list", "--json"]);
    answer(&mut seat, "PIN: ", "1234");
    let before = seat.see("example.com");
    assert!(!before.contains("relying parties"), "{before:?}");
    let mut list = softkey();
    list.args(["credentials", "list"]).env("SOFTKEY_PIN", "1234");
    list.env("SOFTKEY_DEVICE", format!("udp:{}", key.address));
    let output = list.output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}

#[test]
fn a_wrong_pin_is_asked_for_again_and_accounts_are_chosen() {
    let key = Key::forgetful("auto");
    set_pin(&key);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let ceremony = |command: &str, options: &str| {
        at_terminal(&key, &[command, "--origin", "https://example.org", "--options", options])
    };
    for (id, name) in [("AQ", "ada"), ("Ag", "bea")] {
        let options = format!(
            r#"{{"rp": {{"name": ""}}, "user": {{"id": "{id}", "name": "{name}", "displayName": ""}},
                "challenge": "", "pubKeyCredParams": [],
                "authenticatorSelection": {{"residentKey": "required"}}}}"#
        );
        let mut seat = ceremony("create", &file(name, options));
        answer(&mut seat, "PIN: ", "9999");
        seat.see("The PIN is wrong. 7 tries are left.");
        answer(&mut seat, "PIN: ", "1234");
        seat.see("attestationObject");
    }
    let mut seat = ceremony("get", &file("get", String::from(r#"{"challenge": ""}"#)));
    answer(&mut seat, "PIN: ", "1234");
    seat.see("1  \"bea\"");
    seat.see("2  \"ada\"");
    seat.see("Account: ");
    seat.type_line("2");
    seat.see(r#""userHandle":"AQ""#);
}

#[test]
fn a_reset_is_confirmed_in_words() {
    let key = Key::forgetful("auto");
    let mut seat = at_terminal(&key, &["reset"]);
    seat.see("Type yes: ");
    seat.type_line("y");
    seat.see("Nothing was erased.");
    let mut seat = at_terminal(&key, &["reset"]);
    seat.see("Type yes: ");
    seat.type_line("yes");
    seat.see("is as new.");
}

/// A shell at a terminal that is its own, in a folder with options; `$S` is the program.
fn shell(folder: &TempDir, line: &str) -> Seat {
    fs::write(folder.path().join("ada"), ADA).unwrap();
    fs::write(folder.path().join("get"), r#"{"password": true}"#).unwrap();
    let mut command = Command::new("setsid");
    command.args(["--ctty", "--wait", "sh", "-c", line]).env("S", PROGRAM);
    command.current_dir(folder).env("HOME", folder.path());
    for name in ["XDG_DATA_HOME", "SOFTKEY_PASSPHRASE", "SOFTKEY_PIN"] {
        command.env_remove(name);
    }
    Seat::of(command)
}

const ADA: &str =
    r#"{"password": {"id": "ada", "origin": "https://example.org", "password": "correct horse"}}"#;

/// A vault is made and opened by a passphrase from the terminal, while options come out of a file and results go into a pipe.
#[test]
fn a_passphrase_is_asked_for_while_options_are_piped() {
    let folder = tempfile::tempdir().unwrap();
    let store = "$S store --yes --origin https://example.org --browser-vault v < ada";
    let mut seat = shell(&folder, store);
    answer(&mut seat, "Passphrase for the new vault (empty: a key file): ", "open 1234");
    answer(&mut seat, "The same again: ", "open 1234");
    seat.see("Kept.");
    assert!(!folder.path().join("v.key").exists());

    let get = "$S get --yes --origin https://example.org --browser-vault v";
    let mut seat = shell(&folder, &format!("cat get | {get}"));
    answer(&mut seat, "Passphrase of v: ", "open 4321");
    answer(&mut seat, "That is not the passphrase.\r\nPassphrase of v: ", "");
    answer(&mut seat, "That is not the passphrase.\r\nPassphrase of v: ", "open 1234");
    seat.see("correct horse");
    // The person need not see the notes to be asked for what the command cannot do without.
    let mut seat = shell(&folder, &format!("{get} < get 2> notes | tr a-z A-Z"));
    answer(&mut seat, "Passphrase of v: ", "open 1234");
    seat.see("CORRECT HORSE");

    let mut seat = shell(&folder, &format!("{get} < get; echo code $?"));
    for _ in 0..3 {
        answer(&mut seat, "Passphrase of v: ", "open 4321");
    }
    seat.see("is not the passphrase of the vault");
    seat.see("code 7");
}

/// Who is in the background, or has no input, is told and not asked: the one would be stopped, the other wait in vain. And who
/// does not see the notes is not asked to choose.
#[test]
fn nobody_is_asked_who_cannot_answer() {
    let folder = tempfile::tempdir().unwrap();
    let store = "$S store --yes --origin https://example.org --browser-vault";
    fs::write(folder.path().join("words"), "open 1234\n").unwrap();
    let mut seat = shell(&folder, &format!("{store} v --passphrase-file words < ada"));
    seat.see("Kept.");
    let list = "$S passwords list --browser-vault v";
    for line in [
        format!("set -m; {list} < get & wait $!; echo code $?"),
        format!("{list} < /dev/null; echo code $?"),
    ] {
        let mut seat = shell(&folder, &line);
        let told = seat.see("code 7");
        assert!(told.contains("protected by a passphrase, and none was given"), "{told}");
        assert!(told.contains("try: run in the foreground of a terminal, or give it by"), "{told}");
        assert!(!told.contains("Passphrase of"), "{told}");
    }
    let mut seat = shell(&folder, &format!("{store} w < ada 2> notes"));
    seat.see("Kept.");
    assert!(folder.path().join("w.key").exists());
    let notes = fs::read_to_string(folder.path().join("notes")).unwrap();
    assert!(notes.contains("New vault w, opened by w.key"), "{notes}");
}

/// A PIN, too; that it was wrong is told where it is asked for, since tries are few.
#[test]
fn a_pin_is_asked_for_while_options_are_piped() {
    let key = Key::forgetful("auto");
    set_pin(&key);
    let folder = tempfile::tempdir().unwrap();
    let options = r#"{"rp": {"name": ""}, "user": {"id": "AQ", "name": "ada", "displayName": ""},
        "challenge": "", "pubKeyCredParams": [], "authenticatorSelection": {"userVerification": "required"}}"#;
    fs::write(folder.path().join("create"), options).unwrap();
    let create = format!("$S create --origin https://example.org --device udp:{}", key.address);
    let mut seat = shell(&folder, &format!("cat create | {create} 2> notes"));
    answer(&mut seat, "PIN: ", "9999");
    seat.see("The PIN is wrong. 7 tries are left.");
    answer(&mut seat, "PIN: ", "1234");
    seat.see("attestationObject");
    let mut seat = shell(&folder, &format!("set -m; {create} < create & wait $!; echo code $?"));
    let told = seat.see("code 6");
    assert!(told.contains("try: a terminal, --pin-file or SOFTKEY_PIN"), "{told}");
}
