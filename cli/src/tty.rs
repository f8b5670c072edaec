//! The person's terminal, whatever standard input and output are: secrets are asked for there, as ssh and gpg do it, so
//! that options can come out of a pipe meanwhile.

use std::fs::File;
use std::io::{self, Read, Write};

use rpassword::{ConfigBuilder, read_password_with_config};
use rustix::fs::{FileType, fstat};
use rustix::process::getpgrp;
use rustix::stdio::stdin;
use rustix::termios::{
    LocalModes, OptionalActions, Termios, isatty, tcgetattr, tcgetpgrp, tcsetattr,
};
use signal_hook::consts::SIGINT;
use zeroize::Zeroizing;

/// What Ctrl-C is where it is a character.
const CTRL_C: u8 = 0x03;

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

/// Asks for a secret there; what is typed is not shown. At Ctrl-C the program gets its signal once the terminal is as it was.
///
/// # Errors
///
/// What keeps it from being read.
pub fn ask(prompt: &str) -> io::Result<Zeroizing<String>> {
    let mut terminal = File::options().read(true).write(true).open("/dev/tty")?;
    let silence = Silence::over(terminal.try_clone()?)?;
    terminal.write_all(prompt.as_bytes())?;
    let keys = Keys(terminal.try_clone()?);
    let config = ConfigBuilder::new().input_reader(keys).output_discard().build();
    let typed = read_password_with_config(config).map(Zeroizing::new);
    terminal.write_all(b"\n")?;
    drop(silence);
    if typed.as_ref().is_err_and(is_interrupt) {
        signal_hook::low_level::raise(SIGINT)?;
    }
    typed
}

/// A terminal that shows nothing and gives each character as it is typed, until this is dropped.
struct Silence {
    terminal: File,
    before: Termios,
}

impl Silence {
    fn over(terminal: File) -> io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut silent = before.clone();
        silent.local_modes -=
            LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG;
        tcsetattr(&terminal, OptionalActions::Now, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}

/// What is typed, up to Ctrl-C: rpassword would raise the signal while the terminal is still silent, and a program that
/// ends by it would leave it so.
struct Keys(File);

impl Read for Keys {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.0.read(buffer)?;
        let typed = buffer.get(..len).unwrap_or_default();
        if typed.contains(&CTRL_C) { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(len) }
    }
}

fn is_interrupt(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ConnectionAborted
}
