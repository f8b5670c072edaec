//! Planted workspaces and files, one fault each.

use std::fs;
use std::path::Path;

use super::*;
use crate::house;

/// A member's manifest of this name, with these lines after the package table.
fn member(root: &Path, folder: &str, name: &str, lines: &str) {
    let text =
        format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{lines}\n");
    fs::create_dir_all(root.join(folder).join("src")).unwrap();
    fs::write(root.join(folder).join("src/lib.rs"), "//! Words.\n").unwrap();
    fs::write(root.join(folder).join("Cargo.toml"), text).unwrap();
}

/// What is found in a workspace where this member has these lines.
fn found(folder: &str, name: &str, lines: &str) -> Vec<String> {
    let place = tempfile::tempdir().unwrap();
    let root = place.path();
    let members: Vec<String> =
        ["ctap", "ctap-hid", "authenticator", folder].map(|name| format!("{name:?}")).into();
    fs::write(
        root.join("Cargo.toml"),
        format!("[workspace]\nresolver = \"3\"\nmembers = [{}]\n", members.join(", ")),
    )
    .unwrap();
    member(root, "ctap", "softkey-ctap", "");
    member(
        root,
        "ctap-hid",
        "softkey-ctap-hid",
        "[dependencies]\nsoftkey-ctap = { path = \"../ctap\" }",
    );
    member(root, "authenticator", "softkey-authenticator", "");
    member(root, folder, name, lines);
    let metadata = house::members(root).unwrap();
    between_members(&metadata).iter().map(Finding::to_string).collect()
}

#[test]
fn arrows_in_the_table_pass() {
    let lines = "[features]\nhid = [\"dep:softkey-ctap-hid\"]\n[dependencies]\n\
                 softkey-ctap = { path = \"../ctap\" }\n\
                 softkey-ctap-hid = { path = \"../ctap-hid\", optional = true }";
    assert_eq!(found("authenticator", "softkey-authenticator", lines), [""; 0]);
}

#[test]
fn the_vocabulary_knows_nobody() {
    let lines = "[dependencies]\nsoftkey-authenticator = { path = \"../authenticator\" }";
    let what = "ctap/Cargo.toml:1: `softkey-ctap` must not know `softkey-authenticator`";
    assert_eq!(found("ctap", "softkey-ctap", lines), [what]);
}

#[test]
fn a_build_script_is_no_way_round() {
    let lines = "[build-dependencies]\nsoftkey-authenticator = { path = \"../authenticator\" }";
    let what = "ctap/Cargo.toml:1: `softkey-ctap` must not know `softkey-authenticator`";
    assert_eq!(found("ctap", "softkey-ctap", lines), [what]);
}

#[test]
fn the_client_never_knows_the_authenticator_but_its_tests_may() {
    let line = "softkey-authenticator = { path = \"../authenticator\" }";
    let what = "client/Cargo.toml:1: `softkey-client` must not know `softkey-authenticator`";
    assert_eq!(found("client", "softkey-client", &format!("[dependencies]\n{line}")), [what]);
    assert_eq!(found("client", "softkey-client", &format!("[dev-dependencies]\n{line}")), [""; 0]);
}

#[test]
fn hid_is_a_feature_of_the_authenticator_that_nothing_else_turns_on() {
    let what = "authenticator/Cargo.toml:1: `softkey-authenticator` may know `softkey-ctap-hid` \
                only behind the feature `hid`";
    for lines in [
        "[dependencies]\nsoftkey-ctap-hid = { path = \"../ctap-hid\" }",
        "[features]\nhid = [\"dep:softkey-ctap-hid\"]\ndefault = [\"hid\"]\n\
         [dependencies]\nsoftkey-ctap-hid = { path = \"../ctap-hid\", optional = true }",
        "[features]\nhid = [\"dep:softkey-ctap-hid\"]\nother = [\"dep:softkey-ctap-hid\"]\n\
         [dependencies]\nsoftkey-ctap-hid = { path = \"../ctap-hid\", optional = true }",
        "[dependencies]\nsoftkey-ctap-hid = { path = \"../ctap-hid\", optional = true }",
    ] {
        assert_eq!(found("authenticator", "softkey-authenticator", lines), [what], "{lines}");
    }
}

#[test]
fn a_new_member_needs_a_row() {
    let what = "nfc/Cargo.toml:1: `softkey-nfc` has no row in the table of who may know whom";
    assert_eq!(found("nfc", "softkey-nfc", ""), [what]);
}

fn inside(files: &[(&str, &str)]) -> Vec<String> {
    inside_crates(&Tree::planted(files)).iter().map(Finding::to_string).collect()
}

#[test]
fn the_transport_takes_only_the_clock_reading() {
    let good = "use softkey_ctap::Instant;\nfn a(now: softkey_ctap::Instant) {}";
    assert_eq!(inside(&[("ctap-hid/src/lib.rs", good)]), [""; 0]);
    let bad = "fn a() {\n    softkey_ctap::StatusCode(0);\n}\nuse softkey_ctap::{Instant, cbor};";
    let what = "takes more than `Instant` from `softkey_ctap`: this crate carries bytes";
    assert_eq!(
        inside(&[("ctap-hid/src/device.rs", bad)]),
        [format!("ctap-hid/src/device.rs:2: {what}"), format!("ctap-hid/src/device.rs:4: {what}")]
    );
}

#[test]
fn one_file_pairs_a_device_with_an_authenticator() {
    let pair = "use softkey_ctap_hid::Device;\nuse softkey_ctap_hid::Job;";
    assert_eq!(inside(&[("authenticator/src/hid.rs", pair)]), [""; 0]);
    let both = [("authenticator/src/hid.rs", pair), ("authenticator/src/u2f.rs", pair)];
    let what = "authenticator/src/u2f.rs:1: knows `softkey_ctap_hid`, and authenticator/src/hid.rs already does: \
                one file pairs them";
    assert_eq!(inside(&both), [what]);
}
