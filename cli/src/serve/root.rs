//! The file of a scripted provider's root: written anew each time, in the place of nothing but the one before.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process;

use x509_cert::Certificate;
use x509_cert::der::pem::LineEnding;
use x509_cert::der::{DecodePem as _, EncodePem as _};

use crate::error::{CliError, Exit};

/// Writes the root in PEM to this file. A file that is there is replaced in one step if it holds an older root of such a provider
/// and nothing besides.
pub(super) fn write(path: &Path, pem: &str) -> Result<(), CliError> {
    let failed = |why: &dyn std::fmt::Display| {
        CliError::new(
            Exit::Failed,
            format!("The root cannot be written to {}: {why}.", path.display()),
            "--write-root with a new file",
        )
    };
    // A link stays one.
    let path = match fs::canonicalize(path) {
        Ok(there) => there,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return make(path, pem).map_err(|error| failed(&error));
        }
        Err(error) => return Err(failed(&error)),
    };
    // Asked first: to open a pipe is to wait for its other end.
    if !fs::metadata(&path).is_ok_and(|about| about.is_file()) {
        return Err(failed(&"it is no file"));
    }
    let old = fs::read(&path).map_err(|error| failed(&error))?;
    if !is_such_a_root(&old, pem) {
        return Err(failed(&"it holds something else"));
    }
    let new = beside(&path);
    make(&new, pem).map_err(|error| failed(&error))?;
    fs::rename(&new, &path).map_err(|error| {
        let _ = fs::remove_file(&new);
        failed(&error)
    })
}

/// Writes a file that is not there yet.
fn make(path: &Path, pem: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(pem.as_bytes())
}

/// A name that nobody else takes.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", process::id()));
    PathBuf::from(name)
}

/// Is this file the certificate of one that is called as ours, and nothing else?
fn is_such_a_root(file: &[u8], ours: &str) -> bool {
    let (Ok(text), Ok(ours)) = (std::str::from_utf8(file), Certificate::from_pem(ours)) else {
        return false;
    };
    let Ok(there) = Certificate::from_pem(text) else { return false };
    let alone = there.to_pem(LineEnding::LF);
    there.tbs_certificate().subject() == ours.tbs_certificate().subject()
        && alone.is_ok_and(|alone| alone.trim_end() == text.replace('\r', "").trim_end())
}
