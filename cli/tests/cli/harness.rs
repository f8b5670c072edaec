//! A running `softkey run`, its events, and hosts that talk to it.

use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use softkey_ctap_hid::{Connection, ConnectionError, HostError, Status, UdpTransport};

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// authenticatorGetInfo.
pub(crate) const GET_INFO: [u8; 1] = [0x04];
/// authenticatorReset.
pub(crate) const RESET: [u8; 1] = [0x07];
/// authenticatorSelection.
pub(crate) const SELECTION: [u8; 1] = [0x0b];

/// Where the program is.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_softkey");

/// The program, with nobody to ask: its standard input is /dev/null.
pub(crate) fn softkey() -> Command {
    let mut command = Command::new(PROGRAM);
    command.env_remove("SOFTKEY_PASSPHRASE").stdin(Stdio::null());
    command
}

/// The program with a pipe as its standard input. It has no terminal: that of whoever runs the tests would be asked for
/// passphrases.
pub(crate) fn softkey_piped() -> Command {
    let mut command = Command::new("setsid");
    command.arg(PROGRAM).env_remove("SOFTKEY_PASSPHRASE").stdin(Stdio::piped());
    command
}

/// A key on a UDP port of its own, with a control socket and JSON events. Killed when dropped.
pub(crate) struct Key {
    child: Child,
    events: Receiver<Value>,
    folder: tempfile::TempDir,
    pub(crate) address: String,
    /// The events before the key was ready.
    pub(crate) early: Vec<Value>,
}

impl Key {
    /// A key that forgets, in this mode.
    pub(crate) fn forgetful(mode: &str) -> Self {
        Self::start(&["--ephemeral", "--approve", mode])
    }

    /// A key with these arguments besides.
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::spawn(softkey(), args)
    }

    pub(crate) fn spawn(mut command: Command, args: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        command.args(["run", "--transport", "udp", "--json", "--control"]);
        command.arg(folder.path().join("control")).args(args);
        if !args.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (send, events) = channel();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let event = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if send.send(event).is_err() {
                    break;
                }
            }
        });
        let mut key = Self { child, events, folder, address: String::new(), early: Vec::new() };
        let ready = loop {
            let event = key.next_event("ready");
            if event["event"] == "ready" {
                break event;
            }
            key.early.push(event);
        };
        let device = ready["devices"][0].as_str().unwrap();
        key.address = device.strip_prefix("udp ").unwrap().to_owned();
        key
    }

    /// The next event of this kind; others are passed over.
    pub(crate) fn event(&self, kind: &str) -> Value {
        loop {
            let event = self.next_event(kind);
            if event["event"] == kind {
                return event;
            }
        }
    }

    /// The next event, while one of this kind is waited for.
    fn next_event(&self, kind: &str) -> Value {
        let event = self.events.recv_timeout(PATIENCE);
        event.unwrap_or_else(|_| panic!("no event {kind}"))
    }

    /// The next line about a request.
    pub(crate) fn request(&self) -> Value {
        self.event("request")
    }

    /// A host with a channel of its own.
    pub(crate) fn host(&self) -> Host {
        Host(Connection::open(UdpTransport::connect(&self.address).unwrap()).unwrap())
    }

    /// Where the control socket is.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("control")
    }

    /// `softkey control PATH ...`.
    pub(crate) fn control(&self, words: &[&str]) -> Output {
        softkey().arg("control").arg(self.socket()).args(words).output().unwrap()
    }

    /// `softkey control PATH ...` that must succeed.
    pub(crate) fn told(&self, words: &[&str]) {
        let output = self.control(words);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// `softkey control PATH status --json`.
    pub(crate) fn status(&self) -> Value {
        let output = self.control(&["status", "--json"]);
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub(crate) fn id(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// SIGTERM, and what the process ends with.
    pub(crate) fn stop(mut self) -> ExitStatus {
        kill_process(self.id(), Signal::TERM).unwrap();
        self.child.wait().unwrap()
    }

    /// Waits for the process to end by itself.
    pub(crate) fn wait(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A host on one channel, which speaks bytes.
pub(crate) struct Host(pub(crate) Connection<UdpTransport>);

impl Host {
    /// Sends a CTAP2 request and waits for its answer.
    pub(crate) fn cbor(&mut self, request: &[u8]) -> Vec<u8> {
        self.0.cbor(request, &mut |_| ControlFlow::Continue(())).unwrap()
    }

    /// Sends a CTAP2 request and cancels it as soon as the key wants a touch.
    pub(crate) fn cancelled(&mut self, request: &[u8]) -> Vec<u8> {
        let cancel = &mut |status| match status {
            Status::UserNeeded => ControlFlow::Break(()),
            Status::Processing => ControlFlow::Continue(()),
        };
        self.0.cbor(request, cancel).unwrap()
    }

    pub(crate) fn msg(&mut self, apdu: &[u8]) -> Vec<u8> {
        self.0.msg(apdu).unwrap()
    }
}

/// A request whose key lost its power must have ended so: nothing more was heard of it.
pub(crate) fn was_cut_off(answer: &Result<Vec<u8>, ConnectionError<std::io::Error>>) {
    let timeout = |error: &HostError| *error == HostError::Timeout;
    assert!(matches!(answer, Err(ConnectionError::Host(e)) if timeout(e)), "{answer:?}");
}

/// authenticatorMakeCredential for example.com with ES256: a discoverable credential of this user.
pub(crate) fn make_credential(user: &str, options: &[(&str, bool)]) -> Vec<u8> {
    let mut request = vec![0x01, 0xa5, 1, 0x58, 32];
    request.extend([0x11; 32]);
    request.extend([2, 0xa1]);
    text(&mut request, "id");
    text(&mut request, "example.com");
    request.extend([3, 0xa2]);
    text(&mut request, "id");
    request.push(0x40 + u8::try_from(user.len()).unwrap());
    request.extend(user.as_bytes());
    text(&mut request, "name");
    text(&mut request, user);
    request.extend([4, 0x81, 0xa2]);
    text(&mut request, "alg");
    request.push(0x26);
    text(&mut request, "type");
    text(&mut request, "public-key");
    request.push(7);
    map(&mut request, options);
    request
}

/// authenticatorGetAssertion for example.com without a list.
pub(crate) fn get_assertion(options: &[(&str, bool)]) -> Vec<u8> {
    let mut request = vec![0x02, 0xa3, 1];
    text(&mut request, "example.com");
    request.extend([2, 0x58, 32]);
    request.extend([0x22; 32]);
    request.push(5);
    map(&mut request, options);
    request
}

/// `U2F_REGISTER` for an application.
pub(crate) fn u2f_register(application: u8) -> Vec<u8> {
    let mut apdu = vec![0, 1, 0, 0, 0, 0, 64];
    apdu.extend([0x33; 32]);
    apdu.extend([application; 32]);
    apdu.extend([0, 0]);
    apdu
}

/// Sends a U2F message until the key no longer asks for a touch.
pub(crate) fn u2f_poll(host: &mut Host, apdu: &[u8]) -> Vec<u8> {
    loop {
        let answer = host.msg(apdu);
        if answer != [0x69, 0x85] {
            return answer;
        }
    }
}

/// The flags of the authenticator data in an answer that holds them.
pub(crate) fn flags(answer: &[u8]) -> u8 {
    use sha2::Digest;
    let hash = sha2::Sha256::digest("example.com");
    let at = answer.windows(32).position(|window| window == hash.as_slice()).unwrap();
    answer[at + 32]
}

fn text(into: &mut Vec<u8>, text: &str) {
    into.push(0x60 + u8::try_from(text.len()).unwrap());
    into.extend(text.as_bytes());
}

fn map(into: &mut Vec<u8>, options: &[(&str, bool)]) {
    into.push(0xa0 + u8::try_from(options.len()).unwrap());
    for (name, value) in options {
        text(into, name);
        into.push(if *value { 0xf5 } else { 0xf4 });
    }
}
