//! Attestation at sign-in. A draft of level 3 (of 27 September 2023) had it for pages, drafts of `CTAP` 2.2 for keys; the
//! standards gave it up, and keys of one family still answer. It is asked for where the profile's switch says so.

use softkey_ctap::attestation::{AssertionAttestationObject, NONE_STATEMENT, format};
use softkey_ctap::cbor::{self, DecodeError, List, Raw};
use softkey_ctap::get_assertion::Response;

use super::Wish;
use crate::cause::Cause;
use crate::create::enterprise;
use crate::info::Info;
use crate::options::Conveyance;
use crate::response::Bytes;

/// What a key is asked for, encoded as the request has it.
pub(super) struct Asked<'a> {
    info: &'a Info,
    enterprise: Option<Vec<u8>>,
    /// The formats, best first, never none.
    formats: Vec<&'a str>,
    preference: Vec<u8>,
}

impl<'a> Asked<'a> {
    /// Nothing, unless the page wants attestation, may have it, and the key says which formats it has.
    pub(super) fn of(wish: &'a Wish, info: &'a Info) -> Option<Self> {
        let options = &wish.options;
        let wanted = wish.attests && options.attestation != Conveyance::None;
        if !wanted || info.attestation_formats.is_empty() {
            return None;
        }
        // A key that is told no format makes no statement, so a page without a preference has the key's own.
        let listed = match options.attestation_formats.as_slice() {
            [] => &info.attestation_formats,
            listed => listed,
        };
        let formats: Vec<&str> = listed.iter().map(String::as_str).collect();
        let list: List<'_, &str> = formats.iter().copied().collect();
        Some(Self {
            info,
            enterprise: enterprise(options.attestation, wish.enterprise, info)
                .map(|kind| cbor::encode(&kind)),
            preference: cbor::encode(&list),
            formats,
        })
    }

    /// `enterpriseAttestation` of the request.
    pub(super) fn enterprise(&self) -> Option<Raw<'_>> {
        self.enterprise.as_deref().map(Raw)
    }

    /// `attestationFormatsPreference` of the request.
    pub(super) fn preference(&self) -> Raw<'_> {
        Raw(&self.preference)
    }

    /// The attestation object, if the key made a statement.
    pub(super) fn object(&self, response: &Response<'_>) -> Result<Option<Bytes>, Cause> {
        let Some(Raw(statement)) = response.att_stmt else {
            return Ok(None);
        };
        // It is well formed, as the response around it; the first three bits are its type.
        let fmt = match statement.first().map(|head| head >> 5) {
            Some(4) => format::COMPOUND,
            Some(5) if statement == NONE_STATEMENT.0 => format::NONE,
            Some(5) => self.format(),
            _ => return Err(DecodeError::UnexpectedType.into()),
        };
        let object = AssertionAttestationObject { fmt, att_stmt: Raw(statement) };
        Ok(Some(Bytes(cbor::encode(&object))))
    }

    /// The format of a statement that does not show it, as an empty one shows `none` and a list `compound`. The answer does
    /// not name it: it is the first one asked for that the key has, else its own favourite, by the rule that the key goes
    /// by too.
    fn format(&self) -> &str {
        let own = || self.info.attestation_formats.iter().map(String::as_str);
        let shows = |format: &&str| matches!(*format, format::NONE | format::COMPOUND);
        let mut wanted =
            self.formats.iter().copied().filter(|wanted| own().any(|one| one == *wanted));
        let first = wanted.find(|format| !shows(format));
        first.or_else(|| own().find(|format| !shows(format))).unwrap_or(format::PACKED)
    }
}
