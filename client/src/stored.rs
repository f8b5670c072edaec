//! What a key stores: its discoverable credentials, counted, listed, renamed and deleted (`CTAP` 2.3 section 6.8).

#[cfg(test)]
mod tests;

use softkey_ctap::cbor::{self, Received};
use softkey_ctap::client_pin::Permissions;
use softkey_ctap::cose::PublicKey;
use softkey_ctap::credential_management::{Params, Request, Response, subcommand};
use softkey_ctap::entities::{Descriptor, User};
use softkey_ctap::{Command, Secret, StatusCode};

use crate::base64url;
use crate::cause::{Cause, OwnerFault, WrongResponse};
use crate::ceremony::{Ceremony, Progress};
use crate::entropy::Entropy;
use crate::info::Info;
use crate::session::{Reach, Session};
use crate::token::{Token, Wanted};

/// How full a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Discoverable credentials there are.
    pub stored: u64,
    /// For how many more there is room; an estimate where sizes differ.
    pub free: u64,
}

/// A relying party with credentials on the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// Its identifier, cut by keys with little room if it is long.
    pub id: String,
    /// Its name, if the key keeps it.
    pub name: Option<String>,
    /// SHA-256 of the whole identifier.
    pub id_hash: [u8; 32],
}

/// A discoverable credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Whose sign-in it serves.
    pub party: Party,
    /// Its identifier.
    pub id: Vec<u8>,
    /// The user handle, 1 to 64 bytes.
    pub user_id: Vec<u8>,
    /// The account's name.
    pub name: Option<String>,
    /// The person's name.
    pub display_name: Option<String>,
    /// The algorithm of its key pair, a COSE identifier, if the key says.
    pub algorithm: Option<i64>,
    /// The level of credProtect, 1 to 3, if the key says.
    pub protection: Option<u64>,
    /// Is it for third-party payment?
    pub third_party_payment: bool,
}

/// New names for an account. What is nothing stays as it is; an empty text removes the name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The account's name.
    pub name: Option<String>,
    /// The person's name.
    pub display_name: Option<String>,
}

/// Counts the discoverable credentials: getCredsMetadata.
#[must_use]
pub fn count(reach: Reach, entropy: Entropy) -> Ceremony<Room> {
    Ceremony::new(async move |desk| {
        let session = Session::new(desk, entropy);
        let manager = Manager::open(session, reach, Permissions::NONE).await?;
        let bytes = manager.request(subcommand::GET_CREDS_METADATA, None).await?;
        let response: Response<'_> = cbor::decode_unsorted(&bytes)?;
        Ok(Room {
            stored: response
                .existing_resident_credentials_count
                .ok_or(WrongResponse::MissingMember)?,
            free: response
                .max_possible_remaining_resident_credentials_count
                .ok_or(WrongResponse::MissingMember)?,
        })
    })
}

/// Lists the discoverable credentials, of one relying party if `rp_id` names it; none is no failure.
#[must_use]
pub fn list(rp_id: Option<String>, reach: Reach, entropy: Entropy) -> Ceremony<Vec<Stored>> {
    Ceremony::new(async move |desk| {
        let session = Session::new(desk, entropy);
        let manager = Manager::open(session, reach, Permissions::NONE).await?;
        let all = manager.all().await?.into_iter().map(|kept| kept.stored);
        Ok(all.filter(|it| rp_id.as_ref().is_none_or(|rp_id| it.party.id == *rp_id)).collect())
    })
}

/// Deletes one credential and gives what it was: the one whose identifier in base64url begins with `id`.
///
/// Fails with [`OwnerFault::UnknownCredential`] or [`Cause::SeveralCredentials`] if that is not exactly one.
#[must_use]
pub fn delete(id: String, reach: Reach, entropy: Entropy) -> Ceremony<Stored> {
    Ceremony::new(async move |desk| {
        let session = Session::new(desk, entropy);
        let manager = Manager::open(session, reach, Permissions::NONE).await?;
        let stored = manager.one(&id).await?.stored;
        manager.delete(&stored).await?;
        Ok(stored)
    })
}

/// Changes the names of one credential's account, found as for [`delete`], and gives what it is now, as the key tells.
#[must_use]
pub fn rename(id: String, names: Names, reach: Reach, entropy: Entropy) -> Ceremony<Stored> {
    Ceremony::new(async move |desk| {
        let session = Session::new(desk, entropy);
        let manager = Manager::open(session, reach, Permissions::NONE).await?;
        let mut stored = manager.one(&id).await?.stored;
        manager.rename(&mut stored, names).await?;
        // Keys may cut long names.
        let mut of_party = Vec::new();
        manager.of(stored.party, &mut of_party, (0, 1)).await?;
        let mut all = of_party.into_iter().map(|kept| kept.stored);
        all.find(|now| now.id == stored.id).ok_or(OwnerFault::UnknownCredential.into())
    })
}

/// A session with a token for credential management.
pub(crate) struct Manager {
    pub(crate) session: Session,
    pub(crate) info: Info,
    command: Command,
    pub(crate) token: Token,
}

/// A credential with what only its owner's programs should see.
pub(crate) struct Kept {
    pub(crate) stored: Stored,
    pub(crate) large_blob_key: Option<Secret<32>>,
}

impl Manager {
    /// With a token that has these permissions too. Keys older than CTAP 2.1 have the command under another number.
    pub(crate) async fn open(
        mut session: Session,
        reach: Reach,
        beside: Permissions,
    ) -> Result<Self, Cause> {
        let info = session.ctap2_info(reach).await?;
        let command = if info.options.cred_mgmt == Some(true) {
            Command::CREDENTIAL_MANAGEMENT
        } else if info.options.credential_mgmt_preview == Some(true) {
            Command::CREDENTIAL_MANAGEMENT_PREVIEW
        } else {
            return Err(Cause::NoSuchCommand);
        };
        let permissions = Permissions::CREDENTIAL_MANAGEMENT.with(beside);
        let wanted = Wanted { permissions, rp_id: None };
        let token = session.owner_token(&info, wanted).await?;
        Ok(Self { session, info, command, token })
    }

    /// A subcommand with its pinUvAuthParam.
    async fn request(
        &self,
        sub_command: u64,
        params: Option<Params<'_>>,
    ) -> Result<Vec<u8>, Cause> {
        let encoded = params.as_ref().map(cbor::encode).unwrap_or_default();
        let number = u8::try_from(sub_command).unwrap_or_default();
        let param = self.token.authenticate(&[&[number], &encoded]);
        let request = Request {
            pin_uv_auth_protocol: Some(self.token.protocol_number()),
            pin_uv_auth_param: Some(&param),
            sub_command_params: params.map(|value| Received { bytes: &[], value }),
            ..bare(sub_command)
        };
        self.session.sized(&self.info, self.command, &request).await
    }

    /// The next one of an enumeration.
    async fn next(&self, sub_command: u64) -> Result<Vec<u8>, Cause> {
        self.session.desk.request(self.command, &bare(sub_command)).await
    }

    pub(crate) async fn all(&self) -> Result<Vec<Kept>, Cause> {
        let mut all = Vec::new();
        let parties = self.parties().await?;
        let total = number(parties.len());
        for (done, party) in (0..).zip(parties) {
            self.of(party, &mut all, (done, total)).await?;
        }
        Ok(all)
    }

    /// deleteCredential.
    pub(crate) async fn delete(&self, stored: &Stored) -> Result<(), Cause> {
        let credential_id = Some(Descriptor::public_key(&stored.id));
        let params = Params { credential_id, ..Params::default() };
        let deleted = self.request(subcommand::DELETE_CREDENTIAL, Some(params)).await;
        deleted.map(drop).map_err(gone)
    }

    /// updateUserInformation.
    pub(crate) async fn rename(&self, stored: &mut Stored, names: Names) -> Result<(), Cause> {
        let change = |old: &mut Option<String>, new: Option<String>| {
            if let Some(new) = new {
                *old = Some(new).filter(|new| !new.is_empty());
            }
        };
        change(&mut stored.name, names.name);
        change(&mut stored.display_name, names.display_name);
        let user = User {
            id: stored.user_id.as_slice().try_into()?,
            name: stored.name.as_deref(),
            display_name: stored.display_name.as_deref(),
        };
        let credential_id = Some(Descriptor::public_key(&stored.id));
        let params = Params { credential_id, user: Some(user), ..Params::default() };
        let renamed = self.request(subcommand::UPDATE_USER_INFORMATION, Some(params)).await;
        let full = |cause| OwnerFault::NamesFull.of(StatusCode::KEY_STORE_FULL, cause);
        renamed.map(drop).map_err(gone).map_err(full)
    }

    /// The only credential whose identifier begins so.
    pub(crate) async fn one(&self, id: &str) -> Result<Kept, Cause> {
        let mut all = self.all().await?;
        all.retain(|kept| base64url::encode(&kept.stored.id).starts_with(id));
        match (all.len(), all.pop()) {
            (1, Some(kept)) => Ok(kept),
            (0, _) | (_, None) => Err(OwnerFault::UnknownCredential.into()),
            (several, _) => Err(Cause::SeveralCredentials(several)),
        }
    }

    async fn parties(&self) -> Result<Vec<Party>, Cause> {
        let mut bytes = match self.request(subcommand::ENUMERATE_RPS_BEGIN, None).await {
            Err(Cause::Refused(StatusCode::NO_CREDENTIALS)) => return Ok(Vec::new()),
            other => other?,
        };
        let total = cbor::decode_unsorted::<Response<'_>>(&bytes)?.total_rps;
        let total = total.ok_or(WrongResponse::MissingMember)?;
        let mut parties = Vec::new();
        // A key without credentials may say so by a total of zero and nothing else.
        for left in (0..total).rev() {
            let response: Response<'_> = cbor::decode_unsorted(&bytes)?;
            let rp = response.rp.ok_or(WrongResponse::MissingMember)?;
            parties.push(Party {
                id: rp.id.as_str().to_owned(),
                name: rp.name.map(str::to_owned),
                id_hash: response.rp_id_hash.ok_or(WrongResponse::MissingMember)?,
            });
            let read = total.saturating_sub(left);
            self.session.desk.seen(Progress::RelyingParties { read, total }).await?;
            if left > 0 {
                bytes = self.next(subcommand::ENUMERATE_RPS_GET_NEXT_RP).await?;
            }
        }
        Ok(parties)
    }

    /// Adds the credentials of a relying party, of which so many of so many are done.
    async fn of(
        &self,
        party: Party,
        all: &mut Vec<Kept>,
        (parties, of): (u64, u64),
    ) -> Result<(), Cause> {
        let params = Params { rp_id_hash: Some(party.id_hash), ..Params::default() };
        let begin = self.request(subcommand::ENUMERATE_CREDENTIALS_BEGIN, Some(params));
        let mut bytes = match begin.await {
            Err(Cause::Refused(StatusCode::NO_CREDENTIALS)) => return Ok(()),
            other => other?,
        };
        let total = cbor::decode_unsorted::<Response<'_>>(&bytes)?.total_credentials;
        all.push(read(&bytes, &party)?);
        for _ in 1..total.ok_or(WrongResponse::MissingMember)? {
            let read_so_far = number(all.len());
            let progress = Progress::Credentials { read: read_so_far, parties, total: of };
            self.session.desk.seen(progress).await?;
            bytes = self.next(subcommand::ENUMERATE_CREDENTIALS_GET_NEXT_CREDENTIAL).await?;
            all.push(read(&bytes, &party)?);
        }
        let parties = parties.saturating_add(1);
        let progress = Progress::Credentials { read: number(all.len()), parties, total: of };
        self.session.desk.seen(progress).await
    }
}

/// Somebody else may have deleted it since it was listed.
fn gone(cause: Cause) -> Cause {
    OwnerFault::UnknownCredential.of(StatusCode::NO_CREDENTIALS, cause)
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

const fn bare<'b>(sub_command: u64) -> Request<'b> {
    Request {
        sub_command,
        sub_command_params: None,
        pin_uv_auth_protocol: None,
        pin_uv_auth_param: None,
    }
}

fn read(bytes: &[u8], party: &Party) -> Result<Kept, Cause> {
    let response: Response<'_> = cbor::decode_unsorted(bytes)?;
    let user = response.user.ok_or(WrongResponse::MissingMember)?;
    let id = response.credential_id.ok_or(WrongResponse::MissingMember)?.id;
    let stored = Stored {
        party: party.clone(),
        id: id.to_vec(),
        user_id: user.id.as_bytes().to_vec(),
        name: user.name.map(str::to_owned),
        display_name: user.display_name.map(str::to_owned),
        algorithm: response
            .public_key
            .and_then(|key| Some(cbor::decode::<PublicKey<'_>>(key.0).ok()?.alg())),
        protection: response.cred_protect,
        third_party_payment: response.third_party_payment.unwrap_or(false),
    };
    Ok(Kept { stored, large_blob_key: response.large_blob_key.map(Secret::new) })
}
