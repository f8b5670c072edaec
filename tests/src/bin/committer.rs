//! Opens the vault named by its argument, with its key file, and commits to it until it is killed. Each
//! acknowledged batch is a line with its number.

use std::path::Path;
use std::process::ExitCode;

use softkey::vault::{Unlock, Vault, VaultPaths};
use softkey_tests::persistence::committer::commit_forever;

fn main() -> ExitCode {
    let Some(file) = std::env::args_os().nth(1) else {
        eprintln!("usage: softkey-test-committer VAULT");
        return ExitCode::from(2);
    };
    let vault = Vault::open(&VaultPaths::at(Path::new(&file)), &Unlock::KeyFile);
    let ended = vault.map_err(|error| error.to_string()).and_then(|mut vault| {
        commit_forever(&mut vault.store, std::io::stdout()).map_err(|error| error.to_string())
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
