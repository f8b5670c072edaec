//! Attestation at sign-in. A draft of level 3 (of 27 September 2023) had it for pages, drafts of `CTAP` 2.2 for keys; the
//! standards gave it up, and keys of one family still answer. It is asked for where the profile's switch says so.

use softkey_ctap::attestation::{AssertionAttestationObject, NONE_STATEMENT, format};
use softkey_ctap::cbor::{self, List, Raw, RawMap};
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
        let RawMap(statement) = cbor::decode_unsorted(statement)?;
        let object =
            AssertionAttestationObject { fmt: self.format(statement), att_stmt: Raw(statement) };
        Ok(Some(Bytes(cbor::encode(&object))))
    }

    /// The answer does not name the format: it is the first one asked for that the key has, else its own favourite, by
    /// the rule that the key goes by too. Only `none` shows, by an empty statement.
    fn format(&self, statement: &[u8]) -> &str {
        if statement == NONE_STATEMENT.0 {
            return format::NONE;
        }
        let own = &self.info.attestation_formats;
        let known = |wanted: &&str| own.iter().any(|listed| listed == wanted);
        let first = self.formats.iter().copied().find(known);
        first.or_else(|| own.first().map(String::as_str)).unwrap_or(format::PACKED)
    }
}
