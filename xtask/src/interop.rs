//! `cargo xtask interop`: other people's libraries against the program, without a kernel of their own: a relying
//! party judges what `softkey demo --json`, `create` and `get` print, a client drives `softkey run --transport udp`, and
//! `softkey create` and `get` drive authenticators.
//! Needs Python 3 with venv, Node.js with npm, and OpenSSL's headers for webauthn-rs; fetches their packages.
//! `tests/interop/README.md` says what each script does, and which wrong responses are accepted by whom.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::firmware;
use crate::house::{self, Result};

/// Where the scripts and the list of packages are.
const FOLDER: &str = "tests/interop";
const SCRIPTS: [&str; 7] = [
    "py_webauthn.py",
    "py_webauthn_ceremonies.py",
    "py_webauthn_attestation.py",
    "py_webauthn_wrong.py",
    "python_fido2_server.py",
    CLIENTS[0],
    CLIENTS[1],
];
/// The scripts that are clients of a key over UDP.
const CLIENTS: [&str; 2] = ["python_fido2_device_tests.py", "python_fido2.py"];
/// The script that drives this client against authenticators of others, and the packages of those in Python. They need
/// older ones beside them than the other scripts.
const AUTHENTICATORS: (&str, &str) = ("foreign_authenticators.py", "foreign_requirements.txt");
/// The scripts with the server of `SimpleWebAuthn`.
const NODE_SCRIPTS: [&str; 2] = ["simplewebauthn.mjs", "simplewebauthn_attestation.mjs"];
/// A Node.js: the oldest one that will do, and the package that npm has of it for who has none so new. Debian 12 does not.
type Node = ((u32, u32), &'static str);
/// Node.js for `SimpleWebAuthn`, which has ML-DSA of it.
const NODE_WITH_ML_DSA: Node = ((24, 7), "node@24");
/// Node.js for the authenticator in it.
const NODE_OF_AUTHENTICATORS: Node = ((20, 0), "node@22");
/// The site with webauthn-rs, a workspace of its own.
const SITE: &str = "examples/site";

/// What `cargo xtask interop` may be told.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Instead, run the clients of a key against the emulated board, over softkey bridge (needs qemu-system-arm)
    #[arg(long)]
    board: bool,
}

/// Builds the program, makes the Python environment and runs each script; true if all accept what they should
/// and refuse the rest.
pub(crate) fn run(args: &Args) -> Result<bool> {
    let root = house::root()?;
    let target = house::members(&root)?.target_directory.into_std_path_buf();
    run_in(&root, env!("CARGO"), &["build", "--package", "softkey", "--locked"])?;
    let python = python(&root, &target.join("interop"), "requirements.txt")?;
    let softkey = target.join("debug/softkey").to_string_lossy().into_owned();
    if args.board {
        let board = firmware::emulated(&root)?;
        for script in CLIENTS {
            run_script(&root, &python, script, &[&softkey, &board.to_string_lossy()])?;
        }
        return Ok(true);
    }
    let mut well = true;
    for script in SCRIPTS {
        if let Err(error) = run_script(&root, &python, script, &[&softkey]) {
            eprintln!("{error}");
            well = false;
        }
    }
    let parts = [
        node(&root, &softkey),
        authenticators(&root, &target, &python, &softkey),
        site(&root, &target),
    ];
    for part in parts {
        if let Err(error) = part {
            eprintln!("{error}");
            well = false;
        }
    }
    Ok(well)
}

/// The Python of this environment, with the packages of a list beside the scripts.
fn python(root: &Path, environment: &Path, list: &str) -> Result<String> {
    let python = environment.join("bin/python");
    if !python.exists() {
        let folder = environment.to_string_lossy();
        run_in(root, "python3", &["-m", "venv", &folder])
            .map_err(|error| format!("{error} (on Debian: apt-get install python3-venv)"))?;
    }
    let python = python.to_string_lossy().into_owned();
    let requirements = format!("{FOLDER}/{list}");
    let quiet = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
    run_in(root, &python, &[&quiet[..], &[&requirements]].concat())?;
    Ok(python)
}

fn run_script(root: &Path, python: &str, script: &str, arguments: &[&str]) -> Result<()> {
    let script = format!("{FOLDER}/{script}");
    // Without -B the modules that it imports leave compiled ones in the tree.
    run_in(root, python, &[&["-B", &script], arguments].concat())
}

/// The server of `SimpleWebAuthn`, with the packages of the lock file beside the scripts.
fn node(root: &Path, softkey: &str) -> Result<()> {
    let folder = root.join(FOLDER);
    run_in(&folder, "npm", &["ci", "--silent", "--omit-lockfile-registry-resolved=true"])
        .map_err(|error| format!("{error} (on Debian: apt-get install npm)"))?;
    let (program, arguments) = node_words(NODE_WITH_ML_DSA);
    for script in NODE_SCRIPTS {
        run_in(&folder, program, &[&arguments[..], &[script, softkey]].concat())?;
    }
    Ok(())
}

/// The words that run a Node.js that is new enough.
fn node_words((oldest, package): Node) -> (&'static str, Vec<&'static str>) {
    let version = house::output_of(Command::new("node").arg("--version")).unwrap_or_default();
    if node_version(&version).is_some_and(|version| version >= oldest) {
        return ("node", Vec::new());
    }
    ("npx", vec!["--yes", "--package", package, "--", "node"])
}

/// The first two numbers of what `node --version` prints, such as `v24.7.0`.
fn node_version(printed: &str) -> Option<(u32, u32)> {
    let mut numbers = printed.trim().strip_prefix('v')?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// Authenticators of others, in Python and in Node.js, whose packages are there already.
fn authenticators(root: &Path, target: &Path, python: &str, softkey: &str) -> Result<()> {
    let (script, list) = AUTHENTICATORS;
    let theirs = self::python(root, &target.join("interop-authenticators"), list)?;
    let (program, arguments) = node_words(NODE_OF_AUTHENTICATORS);
    run_script(root, python, script, &[&[softkey, &theirs, program], &arguments[..]].concat())
}

/// The example site with axum and webauthn-rs. Its dependencies have the versions of the workspace where they are shared.
fn site(root: &Path, target: &Path) -> Result<()> {
    let folder = root.join(SITE);
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    let target = target.join("interop-site").to_string_lossy().into_owned();
    let test = ["test", "--no-fail-fast", "--target-dir", &target, "--", "--nocapture"];
    run_in(&folder, env!("CARGO"), &test).map_err(|error| {
        format!("{error} (on Debian: apt-get install libssl-dev pkg-config)").into()
    })
}

/// Runs a program in this folder to its end; its output goes through.
fn run_in(folder: &Path, program: &str, arguments: &[&str]) -> Result<()> {
    let status = Command::new(program).args(arguments).current_dir(folder).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{program} {}: {status}", arguments.join(" ")).into()),
        Err(error) => Err(format!("{program} cannot be started: {error}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::node_version;

    #[test]
    fn versions_of_node_are_compared_by_number() {
        assert_eq!(node_version("v24.7.0\n"), Some((24, 7)));
        assert!(node_version("v24.10.0") > node_version("v24.7.0"));
        assert!(node_version("v20.20.2") < Some((24, 7)));
        for none in ["", "24.7.0", "v24", "vx.7"] {
            assert_eq!(node_version(none), None, "{none}");
        }
    }
}
