//! Tells the linker where the memory of the board lies.

fn main() {
    let dongle = std::env::var_os("CARGO_FEATURE_NRF52840_DONGLE").is_some();
    let board = if dongle { "dongle" } else { "dk" };
    println!("cargo:rustc-link-search={}/{board}", env!("CARGO_MANIFEST_DIR"));
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rustc-link-arg-bins=--nmagic");
    println!("cargo:rerun-if-changed={board}/memory.x");
}
