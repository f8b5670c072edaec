//! Large blobs: data that platforms keep on a key for a credential, each entry sealed under that credential's
//! largeBlobKey (`CTAP` 2.3 section 6.10).

mod array;
mod deflate;

use sha2::{Digest, Sha256};
use softkey_ctap::client_pin::Permissions;
use softkey_ctap::large_blobs::{Request, Response};
use softkey_ctap::{Command, cbor};

use crate::cause::{Cause, WrongResponse};
use crate::ceremony::Ceremony;
use crate::entropy::Entropy;
use crate::info::Info;
use crate::session::{Reach, Session};
use crate::stored::{Kept, Manager, Stored};
use crate::token::Token;
use array::Array;

pub(crate) use deflate::{deflate, inflate};

/// Room in a message for all that is not the fragment, in bytes.
const OVERHEAD: usize = 64;
/// No key has so long an array, in bytes.
const LONGEST: usize = 1 << 20;

/// What a key's large-blob array holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blobs {
    /// The credentials that can have data, and the length in bytes of what each has.
    pub credentials: Vec<(Stored, Option<usize>)>,
    /// Entries that belong to none of them.
    pub others: usize,
    /// The length of the whole array, in bytes.
    pub used: usize,
    /// The longest array that the key takes, in bytes, if it says.
    pub capacity: Option<usize>,
}

/// Lists the credentials that can have data.
#[must_use]
pub fn list(reach: Reach, entropy: Entropy) -> Ceremony<Blobs> {
    Ceremony::new(async move |desk| {
        let manager = open(Session::new(desk, entropy), reach, Permissions::NONE).await?;
        let kept = manager.all().await?;
        let array = read(&manager.session, &manager.info).await?;
        let mut others = array.len();
        let mut credentials = Vec::new();
        for Kept { stored, large_blob_key } in kept {
            let Some(key) = large_blob_key else { continue };
            let length = array.get(&key).map(|data| data.len());
            others = others.saturating_sub(usize::from(length.is_some()));
            credentials.push((stored, length));
        }
        let capacity = manager.info.max_serialized_large_blob_array;
        Ok(Blobs { credentials, others, used: array.to_bytes().len(), capacity })
    })
}

/// Reads the data of one credential, found as [`crate::stored::delete`] finds it.
///
/// Fails with [`Cause::NoLargeBlobKey`] if that can have none, with [`Cause::NoLargeBlob`] if it has none.
#[must_use]
pub fn get(id: String, reach: Reach, entropy: Entropy) -> Ceremony<Vec<u8>> {
    Ceremony::new(async move |desk| {
        let manager = open(Session::new(desk, entropy), reach, Permissions::NONE).await?;
        let key = manager.one(&id).await?.large_blob_key.ok_or(Cause::NoLargeBlobKey)?;
        read(&manager.session, &manager.info).await?.get(&key).ok_or(Cause::NoLargeBlob)
    })
}

/// Keeps data for one credential, instead of any that it has.
///
/// Fails with [`Cause::NoLargeBlobKey`] if it can have none, [`Cause::NoRoomForBlob`] if there is no room; then the
/// old data stays.
#[must_use]
pub fn set(id: String, data: Vec<u8>, reach: Reach, entropy: Entropy) -> Ceremony<Stored> {
    Ceremony::new(async move |desk| {
        let write = Permissions::LARGE_BLOB_WRITE;
        let mut manager = open(Session::new(desk, entropy), reach, write).await?;
        let Kept { stored, large_blob_key } = manager.one(&id).await?;
        let key = large_blob_key.ok_or(Cause::NoLargeBlobKey)?;
        let mut array = read(&manager.session, &manager.info).await?;
        array.set(&key, &data, &mut manager.session.entropy);
        replace(&manager.session, &manager.info, Some(&manager.token), &array).await?;
        Ok(stored)
    })
}

/// Deletes the data of one credential.
///
/// Fails as [`get`].
#[must_use]
pub fn delete(id: String, reach: Reach, entropy: Entropy) -> Ceremony<Stored> {
    Ceremony::new(async move |desk| {
        let write = Permissions::LARGE_BLOB_WRITE;
        let manager = open(Session::new(desk, entropy), reach, write).await?;
        let Kept { stored, large_blob_key } = manager.one(&id).await?;
        let key = large_blob_key.ok_or(Cause::NoLargeBlobKey)?;
        let mut array = read(&manager.session, &manager.info).await?;
        if !array.remove(&key) {
            return Err(Cause::NoLargeBlob);
        }
        replace(&manager.session, &manager.info, Some(&manager.token), &array).await?;
        Ok(stored)
    })
}

async fn open(session: Session, reach: Reach, beside: Permissions) -> Result<Manager, Cause> {
    let manager = Manager::open(session, reach, beside).await?;
    let offered = manager.info.options.large_blobs == Some(true);
    if offered { Ok(manager) } else { Err(Cause::NoSuchCommand) }
}

/// The array, in fragments until one is shorter than asked for.
pub(crate) async fn read(session: &Session, info: &Info) -> Result<Array, Cause> {
    let fragment = fragment(info);
    let longest = info.max_serialized_large_blob_array.unwrap_or(LONGEST).min(LONGEST);
    let mut serialized = Vec::new();
    loop {
        let request = Request {
            get: Some(number(fragment)),
            offset: Some(number(serialized.len())),
            ..EMPTY
        };
        let bytes = session.desk.request(Command::LARGE_BLOBS, &request).await?;
        let response: Response<'_> = cbor::decode_unsorted(&bytes)?;
        let part = response.config.unwrap_or_default();
        serialized.extend_from_slice(part);
        if serialized.len() > longest {
            return Err(WrongResponse::LargeBlobArray.into());
        }
        if part.len() < fragment {
            return Ok(Array::from_bytes(&serialized)?);
        }
    }
}

/// Writes the whole array; the key puts it in the old one's place with the last fragment. A key that is not
/// protected wants no token.
pub(crate) async fn replace(
    session: &Session,
    info: &Info,
    token: Option<&Token>,
    array: &Array,
) -> Result<(), Cause> {
    let serialized = array.to_bytes();
    let capacity = info.max_serialized_large_blob_array;
    if capacity.is_some_and(|capacity| serialized.len() > capacity) {
        return Err(Cause::NoRoomForBlob);
    }
    let mut offset = 0;
    for part in serialized.chunks(fragment(info)) {
        let place = u32::try_from(offset).map_err(|_| Cause::NoRoomForBlob)?.to_le_bytes();
        let covered: [&[u8]; 4] =
            [&[0xff; 32], &[Command::LARGE_BLOBS.0, 0], &place, &Sha256::digest(part)];
        let param = token.map(|token| token.authenticate(&covered));
        let request = Request {
            set: Some(part),
            offset: Some(number(offset)),
            length: (offset == 0).then(|| number(serialized.len())),
            pin_uv_auth_param: param.as_deref(),
            pin_uv_auth_protocol: token.map(Token::protocol_number),
            ..EMPTY
        };
        session.desk.request(Command::LARGE_BLOBS, &request).await?;
        offset += part.len();
    }
    Ok(())
}

/// maxFragmentLength.
fn fragment(info: &Info) -> usize {
    info.max_msg_size.saturating_sub(OVERHEAD).max(1)
}

fn number(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

const EMPTY: Request<'static> = Request {
    get: None,
    set: None,
    offset: None,
    length: None,
    pin_uv_auth_param: None,
    pin_uv_auth_protocol: None,
};

#[cfg(test)]
mod tests {
    use ciborium::Value;

    use super::*;
    use crate::ceremony::{Input, Need};
    use crate::script::{CTAP2, entropy, info, ok, run};

    /// A key that always has another fragment does not fill the memory.
    #[test]
    fn an_array_without_end_is_not_read_to_its_end() {
        let reading = Ceremony::new(async move |desk| {
            let session = Session::new(desk, entropy());
            let info = session.ctap2_info(CTAP2).await?;
            read(&session, &info).await.map(drop)
        });
        let mut asked = 0;
        let result = run(reading, |need| {
            assert!(matches!(need, Need::Cbor(_)));
            asked += 1;
            assert!(asked < 2000, "no end");
            if asked == 1 {
                return Input::Response(info(&[("largeBlobs", true)]));
            }
            Input::Response(ok(vec![(1, Value::Bytes(vec![0; 1136]))]))
        });
        assert_eq!(result, Err(WrongResponse::LargeBlobArray.into()));
    }
}
