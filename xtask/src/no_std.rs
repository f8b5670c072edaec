//! `cargo xtask no-std`: the core crates need no standard library.
//!
//! `xtask/no-std-proof` links them, bare and with every algorithm, with a panic handler of its own, which rustc refuses as soon as anything
//! below pulls the standard library in. The same build with a planted dependency on it must fail, or the proof
//! proves nothing.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::house::{self, Result};

/// The words of rustc's refusal.
const REFUSAL: &str = "duplicate lang item `panic_impl`";

/// Builds the proof, and the proof of the proof; true if the first succeeds and the second fails as it must.
pub(crate) fn run() -> Result<bool> {
    let root = house::root()?;
    // The same versions as everywhere; cargo drops what the proof does not use.
    fs::copy(root.join("Cargo.lock"), root.join("xtask/no-std-proof/Cargo.lock"))?;
    for features in [&[][..], &["--features", "everything"]] {
        if !links(&build(&root, features)?) {
            return Ok(false);
        }
    }
    let planted = build(&root, &["--features", "planted-std"])?;
    let errors = String::from_utf8_lossy(&planted.stderr);
    if planted.status.success() || !errors.contains(REFUSAL) {
        eprintln!("{errors}");
        println!(
            "no-std: a planted dependency on the standard library was not refused as it should be"
        );
        return Ok(false);
    }
    println!(
        "no-std: the core crates link without the standard library, bare and with all algorithms; \
         a planted dependency on it is refused"
    );
    Ok(true)
}

/// Did the proof build? Says why not.
fn links(built: &Output) -> bool {
    if built.status.success() {
        return true;
    }
    let errors = String::from_utf8_lossy(&built.stderr);
    eprintln!("{errors}");
    let what = if errors.contains(REFUSAL) {
        "or something below it, needs the standard library"
    } else {
        "or the proof, does not build"
    };
    println!("no-std: a core crate, {what}");
    false
}

fn build(root: &Path, options: &[&str]) -> Result<Output> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root.join("xtask/no-std-proof"));
    cargo
        .args(["build", "--quiet", "--target-dir"])
        .arg(root.join("target/no-std-proof"))
        .args(options);
    // Flags for instrumented or fuzzing builds would bring the standard library with them.
    cargo.env_remove("RUSTFLAGS").stdin(Stdio::null());
    Ok(cargo.output()?)
}
