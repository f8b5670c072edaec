//! Small Debian trees, unpacked beside this system with its own package sources.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use crate::house::{Result, output_of};

/// The release of the trees. They run this system's build of softkey, so this system's must be the same.
pub(crate) const RELEASE: &str = "bookworm";

/// Makes sure of this system's release and of root's rights, and installs those of the packages that it lacks.
pub(crate) fn prepare(packages: &[&str]) -> Result<()> {
    let release = fs::read_to_string("/etc/os-release")?;
    if !release.lines().any(|line| line == format!("VERSION_CODENAME={RELEASE}")) {
        return Err(format!(
            "the tree is Debian {RELEASE} and runs this machine's build of softkey: run it there"
        )
        .into());
    }
    let missing: Vec<&str> =
        packages.iter().copied().filter(|package| !installed(package)).collect();
    if fs::metadata("/proc/self")?.uid() != 0 {
        let packages = if missing.is_empty() { "none".to_owned() } else { missing.join(" ") };
        return Err(format!("this needs root; packages to install: {packages}").into());
    }
    if missing.is_empty() {
        return Ok(());
    }
    println!("installing {}", missing.join(" "));
    output_of(apt().arg("update"))?;
    output_of(apt().args(["install", "--yes", "--no-install-recommends"]).args(missing)).map(drop)
}

/// Unpacks the essential packages, apt, and these packages with what they depend on, without manuals, into `tree`.
pub(crate) fn unpack(tree: &Path, packages: &[&str]) -> Result<()> {
    let mut debian = Command::new("mmdebstrap");
    debian.args([
        "--quiet",
        "--mode=root",
        "--variant=minbase",
        "--aptopt=APT::Install-Recommends \"false\"",
    ]);
    for option in options()? {
        debian.arg(format!("--aptopt={option}"));
    }
    for unused in ["doc", "info", "locale", "man"] {
        debian.arg(format!("--dpkgopt=path-exclude=/usr/share/{unused}/*"));
    }
    debian.arg(format!("--include={}", packages.join(","))).arg(RELEASE).arg(tree);
    output_of(debian.args(sources()?)).map(drop)
}

/// `apt-get` that waits for another one to finish instead of failing.
fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").args(["--option", "DPkg::Lock::Timeout=400"]);
    command
}

fn installed(package: &str) -> bool {
    output_of(Command::new("dpkg-query").args([
        "--show",
        "--showformat",
        "${db:Status-Status}",
        package,
    ]))
    .is_ok_and(|status| status == "installed")
}

/// The options with which this system's apt accepts and reaches its mirrors, one `KEY "VALUE"` each.
fn options() -> Result<Vec<String>> {
    const KEPT: [&str; 4] =
        ["Acquire::Check-", "Acquire::http", "Acquire::https", "Acquire::Retries"];
    let dump = output_of(Command::new("apt-config").arg("dump"))?;
    let kept = dump.lines().filter(|line| KEPT.iter().any(|prefix| line.starts_with(prefix)));
    Ok(kept.map(|line| line.trim_end_matches(';').to_owned()).collect())
}

/// This system's Debian sources for the release, as lines of a sources list: the release itself, its updates and
/// its security fixes (which is where the browsers come from).
fn sources() -> Result<Vec<String>> {
    let format = "$(ORIGIN) $(REPO_URI) $(RELEASE) $(COMPONENT)";
    let targets = output_of(Command::new("apt-get").args([
        "indextargets",
        "--format",
        format,
        "Created-By: Packages",
    ]))?;
    let lines = targets.lines().filter_map(|line| line.strip_prefix("Debian "));
    let sources: Vec<String> = lines
        .filter(|line| line.split(' ').nth(1).is_some_and(|suite| suite.starts_with(RELEASE)))
        .map(|line| format!("deb {line}"))
        .collect();
    if sources.is_empty() {
        return Err(format!("apt knows no Debian source for {RELEASE}: run apt-get update").into());
    }
    Ok(sources)
}
