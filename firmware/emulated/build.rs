//! Tells the linker where the memory of the board lies.

use std::path::PathBuf;
use std::{env, fs};

fn main() -> std::io::Result<()> {
    let large = env::var_os("CARGO_FEATURE_ML_DSA").is_some();
    let map = if large { "large.x" } else { "budget.x" };
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::copy(map, out.join("memory.x"))?;
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rustc-link-arg-bins=--nmagic");
    println!("cargo:rerun-if-changed={map}");
    Ok(())
}
