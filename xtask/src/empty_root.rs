//! `cargo xtask empty-root`: the default build needs Rust and a C linker, and nothing else.
//!
//! Makes a Debian root that holds the essential packages, `gcc` and `libc6-dev`, shows the Rust toolchain and
//! the fetched crates to it, and builds and runs the program inside. Needs root, for the
//! mounts. A library that should not be there must be missed, or the root is not empty.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::debian;
use crate::house::{self, Result};

/// What `README.md` tells a newcomer to run first, without the long optimisation.
const INSIDE: &str = "cd /source && cargo run --locked --offline -- demo";

/// Programs that would make the root less empty than a newcomer's machine may be.
const ABSENT: [&str; 5] = ["pkg-config", "g++", "cmake", "make", "python3"];

/// Builds and runs the program in the empty root; true if that works and the root is as empty as it should be.
pub(crate) fn run() -> Result<bool> {
    let root = house::root()?;
    let empty = root.join("target/empty-root");
    if !empty.join("usr/bin/gcc").exists() {
        debian::prepare(&["mmdebstrap"])?;
        make(&empty)?;
    }
    if let Some(name) = ABSENT.iter().find(|name| empty.join("usr/bin").join(name).exists()) {
        println!("empty-root: {name} is there, so this proves too little");
        return Ok(false);
    }
    house::output_of(Command::new(env!("CARGO")).current_dir(&root).args(["fetch", "--locked"]))?;
    let planted = "echo 'int main(void) { return 0; }' | cc -x c -o /dev/null - ";
    if !inside(&root, &empty, planted)? {
        println!("empty-root: the C linker does not work");
        return Ok(false);
    }
    if inside(&root, &empty, &format!("{planted} -ludev 2>/dev/null"))? {
        println!("empty-root: a library that should be missing was found");
        return Ok(false);
    }
    let builds = inside(&root, &empty, INSIDE)?;
    let word = if builds { "builds and runs" } else { "does not build or run" };
    println!("empty-root: the program {word} with Rust and a C linker only");
    Ok(builds)
}

/// A fresh root at `empty`.
fn make(empty: &Path) -> Result<()> {
    if empty.exists() {
        fs::remove_dir_all(empty)?;
    }
    fs::create_dir_all(empty)?;
    debian::unpack(empty, &["gcc", "libc6-dev"])
}

/// Whether a shell command succeeds in the empty root, with nothing of this system's environment, and with the
/// toolchain, the sources and the fetched crates shown to it.
fn inside(root: &Path, empty: &Path, command: &str) -> Result<bool> {
    let sysroot = house::output_of(Command::new("rustc").args(["--print", "sysroot"]))?;
    let mut script = String::from("set -eu\n");
    for (from, to) in [
        (PathBuf::from(sysroot.trim()), "rust"),
        (root.to_owned(), "source"),
        (cargo_home()?, "cargo"),
    ] {
        let to = empty.join(to);
        fs::create_dir_all(&to)?;
        writeln!(script, "mount --bind '{}' '{}'", from.display(), to.display())?;
    }
    // The dynamic linker finds a program's own folder, and so rustc its libraries, through /proc.
    writeln!(
        script,
        "mount -t proc proc '{0}/proc'\nmount --bind /dev '{0}/dev'",
        empty.display()
    )?;
    writeln!(script, "mount -o remount,bind,ro '{}'", empty.join("source").display())?;
    script += "exec chroot \"$1\" /usr/bin/env -i HOME=/tmp PATH=/rust/bin:/usr/bin:/bin CARGO_HOME=/cargo \\\n";
    script += "    CARGO_TARGET_DIR=/target sh -euc \"$2\"\n";
    // The mounts vanish with the namespace.
    let mut shell = Command::new("unshare");
    shell.args(["--mount", "sh", "-c", &script, "sh"]).arg(empty).arg(command);
    Ok(shell.stdin(Stdio::null()).status()?.success())
}

/// Where cargo keeps fetched crates.
fn cargo_home() -> Result<PathBuf> {
    if let Some(place) = std::env::var_os("CARGO_HOME") {
        return Ok(place.into());
    }
    let home = std::env::var_os("HOME").ok_or("neither CARGO_HOME nor HOME is set")?;
    Ok(Path::new(&home).join(".cargo"))
}
