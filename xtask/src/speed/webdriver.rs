//! A warm Chromium that is steered from outside, as browser tests are: `ChromeDriver`, one command for each flow.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};
use ureq::Agent;

use super::{FLAGS, FLOW, Folder};
use crate::house::Result;

/// `ChromeDriver` and its one browser, with a page that has a virtual authenticator.
pub(super) struct WebDriver {
    process: Child,
    agent: Agent,
    /// Where commands go.
    session: String,
    /// Gone with its owner.
    profile: Folder,
}

impl WebDriver {
    /// Starts both and opens a page at this address.
    pub(super) fn start(url: &str) -> Result<Self> {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().map_err(|error| {
            format!("chromedriver: {error} (on Debian: apt-get install chromium-driver)")
        })?;
        let output = process.stdout.take().ok_or("there is no pipe to chromedriver")?;
        let profile = Folder::new("webdriver")?;
        let agent = Agent::config_builder().http_status_as_error(false).proxy(None).build();
        let session = String::new();
        // From here on its end is ours to see to.
        let mut driver = Self { process, agent: agent.into(), session, profile };
        let mut lines = BufReader::new(output).lines().map_while(std::result::Result::ok);
        let port = lines
            .find_map(|line| {
                let (_, port) = line.split_once("successfully on port ")?;
                port.trim_end_matches('.').parse::<u16>().ok()
            })
            .ok_or("chromedriver does not say its port")?;
        // What it says later is read by nobody; it must not stop for that.
        std::thread::spawn(move || lines.for_each(drop));
        driver.session = format!("http://127.0.0.1:{port}/session");
        let mut arguments: Vec<String> = FLAGS.map(str::to_owned).into();
        arguments.push(format!("--user-data-dir={}", driver.profile.0.display()));
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": {"args": arguments}}}});
        let opened = driver.post("", &capabilities)?;
        let id = opened["sessionId"].as_str().ok_or("chromedriver opens no session")?;
        driver.session = format!("{}/{id}", driver.session);
        driver.post("/url", &json!({ "url": url }))?;
        let options = json!({"protocol": "ctap2", "transport": "usb", "isUserConsenting": true});
        driver.post("/webauthn/authenticator", &options)?;
        Ok(driver)
    }

    /// Flows a second, each a command of its own.
    pub(super) fn steered(&self, seconds: u32) -> Result<f64> {
        let script = format!("const done = arguments[0]; {FLOW} flow().then(done);");
        let flow = json!({"script": script, "args": []});
        for _ in 0..20 {
            self.post("/execute/async", &flow)?;
        }
        let start = Instant::now();
        let mut flows = 0_u32;
        while start.elapsed().as_secs() < u64::from(seconds) {
            let done = self.post("/execute/async", &flow)?;
            if !done.is_string() {
                return Err(format!("the page gave {done}").into());
            }
            flows += 1;
        }
        Ok(f64::from(flows) / start.elapsed().as_secs_f64())
    }

    /// One command: the value of its answer.
    fn post(&self, command: &str, body: &Value) -> Result<Value> {
        let answer = self.agent.post(format!("{}{command}", self.session)).send_json(body);
        let mut answer = answer?;
        let mut read: Value = answer.body_mut().read_json()?;
        if answer.status() == 200 {
            return Ok(read["value"].take());
        }
        Err(format!("chromedriver at {command}: {}", read["value"]["message"]).into())
    }
}

impl Drop for WebDriver {
    fn drop(&mut self) {
        // The browser ends with its session, the driver by itself never.
        let _ = self.agent.delete(&self.session).call();
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
