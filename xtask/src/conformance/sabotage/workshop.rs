//! The copy of the house that is sabotaged, under `target/`: every plant is in it, and none is on.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::points::Points;
use crate::house::{self, Result};

/// What is written into each crate that gets plants.
const SWITCH: &str = include_str!("switch.rs.in");

/// Where plants are put: a crate's folder, and which of its source files (all, or those below this name).
const GROUND: [(&str, &str); 2] = [("authenticator", ""), ("ctap-hid", "device/")];

/// Files without plants: what the tests of the house do not come by, and what runs before any of them asks.
const SPARED: [&str; 5] = [
    "authenticator/src/hid.rs",
    "authenticator/src/algorithm.rs",
    "authenticator/src/faults.rs",
    "authenticator/src/store.rs",
    "authenticator/src/state.rs",
];

/// The sabotaged copy.
pub(super) struct Workshop {
    /// Its root folder.
    pub(super) root: PathBuf,
    /// The names of its plants, in the order of the files.
    pub(super) plants: Vec<String>,
}

impl Workshop {
    /// Copies the files that git tracks, or would track, with the plants in them.
    pub(super) fn set_up(house: &Path) -> Result<Self> {
        let root = house.join("target/sabotage/house");
        let (mut plants, mut kept) = (Vec::new(), BTreeSet::new());
        for path in house::tracked(house)? {
            let bytes = fs::read(house.join(&path))?;
            let bytes = match String::from_utf8(bytes) {
                Ok(text) => sabotaged(&path, text, &mut plants)?.into_bytes(),
                Err(other) => other.into_bytes(),
            };
            write(&root.join(&path), &bytes)?;
            kept.insert(root.join(&path));
        }
        for (folder, _) in GROUND {
            let switch = root.join(folder).join("src/sabotage.rs");
            write(&switch, SWITCH.as_bytes())?;
            kept.insert(switch);
        }
        sweep(&root, &kept)?;
        Ok(Self { root, plants })
    }
}

/// A file's text with its plants, whose names are added.
fn sabotaged(path: &str, text: String, plants: &mut Vec<String>) -> Result<String> {
    if path == "Cargo.toml" {
        return Ok(without_lints(&text));
    }
    for (folder, part) in GROUND {
        let Some(file) = path.strip_prefix(folder).and_then(|rest| rest.strip_prefix("/src/"))
        else {
            continue;
        };
        if file == "lib.rs" {
            return Ok(format!("{text}\n#[allow(missing_docs)]\npub mod sabotage;\n")
                .replacen("extern crate alloc;", "extern crate alloc;\nextern crate std;", 1)
                .replace("#[cfg(feature = \"std\")]\nextern crate std;\n", ""));
        }
        let is_test = file.ends_with("tests.rs") || file.contains("/tests/");
        let module = file.strip_suffix(".rs").map(|name| name.replace('/', "::"));
        if let Some(module) = module
            && file.starts_with(part)
            && !is_test
            && !SPARED.contains(&path)
        {
            let points =
                Points::of(&module, &text).map_err(|line| format!("{path}:{line}: is no Rust"))?;
            plants.extend(points.plants.iter().cloned());
            return Ok(points.planted(&text));
        }
    }
    Ok(text)
}

/// The workspace's manifest with empty tables of lints: sabotage is not pretty.
fn without_lints(manifest: &str) -> String {
    let mut in_lints = false;
    let kept = manifest.lines().filter(|line| {
        if line.starts_with('[') {
            in_lints = line.starts_with("[workspace.lints");
            return true;
        }
        !in_lints
    });
    kept.flat_map(|line| [line, "\n"]).collect()
}

/// Writes a file unless it holds these bytes already, so that cargo builds anew only what has changed.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    Ok(fs::write(path, bytes)?)
}

/// Removes what an earlier copy had and this one has not.
fn sweep(folder: &Path, kept: &BTreeSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sweep(&path, kept)?;
        } else if !kept.contains(&path) && path.file_name().is_none_or(|name| name != "Cargo.lock")
        {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}
