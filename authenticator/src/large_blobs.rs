//! authenticatorLargeBlobs: the serialized large-blob array, read and written in fragments. What is in it is the
//! platforms' business; here it is bytes with a checksum behind them.

use alloc::vec;
use alloc::vec::Vec;

use rand_core::TryCryptoRng;
use sha2::{Digest, Sha256};
use softkey_ctap::Command;
use softkey_ctap::client_pin::Permissions;
use softkey_ctap::large_blobs::{Request, Response};

use crate::authenticator::{Authenticator, Outcome, Progress, parameters, reply};
use crate::authorization::Param;
use crate::config::LargeBlobs;
use crate::records::{self, Batch};
use crate::refusal::Refusal;
use crate::step::{Session, Via};
use crate::store::Store;

/// The longest serialized array that can be configured, in bytes.
pub(crate) const MAX_ARRAY: u16 = 4096;

/// The array of a factory-fresh authenticator: an empty CBOR array and its checksum.
const INITIAL: [u8; 17] = [
    0x80, 0x76, 0xbe, 0x8b, 0x52, 0x8d, 0x00, 0x75, 0xf7, 0xaa, 0xe9, 0x8d, 0x6f, 0xa5, 0x7a, 0x6d,
    0x3c,
];

/// The checksum: the first bytes of SHA-256 of all that stands before it.
const CHECKSUM: usize = 16;

/// What a message holds beside its fragment, in bytes.
const OVERHEAD: u16 = 64;

/// More than a store takes for one record more, in bytes: room that is kept is divided when the array takes a part of it.
const AROUND: usize = 64;

/// A record is at most 4096 bytes long, so the array lies in two.
const PIECE: usize = 2048;
const PIECES: u8 = 2;

/// A new array of which some fragments have come. There is one at most.
pub(crate) struct PendingArray {
    session: Session,
    /// The token that authorized the fragments; none was needed if nothing was set up.
    token: Option<u64>,
    /// What it will be in the end, in bytes.
    length: usize,
    bytes: Vec<u8>,
}

impl PendingArray {
    pub(crate) fn is_of(&self, session: Session) -> bool {
        self.session == session
    }
}

impl<S: Store, R: TryCryptoRng> Authenticator<S, R> {
    pub(crate) fn large_blobs(&mut self, via: Via, body: &[u8]) -> Progress {
        let request: Request<'_> = parameters(body)?;
        let offset = request.offset.ok_or(Refusal::BlobOffsetMissing)?;
        // Nothing here is as long as the largest `usize`.
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        match (request.get, request.set) {
            (Some(get), None) => self.read_array(&request, get, offset),
            (None, Some(set)) => self.write_array(via, &request, set, offset),
            _ => Err(Refusal::BlobDirection),
        }
    }

    /// The longest fragment, in bytes: maxFragmentLength.
    fn max_fragment(&self) -> usize {
        self.config.max_msg_size.saturating_sub(OVERHEAD).into()
    }

    fn read_array(&mut self, request: &Request<'_>, get: u64, offset: usize) -> Progress {
        let authorized =
            request.pin_uv_auth_param.is_some() || request.pin_uv_auth_protocol.is_some();
        if request.length.is_some() || authorized {
            return Err(Refusal::BlobParameterUnexpected);
        }
        let get = usize::try_from(get).unwrap_or(usize::MAX);
        if get > self.max_fragment() {
            return Err(Refusal::BlobFragmentTooLong);
        }
        let array = self.large_blob_array()?;
        let rest = array.get(offset..).ok_or(Refusal::BlobOffset)?;
        let config = rest.get(..get).unwrap_or(rest);
        Ok(reply(&Response { config: Some(config) }))
    }

    fn write_array(
        &mut self,
        via: Via,
        request: &Request<'_>,
        set: &[u8],
        offset: usize,
    ) -> Progress {
        if set.len() > self.max_fragment() {
            return Err(Refusal::BlobFragmentTooLong);
        }
        let length = self.whole_length(via, request.length, offset)?;
        let token = self.authorize_fragment(request, set, offset)?;
        if offset.saturating_add(set.len()) > length {
            return Err(Refusal::BlobOverrun);
        }
        // Until here nothing has changed; from here on a new array takes the place of one that was under way.
        let pending = self.pending_array.take().filter(|_| offset > 0);
        let mut pending = pending.unwrap_or_else(|| PendingArray {
            session: via.session,
            token,
            length,
            bytes: Vec::with_capacity(length),
        });
        pending.bytes.extend_from_slice(set);
        if pending.bytes.len() < length {
            self.pending_array = Some(pending);
        } else {
            self.replace_array(&pending.bytes)?;
        }
        Ok(Outcome::Reply(Vec::new()))
    }

    /// How long the array will be of which this fragment is the next; a fragment that is not the next is refused.
    fn whole_length(
        &mut self,
        via: Via,
        length: Option<u64>,
        offset: usize,
    ) -> Result<usize, Refusal> {
        if offset == 0 {
            let length = length.ok_or(Refusal::BlobLengthMissing)?;
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            return match length {
                ..=CHECKSUM => Err(Refusal::BlobLengthTooShort),
                17.. if length <= self.config.max_large_blob_array.into() => Ok(length),
                _ => Err(Refusal::BlobStorageFull),
            };
        }
        if length.is_some() {
            return Err(Refusal::BlobParameterUnexpected);
        }
        // A transfer ends with the token that authorized it.
        self.pending_array
            .take_if(|pending| pending.token.is_some_and(|serial| !self.tokens.is_current(serial)));
        let next =
            |pending: &&PendingArray| pending.is_of(via.session) && pending.bytes.len() == offset;
        let pending = self.pending_array.as_ref().filter(next);
        pending.map(|pending| pending.length).ok_or(Refusal::BlobSequence)
    }

    /// Each fragment needs a param of its own, unless nothing is set up that could make one.
    fn authorize_fragment(
        &mut self,
        request: &Request<'_>,
        set: &[u8],
        offset: usize,
    ) -> Result<Option<u64>, Refusal> {
        if !self.is_protected() && !self.settings.always_uv {
            return Ok(None);
        }
        let param = request.pin_uv_auth_param.ok_or(Refusal::TokenRequired)?;
        let param = Param::of(&self.config, Some(param), request.pin_uv_auth_protocol)?;
        let param = param.ok_or(Refusal::TokenRequired)?;
        let offset = u32::try_from(offset).unwrap_or(u32::MAX).to_le_bytes();
        let digest = Sha256::digest(set);
        let message = [&[0xff; 32][..], &[Command::LARGE_BLOBS.0, 0], &offset, &digest];
        let need = Permissions::LARGE_BLOB_WRITE;
        let token = self.tokens.verify(param.protocol, &message, param.bytes, need)?;
        Ok(Some(token.serial()))
    }

    /// The stored array, or the initial one.
    fn large_blob_array(&mut self) -> Result<Vec<u8>, Refusal> {
        let mut array = Vec::new();
        for piece in 0..PIECES {
            if let Some(plaintext) = self.records.load(&records::array_key(piece))? {
                array.extend_from_slice(records::parse(&plaintext)?);
            }
        }
        if array.is_empty() {
            array.extend_from_slice(&INITIAL);
        }
        Ok(array)
    }

    /// Stores a whole array in one commit, if its checksum is right.
    fn replace_array(&mut self, array: &[u8]) -> Result<(), Refusal> {
        let (content, checksum) = array.split_last_chunk::<CHECKSUM>().unwrap_or((&[], &[0; 16]));
        if !Sha256::digest(content).starts_with(checksum) {
            return Err(Refusal::BlobIntegrity);
        }
        let mut pieces = array.chunks(PIECE);
        let mut batch = Batch::default();
        for piece in 0..PIECES {
            match pieces.next() {
                Some(bytes) => batch.put(records::array_key(piece), &bytes),
                None => batch.delete(records::array_key(piece)),
            }
        }
        if self.config.large_blob_room > 0 {
            match usize::from(self.config.large_blob_room).saturating_sub(array.len()) {
                0 => batch.delete(records::ARRAY_ROOM),
                rest => batch.put(records::ARRAY_ROOM, &vec![0; rest].as_slice()),
            }
        }
        self.records.commit(&mut self.rng, batch).map_err(|refusal| match refusal {
            Refusal::StoreFull => Refusal::BlobStorageFull,
            other => other,
        })
    }

    /// Has the batch of a new credential keep room for the array, unless that is kept already.
    pub(crate) fn keep_room_for_array(&mut self, batch: &mut Batch) -> Result<(), Refusal> {
        let room = usize::from(self.config.large_blob_room);
        if self.config.large_blobs != LargeBlobs::Array || room == 0 {
            return Ok(());
        }
        for key in [records::ARRAY_ROOM, records::array_key(0)] {
            if self.records.load(&key)?.is_some() {
                return Ok(());
            }
        }
        batch.put(records::ARRAY_ROOM, &vec![0; room.saturating_add(AROUND)].as_slice());
        Ok(())
    }
}
