//! Lists of credentials: what a key cannot hold is dropped, and a longer list is narrowed to the one
//! credential that the key has, by silent requests (`CTAP` 2.3 section 16, pre-flight).

use softkey_ctap::cbor;
use softkey_ctap::entities::{Descriptor, RpId};
use softkey_ctap::get_assertion::{Options, Request, Response};
use softkey_ctap::{Command, StatusCode};

use crate::cause::{Cause, WrongResponse};
use crate::ceremony::encoded;
use crate::info::Info;
use crate::options::Credential;
use crate::session::Session;
use crate::token::Token;

/// The client data hash of silent requests.
const NO_HASH: [u8; 32] = [0; 32];

impl Session {
    /// The one credential of the list to name in the real request: the only one there is, or the first that
    /// the key says it has; nothing if there is none.
    pub(crate) async fn narrow(
        &self,
        info: &Info,
        rp_id: &str,
        list: &[Credential],
        token: Option<&Token>,
    ) -> Result<Option<Vec<u8>>, Cause> {
        let longest = info.max_credential_id_length.unwrap_or(usize::MAX);
        let held = list.iter().map(|credential| credential.id.as_slice());
        let mut ids: Vec<_> = held.filter(|id| id.len() <= longest).collect();
        if let [] | [_] = ids.as_slice() {
            return Ok(ids.pop().map(<[u8]>::to_vec));
        }
        let mut rest = ids.as_slice();
        let mut size = info.max_credential_count_in_list;
        while !rest.is_empty() {
            let (chunk, later) = rest.split_at_checked(size).unwrap_or((rest, &[]));
            match self.probe(info, rp_id, chunk, token).await {
                Err(
                    Cause::RequestTooLarge
                    | Cause::Refused(StatusCode::REQUEST_TOO_LARGE | StatusCode::LIMIT_EXCEEDED),
                ) if chunk.len() > 1 => size = chunk.len() / 2,
                Ok(Some(id)) => return Ok(Some(id)),
                Ok(None) => rest = later,
                Err(cause) => return Err(cause),
            }
        }
        Ok(None)
    }

    /// Asks without a touch whether the key has one of these.
    async fn probe(
        &self,
        info: &Info,
        rp_id: &str,
        ids: &[&[u8]],
        token: Option<&Token>,
    ) -> Result<Option<Vec<u8>>, Cause> {
        // The token shows credentials that exist for verified users only; a silent request does not spend it.
        let param = token.map(|token| token.authenticate(&[&NO_HASH]));
        let request = Request {
            rp_id: RpId::try_from(rp_id)?,
            client_data_hash: NO_HASH,
            allow_list: Some(ids.iter().copied().map(Descriptor::public_key).collect()),
            extensions: None,
            options: Some(Options { up: Some(false), ..Options::default() }),
            pin_uv_auth_param: param.as_deref(),
            pin_uv_auth_protocol: token.map(Token::protocol_number),
            enterprise_attestation: None,
            attestation_formats_preference: None,
        };
        if encoded(Command::GET_ASSERTION, &request).len() > info.max_msg_size {
            return Err(Cause::RequestTooLarge);
        }
        match self.desk.request(Command::GET_ASSERTION, &request).await {
            Ok(bytes) => found(&cbor::decode_unsorted(&bytes)?, ids).map(Some),
            Err(cause) if is_unknown(&cause) => Ok(None),
            Err(cause) => Err(cause),
        }
    }
}

/// Does a refusal of an assertion say that the key has no credential for it? Some keys on the market have another status
/// for it than the standard.
pub(crate) const fn is_unknown(cause: &Cause) -> bool {
    matches!(cause, Cause::Refused(StatusCode::NO_CREDENTIALS | StatusCode::INVALID_CREDENTIAL))
}

/// The credential that a response is about; a key may leave it out where only one was listed.
pub(crate) fn found(response: &Response<'_>, listed: &[&[u8]]) -> Result<Vec<u8>, Cause> {
    match (&response.credential, listed) {
        (Some(credential), []) => Ok(credential.id.to_vec()),
        (Some(credential), listed) if listed.contains(&credential.id) => Ok(credential.id.to_vec()),
        (None, [only]) => Ok(only.to_vec()),
        (Some(_), _) => Err(WrongResponse::Credential.into()),
        (None, _) => Err(WrongResponse::MissingMember.into()),
    }
}
