//! The files of test vectors, and a test for each case by its name.

use serde_json::Value;

/// A file's text, parsed.
pub(crate) fn parse(text: &str) -> Value {
    serde_json::from_str(text).expect("the file is JSON")
}

/// The bytes of a hexadecimal member.
pub(crate) fn unhex(json: &Value) -> Vec<u8> {
    let hex = json.as_str().expect("a string of hexadecimal digits");
    let digit = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("two digits");
    (0..hex.len()).step_by(2).map(digit).collect()
}

/// One test for each case of a file, by number; and one that none was forgotten.
macro_rules! cases {
    ($file:ident, $check:path: $($(#[$doc:meta])* $name:ident = $number:literal,)*) => {
        $(
            $(#[$doc])*
            #[test]
            fn $name() {
                $check(&$file()["cases"][$number]);
            }
        )*

        #[test]
        fn every_case_has_a_test() {
            let numbers: Vec<usize> = vec![$($number),*];
            let count = $file()["cases"].as_array().unwrap().len();
            assert_eq!(numbers, (0..count).collect::<Vec<_>>());
        }
    };
}

pub(crate) use cases;
