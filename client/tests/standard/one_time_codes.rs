//! Origin-bound one-time codes: parsing and matching, case by case.

use serde_json::Value;
use softkey_client::otp::{BoundCode, Grade, grade};

use crate::vectors::{cases, parse};

fn file() -> Value {
    parse(include_str!("../../../tests/vectors/sms-one-time-codes.json"))
}

fn check(case: &Value) {
    let message = case["message"].as_str().unwrap();
    let bound = BoundCode::parse(message);
    let result = &case["result"];
    assert_eq!(bound.is_none(), result.is_null(), "{message:?}");
    let Some(bound) = bound else { return };
    assert_eq!(bound.top_host, result["top_level_host"], "{message:?}");
    assert_eq!(bound.embedded_host.as_deref(), result["embedded_host"].as_str(), "{message:?}");
    assert_eq!(bound.code.expose(), result["code"], "{message:?}");
}

mod parsing {
    use super::*;

    cases! { file, check:
        a_text_then_host_and_code = 0,
        an_embedded_host = 1,
        the_line_alone = 2,
        what_follows_the_embedded_host_is_passed_over = 3,
        what_follows_the_code_is_passed_over = 4,
        a_space_behind_the_code = 5,
        words_in_front_of_the_line = 6,
        code_first = 7,
        a_word_between_host_and_code = 8,
        two_spaces_before_the_code = 9,
        a_tab_before_the_code = 10,
        no_code_behind_the_mark = 11,
        no_host_behind_the_at = 12,
        an_at_alone_is_no_embedded_host = 13,
        two_spaces_before_the_embedded_host = 14,
        crlf_is_a_line_break = 15,
        cr_is_a_line_break = 16,
        a_line_break_at_the_end = 17,
        a_line_behind_the_line = 18,
        nothing = 19,
        a_host_alone = 20,
        a_host_and_a_space = 21,
        an_at_within_the_code = 22,
        a_host_with_a_port = 23,
        a_host_in_capitals = 24,
    }
}

fn matching() -> Value {
    let mut file = file();
    serde_json::json!({"cases": file["matching"].take()})
}

fn check_match(case: &Value) {
    let otc = &case["otc"];
    let frames: Vec<&str> =
        case["frames"].as_array().unwrap().iter().map(|frame| frame.as_str().unwrap()).collect();
    let found = grade(otc["top"].as_str().unwrap(), otc["embedded"].as_str(), &frames);
    let name = match found {
        Some(Grade::Origin) => "origin",
        Some(Grade::Site) => "site",
        None => "failure",
    };
    assert_eq!(name, case["result"], "{case}");
}

mod fitting {
    use super::*;

    cases! { matching, check_match:
        the_same_origin = 0,
        a_sibling = 1,
        another_site = 2,
        another_scheme = 3,
        an_embedded_host_for_a_top_level_page = 4,
        no_embedded_host_for_a_frame = 5,
        a_frame_by_origin = 6,
        a_frame_whose_top_is_a_sibling = 7,
        a_frame_that_is_a_sibling = 8,
        a_frame_between_of_the_embedded_origin = 9,
        a_foreign_frame_between = 10,
    }
}

/// Hosts go through the host parser before they are compared.
#[test]
fn hosts_are_parsed_before_they_are_compared() {
    let origins = |line: &str| BoundCode::parse(line).unwrap().origins();
    let (top, embedded) = origins("@EXAMPLE.com #9 @b\u{fc}cher.example").unwrap();
    assert_eq!(top, "https://example.com");
    assert_eq!(embedded.as_deref(), Some("https://xn--bcher-kva.example"));
    for line in ["@example.com:8443 #1", "@192.0.2.1 #1", "@exa^mple.com #1", "@a.example #1 @b:1"]
    {
        assert_eq!(origins(line), None, "{line}");
    }
}
