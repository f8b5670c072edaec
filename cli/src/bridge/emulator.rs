//! The emulator's command, so that the emulator ends with whoever starts it.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::{env, io};

const EMULATOR: &str = "qemu-system-arm";
/// Of util-linux. Others of this name do not know the option.
const SETPRIV: &str = "setpriv";

/// The emulator, ready for its arguments. The kernel ends it when the thread that starts it ends, however that comes about:
/// a program that is killed can end nothing itself, and an emulator left behind takes a processor for ever. Where the
/// system has no setpriv that can do this, the emulator is started without.
///
/// # Errors
///
/// `NotFound` if there is no emulator.
pub(super) fn command() -> io::Result<Command> {
    static CAN: OnceLock<bool> = OnceLock::new();
    let folders = env::var_os("PATH").unwrap_or_default();
    command_among(&folders, || *CAN.get_or_init(|| ends_with_parent(SETPRIV)))
}

/// The option's value by which the emulator maps this file as the board's memory.
pub(super) fn memory(path: &Path) -> OsString {
    let mut value = b"memory-backend-file,id=shared,size=16M,mem-path=".to_vec();
    for byte in path.as_os_str().as_bytes() {
        value.push(*byte);
        // A comma that stands twice does not end the path.
        value.extend((*byte == b',').then_some(b','));
    }
    value.extend(b",share=on");
    OsString::from_vec(value)
}

/// The same, if programs lie in these folders; can setpriv do its part?
fn command_among(folders: &OsStr, can: impl FnOnce() -> bool) -> io::Result<Command> {
    let lies_in = |folder: &Path| folder.join(EMULATOR).is_file();
    if !env::split_paths(folders).any(|folder| lies_in(&folder)) {
        return Err(io::Error::new(io::ErrorKind::NotFound, format!("there is no {EMULATOR}")));
    }
    if can() { Ok(ending_with_parent(SETPRIV, EMULATOR)) } else { Ok(Command::new(EMULATOR)) }
}

/// A program by setpriv.
fn ending_with_parent(setpriv: &str, program: &str) -> Command {
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", "KILL", "--", program]);
    command
}

/// Does this setpriv start programs so?
fn ends_with_parent(setpriv: &str) -> bool {
    let mut command = ending_with_parent(setpriv, "true");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The program and the arguments where these programs are there, and setpriv can do its part or not.
    fn started(programs: &[&str], can: bool) -> Result<Vec<String>, io::ErrorKind> {
        let folder = tempfile::tempdir().unwrap();
        for program in programs {
            std::fs::write(folder.path().join(program), "").unwrap();
        }
        let command = command_among(folder.path().as_os_str(), || can);
        let command = command.map_err(|error| error.kind())?;
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        Ok(words.map(|word| word.to_str().unwrap().to_owned()).collect())
    }

    #[test]
    fn the_emulator_ends_with_its_parent_where_the_system_can_do_that() {
        assert_eq!(started(&[], true), Err(io::ErrorKind::NotFound));
        assert_eq!(started(&["qemu-system-aarch64"], true), Err(io::ErrorKind::NotFound));
        assert_eq!(started(&[EMULATOR], false).unwrap(), [EMULATOR]);
        let words = started(&[EMULATOR], true).unwrap();
        assert_eq!(words, [SETPRIV, "--pdeathsig", "KILL", "--", EMULATOR]);
    }

    /// A comma ends a value of the emulator's, and two are one; bytes that are no text are as they are.
    #[test]
    fn any_path_can_be_a_memory() {
        let path = OsStr::from_bytes(b"/a,b=c,share=off/\xff");
        let expected =
            b"memory-backend-file,id=shared,size=16M,mem-path=/a,,b=c,,share=off/\xff,share=on";
        assert_eq!(memory(Path::new(path)).as_bytes(), expected);
    }

    /// A setpriv may be there that does not know the option, or none: it is tried, not looked for.
    #[test]
    fn a_setpriv_that_cannot_do_it_is_left_out() {
        assert!(ends_with_parent("true"));
        assert!(!ends_with_parent("false"));
        assert!(!ends_with_parent("softkey-has-no-such-program"));
    }
}
