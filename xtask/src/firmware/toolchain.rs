//! A compiler with the library of a bare processor.
//!
//! Usually rustup has it or gets it. Where it cannot be fetched, Debian's compiler and the source of its library make it:
//! they are put together to a compiler of our own below `target/`, which is used as any other. With `SOFTKEY_OWN_LIBRARY`
//! set this is done everywhere, to see that it works.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use crate::debian;
use crate::house::{Result, output_of};

/// The variable that makes this machine one where rustup has nothing and reaches nobody.
const OWN: &str = "SOFTKEY_OWN_LIBRARY";

/// Debian's compiler and lints, the source of its library, and a linker for other processors, under the name that it has
/// there; each file with its package.
const PARTS: [(&str, &str); 5] = [
    (CARGO, "cargo-web"),
    (RUSTC, "rustc-web"),
    (CLIPPY, "rust-web-clippy"),
    (LINKER, "lld-22"),
    ("/usr/lib/rustlib/src/rust/library/core", "rust-web-src"),
];
const CARGO: &str = "/usr/bin/cargo";
const RUSTC: &str = "/usr/bin/rustc";
const CLIPPY: &str = "/usr/bin/cargo-clippy";
const LINKER: &str = "/usr/bin/lld-22";

/// A cargo whose compiler knows a target.
pub(super) struct Toolchain {
    /// The root of the compiler that was put together here, if it is not the one that runs us.
    own: Option<PathBuf>,
}

impl Toolchain {
    /// The first of: the compiler that runs us, if it has the target; one made below `folder` before; the compiler that
    /// runs us, if rustup gets it the target; one made below `folder`.
    pub(super) fn for_target(folder: &Path, target: &str) -> Result<Self> {
        let own = Own { folder: folder.join("rust") };
        let ours = env::var_os(OWN).is_none()
            && (has(&sysroot()?, target) || (!own.is_made(target) && added(target)?));
        if ours {
            return Ok(Self { own: None });
        }
        own.make(target).map_err(|error| {
            format!("the compiler lacks {target}: rustup target add {target}; or {error}")
        })?;
        Ok(Self { own: Some(own.folder) })
    }

    /// The cargo with a command of it, ready for its arguments.
    pub(super) fn cargo(&self, command: &str) -> Command {
        let mut cargo = match &self.own {
            // Called by its path: cargo takes rustup's, whatever else there is.
            Some(_) if command == "clippy" => Command::new(CLIPPY),
            Some(_) => Command::new(CARGO),
            None => Command::new(env!("CARGO")),
        };
        // Flags and compilers of whoever runs us are for the host.
        for variable in
            ["RUSTFLAGS", "RUSTC", "RUSTC_WRAPPER", "RUSTUP_TOOLCHAIN", "CARGO_ENCODED_RUSTFLAGS"]
        {
            cargo.env_remove(variable);
        }
        if let Some(own) = &self.own {
            cargo.env("CARGO", CARGO).env("RUSTC", own.join("bin/rustc")).env("SYSROOT", own);
        } else if let Some(toolchain) = env::var_os("RUSTUP_TOOLCHAIN") {
            cargo.env("RUSTUP_TOOLCHAIN", toolchain);
        }
        cargo.arg(command);
        cargo
    }
}

/// The root of the compiler that runs us.
fn sysroot() -> Result<PathBuf> {
    Ok(output_of(Command::new("rustc").args(["--print", "sysroot"]))?.trim().into())
}

/// Does rustup get the library of this target? Where it reaches nobody it may take its time to say so.
fn added(target: &str) -> Result<bool> {
    let rustup = ["120", "rustup", "target", "add", target];
    let added = Command::new("timeout").args(rustup).stdin(Stdio::null()).output();
    Ok(added.is_ok_and(|added| added.status.success()) && has(&sysroot()?, target))
}

/// The packages of those parts that are not there.
fn lacking<'a>(parts: &[(&str, &'a str)]) -> Vec<&'a str> {
    let lacking = parts.iter().filter(|(path, _)| !Path::new(path).exists());
    lacking.map(|(_, package)| *package).collect()
}

/// What Debian's compiler says of itself.
fn version() -> Result<String> {
    output_of(Command::new(RUSTC).arg("-vV"))
}

/// Does the compiler with this root have the library of this target?
fn has(sysroot: &Path, target: &str) -> bool {
    sysroot.join("lib/rustlib").join(target).join("lib").is_dir()
}

/// A compiler's root that is put together from Debian's, with libraries that are built here.
struct Own {
    folder: PathBuf,
}

impl Own {
    /// Where it says of which version it is.
    fn stamp(&self) -> PathBuf {
        self.folder.join("version")
    }

    /// Is there one with this target, and of the version that Debian has now?
    fn is_made(&self, target: &str) -> bool {
        let made = fs::read_to_string(self.stamp());
        made.is_ok_and(|made| version().is_ok_and(|now| now == made)) && has(&self.folder, target)
    }

    /// Makes sure that there is one with this target.
    fn make(&self, target: &str) -> Result<()> {
        let lacking = lacking(&PARTS);
        if !lacking.is_empty() {
            debian::prepare(&lacking)?;
        }
        if self.is_made(target) {
            return Ok(());
        }
        let version = version()?;
        let stamp = self.stamp();
        if !fs::read_to_string(&stamp).is_ok_and(|made| made == version) {
            // A library of another version would not fit.
            let _ = fs::remove_dir_all(&self.folder);
            self.put_together(&version)?;
            fs::write(stamp, &version)?;
        }
        println!("making the library of {target} from Debian's source");
        self.add(target)
    }

    /// The compiler without targets.
    fn put_together(&self, version: &str) -> Result<()> {
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        let host = host.ok_or("rustc does not say what its host is")?;
        let root = output_of(Command::new(RUSTC).args(["--print", "sysroot"]))?;
        let libraries = self.folder.join("lib/rustlib").join(host);
        fs::create_dir_all(libraries.join("bin"))?;
        // Build scripts and macros run here.
        symlink(
            Path::new(root.trim()).join("lib/rustlib").join(host).join("lib"),
            libraries.join("lib"),
        )?;
        // The name by which rustc calls its own linker.
        symlink(LINKER, libraries.join("bin/rust-lld"))?;
        let rustc = self.folder.join("bin/rustc");
        fs::create_dir_all(self.folder.join("bin"))?;
        let script =
            format!("#!/bin/sh\nexec {RUSTC} --sysroot '{}' \"$@\"\n", self.folder.display());
        fs::write(&rustc, script)?;
        fs::set_permissions(&rustc, fs::Permissions::from_mode(0o755))?;
        Ok(())
    }

    /// Builds the library of a target and puts it in.
    fn add(&self, target: &str) -> Result<()> {
        let seed = self.folder.join("seed");
        let built = seed.join("target").join(target);
        // What was built with other flags would be found twice.
        let _ = fs::remove_dir_all(&built);
        fs::create_dir_all(seed.join("src"))?;
        let manifest =
            "[package]\nname = \"seed\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n";
        fs::write(seed.join("Cargo.toml"), manifest)?;
        fs::write(seed.join("src/lib.rs"), "#![no_std]\n")?;
        let mut cargo = Command::new(CARGO);
        cargo.current_dir(&seed).env("RUSTC", RUSTC).env("RUSTC_BOOTSTRAP", "1");
        // Whole-program optimisation needs the bitcode.
        cargo.env("RUSTFLAGS", "-Cembed-bitcode=yes").env_remove("CARGO_TARGET_DIR");
        cargo.env_remove("CARGO_ENCODED_RUSTFLAGS").env_remove("RUSTC_WRAPPER");
        cargo.args(["build", "--release", "-Zbuild-std=core,alloc", "--target", target]);
        output_of(&mut cargo)?;
        let libraries = self.folder.join("lib/rustlib").join(target).join("lib.new");
        fs::create_dir_all(&libraries)?;
        for entry in fs::read_dir(built.join("release/deps"))? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let library = path.extension().is_some_and(|extension| extension == "rlib");
            if library && !name.starts_with("libseed-") {
                fs::copy(&path, libraries.join(name))?;
            }
        }
        fs::rename(&libraries, libraries.with_file_name("lib"))?;
        fs::remove_dir_all(seed.join("target"))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_named_by_its_package() {
        let own = env::current_exe().unwrap();
        let parts = [(own.to_str().unwrap(), "there"), ("/nonexistent/cargo", "cargo-web")];
        assert_eq!(lacking(&parts), ["cargo-web"]);
    }

    /// What was made of another version of the compiler is made anew.
    #[test]
    fn a_library_is_made_for_one_version_of_the_compiler() {
        let place = tempfile::tempdir().unwrap();
        let own = Own { folder: place.path().to_owned() };
        fs::create_dir_all(place.path().join("lib/rustlib/thumbv6m-none-eabi/lib")).unwrap();
        assert!(!own.is_made("thumbv6m-none-eabi"));
        fs::write(own.stamp(), "rustc 1.0.0").unwrap();
        assert!(!own.is_made("thumbv6m-none-eabi"));
    }
}
