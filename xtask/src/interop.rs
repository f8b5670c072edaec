//! `cargo xtask interop`: relying parties of other people judge what `softkey demo --json`, `create` and `get`
//! print. Needs Python 3 with venv, and fetches their packages into `target/interop`.

use std::path::Path;
use std::process::Command;

use crate::house::{self, Result};

/// Where the scripts and the list of packages are.
const SCRIPTS: &str = "tests/interop";
const RELYING_PARTIES: [&str; 2] = ["py_webauthn.py", "py_webauthn_ceremonies.py"];

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
    let requirements = format!("{SCRIPTS}/requirements.txt");
    let quiet = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
    run_in(&root, &python, &[&quiet[..], &[&requirements]].concat())?;
    let softkey = target.join("debug/softkey").to_string_lossy().into_owned();
    let accepts =
        |script: &&str| run_in(&root, &python, &[&format!("{SCRIPTS}/{script}"), &softkey]).is_ok();
    // All of them are run, whatever the first says.
    Ok(RELYING_PARTIES.iter().filter(|script| !accepts(script)).count() == 0)
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
