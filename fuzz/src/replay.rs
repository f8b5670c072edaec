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

/// A file's path and bytes, or those of all files of a folder, in the order of their names. A file whose name ends
/// in `.pack` holds many inputs, as [`pack`] wrote them; each is named for its place in it.
///
/// # Errors
///
/// Whatever keeps them from being read; `InvalidData` for a pack that ends within an input.
pub fn inputs(path: &Path) -> std::io::Result<Vec<(PathBuf, Vec<u8>)>> {
    if path.extension().is_some_and(|extension| extension == "pack") {
        let inputs = unpack(&fs::read(path)?).ok_or(std::io::ErrorKind::InvalidData)?;
        let named = inputs.into_iter().enumerate();
        return Ok(named.map(|(n, bytes)| (path.join(format!("{n:05}")), bytes)).collect());
    }
    let mut paths = if path.is_dir() {
        let entries = fs::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
        entries.iter().map(fs::DirEntry::path).collect()
    } else {
        vec![path.to_owned()]
    };
    paths.sort();
    paths.into_iter().map(|path| fs::read(&path).map(|bytes| (path, bytes))).collect()
}

/// Many inputs in one: each behind its length in two bytes, so that thousands of small ones are one file. Inputs
/// that are longer than that can say are left out.
#[must_use]
pub fn pack(inputs: &[(PathBuf, Vec<u8>)]) -> Vec<u8> {
    let mut packed = Vec::new();
    for (_, bytes) in inputs {
        if let Ok(length) = u16::try_from(bytes.len()) {
            packed.extend(length.to_be_bytes());
            packed.extend(bytes);
        }
    }
    packed
}

fn unpack(mut packed: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut inputs = Vec::new();
    while let Some((length, rest)) = packed.split_first_chunk() {
        let (input, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        inputs.push(input.to_vec());
        packed = rest;
    }
    packed.is_empty().then_some(inputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_is_read_as_the_inputs_it_was_made_of() {
        let all =
            [vec![], vec![7], vec![1; 300], vec![2; 70_000]].map(|bytes| (PathBuf::new(), bytes));
        let kept: Vec<Vec<u8>> = all[..3].iter().map(|(_, bytes)| bytes.clone()).collect();
        let packed = pack(&all);
        assert_eq!(unpack(&packed), Some(kept));
        assert_eq!(unpack(&packed[..packed.len() - 1]), None, "it ends within an input");
        assert_eq!(unpack(&[0]), None, "it ends within a length");
    }
}
