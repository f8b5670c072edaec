//! Packs a folder of inputs into one file, or unpacks that file into a folder: `pack FOLDER FILE`, `unpack FILE
//! FOLDER`. A file that is not there unpacks to nothing.

use std::io::{Error, ErrorKind, Result};
use std::path::PathBuf;
use std::{env, fs};

use softkey_fuzz::replay;

fn main() -> Result<()> {
    let mut arguments = env::args_os().skip(1);
    let mut next = || arguments.next().ok_or(Error::from(ErrorKind::InvalidInput));
    let (what, from, to) = (next()?, PathBuf::from(next()?), PathBuf::from(next()?));
    if what == "pack" {
        return fs::write(to, replay::pack(&replay::inputs(&from)?));
    }
    fs::create_dir_all(&to)?;
    if from.exists() {
        for (path, bytes) in replay::inputs(&from)? {
            fs::write(to.join(path.file_name().unwrap_or_default()), bytes)?;
        }
    }
    Ok(())
}
