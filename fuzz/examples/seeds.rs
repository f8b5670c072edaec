//! Writes the seeds of `features` that are stories: each kind of key, taken through what it can do. A change of the
//! tape's language goes into this file, and the seeds are written anew into the folder that is named, `fuzz/seeds/features`.

use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::{env, fs};

use softkey_fuzz::features::PROFILES;
use softkey_tests::key::Profile;

use told::{
    APPROVES, HOLDS, LIST, LIST_PREVIEWED, POWER_CYCLE, RESET, TRIES, configure, enroll, make,
    sign_in, token, unnamed,
};

/// The parts of a story, by their bytes.
mod told {
    pub(crate) const APPROVES: [u8; 2] = [11, 0];
    pub(crate) const HOLDS: [u8; 2] = [11, 4];
    pub(crate) const LIST: [u8; 2] = [12, 0];
    pub(crate) const LIST_PREVIEWED: [u8; 2] = [12, 1];
    pub(crate) const POWER_CYCLE: [u8; 1] = [15];
    pub(crate) const TRIES: [u8; 1] = [19];
    pub(crate) const RESET: [u8; 1] = [25];

    /// A registration for an account with two algorithms by their places, extensions by bits, options by others.
    pub(crate) fn make(party: u8, user: u8, algorithm: u8, bits: u16, how: u8) -> Vec<u8> {
        let [high, low] = bits.to_be_bytes();
        vec![0, party, user, algorithm, 0, high, low, how, 2, 30, 1]
    }

    /// A sign-in that names a credential by its place.
    pub(crate) fn sign_in(number: u8, bits: u8, how: u8) -> Vec<u8> {
        vec![4, number, bits, how, 7, 40, 1]
    }

    pub(crate) fn unnamed(party: u8, how: u8, bits: u8) -> Vec<u8> {
        vec![31, party, how, bits, 1]
    }

    /// A token: see `authorize` for what the byte says.
    pub(crate) fn token(protocol: u8, party: u8, how: u8) -> Vec<u8> {
        vec![16, protocol, party, how]
    }

    pub(crate) fn configure(sub_command: u8, how: u8) -> Vec<u8> {
        vec![14, sub_command, how]
    }

    pub(crate) fn enroll(begins: u8, how: u8) -> Vec<u8> {
        vec![20, begins, 0, how]
    }
}

/// A token for everything, not bound to a relying party.
const MANAGER: u8 = 8;
/// A token for everything with one relying party.
const ALL: u8 = 0;
/// A token by the sensor.
const BY_SENSOR: u8 = 1;
/// A token in the way of CTAP 2.0.
const LEGACY: u8 = 2;

/// A discoverable credential, and one that is not.
const KEPT: u8 = 1;

/// How a key is made: with a sensor and what else a byte says.
struct Make {
    profile: u8,
    sensor: bool,
    algorithms: u8,
    attestation: u8,
    pin: bool,
}

impl Make {
    fn of(profile: u8) -> Self {
        Self { profile, sensor: false, algorithms: 0, attestation: 0, pin: true }
    }

    fn bytes(&self) -> Vec<u8> {
        let &Self { profile, sensor, algorithms, attestation, pin } = self;
        vec![1, profile, u8::from(sensor), algorithms, attestation, u8::from(pin)]
    }
}

/// Everything that is there for every key, and most of what is there for some.
fn life() -> Vec<Vec<u8>> {
    vec![
        token(1, 0, ALL),
        make(0, 0, 0, 0x03FF, KEPT),
        token(1, 0, LEGACY),
        make(0, 1, 0, 0x000F, KEPT),
        token(1, 3, ALL),
        make(3, 2, 4, 0, KEPT),
        make(3, 0, 1, 0x8000, 4),
        token(0, 0, ALL),
        LIST.to_vec(),
        sign_in(0, 0x3F, 0),
        unnamed(0, 0, 1),
        token(1, 0, MANAGER),
        LIST.to_vec(),
        LIST_PREVIEWED.to_vec(),
        vec![8, 0, 200, 9, 0, 0, 90],
        vec![9, 0, 10, 0, 20],
        vec![13, 0, 0, 9],
        vec![13, 0, 1],
        TRIES.to_vec(),
        vec![29, 1, 1],
        vec![30, 1, 0, 0],
        configure(2, 0x25),
        POWER_CYCLE.to_vec(),
        HOLDS.to_vec(),
        RESET.to_vec(),
        APPROVES.to_vec(),
        make(1, 0, 0, 0, KEPT),
        unnamed(1, 0, 0),
    ]
}

/// Settings of a key, and what they bring about.
fn settings() -> Vec<Vec<u8>> {
    vec![
        make(1, 0, 0, 0, KEPT),
        token(1, 1, ALL),
        configure(0, 0),
        token(1, 1, ALL),
        make(1, 1, 0, 0x0520, KEPT),
        make(1, 2, 0, 0x4420, 4),
        token(1, 2, ALL),
        make(2, 2, 0, 0x0C20, KEPT),
        configure(2, 0x04),
        configure(2, 0x80),
        configure(2, 0x31),
        configure(5, 0),
        configure(3, 0),
        configure(2, 0x20),
        token(1, 1, ALL),
        token(1, 1, LEGACY),
        vec![18, 1, 1, 0],
        token(1, 1, ALL),
        configure(1, 0),
        make(1, 3, 0, 0, KEPT | 4),
        vec![29, 1, 1],
        unnamed(1, 4, 0),
        configure(1, 0),
        vec![28, 0],
        vec![28, 1],
        vec![28, 2],
        POWER_CYCLE.to_vec(),
        RESET.to_vec(),
        HOLDS.to_vec(),
        RESET.to_vec(),
    ]
}

/// A key that nobody has set a PIN on, and everything that is refused there.
fn without_pin() -> Vec<Vec<u8>> {
    vec![
        make(0, 0, 0, 0, KEPT),
        make(0, 1, 0, 0, KEPT),
        make(0, 0, 0, 0, 2),
        unnamed(0, 0, 0),
        sign_in(0, 0, 2),
        sign_in(0, 1, 0x20),
        sign_in(0, 2, 0x28),
        sign_in(0, 1, 0xF0),
        unnamed(0, 0x30, 0),
        unnamed(0, 0xF0, 0),
        vec![28, 0],
        vec![28, 1],
        vec![17, 0, 4],
        vec![17, 0, 2],
        vec![17, 0, 2],
        vec![18, 0, 3, 3, 3],
        token(1, 0, 4),
        token(1, 0, 14),
        token(0, 0, 4),
        token(1, 0, ALL),
        TRIES.to_vec(),
        POWER_CYCLE.to_vec(),
        token(1, 0, 6),
        LIST.to_vec(),
        token(1, 0, 12),
        token(1, 0, ALL),
        vec![26, 5],
        make(0, 0, 0, 0, KEPT),
    ]
}

/// Fingers, enrolled and used.
fn fingers(edition: u8) -> Vec<Vec<u8>> {
    vec![
        token(1, 0, MANAGER),
        vec![24, 0, edition],
        vec![24, 2, edition],
        vec![24, 3, edition],
        vec![24, 4, edition],
        enroll(1, edition),
        enroll(0, edition),
        vec![11, 7],
        enroll(0, edition),
        vec![11, 5],
        enroll(0, edition),
        vec![11, 0],
        enroll(0, edition),
        enroll(1, edition),
        vec![22, edition],
        vec![23, 0, 1, 5, edition],
        vec![23, 0, 1, 79, edition],
        vec![23, 3, 0, edition],
        vec![22, edition],
        make(0, 0, 0, 0x0080, KEPT | 4 | 2),
        token(1, 0, BY_SENSOR),
        make(0, 1, 0, 0, KEPT),
        vec![11, 5],
        sign_in(0, 0x10, 6),
        token(1, 0, BY_SENSOR),
        TRIES.to_vec(),
        token(1, 0, LEGACY),
        vec![22, edition],
        token(1, 0, MANAGER),
        vec![24, 1, edition],
        vec![23, 0, 0, edition],
        vec![22, edition],
    ]
}

/// A hand with more fingers than there is room for, and a sensor that is touched wrongly or not at all.
fn many_fingers(edition: u8) -> Vec<Vec<u8>> {
    let mut story = vec![token(1, 0, MANAGER)];
    for finger in [0, 5, 6] {
        story.push(vec![11, finger]);
        story.extend([enroll(1, edition), enroll(0, edition), enroll(0, edition)]);
    }
    story.extend([
        enroll(1, edition),
        vec![22, edition],
        vec![22, 0xF0 | edition],
        vec![22, 0xE0 | edition],
        vec![22, 0xD0 | edition],
        POWER_CYCLE.to_vec(),
        token(1, 0, BY_SENSOR),
        token(1, 0, MANAGER),
        vec![23, 0, 0, edition],
        vec![11, 8],
        enroll(1, edition),
        vec![22, edition],
        APPROVES.to_vec(),
        HOLDS.to_vec(),
        RESET.to_vec(),
        token(1, 0, BY_SENSOR),
    ]);
    story
}

/// The extension largeBlob: what is read before and after writing, and what nobody may ask for.
fn large_blobs() -> Vec<Vec<u8>> {
    vec![
        token(1, 0, ALL),
        make(0, 0, 0, 0x0200, KEPT),
        make(0, 1, 0, 0x1200, 4),
        token(1, 0, ALL),
        sign_in(0, 0x20, 4),
        sign_in(0, 0x60, 4),
        sign_in(0, 0x20, 4),
        sign_in(1, 0x60, 4),
        sign_in(1, 0x20, 4),
        sign_in(0, 0xE0, 4),
        sign_in(0, 0x60, 12),
        sign_in(0, 0x60, 4),
        POWER_CYCLE.to_vec(),
        sign_in(0, 0x20, 4),
        vec![27, 0, 0],
        sign_in(0, 0x60, 4),
        token(1, 0, MANAGER),
        vec![13, 0, 1],
    ]
}

/// The large-blob array, written well and badly.
fn array() -> Vec<Vec<u8>> {
    vec![
        token(1, 0, ALL),
        make(0, 0, 0, 0x0010, KEPT),
        token(1, 0, MANAGER),
        vec![13, 0, 0, 245],
        vec![8, 15, 200, 9, 0, 3, 200],
        vec![8, 4, 200, 9, 0, 0, 90],
        vec![8, 0, 200, 9, 1, 0, 90],
        vec![8, 0, 200, 9, 2, 0, 90],
        vec![8, 0, 200, 9, 0x10, 0, 90],
        vec![9, 3, 10, 3, 200],
        vec![9, 0, 10, 0, 20],
        POWER_CYCLE.to_vec(),
        vec![9, 0, 0, 3, 192],
        HOLDS.to_vec(),
        RESET.to_vec(),
        vec![9, 0, 0, 0, 60],
    ]
}

/// More accounts than there is room for, longer lists than are taken, and options that none has.
fn limits() -> Vec<Vec<u8>> {
    let mut story = Vec::new();
    for user in 0..4 {
        story.push(make(0, user, 0, 0x0002, KEPT));
    }
    story.extend([
        make(0, 0, 0, 0, 0),
        make(0, 0, 0, 0x8000, 0),
        make(0, 0, 13, 0, 0x80),
        unnamed(0, 0xF0, 0),
        unnamed(0, 0, 0),
    ]);
    story
}

/// A user who stays away, and a sensor that gives up.
fn patience() -> Vec<Vec<u8>> {
    vec![
        make(0, 0, 0, 0, KEPT | 4 | 2),
        vec![11, 1],
        make(0, 1, 0, 0, KEPT | 4 | 2),
        sign_in(0, 0, 6),
        token(1, 0, BY_SENSOR),
        token(1, 0, BY_SENSOR),
        token(1, 0, BY_SENSOR),
        token(1, 0, BY_SENSOR | 0x0E),
        sign_in(0, 0, 6),
        TRIES.to_vec(),
        vec![11, 8],
        make(0, 1, 0, 0, KEPT | 4),
        APPROVES.to_vec(),
        token(1, 0, ALL),
        token(1, 0, BY_SENSOR),
        sign_in(0, 0, 6),
    ]
}

/// Trouble beneath the key, at each kind of request.
fn trouble() -> Vec<Vec<u8>> {
    let mut story = vec![make(0, 0, 0, 0, KEPT), token(1, 0, ALL)];
    for kind in 0..3 {
        for step in [
            make(0, 1, 0, 0x001F, KEPT),
            sign_in(0, 0x27, 4),
            vec![8, 0, 50, 3, 0, 0, 90],
            vec![13, 0, 0, 9],
            configure(1, 0),
        ] {
            story.extend([vec![27, 3, kind], step]);
        }
    }
    story
}

/// Every algorithm that a key makes, attested in some way.
fn algorithms(attestation: u8) -> Vec<Vec<u8>> {
    let mut story = Vec::new();
    for algorithm in [0, 1, 4, 5, 6, 7, 9, 12] {
        story.push(make(0, algorithm, algorithm, u16::from(attestation), KEPT));
    }
    for number in 0..6 {
        story.push(sign_in(number, 0, 0));
    }
    for preferred in 0..8 {
        story.push(make(2, 0, 0, 0x2000 | preferred, 0));
    }
    story.extend([vec![29, 0, 1], vec![30, 0, 0, 0]]);
    story
}

fn main() -> Result<()> {
    let folder = env::args_os().nth(1).map(PathBuf::from).ok_or(ErrorKind::InvalidInput)?;
    let write = |name: String, make: &Make, story: &[Vec<u8>]| write(&folder, &name, make, story);
    for (number, profile) in (0..).zip(PROFILES) {
        let name = format!("{profile:?}").to_lowercase();
        write(format!("life_{name}"), &Make::of(number), &life())?;
    }
    let place = |wanted: Profile| {
        let at = PROFILES.iter().position(|profile| *profile == wanted);
        at.and_then(|at| u8::try_from(at).ok()).ok_or(Error::from(ErrorKind::NotFound))
    };
    for (name, profile) in [
        ("default", Profile::Default),
        ("enterprise", Profile::Enterprise),
        ("complexity", Profile::PinComplexity),
        ("tiny", Profile::Tiny),
        ("always_uv", Profile::AlwaysUv),
        ("preview", Profile::Preview),
    ] {
        write(format!("settings_{name}"), &Make::of(place(profile)?), &settings())?;
        let bare = Make { pin: false, ..Make::of(place(profile)?) };
        write(format!("without_pin_{name}"), &bare, &without_pin())?;
    }
    for (name, profile, edition) in
        [("final", Profile::Fingerprint, 0), ("preview", Profile::FingerprintPreview, 1)]
    {
        write(format!("fingers_{name}"), &Make::of(place(profile)?), &fingers(edition))?;
        write(format!("many_fingers_{name}"), &Make::of(place(profile)?), &many_fingers(edition))?;
    }
    for (name, profile) in [("default", Profile::Default), ("ctap20", Profile::Ctap20)] {
        let sensed = Make { sensor: true, ..Make::of(place(profile)?) };
        write(format!("sensor_{name}"), &sensed, &patience())?;
    }
    write("trouble".to_owned(), &Make::of(0), &trouble())?;
    let blobs = Make::of(place(Profile::LargeBlob)?);
    write("trouble_large_blob".to_owned(), &blobs, &trouble())?;
    for attestation in 0..7 {
        let attested =
            Make { attestation: attestation << 1, algorithms: 1, pin: false, ..Make::of(0) };
        write(format!("formats_{attestation}"), &attested, &algorithms(attestation))?;
    }
    write("large_blob".to_owned(), &blobs, &large_blobs())?;
    write("array".to_owned(), &Make::of(0), &array())?;
    let bare = |profile| Make { pin: false, ..Make::of(profile) };
    write("limits_default".to_owned(), &bare(0), &limits())?;
    write("limits_tiny".to_owned(), &bare(place(Profile::Tiny)?), &limits())?;
    let rsa = Make { algorithms: 0xFF, attestation: 3 << 1, pin: false, ..Make::of(0) };
    write("rsa_tpm".to_owned(), &rsa, &[make(0, 0, 11, 0, 0), sign_in(0, 0, 0)])?;
    let post_quantum = Make { algorithms: 2, attestation: 2, pin: false, ..Make::of(0) };
    write("post_quantum".to_owned(), &post_quantum, &algorithms(1))
}

fn write(folder: &Path, name: &str, make: &Make, story: &[Vec<u8>]) -> Result<()> {
    fs::write(folder.join(name), [make.bytes(), story.concat()].concat())
}
