//! How many registrations with sign-in a page in process does in a second: `flows SECONDS` prints the number for one page,
//! and behind it the number where each has a new page and a new key, as tests have. The options are those of
//! `tests/benches/browser.rs` and of `cargo xtask speed`, which runs this beside a browser.

use std::error::Error;
use std::time::{Duration, Instant};

use softkey::browser::Browser;

const CREATE: &str = r#"{"rp": {"name": "Example"}, "user": {"id": "AQ", "name": "ada", "displayName": "Ada"},
    "challenge": "AAECAwQFBgcICQoLDA0ODw", "pubKeyCredParams": [{"type": "public-key", "alg": -7}]}"#;

/// A registration and a sign-in with it, from JSON to JSON.
fn flow(browser: &mut Browser) -> Result<(), Box<dyn Error>> {
    let made = browser.create(CREATE)?;
    let options = format!(
        r#"{{"challenge": "AAECAwQFBgcICQoLDA0ODw", "allowCredentials": [{{"type": "public-key", "id": "{}"}}]}}"#,
        made.id
    );
    let signed = browser.get(&options)?;
    serde_json::to_string(&made)?;
    serde_json::to_string(&signed)?;
    Ok(())
}

/// Flows in a second, counted for so long.
fn counted(
    time: Duration,
    mut flow: impl FnMut() -> Result<(), Box<dyn Error>>,
) -> Result<f64, Box<dyn Error>> {
    let start = Instant::now();
    let mut flows = 0_u32;
    while start.elapsed() < time {
        flow()?;
        flows += 1;
    }
    Ok(f64::from(flows) / start.elapsed().as_secs_f64())
}

fn main() -> Result<(), Box<dyn Error>> {
    let seconds = std::env::args().nth(1).ok_or("how many seconds?")?.parse()?;
    let time = Duration::from_secs(seconds);
    let mut browser = Browser::open("https://example.org")?;
    for _ in 0..100 {
        flow(&mut browser)?;
    }
    let warm = counted(time, || flow(&mut browser))?;
    let fresh = counted(time, || flow(&mut Browser::open("https://example.org")?))?;
    println!("{warm:.1} {fresh:.1}");
    Ok(())
}
