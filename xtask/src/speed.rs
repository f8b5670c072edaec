//! `cargo xtask speed`: how many registrations with sign-in a second, in process and in a warm headless Chromium with its
//! virtual authenticator, by turns in one run. Three times: all in one page, which counts by itself, so that the way to it
//! costs nothing; each with a new page and a new authenticator, as tests have them; and all in one page, each a command of
//! a `WebDriver`'s.
//!
//! Chromium is the one of the system (Debian's `chromium`), steered over its pipe or by its driver (`chromium-driver`).
#![allow(clippy::indexing_slicing, reason = "of JSON: a member that is not there is null")]

mod webdriver;

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};

use crate::house::{self, Result};
use webdriver::WebDriver;

/// What `cargo xtask speed` may be told.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How long each turn takes, in seconds
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=60))]
    seconds: u32,
    /// Fail if in one page the ratio is below this
    #[arg(long)]
    least: Option<f64>,
    /// Measure softkey as it is released, which takes minutes to build; else as tests build it, with cryptography alone
    /// compiled for speed
    #[arg(long)]
    release: bool,
}

/// Each side's turns; the median counts.
const TURNS: usize = 3;

/// What Chromium is told: nothing to fetch, nobody to tell, no window.
const FLAGS: [&str; 10] = [
    "--headless=new",
    "--no-sandbox",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-gpu",
    "--disable-quic",
    "--disable-extensions",
    "--disable-component-update",
    "--disable-background-networking",
    "--disable-sync",
];

/// A registration and a sign-in, in a page.
const FLOW: &str = r#"
    const challenge = Uint8Array.from({length: 16}, (_, i) => i);
    const flow = async () => {
        const made = await navigator.credentials.create({publicKey: {
            rp: {name: "Example"}, user: {id: Uint8Array.of(1), name: "ada", displayName: "Ada"},
            challenge, pubKeyCredParams: [{type: "public-key", alg: -7}]}});
        const signed = await navigator.credentials.get({publicKey: {
            challenge, allowCredentials: [{type: "public-key", id: made.rawId}]}});
        return JSON.stringify(made) + JSON.stringify(signed);
    };"#;

/// Flows a second, counted by the page for so many milliseconds.
const COUNT: &str = r"
    for (let i = 0; i < 20; i++) await flow();
    const start = performance.now();
    let flows = 0;
    while (performance.now() - start < time) { await flow(); flows++; }
    return flows * 1000 / (performance.now() - start);";

/// Measures both by turns; true if the ratio is not below what was asked for.
pub(crate) fn run(args: &Args) -> Result<bool> {
    let root = house::root()?;
    let example = ["--package", "softkey", "--example", "flows", "--locked"];
    let profile = if args.release { "release" } else { "debug" };
    let release: &[&str] = if args.release { &["--release"] } else { &[] };
    let built = Command::new(env!("CARGO")).arg("build").args(example).args(release).status()?;
    if !built.success() {
        return Err("the example `flows` does not build".into());
    }
    let target = house::members(&root)?.target_directory.into_std_path_buf();
    let flows = target.join(profile).join("examples/flows");
    let mut chromium = Chromium::start()?;
    let driver = WebDriver::start(&chromium.url)?;
    let mut ours = [const { Vec::new() }; 2];
    let mut theirs = [const { Vec::new() }; 3];
    for _ in 0..TURNS {
        let printed = house::output_of(Command::new(&flows).arg(args.seconds.to_string()))?;
        for (all, one) in ours.iter_mut().zip(printed.split_whitespace()) {
            all.push(one.parse::<f64>()?);
        }
        let [warm, fresh, steered] = &mut theirs;
        warm.push(chromium.warm(args.seconds)?);
        fresh.push(chromium.fresh(args.seconds)?);
        steered.push(driver.steered(args.seconds)?);
    }
    println!("{}; in process: {profile} build", chromium.version);
    let named = ["in one page", "a new page and authenticator each", "in one page that is steered"];
    // In process there is no way to the page that could be longer.
    let [warm, fresh] = ours.map(median);
    let mut ratios = Vec::new();
    for ((name, ours), theirs) in named.into_iter().zip([warm, fresh, warm]).zip(theirs) {
        let theirs = median(theirs);
        println!(
            "{name}: {ours:.0} flows a second in process, {theirs:.1} in Chromium, ratio {:.1}",
            ours / theirs
        );
        ratios.push(ours / theirs);
    }
    let warm = ratios.first().copied().unwrap_or_default();
    Ok(args.least.is_none_or(|least| warm >= least))
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of.get(of.len() / 2).copied().unwrap_or_default()
}

/// A running Chromium with a page that has a virtual authenticator.
struct Chromium {
    process: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    last: u64,
    session: Option<String>,
    url: String,
    version: String,
    /// Gone with its owner.
    _profile: Folder,
}

/// A folder that is removed when it is dropped.
struct Folder(std::path::PathBuf);

impl Folder {
    /// A new one; its name says who has it, and for what.
    fn new(purpose: &str) -> Result<Self> {
        let name = format!("softkey-speed-{}-{purpose}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Chromium {
    fn start() -> Result<Self> {
        let found = house::output_of(Command::new("chromium").arg("--version"));
        let url = serve()?;
        let version = found
            .map_err(|error| format!("{error} (on Debian: apt-get install chromium)"))?
            .trim()
            .to_owned();
        let profile = Folder::new("pipe")?;
        // Chromium reads commands from descriptor 3 and writes answers to 4.
        let plumbing = r#"exec chromium "$@" 3<&0 4>&1 </dev/null >/dev/null"#;
        let mut command = Command::new("sh");
        command.args(["-c", plumbing, "sh"]).args(FLAGS).arg("--remote-debugging-pipe");
        command.arg(format!("--user-data-dir={}", profile.0.display()));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn()?;
        let (Some(commands), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            return Err("there is no pipe to Chromium".into());
        };
        let answers = BufReader::new(answers);
        let mut chromium = Self {
            process,
            commands,
            answers,
            last: 0,
            session: None,
            url,
            version,
            _profile: profile,
        };
        chromium.open()?;
        Ok(chromium)
    }

    /// Opens a page, and gives it an authenticator that consents to everything; gives the page's number.
    fn open(&mut self) -> Result<Value> {
        self.session = None;
        let page = self.call("Target.createTarget", &json!({"url": "about:blank"}))?;
        let attach = json!({"targetId": page["targetId"], "flatten": true});
        let session = self.call("Target.attachToTarget", &attach)?;
        self.session = session["sessionId"].as_str().map(str::to_owned);
        self.call("WebAuthn.enable", &json!({}))?;
        let options = json!({"options": {
            "protocol": "ctap2", "transport": "usb", "automaticPresenceSimulation": true}});
        self.call("WebAuthn.addVirtualAuthenticator", &options)?;
        let url = self.url.clone();
        // A tab sometimes stays blank: navigation is begun again until it has arrived.
        for _ in 0..20 {
            self.call("Page.navigate", &json!({ "url": url }))?;
            for _ in 0..1000 {
                if self.evaluate("document.title")? == "speed" {
                    return Ok(page["targetId"].clone());
                }
            }
        }
        Err("the page does not load".into())
    }

    /// Flows a second in the page that is open, counted by itself.
    fn warm(&mut self, seconds: u32) -> Result<f64> {
        let time = u64::from(seconds) * 1000;
        let script = format!("(async (time) => {{ {FLOW} {COUNT} }})({time})");
        let counted = self.evaluate(&script)?;
        counted.as_f64().ok_or_else(|| format!("the page gave {counted}").into())
    }

    /// Flows a second where each has a page and an authenticator of its own.
    fn fresh(&mut self, seconds: u32) -> Result<f64> {
        let first = self.session.take();
        let start = Instant::now();
        let mut flows = 0_u32;
        while start.elapsed().as_secs() < u64::from(seconds) {
            let page = self.open()?;
            self.evaluate(&format!("(async () => {{ {FLOW} return flow(); }})()"))?;
            self.session = None;
            self.call("Target.closeTarget", &json!({ "targetId": page }))?;
            flows += 1;
        }
        self.session = first;
        Ok(f64::from(flows) / start.elapsed().as_secs_f64())
    }

    fn evaluate(&mut self, expression: &str) -> Result<Value> {
        let options = json!({
            "expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true,
        });
        let answer = self.call("Runtime.evaluate", &options)?;
        match answer.get("exceptionDetails") {
            Some(details) => Err(format!("in the page: {details}").into()),
            None => Ok(answer["result"]["value"].clone()),
        }
    }

    /// One command and its answer; events in between are dropped.
    fn call(&mut self, method: &str, params: &Value) -> Result<Value> {
        self.last += 1;
        let mut message = json!({"id": self.last, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut text = String::new();
        write!(text, "{message}\0")?;
        self.commands.write_all(text.as_bytes())?;
        self.commands.flush()?;
        loop {
            let mut bytes = Vec::new();
            if self.answers.read_until(0, &mut bytes)? == 0 {
                return Err(format!("Chromium ended at {method}").into());
            }
            let answer: Value =
                serde_json::from_slice(bytes.strip_suffix(b"\0").unwrap_or(&bytes))?;
            if answer["id"] == self.last {
                return match answer.get("error") {
                    Some(error) => Err(format!("{method}: {error}").into()),
                    None => Ok(answer["result"].clone()),
                };
            }
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Serves an empty page on this machine until the process ends; gives its address.
fn serve() -> Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut line = String::new();
            let _ = BufReader::new(&stream).read_line(&mut line);
            let page = "<!doctype html><title>speed</title>";
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close";
            let _ = write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{page}", page.len());
        }
    });
    Ok(format!("http://localhost:{port}/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_counts() {
        assert_eq!(median(vec![3.0, 100.0, 2.0]).total_cmp(&3.0), std::cmp::Ordering::Equal);
        assert_eq!(median(vec![]).total_cmp(&0.0), std::cmp::Ordering::Equal);
    }
}
