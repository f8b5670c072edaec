//! Every seed keeps every claim; with the planted fault, some seed of each target breaks one.

#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests are tests too")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use softkey_fuzz::{Subject, TARGETS, Target, replay};

fn target(name: &str) -> &'static Target {
    TARGETS.iter().find(|target| target.name == name).unwrap()
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(name)
}

fn holds(name: &str) {
    let (seeds, run) = (replay::inputs(&folder(name)).unwrap(), target(name).run);
    assert!(seeds.len() >= 3, "{} seeds", seeds.len());
    for (path, bytes) in seeds {
        let outcome = catch_unwind(|| run(&bytes, Subject::Real));
        assert!(outcome.is_ok(), "{}", path.display());
    }
}

fn finds(name: &str) {
    let (seeds, run) = (replay::inputs(&folder(name)).unwrap(), target(name).run);
    let broken =
        |bytes: &[u8]| catch_unwind(AssertUnwindSafe(|| run(bytes, Subject::Planted))).is_err();
    assert!(seeds.iter().any(|(_, bytes)| broken(bytes)), "no seed finds the planted fault");
}

macro_rules! replayed {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $(mod $name {
            $(#[$doc])*
            #[test]
            fn every_seed_keeps_every_claim() {
                super::holds(stringify!($name));
            }

            #[test]
            fn a_seed_finds_the_planted_fault() {
                super::finds(stringify!($name));
            }
        })*

        #[test]
        fn every_target_is_replayed() {
            let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
        }
    };
}

replayed! {
    cbor_reader;
    messages;
    pin_uv;
    /// HID-45: the fuzz target of hostile streams, by its seeds.
    hid_device;
    hid_host;
    u2f;
    commands;
    requests;
    features;
    link;
    records;
    vault;
    options;
    fedcm;
    container;
    flash;
}

/// All seeds together stay small enough to be kept beside the code.
#[test]
fn the_seeds_take_less_than_a_megabyte() {
    let seeds = TARGETS.iter().flat_map(|target| replay::inputs(&folder(target.name)).unwrap());
    let size: usize = seeds.map(|(_, bytes)| bytes.len()).sum();
    assert!(size < 1_000_000, "{size} bytes");
}

/// A folder without a target, or a target without its shell or the inputs that a long run left, is a mistake.
#[test]
fn folders_and_shells_are_those_of_the_targets() {
    let listed = |folder: &str, cut: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> =
            names.map(|name| name.to_string_lossy().trim_end_matches(cut).to_owned()).collect();
        names.sort();
        names
    };
    let mut names: Vec<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    names.sort();
    assert_eq!(listed("seeds", ""), names);
    assert_eq!(listed("fuzz_targets", ".rs"), names);
    assert_eq!(listed("corpora", ".pack"), names);
}
