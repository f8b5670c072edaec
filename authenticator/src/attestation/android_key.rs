//! What the certificate of the format `android-key` says about its key (WebAuthn Level 3 section 8.4.1).

use alloc::vec::Vec;

use super::Subject;
use super::certificate::octets;
use super::der::{self, context, long_tag, sequence, unsigned, value};

/// The version of the schema; 3 is the first that Android 9 made.
const VERSION: u8 = 3;
/// `KM_PURPOSE_SIGN`.
const SIGN: u8 = 2;
/// `KM_ORIGIN_GENERATED`.
const GENERATED: u8 = 0;
/// `TrustedEnvironment`, since relying parties may look into the list of what hardware enforces alone.
const TRUSTED_ENVIRONMENT: u8 = 1;
/// The tag `[702]`, of the key's origin.
const ORIGIN: [u8; 3] = [0xbf, 0x85, 0x3e];

/// The value `KeyDescription`.
pub(super) fn description(subject: &Subject<'_>) -> Vec<u8> {
    let level = value(der::ENUMERATED, &[&[TRUSTED_ENVIRONMENT]]);
    let version = unsigned(&[VERSION]);
    let purposes = value(context(1), &[&value(der::SET, &[&unsigned(&[SIGN])])]);
    let origin = long_tag(&ORIGIN, &[&unsigned(&[GENERATED])]);
    let challenge = octets(subject.client_data_hash);
    let (unique_id, software) = (octets(&[]), sequence(&[]));
    let hardware = sequence(&[&purposes, &origin]);
    sequence(&[&version, &level, &version, &level, &challenge, &unique_id, &software, &hardware])
}
