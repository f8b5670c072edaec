//! `cargo xtask vm`: other people's clients against `softkey run --transport uhid` on a real kernel.
//!
//! Builds a Debian guest and boots it under QEMU's emulator (no hardware virtualisation, no network, no state
//! left behind), runs every check of `tests/vm/guest/SUITE/`, and prints what each one came to. `tests/vm/README.md`
//! tells why and how to look into a failure.

mod guest;
mod image;
mod kernel;
mod suite;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::house::{self, Result};
use crate::{debian, firmware};
use suite::Suite;

/// What this system needs to build and boot a guest.
const PACKAGES: &[&str] =
    &["busybox-static", "cpio", "e2fsprogs", "kmod", "mmdebstrap", "qemu-system-x86", "xz-utils"];

/// What `cargo xtask vm` may be told.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Which suite to run
    #[arg(long, value_enum, default_value_t = Which::All)]
    suite: Which,
    /// Run only the checks whose names contain this text
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
    /// Test this softkey program instead of building one
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Keep the guests' unpacked trees beside the images
    #[arg(long)]
    keep: bool,
}

/// The suites by the names a caller may give.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Which {
    /// Command-line clients, OpenSSH, PAM, LUKS, permissions, hot-unplug, timing
    Cli,
    /// Chromium and Firefox
    Browsers,
    /// Both, the quick one first
    All,
}

/// How many checks came to what.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
}

/// Runs the suites; true if every check passed, and there was one.
pub(crate) fn run(args: &Args) -> Result<bool> {
    let root = house::root()?;
    debian::prepare(PACKAGES)?;
    let program = match &args.program {
        Some(program) => program.clone(),
        None => build_softkey(&root)?,
    };
    let place = root.join("target/vm");
    std::fs::create_dir_all(&place)?;
    let kernel = step("kernel", || kernel::Kernel::fetch(&place))?;

    let mut tally = Tally::default();
    for suite in chosen(args.suite) {
        let checks = suite.checks(&root, &args.only)?;
        if checks.is_empty() {
            continue;
        }
        let image = step(&format!("image of the {} suite", suite.name), || {
            image::build(&place, suite, &kernel, args.keep)
        })?;
        let board = suite
            .board
            .then(|| step("emulated board", || firmware::emulated(&root)))
            .transpose()?;
        let machine = guest::Machine {
            root: &root,
            place: &place,
            kernel: &kernel,
            image: &image,
            program: &program,
            board: board.as_deref(),
        };
        let counts = machine.run(suite, &checks)?;
        tally.passed += counts.passed;
        tally.failed += counts.failed;
    }
    println!("{} passed, {} failed", tally.passed, tally.failed);
    Ok(tally.passed > 0 && tally.failed == 0)
}

/// The chosen suites, the quick one first.
fn chosen(which: Which) -> impl Iterator<Item = &'static Suite> {
    let all = [(Which::Cli, &suite::CLI), (Which::Browsers, &suite::BROWSERS)];
    all.into_iter()
        .filter(move |(name, _)| which == Which::All || which == *name)
        .map(|(_, suite)| suite)
}

fn build_softkey(root: &Path) -> Result<PathBuf> {
    let build = ["build", "--quiet", "--release", "--package", "softkey"];
    step("softkey", || {
        house::output_of(Command::new(env!("CARGO")).args(build).current_dir(root))
    })?;
    Ok(root.join("target/release/softkey"))
}

/// Does one piece of preparation and prints how long it took.
fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let value = work()?;
    println!("{what}: ready in {:.1} s", start.elapsed().as_secs_f32());
    Ok(value)
}
