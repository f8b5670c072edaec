//! `softkey serve idp` as a process: what it prints, what it writes, and that it answers over TLS.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use softkey_client::fetch::http::{Http, Network};
use softkey_client::fetch::{Fetch, FetchRequest};

use crate::harness::softkey;

/// The provider as a process, until this is dropped.
pub(crate) struct Served {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Served {
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut command = softkey();
        command.args(["serve", "idp", "--json", "--listen", "127.0.0.1:0"]).args(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// The next line.
    pub(crate) fn event(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
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
