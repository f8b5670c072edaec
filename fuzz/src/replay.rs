//! A target without a fuzzer: a program that runs its body on files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::Subject;

/// Runs a body on each file named on the command line, and on each file of each folder named there. A file
/// that cannot be read is reported and makes the program fail; a broken claim ends it with a panic.
#[must_use]
pub fn files(run: fn(&[u8], Subject)) -> ExitCode {
    let mut well = true;
    for name in std::env::args_os().skip(1) {
        match inputs(Path::new(&name)) {
            Ok(inputs) => {
                for (path, bytes) in inputs {
                    eprintln!("{}", path.display());
                    run(&bytes, crate::subject());
                }
            }
            Err(error) => {
                eprintln!("{}: {error}", Path::new(&name).display());
                well = false;
            }
        }
    }
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A file's path and bytes, or those of all files of a folder, in the order of their names.
///
/// # Errors
///
/// Whatever keeps them from being read.
pub fn inputs(path: &Path) -> std::io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut paths = if path.is_dir() {
        let entries = fs::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
        entries.iter().map(fs::DirEntry::path).collect()
    } else {
        vec![path.to_owned()]
    };
    paths.sort();
    paths.into_iter().map(|path| fs::read(&path).map(|bytes| (path, bytes))).collect()
}
