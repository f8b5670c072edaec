//! What is planted where, and what is spared.

use super::*;

/// The plants of a function, and its text with them.
fn planted(text: &str) -> (Vec<String>, String) {
    let points = Points::of("m", text).unwrap();
    let plants = points.plants.clone();
    let planted = points.planted(text);
    // What is planted is still Rust.
    tokens::parse(&planted).unwrap();
    (plants, planted)
}

#[test]
fn a_check_is_left_out() {
    let (plants, text) = planted("fn f() { if a || b { return Err(Refusal::Busy); } }");
    assert_eq!(plants, ["m f without Busy"]);
    assert_eq!(
        text,
        "fn f() { if (a || b) && !crate::sabotage::on(\"m f without Busy\") { return Err(Refusal::Busy); } }"
    );
    let (_, text) = planted("fn f() { if let Some(x) = y { return Err(x); } }");
    assert!(text.contains("if let Some(x) = y && !crate"), "{text}");
    let (plants, _) = planted("fn f() { if a { return Err(A); } if b { g(); } }");
    assert_eq!(plants, ["m f without A"]);
}

#[test]
fn what_runs_at_build_time_and_what_tests_are_made_of_is_spared() {
    assert_eq!(planted("const fn f() -> bool { true }").0, [""; 0]);
    assert_eq!(planted("#[cfg(test)]\nmod tests { fn f() -> bool { true } }").0, [""; 0]);
    assert_eq!(planted("fn f() { match a { B if c => { return Err(A); } } }").0, [""; 0]);
}

#[test]
fn a_filter_lets_everything_through() {
    let (plants, text) = planted("fn f() { a.filter(|x| x.y && z) }");
    assert_eq!(plants, ["m f unfiltered"]);
    assert!(text.contains("filter(|x| (x.y && z) || crate::sabotage::on"), "{text}");
    assert_eq!(planted("fn f() { a.filter(g) }").0, [""; 0]);
}

#[test]
fn a_truth_is_fixed_both_ways() {
    let (plants, text) = planted("impl T { pub(crate) fn f(&self) -> bool { x } }");
    assert_eq!(plants, ["m f always", "m f never"]);
    assert!(text.contains("{ return true; }") && text.contains("{ return false; }"), "{text}");
}

#[test]
fn two_refusals_are_swapped_unless_one_hangs_on_the_other() {
    let (plants, text) = planted("fn f() { let a = g(1)?; if b { return Err(C); } }");
    assert_eq!(plants, ["m f swapped, first if b { return Err(C); }", "m f without C"]);
    assert!(text.contains("{ if b { return Err(C); } } let a = g(1)?;"), "{text}");
    assert_eq!(planted("fn f() { let a = g()?; let b = h(a)?; }").0, [""; 0]);
    let (_, text) = planted("fn f() { let a = g(1)?; let b = h(c)?; }");
    assert!(text.contains("{ let b = h(c)?; } let a = g(1)?;"), "{text}");
}

#[test]
fn a_change_of_state_is_forgotten() {
    let (plants, text) = planted("fn f(&mut self) { self.x = 1; let y = 2; self.z() }");
    assert_eq!(plants, ["m f forgets self.x = 1;"]);
    assert!(text.contains("{ self.x = 1; }"), "{text}");
}

#[test]
fn a_status_is_replaced() {
    let text = "impl Refusal { pub fn status(self) -> StatusCode { match self {} } }";
    let points = Points::of("refusal", text).unwrap();
    let planted = points.planted(text);
    assert!(planted.contains("pub fn honest_status(self)"), "{planted}");
    tokens::parse(&planted).unwrap();
}

#[test]
fn plants_of_one_function_have_names_of_their_own() {
    let (plants, _) = planted("fn f() { if a { return Err(X); } g(); if b { return Err(X); } }");
    assert_eq!(plants, ["m f without X", "m f without X #2"]);
}
