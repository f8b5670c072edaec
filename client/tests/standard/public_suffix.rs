//! `public-suffix.json`: registrable domains by the Public Suffix List.

use serde_json::Value;
use softkey_client::suffix::registrable_domain;
use url::Host;

use crate::vectors::{cases, parse};

pub(crate) fn file() -> Value {
    parse(include_str!("../../../tests/vectors/public-suffix.json"))
}

/// The form in which domains are compared: lower case, ASCII.
fn ascii(domain: &Value) -> Option<String> {
    let domain = domain.as_str()?;
    match Host::parse(domain) {
        Ok(Host::Domain(domain)) => Some(domain),
        other => panic!("{domain} is no domain but {other:?}"),
    }
}

pub(crate) fn check(case: &Value) {
    let input = ascii(&case["input"]);
    let registrable = input.as_deref().and_then(registrable_domain).map(str::to_owned);
    assert_eq!(registrable, ascii(&case["registrable_domain"]), "{case}");
}

cases! { file, check:
    no_domain = 0,
    capital_com = 1,
    capital_example_com = 2,
    capital_www_example_com = 3,
    dot_com = 4,
    dot_example = 5,
    dot_example_com = 6,
    dot_example_example = 7,
    example = 8,
    example_example = 9,
    b_example_example = 10,
    a_b_example_example = 11,
    biz = 12,
    domain_biz = 13,
    b_domain_biz = 14,
    a_b_domain_biz = 15,
    com = 16,
    example_com = 17,
    b_example_com = 18,
    a_b_example_com = 19,
    uk_com = 20,
    example_uk_com = 21,
    b_example_uk_com = 22,
    a_b_example_uk_com = 23,
    test_ac = 24,
    mm = 25,
    c_mm = 26,
    b_c_mm = 27,
    a_b_c_mm = 28,
    jp = 29,
    test_jp = 30,
    www_test_jp = 31,
    ac_jp = 32,
    test_ac_jp = 33,
    www_test_ac_jp = 34,
    kyoto_jp = 35,
    test_kyoto_jp = 36,
    ide_kyoto_jp = 37,
    b_ide_kyoto_jp = 38,
    a_b_ide_kyoto_jp = 39,
    c_kobe_jp = 40,
    b_c_kobe_jp = 41,
    a_b_c_kobe_jp = 42,
    city_kobe_jp = 43,
    www_city_kobe_jp = 44,
    ck = 45,
    test_ck = 46,
    b_test_ck = 47,
    a_b_test_ck = 48,
    www_ck = 49,
    www_www_ck = 50,
    us = 51,
    test_us = 52,
    www_test_us = 53,
    ak_us = 54,
    test_ak_us = 55,
    www_test_ak_us = 56,
    k12_ak_us = 57,
    test_k12_ak_us = 58,
    www_test_k12_ak_us = 59,
    unicode_xn_85x722f_com_cn = 60,
    unicode_xn_85x722f_xn_55qx5d_cn = 61,
    unicode_www_xn_85x722f_xn_55qx5d_cn = 62,
    unicode_shishi_xn_55qx5d_cn = 63,
    unicode_xn_55qx5d_cn = 64,
    unicode_xn_85x722f_xn_fiqs8s = 65,
    unicode_www_xn_85x722f_xn_fiqs8s = 66,
    unicode_shishi_xn_fiqs8s = 67,
    unicode_xn_fiqs8s = 68,
    xn_85x722f_com_cn = 69,
    xn_85x722f_xn_55qx5d_cn = 70,
    www_xn_85x722f_xn_55qx5d_cn = 71,
    shishi_xn_55qx5d_cn = 72,
    xn_55qx5d_cn = 73,
    xn_85x722f_xn_fiqs8s = 74,
    www_xn_85x722f_xn_fiqs8s = 75,
    shishi_xn_fiqs8s = 76,
    xn_fiqs8s = 77,
}
