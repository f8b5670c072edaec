//! Writes each target's dictionary into the folder named on the command line, and prints the targets with the
//! longest input worth trying.

use std::fs;
use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(std::env::args_os().nth(1).unwrap_or_else(|| ".".into()));
    fs::create_dir_all(&folder)?;
    for target in softkey_fuzz::TARGETS {
        let words = softkey_fuzz::dictionary::file(&(target.words)());
        fs::write(folder.join(format!("{}.dict", target.name)), words)?;
        println!("{} {}", target.name, target.longest);
    }
    Ok(())
}
