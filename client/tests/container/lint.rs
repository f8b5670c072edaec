//! The linter for messages with one-time codes: webotp.md sections 3 and 5.

use softkey_client::otp::BoundCode;
use softkey_client::otp::lint::{Fault, lint};

#[test]
fn each_fault_is_named() {
    let host = |host: &str| vec![Fault::Host(host.into())];
    let cases = [
        ("Code.\n\n@example.com #123456", vec![]),
        ("Code {{ code }}.\n\n@example.com #{{ code }}", vec![]),
        ("Code.\n\n@example.com #${code} @shop.example", vec![]),
        ("Code.\n\n@example.com #%s", vec![]),
        ("Code.\n\n@example.com #1\n", vec![Fault::NotTheLastLine]),
        ("Code.\n", vec![Fault::LastLineEmpty]),
        ("Code 1 for example.com", vec![Fault::NoAt]),
        ("@ #1", vec![Fault::NoHost]),
        ("@example.com  #1", vec![Fault::NoHash]),
        ("@example.com #", vec![Fault::NoCode]),
        ("Code.\n@example.com:8443 #1", host("example.com:8443")),
        ("Code.\n@example.com #1 @192.0.2.1", host("192.0.2.1")),
        ("Code.\n@example.com #1 thanks", vec![Fault::Passed("thanks".into())]),
        ("Code.\n@example.com #1-2", vec![Fault::CodeCharacters]),
        ("@example.com #1", vec![Fault::NoText]),
    ];
    for (message, faults) in cases {
        assert_eq!(lint(message), faults, "{message:?}");
    }
    let long = format!("{}\n@example.com #1", "x".repeat(140));
    assert_eq!(lint(&long), [Fault::Long(156)]);
}

/// What is fatal is exactly what no page can read.
#[test]
fn a_fatal_fault_is_what_no_page_can_read() {
    for message in [
        "Code.\n@a.example #1 x",
        "@a.example #1-2",
        "a.example",
        "@a.example:1 #1",
        "@a.example #",
    ] {
        let fatal = lint(message).iter().any(Fault::is_fatal);
        let read = BoundCode::parse(message).is_some_and(|bound| bound.origins().is_some());
        assert_eq!(fatal, !read, "{message:?}");
    }
}
