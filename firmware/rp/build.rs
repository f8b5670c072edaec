//! Tells the linker where the memory of the board lies.

use std::path::PathBuf;
use std::{env, fs};

fn main() -> std::io::Result<()> {
    let pico2 = env::var_os("CARGO_FEATURE_PICO2").is_some();
    let map = if pico2 { "pico2.x" } else { "pico.x" };
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::copy(map, out.join("memory.x"))?;
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    if !pico2 {
        println!("cargo:rustc-link-arg-bins=-Tlink-rp.x");
    }
    println!("cargo:rustc-link-arg-bins=--nmagic");
    println!("cargo:rerun-if-changed={map}");
    Ok(())
}
