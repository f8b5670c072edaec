//! `softkey serve idp` as a process: what it prints, what it writes, and that it answers over TLS.

use std::fs;
use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use softkey_client::fetch::http::{Http, Network};
use softkey_client::fetch::{Fetch, FetchRequest};

use crate::harness::{PATIENCE, softkey};

/// The provider as a process, until this is dropped.
pub(crate) struct Served {
    child: Child,
    stdout: ChildStdout,
    heard: Vec<u8>,
}

impl Served {
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut command = softkey();
        command.args(["serve", "idp", "--json", "--listen", "127.0.0.1:0"]).args(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        Self { child, stdout, heard: Vec::new() }
    }

    /// The next line.
    pub(crate) fn event(&mut self) -> Value {
        serde_json::from_slice(&self.line().unwrap()).unwrap()
    }

    /// The next line, unless the output has ended. Nothing is read before it is asked for.
    fn line(&mut self) -> Option<Vec<u8>> {
        let patience = Timespec::try_from(PATIENCE).unwrap();
        loop {
            if let Some(end) = self.heard.iter().position(|byte| *byte == b'\n') {
                return Some(self.heard.drain(..=end).collect());
            }
            let ready = poll(&mut [PollFd::new(&self.stdout, PollFlags::IN)], Some(&patience));
            assert_eq!(ready, Ok(1), "no line after {:?}", String::from_utf8_lossy(&self.heard));
            let mut bytes = [0; 4096];
            match self.stdout.read(&mut bytes).unwrap() {
                0 => return None,
                len => self.heard.extend(&bytes[..len]),
            }
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// From the setup's file to the log's line; a root that was written is what its certificate is good by.
#[test]
fn a_provider_runs_until_it_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let (setup, root) = (folder.path().join("setup.toml"), folder.path().join("root.pem"));
    fs::write(&setup, "origin = \"https://id.test\"\n").unwrap();
    let args = ["--setup", setup.to_str().unwrap(), "--write-root", root.to_str().unwrap()];
    let fault = ["--fault", "config:media-type=text/x"];
    let mut served = Served::start(&[&args[..], &fault].concat());
    let ready = served.event();
    assert_eq!((&ready["event"], &ready["faults"]), (&json!("ready"), &json!([fault[1]])));
    assert_eq!(ready["config_url"], "https://id.test/fedcm.json");
    assert_eq!(ready["names"], json!(["id.test", "rp.example"]));
    let pem = fs::read(&root).unwrap();
    assert_eq!(ready["root"].as_str().unwrap().as_bytes(), pem);

    let address: SocketAddr = ready["address"].as_str().unwrap().parse().unwrap();
    let network = Network::new().host("id.test", 443, address).roots_from_pem(&pem).unwrap();
    let request = FetchRequest::get("https://id.test/fedcm.json")
        .header("Sec-Fetch-Dest", "webidentity")
        .header("Accept", "application/json");
    let response = Http::new(&network).fetch(&request).unwrap();
    assert_eq!((response.status, response.header("Content-Type")), (200, Some("text/x")));
    let told = served.event();
    assert_eq!(
        (&told["event"], &told["request"]["endpoint"]),
        (&json!("request"), &json!("config"))
    );
    assert_eq!(told["request"]["faults"], json!([fault[1]]));

    kill_process(Pid::from_child(&served.child), Signal::TERM).unwrap();
    assert_eq!(served.child.wait().unwrap().code(), Some(0));

    // The old root is replaced; what is none stays.
    let mut again = Served::start(&args);
    assert_eq!(again.event()["root"].as_str().unwrap().as_bytes(), fs::read(&root).unwrap());
    assert_ne!(fs::read(&root).unwrap(), pem);
    let precious = ["--write-root", setup.to_str().unwrap()];
    assert_eq!(Served::start(&precious).child.wait().unwrap().code(), Some(1));
    assert_eq!(fs::read_to_string(&setup).unwrap(), "origin = \"https://id.test\"\n");
}

/// Whoever does not read what it prints does not keep it from ending.
#[test]
fn a_signal_ends_it_whether_or_not_its_output_is_read() {
    let mut served = Served::start(&[]);
    let ready = served.event();
    let address: SocketAddr = ready["address"].as_str().unwrap().parse().unwrap();
    let root = ready["root"].as_str().unwrap().as_bytes();
    let network = Network::new().host("login.idp.example", 443, address);
    let network = network.roots_from_pem(root).unwrap();
    // Three times what a pipe holds.
    let query = "x".repeat(8 << 10);
    let request = FetchRequest::get(&format!("https://login.idp.example/?{query}"));
    for _ in 0..24 {
        assert_eq!(Http::new(&network).fetch(&request).unwrap().status, 200);
    }
    kill_process(Pid::from_child(&served.child), Signal::TERM).unwrap();
    let end = Instant::now() + PATIENCE;
    let status = loop {
        match served.child.try_wait().unwrap() {
            Some(status) => break status,
            None => assert!(Instant::now() < end, "it does not end"),
        }
        thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(status.code(), Some(0));
    let mut left = 0;
    while served.line().is_some() {
        left += 1;
    }
    assert!(left < 24, "the pipe was not full");
}

/// `--write-root` replaces what it wrote and nothing else that holds certificates, and leaves nothing beside it.
#[test]
fn only_a_root_of_its_own_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (root, other) = (folder.path().join("root.pem"), folder.path().join("other.pem"));
    let written = |path: &Path| {
        let mut served = Served::start(&["--write-root", path.to_str().unwrap()]);
        if served.line().is_none() {
            assert_eq!(served.child.wait().unwrap().code(), Some(1));
            return None;
        }
        Some(fs::read_to_string(path).unwrap())
    };
    let first = written(&root).unwrap();
    let second = written(&root).unwrap();
    assert_ne!(first, second);
    // What else begins with such a certificate, or with another's.
    let mut command = softkey();
    command.args(["attestation", "new", "--vault"]).arg(folder.path().join("vault"));
    assert!(command.status().unwrap().success());
    let mut command = softkey();
    command.args(["attestation", "export", "--vault"]).arg(folder.path().join("vault"));
    let foreign = String::from_utf8(command.output().unwrap().stdout).unwrap();
    assert!(foreign.starts_with("-----BEGIN CERTIFICATE-----"), "{foreign}");
    let bundles = [
        foreign.clone(),
        format!("{second}{first}"),
        format!("{second}{foreign}"),
        format!("{second}-----BEGIN PRIVATE KEY-----\n"),
        format!("# mine\n{second}"),
        "-----BEGIN CERTIFICATE-----\n".to_owned(),
    ];
    for bundle in bundles {
        fs::write(&other, &bundle).unwrap();
        assert_eq!(written(&other), None, "{bundle}");
        assert_eq!(fs::read_to_string(&other).unwrap(), bundle);
    }
    // A link is followed, and what it leads to is replaced.
    fs::remove_file(&other).unwrap();
    std::os::unix::fs::symlink("root.pem", &other).unwrap();
    assert_eq!(written(&other).unwrap(), fs::read_to_string(&root).unwrap());
    assert!(fs::symlink_metadata(&other).unwrap().is_symlink());
    let mut names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|at| at.unwrap().file_name()).collect();
    names.retain(|name| !name.to_str().unwrap().starts_with("vault"));
    names.sort();
    assert_eq!(names, ["other.pem", "root.pem"]);
}
