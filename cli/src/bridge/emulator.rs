//! The emulator's command, so that the emulator ends with whoever starts it.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use std::{env, io};

const EMULATOR: &str = "qemu-system-arm";
/// Of util-linux.
const SETPRIV: &str = "setpriv";

/// The emulator, ready for its arguments. The kernel ends it when the thread that starts it ends, however that comes about:
/// a program that is killed can end nothing itself, and an emulator left behind takes a processor for ever. Where the
/// system has no setpriv, the emulator is started without.
///
/// # Errors
///
/// `NotFound` if there is no emulator.
pub(super) fn command() -> io::Result<Command> {
    command_among(env::var_os("PATH").as_deref().unwrap_or_default())
}

/// The same, if programs lie in these folders.
fn command_among(folders: &OsStr) -> io::Result<Command> {
    let is_there = |program: &str| {
        let lies_in = |folder: &Path| folder.join(program).is_file();
        env::split_paths(folders).any(|folder| lies_in(&folder))
    };
    if !is_there(EMULATOR) {
        return Err(io::Error::new(io::ErrorKind::NotFound, format!("there is no {EMULATOR}")));
    }
    if !is_there(SETPRIV) {
        return Ok(Command::new(EMULATOR));
    }
    let mut command = Command::new(SETPRIV);
    command.args(["--pdeathsig", "KILL", "--", EMULATOR]);
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The program and the arguments where these programs are there.
    fn started(programs: &[&str]) -> Result<Vec<String>, io::ErrorKind> {
        let folder = tempfile::tempdir().unwrap();
        for program in programs {
            std::fs::write(folder.path().join(program), "").unwrap();
        }
        let command = command_among(folder.path().as_os_str()).map_err(|error| error.kind())?;
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        Ok(words.map(|word| word.to_str().unwrap().to_owned()).collect())
    }

    #[test]
    fn the_emulator_ends_with_its_parent_where_the_system_can_do_that() {
        assert_eq!(started(&[]), Err(io::ErrorKind::NotFound));
        assert_eq!(started(&[SETPRIV]), Err(io::ErrorKind::NotFound));
        assert_eq!(started(&[EMULATOR]).unwrap(), [EMULATOR]);
        let words = started(&[EMULATOR, SETPRIV]).unwrap();
        assert_eq!(words, [SETPRIV, "--pdeathsig", "KILL", "--", EMULATOR]);
    }
}
