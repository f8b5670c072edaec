//! `ChromeDriver` and the few commands of `WebDriver` that are needed, JSON over HTTP on loopback.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// Longer than any command takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// A running `ChromeDriver`. It ends when it is dropped.
pub(crate) struct Driver {
    child: Child,
    port: u16,
    /// The browser's, once one was opened.
    version: OnceLock<String>,
}

impl Driver {
    /// Starts it; the message says what is missing.
    pub(crate) fn start() -> Self {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null());
        let child = command.spawn();
        let mut child = child.expect("chromedriver is missing: apt-get install chromium-driver");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let ready = lines.find_map(|line| {
            let (_, port) = line.split_once("successfully on port ")?;
            port.trim_end_matches('.').parse().ok()
        });
        // What it says later is read by nobody; it must not stop for that.
        thread::spawn(move || lines.for_each(drop));
        let port = ready.expect("ChromeDriver says its port");
        Self { child, port, version: OnceLock::new() }
    }

    /// The version of the browsers that were opened, such as `156.0.8078.108`.
    pub(crate) fn version(&self) -> String {
        self.version.get().cloned().unwrap_or_default()
    }

    /// One command: the value of the answer, or the name of the error.
    fn command(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let mut socket = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n");
        let head = format!("{head}Content-Type: application/json\r\nContent-Length: {length}\r\n");
        socket.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
        // It leaves the connection open, whatever it is told.
        let (mut socket, mut length) = (BufReader::new(socket), 0);
        let mut status = String::new();
        socket.read_line(&mut status).unwrap();
        loop {
            let mut line = String::new();
            socket.read_line(&mut line).unwrap();
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        socket.read_exact(&mut body).unwrap();
        let mut answer: Value = serde_json::from_slice(&body).unwrap();
        let value = answer["value"].take();
        if status.contains(" 200 ") {
            Ok(value)
        } else {
            Err(format!("{}: {}", value["error"], value["message"]))
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A browser of its own, which forgets everything at its end.
pub(crate) struct Session<'d> {
    driver: &'d Driver,
    path: String,
}

impl<'d> Session<'d> {
    /// A headless browser that finds these names at these places, whatever their certificates.
    pub(crate) fn open(driver: &'d Driver, places: &[(&str, SocketAddr)]) -> Self {
        let rule = |(name, place): &(&str, SocketAddr)| format!("MAP {name}:443 {place}");
        let rules: Vec<String> = places.iter().map(rule).collect();
        let rules = format!("--host-resolver-rules={}", rules.join(","));
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--ignore-certificate-errors",
            // The driver hears of dialogs in the process of the top-level page alone.
            "--disable-site-isolation-trials",
            &rules,
        ];
        let capabilities = json!({"capabilities": {"alwaysMatch": {"browserName": "chrome",
            "fedcm:accounts": true, "goog:chromeOptions": {"args": arguments}}}});
        let session = driver.command("POST", "/session", &capabilities).unwrap();
        let path = format!("/session/{}", session["sessionId"].as_str().unwrap());
        let version = session["capabilities"]["browserVersion"].as_str().unwrap_or_default();
        driver.version.get_or_init(|| version.to_owned());
        let session = Self { driver, path };
        session.post("/fedcm/setdelayenabled", &json!({"enabled": false})).unwrap();
        session
    }

    pub(crate) fn post(&self, command: &str, body: &Value) -> Result<Value, String> {
        self.driver.command("POST", &format!("{}{command}", self.path), body)
    }

    pub(crate) fn get(&self, command: &str) -> Result<Value, String> {
        self.driver.command("GET", &format!("{}{command}", self.path), &Value::Null)
    }

    pub(crate) fn go(&self, url: &str) {
        self.post("/url", &json!({"url": url})).unwrap();
    }

    /// Clicks as a person does, by which a page is activated.
    pub(crate) fn click(&self, selector: &str) {
        let wanted = json!({"using": "css selector", "value": selector});
        let element = self.post("/element", &wanted).unwrap();
        let element = element.as_object().unwrap().values().next().unwrap().as_str().unwrap();
        self.post(&format!("/element/{element}/click"), &json!({})).unwrap();
    }

    pub(crate) fn run(&self, script: &str, arguments: &Value) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": arguments})).unwrap()
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        // Whoever is in panic may have no driver any more.
        if !thread::panicking() {
            let _ = self.driver.command("DELETE", &self.path, &Value::Null);
        }
    }
}
