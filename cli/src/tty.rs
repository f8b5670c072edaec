//! The person's terminal, whatever standard input and output are: secrets are asked for there, as ssh and gpg do it, so
//! that options can come out of a pipe meanwhile.

use std::fs::File;
use std::io;

use rustix::fs::{FileType, fstat};
use rustix::process::getpgrp;
use rustix::stdio::stdin;
use rustix::termios::{isatty, tcgetpgrp};
use zeroize::Zeroizing;

/// Can somebody be asked? The process must have a terminal and be in its foreground, or the system would stop it; and a
/// standard input that is /dev/null says that nobody is there.
#[must_use]
pub fn is_at_hand() -> bool {
    let terminal = File::options().read(true).write(true).open("/dev/tty");
    let in_front = |terminal| tcgetpgrp(terminal).is_ok_and(|front| front == getpgrp());
    terminal.is_ok_and(in_front) && !is_refused()
}

/// Is standard input a device that is no terminal?
fn is_refused() -> bool {
    let kind = fstat(stdin()).map(|about| FileType::from_raw_mode(about.st_mode));
    !isatty(stdin()) && kind.is_ok_and(|kind| kind == FileType::CharacterDevice)
}

/// Asks for a secret there; what is typed is not shown.
///
/// # Errors
///
/// What keeps it from being read.
pub fn ask(prompt: &str) -> io::Result<Zeroizing<String>> {
    rpassword::prompt_password(prompt).map(Zeroizing::new)
}
