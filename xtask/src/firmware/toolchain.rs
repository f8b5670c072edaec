//! A compiler with the library of a bare processor.
//!
//! Usually rustup has it or gets it. Where it cannot be fetched, Debian's compiler and the source of its library make it:
//! they are put together to a compiler of our own below `target/`, which is used as any other.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::debian;
use crate::house::{Result, output_of};

/// Debian's compiler, the source of its library, and a linker for other processors, under the name that it has there.
const PACKAGES: [&str; 4] = ["cargo-web", "lld-22", "rust-web-src", "rustc-web"];
const LINKER: &str = "/usr/bin/lld-22";
const CARGO: &str = "/usr/bin/cargo";
const RUSTC: &str = "/usr/bin/rustc";

/// A cargo whose compiler knows a target.
pub(super) struct Toolchain {
    cargo: PathBuf,
    /// The compiler, if it is not the one that this cargo takes by itself.
    rustc: Option<PathBuf>,
}

impl Toolchain {
    /// The first of: the compiler that runs us, if it has the target or rustup gets it; one made below `folder`.
    pub(super) fn for_target(folder: &Path, target: &str) -> Result<Self> {
        let ours = Self { cargo: env!("CARGO").into(), rustc: None };
        let sysroot =
            PathBuf::from(output_of(Command::new("rustc").args(["--print", "sysroot"]))?.trim());
        if has(&sysroot, target) {
            return Ok(ours);
        }
        let added = Command::new("rustup").args(["target", "add", target]).output();
        if added.is_ok_and(|added| added.status.success()) && has(&sysroot, target) {
            return Ok(ours);
        }
        println!("rustup cannot add {target}; making its library from Debian's source");
        let own = Own { folder: folder.join("rust") };
        own.make(target).map_err(|error| {
            format!("the compiler lacks {target}: rustup target add {target}; or {error}")
        })?;
        Ok(Self { cargo: CARGO.into(), rustc: Some(own.folder.join("bin/rustc")) })
    }

    /// The cargo, ready for its arguments.
    pub(super) fn cargo(&self) -> Command {
        let mut cargo = Command::new(&self.cargo);
        // Flags and compilers of whoever runs us are for the host.
        for variable in
            ["RUSTFLAGS", "RUSTC", "RUSTC_WRAPPER", "RUSTUP_TOOLCHAIN", "CARGO_ENCODED_RUSTFLAGS"]
        {
            cargo.env_remove(variable);
        }
        if let Some(rustc) = &self.rustc {
            cargo.env("RUSTC", rustc);
        } else if let Some(toolchain) = env::var_os("RUSTUP_TOOLCHAIN") {
            cargo.env("RUSTUP_TOOLCHAIN", toolchain);
        }
        cargo
    }
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
    /// Makes sure that there is one with this target.
    fn make(&self, target: &str) -> Result<()> {
        let there = [LINKER, CARGO, RUSTC, "/usr/lib/rustlib/src/rust/library/core"];
        if !there.iter().all(|path| Path::new(path).exists()) {
            debian::prepare(&PACKAGES)?;
        }
        let version = output_of(Command::new(RUSTC).arg("-vV"))?;
        let stamp = self.folder.join("version");
        if fs::read_to_string(&stamp).is_ok_and(|made| made == version) {
            if has(&self.folder, target) {
                return Ok(());
            }
        } else {
            // A library of another version would not fit.
            let _ = fs::remove_dir_all(&self.folder);
            self.put_together(&version)?;
            fs::write(stamp, &version)?;
        }
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
