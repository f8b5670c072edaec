//! `rp-id.json`: which relying party identifiers an origin may use (WebAuthn Level 3 section 5.1.3 step 8).

use serde_json::Value;
use softkey_client::{Operation, Origin};

use crate::vectors::{cases, parse};

pub(crate) fn file() -> Value {
    parse(include_str!("../../../tests/vectors/rp-id.json"))
}

pub(crate) fn check(case: &Value) {
    let origin = case["origin"].as_str().unwrap();
    let decided = Origin::parse(origin).and_then(|origin| origin.rp_id(case["rpId"].as_str()));
    let decided = match decided {
        Ok(_) => "ok",
        Err(refused) => refused.exception(Operation::Get).name(),
    };
    assert_eq!(decided, case["expect"].as_str().unwrap(), "{case}");
}

cases! { file, check:
    login_example_com_1337_as_its_own = 0,
    login_example_com_1337_as_login_example_com = 1,
    login_example_com_1337_as_example_com = 2,
    login_example_com_1337_as_m_login_example_com = 3,
    login_example_com_1337_as_com = 4,
    login_example_com_1337_as_xample_com = 5,
    evil_example_com_as_example_com = 6,
    a_github_io_as_github_io = 7,
    a_github_io_as_a_github_io = 8,
    b_a_github_io_as_a_github_io = 9,
    github_io_as_github_io = 10,
    example_co_uk_as_co_uk = 11,
    www_example_co_uk_as_example_co_uk = 12,
    http_localhost_8000_as_localhost = 13,
    http_localhost_8000_as_its_own = 14,
    localhost_as_localhost = 15,
    http_example_com_as_example_com = 16,
    address_127_0_0_1_as_127_0_0_1 = 17,
    address_1_as_its_own = 18,
    example_com_as_empty = 19,
    example_com_as_example_com_443 = 20,
    example_com_as_https_example_com = 21,
    null_as_example_com = 22,
}
