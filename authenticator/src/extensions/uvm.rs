//! uvm: how the user was verified, in the numbers of the FIDO registry of predefined values.

use alloc::vec;

use softkey_ctap::cbor::List;

use crate::config::Config;
use crate::token::Method;

const PRESENCE_INTERNAL: u64 = 0x01;
const NONE: u64 = 0x200;
const PASSCODE_EXTERNAL: u64 = 0x800;

/// keyProtectionType and matcherProtectionType: software.
const SOFTWARE: u64 = 1;

/// The userVerificationMethod that fits the flags of the answer.
pub(crate) fn method(config: &Config, verified_by: Option<Method>, present: bool) -> u64 {
    match verified_by {
        Some(Method::Pin) => PASSCODE_EXTERNAL,
        Some(Method::BuiltIn) => {
            config.user_verification.map_or(NONE, |built_in| built_in.modality)
        }
        None if present => PRESENCE_INTERNAL,
        None => NONE,
    }
}

/// The output: one method.
pub(super) fn output(method: u64) -> List<'static, List<'static, u64>> {
    vec![List::from(vec![method, SOFTWARE, SOFTWARE])].into()
}
