//! `cargo xtask interop`: other people's libraries against the program, without a kernel of their own: a relying
//! party judges what `softkey demo --json`, `create` and `get` print, a client drives `softkey run --transport udp`.
//! Needs Python 3 with venv, and fetches their packages into `target/interop`.

use std::path::Path;
use std::process::Command;

use crate::house::{self, Result};

/// Where the scripts and the list of packages are.
const FOLDER: &str = "tests/interop";
const SCRIPTS: [&str; 3] = ["py_webauthn.py", "py_webauthn_ceremonies.py", "python_fido2.py"];

/// Builds the program, makes the Python environment and runs each script; true if all accept what they should
/// and refuse the rest.
pub(crate) fn run() -> Result<bool> {
    let root = house::root()?;
    let target = house::members(&root)?.target_directory.into_std_path_buf();
    let environment = target.join("interop");
    let python = environment.join("bin/python");
    run_in(&root, env!("CARGO"), &["build", "--package", "softkey", "--locked"])?;
    if !python.exists() {
        let folder = environment.to_string_lossy();
        run_in(&root, "python3", &["-m", "venv", &folder])
            .map_err(|error| format!("{error} (on Debian: apt-get install python3-venv)"))?;
    }
    let python = python.to_string_lossy().into_owned();
    let requirements = format!("{FOLDER}/requirements.txt");
    let quiet = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
    run_in(&root, &python, &[&quiet[..], &[&requirements]].concat())?;
    let softkey = target.join("debug/softkey").to_string_lossy().into_owned();
    let mut well = true;
    for script in SCRIPTS {
        if let Err(error) = run_in(&root, &python, &[&format!("{FOLDER}/{script}"), &softkey]) {
            eprintln!("{error}");
            well = false;
        }
    }
    Ok(well)
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
