//! Tells the linker where the memory of the board lies.

fn main() {
    let pico2 = std::env::var_os("CARGO_FEATURE_PICO2").is_some();
    let board = if pico2 { "pico2" } else { "pico" };
    println!("cargo:rustc-link-search={}/{board}", env!("CARGO_MANIFEST_DIR"));
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    if !pico2 {
        println!("cargo:rustc-link-arg-bins=-Tlink-rp.x");
    }
    println!("cargo:rustc-link-arg-bins=--nmagic");
    println!("cargo:rerun-if-changed={board}/memory.x");
}
