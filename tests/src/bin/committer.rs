//! A process for the tests of a vault, which it opens with its key file.
//!
//! - `VAULT`: commits to it until it is killed. Each acknowledged batch is a line with its number.
//! - `VAULT register FIRST`: has a key register accounts on it until it is killed, from that number on. Each
//!   answered registration is a line with its number and credential id.
//! - `VAULT passwords`: keeps passwords in it, as a browser profile's, until it is killed. Each is a line with its number.
//! - `VAULT peak`: reads all of it, commits a hundred times, and prints the number of records that it found and
//!   the most memory, in KiB, that the process ever had in use; `refused` and the memory if it cannot be opened.

use std::fmt::Display;
use std::path::Path;
use std::process::ExitCode;

use softkey::vault::{Unlock, Vault, VaultPaths};
use softkey_authenticator::{Change, Store};
use softkey_tests::persistence::committer::commit_forever;
use softkey_tests::persistence::contract::key;
use softkey_tests::persistence::person::keep_forever;
use softkey_tests::persistence::registrar::{KeyOn, register_forever};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let Some(file) = arguments.next() else {
        eprintln!("usage: softkey-test-committer VAULT [register FIRST | passwords | peak]");
        return ExitCode::from(2);
    };
    let paths = VaultPaths::at(Path::new(&file));
    let work = arguments.next().unwrap_or_default();
    if work == "passwords" {
        return end(keep_forever(&paths, std::io::stdout()));
    }
    let vault = Vault::open(&paths, &Unlock::KeyFile);
    if vault.is_err() && work == "peak" {
        println!("refused {}", most_kib());
    }
    let first = arguments.next().and_then(|first| first.to_str()?.parse().ok());
    let ended = vault.map_err(|error| error.to_string()).and_then(|mut vault| {
        let ended = match (work.to_str(), first) {
            (Some("register"), Some(first)) => {
                let mut key = KeyOn::open(vault.store, &vault.root_key, getrandom::SysRng);
                register_forever(&mut key, first, std::io::stdout());
                Ok(())
            }
            (Some("peak"), None) => peak(&mut vault.store),
            _ => commit_forever(&mut vault.store, std::io::stdout()),
        };
        ended.map_err(|error| error.to_string())
    });
    end(ended)
}

fn end(ended: Result<(), impl Display>) -> ExitCode {
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn peak<S: Store>(store: &mut S) -> Result<(), S::Error> {
    let mut found = 0;
    store.each(&key(&[])..&key(&[0xFF; 40]), &mut |_, _| {
        found += 1;
        std::ops::ControlFlow::Continue(())
    })?;
    for number in 0..100 {
        store.commit(&[Change::Put(key(&[0xFE, number]), &[number; 300])])?;
    }
    println!("{found} {}", most_kib());
    Ok(())
}

fn most_kib() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.unwrap_or_default().trim().trim_end_matches(" kB").to_owned()
}
