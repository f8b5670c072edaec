//! Who may know whom.
//!
//! Between crates, from cargo's own view of the manifests; inside the crates, from the source, where a
//! manifest cannot say it: `ctap-hid` takes only the clock reading from `ctap`, and one file alone of
//! `authenticator` knows `ctap-hid`. Dependencies of tests and benchmarks are free.

use cargo_metadata::{Dependency, DependencyKind, Metadata, Package};
use proc_macro2::{TokenStream, TokenTree};

use super::{Finding, tokens};
use crate::house::Tree;

/// What a member may depend on, for anyone who uses it.
struct Allowed {
    member: &'static str,
    always: &'static [&'static str],
    /// Only as an optional dependency behind the feature `hid`, which no default turns on.
    behind_hid: &'static [&'static str],
}

const fn row(
    member: &'static str,
    always: &'static [&'static str],
    behind_hid: &'static [&'static str],
) -> Allowed {
    Allowed { member, always, behind_hid }
}

const ARROWS: [Allowed; 11] = [
    row("softkey-ctap", &[], &[]),
    row("softkey-ctap-hid", &["softkey-ctap"], &[]),
    row("softkey-authenticator", &["softkey-ctap"], &["softkey-ctap-hid"]),
    row(
        "softkey-board",
        &["softkey-authenticator", "softkey-ctap", "softkey-ctap-hid", "softkey-flash-store"],
        &[],
    ),
    row("softkey-flash-store", &["softkey-authenticator"], &[]),
    row("softkey-client", &["softkey-ctap"], &["softkey-ctap-hid"]),
    row("softkey-idp", &[], &[]),
    row(
        "softkey",
        &[
            "softkey-ctap",
            "softkey-ctap-hid",
            "softkey-authenticator",
            "softkey-board",
            "softkey-client",
            "softkey-idp",
        ],
        &[],
    ),
    row("softkey-tests", ANYTHING, &[]),
    row("softkey-fuzz", ANYTHING, &[]),
    row("xtask", &[], &[]),
];

const ANYTHING: &[&str] = &[
    "softkey-ctap",
    "softkey-ctap-hid",
    "softkey-authenticator",
    "softkey-board",
    "softkey-flash-store",
    "softkey-client",
    "softkey-idp",
    "softkey",
    "softkey-tests",
    "softkey-fuzz",
];

/// Arrows between members that the table does not know.
pub(crate) fn between_members(metadata: &Metadata) -> Vec<Finding> {
    let members: Vec<&Package> = metadata.workspace_packages();
    let is_member = |name: &str| members.iter().any(|member| member.name.as_str() == name);
    let mut findings = Vec::new();
    for package in &members {
        let manifest = package.manifest_path.strip_prefix(&metadata.workspace_root);
        let manifest = manifest.unwrap_or(&package.manifest_path).as_str();
        let Some(allowed) = ARROWS.iter().find(|row| row.member == package.name.as_str()) else {
            let what = format!("`{}` has no row in the table of who may know whom", package.name);
            findings.push(Finding::new(manifest, 1, what));
            continue;
        };
        let real = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind != DependencyKind::Development);
        for dependency in real.filter(|dependency| is_member(&dependency.name)) {
            let fault = fault(allowed, package, dependency);
            findings.extend(fault.map(|what| Finding::new(manifest, 1, what)));
        }
    }
    findings
}

fn fault(allowed: &Allowed, package: &Package, dependency: &Dependency) -> Option<String> {
    let (from, to) = (package.name.as_str(), dependency.name.as_str());
    if allowed.always.contains(&to) {
        return None;
    }
    if !allowed.behind_hid.contains(&to) {
        return Some(format!("`{from}` must not know `{to}`"));
    }
    let names = [format!("dep:{to}"), format!("{to}/")];
    let turns_on = |items: &[String]| {
        items
            .iter()
            .any(|item| names.iter().any(|name| item.replace('?', "").starts_with(name.as_str())))
    };
    let by_another = package.features.iter().any(|(feature, items)| {
        (feature != "hid" && turns_on(items))
            || (feature == "default" && items.iter().any(|item| item == "hid"))
    });
    (!dependency.optional || by_another)
        .then(|| format!("`{from}` may know `{to}` only behind the feature `hid`"))
}

/// Uses of a neighbour that go further than the arrow between the crates is meant.
pub(crate) fn inside_crates(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut pairing = None;
    for file in tree.rust() {
        // What cannot be read is told by the census of functions.
        let Ok(stream) = tokens::parse(&file.text) else { continue };
        if file.path.starts_with("ctap-hid/src/") {
            let beyond = |rest: &[TokenTree]| !matches!(rest, [_, _, name, ..] if tokens::is_word(name, "Instant"));
            let lines = uses(stream, "softkey_ctap", &beyond).into_iter();
            let what = "takes more than `Instant` from `softkey_ctap`: this crate carries bytes";
            findings.extend(lines.map(|line| Finding::new(&file.path, line, what)));
        } else if file.path.starts_with("authenticator/src/") {
            let Some(line) = uses(stream, "softkey_ctap_hid", &|_| true).first().copied() else {
                continue;
            };
            if let Some(first) = pairing.replace(&file.path) {
                let what = format!(
                    "knows `softkey_ctap_hid`, and {first} already does: one file pairs them"
                );
                findings.push(Finding::new(&file.path, line, what));
            }
        }
    }
    findings
}

/// The lines where the word `name` stands, if `counts` says so of the tokens behind it.
fn uses(stream: TokenStream, name: &str, counts: &dyn Fn(&[TokenTree]) -> bool) -> Vec<usize> {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    let mut lines = Vec::new();
    let mut rest = tokens.as_slice();
    while let [first, after @ ..] = rest {
        rest = after;
        if tokens::is_word(first, name) && counts(after) {
            lines.push(tokens::line(first));
        }
        if let TokenTree::Group(group) = first {
            lines.extend(uses(group.stream(), name, counts));
        }
    }
    lines
}

#[cfg(test)]
mod tests;
