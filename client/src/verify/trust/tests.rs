//! Trust paths that lead to a root, and each reason for which one does not.

use super::super::tests::{place, root, spliced, vector};
use super::*;

/// Seconds since 1970, within the validity of the vectors' certificates.
const NOW: u64 = 1_800_000_000;

fn registered() -> Registered {
    vector("packed-es256").register().unwrap()
}

fn assess(roots: &[Vec<u8>], registered: &Registered, at: u64) -> Result<Trust, TrustFault> {
    TrustRoots::new(roots).unwrap().assess(registered, at)
}

/// A certificate in which bytes were replaced by others of the same length.
fn changed(der: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut der = der.to_vec();
    let at = der.windows(from.len()).position(|window| window == from).unwrap();
    der[at..at + to.len()].copy_from_slice(to);
    der
}

/// A certificate with another subject, which is the last of both names.
fn renamed(der: &[u8]) -> Vec<u8> {
    let (mut der, name) = (der.to_vec(), b"Attestation CA");
    let at = der.windows(name.len()).rposition(|window| window == name).unwrap();
    der[at..at + name.len()].copy_from_slice(b"Attestation CB");
    der
}

#[test]
fn a_path_ends_at_a_root_an_intermediate_or_the_leaf_itself() {
    let registered = registered();
    let leaf = registered.trust_paths[0].certificates[0].clone();
    assert_eq!(assess(&[root()], &registered, NOW), Ok(Trust::Anchored));
    assert_eq!(assess(std::slice::from_ref(&leaf), &registered, NOW), Ok(Trust::Anchored));
    let mut whole = registered.clone();
    whole.trust_paths[0].certificates.push(root());
    assert_eq!(assess(&[root()], &whole, NOW), Ok(Trust::Anchored));
}

#[test]
fn a_path_without_a_trusted_root_is_refused() {
    let mut registered = registered();
    assert_eq!(assess(&[], &registered, NOW), Err(TrustFault::NoAnchor));
    registered.trust_paths[0].certificates.push(root());
    assert_eq!(assess(&[], &registered, NOW), Err(TrustFault::NoAnchor));
    assert_eq!(assess(&[renamed(&root())], &registered, NOW), Err(TrustFault::NoAnchor));
}

#[test]
fn certificates_are_valid_at_their_times_only() {
    let registered = registered();
    let first = 1_704_067_200;
    assert_eq!(assess(&[root()], &registered, first - 1), Err(TrustFault::Validity));
    assert_eq!(assess(&[root()], &registered, first), Ok(Trust::Anchored));
    assert_eq!(assess(&[root()], &registered, 33_261_000_000), Err(TrustFault::Validity));
}

/// Each rule for issuers, with the issuer at the end of the path and nothing trusted.
#[test]
fn each_rule_for_issuers_can_be_broken() {
    let with = |issuer: Vec<u8>| {
        let mut registered = registered();
        registered.trust_paths[0].certificates.push(issuer);
        assess(&[], &registered, NOW).unwrap_err()
    };
    let root = root();
    assert_eq!(with(renamed(&root)), TrustFault::Issuer);
    let constraints = [6, 3, 0x55, 29, 19, 1, 1, 0xff, 4, 5, 0x30, 3, 1, 1, 0xff];
    let no_authority = [6, 3, 0x55, 29, 19, 1, 1, 0xff, 4, 5, 0x30, 3, 2, 1, 0xff];
    assert_eq!(with(changed(&root, &constraints, &no_authority)), TrustFault::Authority);
    let unknown = [6, 3, 0x55, 29, 99, 1, 1, 0xff, 4, 5, 0x30, 3, 1, 1, 0xff];
    assert_eq!(with(changed(&root, &constraints, &unknown)), TrustFault::Authority);
    assert_eq!(with(vec![0x30]), TrustFault::Unreadable);
    assert_eq!(with(root), TrustFault::NoAnchor, "itself it is an issuer");
}

/// An issuer says how many others may stand between it and the leaf; those that issued themselves do not count.
#[test]
fn an_issuer_stands_no_further_above_than_it_may() {
    // Subject and key are the root's, so that it has issued the leaf, but another is named as its issuer.
    let (root, ca) = (root(), b"Attestation CA");
    let mut between = root.clone();
    let at = place(&root, ca);
    between[at..at + ca.len()].copy_from_slice(b"Attestation CB");
    let above = |most: u8| {
        let above = renamed(&root);
        let authority = place(&above, &[0x30, 3, 1, 1, 0xff]);
        spliced(&above, authority, 5, &[0x30, 6, 1, 1, 0xff, 2, 1, most])
    };
    let through = |chain: &[&[u8]]| {
        let mut registered = registered();
        registered.trust_paths[0].certificates.extend(chain.iter().map(|der| der.to_vec()));
        assess(&[], &registered, NOW).unwrap_err()
    };
    assert_eq!(through(&[&between, &above(0)]), TrustFault::PathLength);
    // Far enough, and then it has not signed what it seems to have issued.
    assert_eq!(through(&[&between, &above(1)]), TrustFault::Signature);
    let near = |most: u8| {
        let authority = place(&root, &[0x30, 3, 1, 1, 0xff]);
        spliced(&root, authority, 5, &[0x30, 6, 1, 1, 0xff, 2, 1, most])
    };
    assert_eq!(through(&[&near(0)]), TrustFault::NoAnchor, "the leaf does not count");
    assert_eq!(through(&[&root, &near(0)]), TrustFault::NoAnchor, "nor does what issued itself");
}

#[test]
fn a_changed_leaf_is_not_the_issuers() {
    let mut registered = registered();
    let leaf = &mut registered.trust_paths[0].certificates[0];
    *leaf.last_mut().unwrap() ^= 1;
    registered.trust_paths[0].certificates.push(root());
    assert_eq!(assess(&[], &registered, NOW), Err(TrustFault::Signature));
}

#[test]
fn a_critical_extension_that_nobody_knows_is_refused() {
    let mut registered = registered();
    let leaf = &mut registered.trust_paths[0].certificates[0];
    // keyUsage, which is critical, becomes another.
    *leaf = changed(leaf, &[6, 3, 0x55, 29, 15, 1, 1, 0xff], &[6, 3, 0x55, 29, 98, 1, 1, 0xff]);
    assert_eq!(assess(&[root()], &registered, NOW), Err(TrustFault::CriticalExtension));
}
