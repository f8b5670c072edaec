//! Tells the linker where the memory of the board lies.

use std::path::PathBuf;
use std::{env, fs};

fn main() -> std::io::Result<()> {
    let dongle = env::var_os("CARGO_FEATURE_NRF52840_DONGLE").is_some();
    let map = if dongle { "dongle.x" } else { "dk.x" };
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::copy(map, out.join("memory.x"))?;
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rustc-link-arg-bins=--nmagic");
    println!("cargo:rerun-if-changed={map}");
    Ok(())
}
