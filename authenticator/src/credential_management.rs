//! authenticatorCredentialManagement: what is stored, and its owner's hand on it.

use core::ops::ControlFlow;

use rand_core::TryCryptoRng;
use softkey_ctap::cbor::{self, RawMap};
use softkey_ctap::client_pin::Permissions;
use softkey_ctap::credential_management::{Params, Request, Response, subcommand};
use softkey_ctap::entities::{Descriptor, RelyingParty, RpId, User, UserId};

use crate::authenticator::{Authenticator, Outcome, Progress, parameters, reply};
use crate::authorization::Param;
use crate::config::{Config, LargeBlobs};
use crate::credential::{self, Account, Credential, Kind};
use crate::generation::Generation;
use crate::make_credential::shortened;
use crate::records::{self, Batch, Party, Totals};
use crate::refusal::Refusal;
use crate::step::Via;
use crate::store::{Key, Store};
use crate::walk::{Through, Walk};

/// Which form of the command.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edition {
    /// 0x0A.
    Final,
    /// 0x41: no updateUserInformation, no persistent token, and getPinToken gives the tokens.
    Preview,
}

/// What authorized a request.
enum Authority {
    /// The persistent token, which may only read.
    Persistent,
    /// The token with this number, and what stands for the relying party it is bound to.
    Token(u64, Option<[u8; 32]>),
}

impl Authority {
    const fn serial(&self) -> Option<u64> {
        match self {
            Self::Persistent => None,
            Self::Token(serial, _) => Some(*serial),
        }
    }

    /// Is it for all relying parties?
    fn unbound(&self) -> Result<(), Refusal> {
        match self {
            Self::Token(_, Some(_)) => Err(Refusal::TokenRelyingParty),
            Self::Token(_, None) | Self::Persistent => Ok(()),
        }
    }

    /// Is it for this relying party?
    fn covers(&self, rp_id_hash: &[u8; 32]) -> Result<(), Refusal> {
        match self {
            Self::Token(_, Some(bound)) if bound != rp_id_hash => Err(Refusal::TokenRelyingParty),
            Self::Token(..) | Self::Persistent => Ok(()),
        }
    }
}

impl<S: Store, R: TryCryptoRng> Authenticator<S, R> {
    pub(crate) fn credential_management(
        &mut self,
        via: Via,
        edition: Edition,
        body: &[u8],
        walk: Option<&Walk>,
    ) -> Progress {
        let request: Request<'_> = parameters(body)?;
        let params = request.sub_command_params.as_ref().map(|params| &params.value);
        let none = Params::default();
        let params = params.unwrap_or(&none);
        match request.sub_command {
            subcommand::GET_CREDS_METADATA => {
                self.authorize_management(edition, &request)?.unbound()?;
                Ok(self.metadata())
            }
            subcommand::ENUMERATE_RPS_BEGIN => {
                let authority = self.authorize_management(edition, &request)?;
                authority.unbound()?;
                self.first_relying_party(via, &authority)
            }
            subcommand::ENUMERATE_RPS_GET_NEXT_RP => self.next_relying_party(walk),
            subcommand::ENUMERATE_CREDENTIALS_BEGIN => {
                param_given(&request)?;
                let rp_id_hash = params.rp_id_hash.ok_or(Refusal::MissingParameter)?;
                let param = self.management_param(&request)?;
                let authority = self.authority(edition, &request, param, true)?;
                authority.covers(&rp_id_hash)?;
                self.first_credential(via, &authority, rp_id_hash)
            }
            subcommand::ENUMERATE_CREDENTIALS_GET_NEXT_CREDENTIAL => self.next_credential(walk),
            subcommand::DELETE_CREDENTIAL => {
                param_given(&request)?;
                let id = params.credential_id.as_ref().ok_or(Refusal::MissingParameter)?.id;
                let param = self.management_param(&request)?;
                let authority = self.authority(edition, &request, param, false)?;
                self.delete_credential(&authority, id)
            }
            subcommand::UPDATE_USER_INFORMATION if edition == Edition::Final => {
                param_given(&request)?;
                let id = params.credential_id.as_ref().ok_or(Refusal::MissingParameter)?.id;
                let user = params.user.as_ref().ok_or(Refusal::MissingParameter)?;
                let param = self.management_param(&request)?;
                let authority = self.authority(edition, &request, param, false)?;
                self.update_user(&authority, id, user)
            }
            _ => Err(Refusal::UnknownSubcommand),
        }
    }

    fn management_param<'b>(&self, request: &Request<'b>) -> Result<Param<'b>, Refusal> {
        let bytes = param_given(request)?;
        let param = Param::of(&self.config, Some(bytes), request.pin_uv_auth_protocol)?;
        param.ok_or(Refusal::TokenRequired)
    }

    fn authorize_management(
        &mut self,
        edition: Edition,
        request: &Request<'_>,
    ) -> Result<Authority, Refusal> {
        let param = self.management_param(request)?;
        self.authority(edition, request, param, true)
    }

    /// What the param proves. Reads try the persistent token first. What the param covers is the bytes received.
    fn authority(
        &mut self,
        edition: Edition,
        request: &Request<'_>,
        param: Param<'_>,
        reads: bool,
    ) -> Result<Authority, Refusal> {
        let sub_command = [u8::try_from(request.sub_command).unwrap_or_default()];
        let params = request.sub_command_params.as_ref().map_or(&[][..], |params| params.bytes);
        let message = [&sub_command[..], params];
        let persistent = self.pin.persistent_token.as_ref();
        let reads = reads && edition == Edition::Final;
        let known = self.config.generation >= Generation::Ctap22;
        if let Some(token) = persistent.filter(|_| reads && known)
            && param.protocol.verify(token.expose(), &message, param.bytes)
        {
            return Ok(Authority::Persistent);
        }
        let need = Permissions::CREDENTIAL_MANAGEMENT;
        let token = match edition {
            Edition::Final => self.tokens.verify(param.protocol, &message, param.bytes, need)?,
            Edition::Preview => {
                self.tokens.verify_for_preview(param.protocol, &message, param.bytes, need)?
            }
        };
        Ok(Authority::Token(token.serial(), token.rp_id_hash()))
    }

    fn metadata(&self) -> Outcome {
        reply(&Response {
            existing_resident_credentials_count: Some(self.totals.count),
            max_possible_remaining_resident_credentials_count: Some(self.remaining_discoverable()),
            ..Response::default()
        })
    }

    fn first_relying_party(&mut self, via: Via, authority: &Authority) -> Progress {
        let total = self.totals.relying_parties;
        let walk = Walk {
            session: via.session,
            token: authority.serial(),
            through: Through::RelyingParties { after: Key::from_array(b"r"), remaining: total },
        };
        self.relying_party(&walk, Some(total), Refusal::NoCredentials)
    }

    fn next_relying_party(&mut self, walk: Option<&Walk>) -> Progress {
        match walk {
            Some(walk @ Walk { through: Through::RelyingParties { .. }, .. }) => {
                self.relying_party(walk, None, Refusal::NoState)
            }
            _ => Err(Refusal::NoState),
        }
    }

    fn relying_party(&mut self, walk: &Walk, total: Option<u64>, none: Refusal) -> Progress {
        let &Walk { session, token, through: Through::RelyingParties { after, remaining } } = walk
        else {
            return Err(none);
        };
        if self.is_over(token) || remaining == 0 {
            return Err(none);
        }
        let mut found = None;
        let last = Key::from_array(b"s");
        self.records.each((&after, &last), &mut |key, plaintext| {
            if *key == after {
                return Ok(ControlFlow::Continue(()));
            }
            found = Some((*key, Party::from(&records::parse(plaintext)?)));
            Ok(ControlFlow::Break(()))
        })?;
        let (after, party) = found.ok_or(none)?;
        let through = Through::RelyingParties { after, remaining: remaining.saturating_sub(1) };
        self.walk = Some(Walk { session, token, through });
        let id = RpId::try_from(party.id.as_str()).map_err(|_| Refusal::Damaged)?;
        Ok(reply(&Response {
            rp: Some(RelyingParty { id, name: None }),
            rp_id_hash: Some(party.id_hash),
            total_rps: total,
            ..Response::default()
        }))
    }

    fn first_credential(
        &mut self,
        via: Via,
        authority: &Authority,
        rp_id_hash: [u8; 32],
    ) -> Progress {
        let rp16 = self.records.keys().rp16(&rp_id_hash);
        let total = self.records.relying_party(&rp16)?.map_or(0, |party| party.credentials);
        let through = Through::Credentials { rp_id_hash, before: u64::MAX, remaining: total };
        let walk = Walk { session: via.session, token: authority.serial(), through };
        self.listed_credential(&walk, Some(total), Refusal::NoCredentials)
    }

    fn next_credential(&mut self, walk: Option<&Walk>) -> Progress {
        match walk {
            Some(walk @ Walk { through: Through::Credentials { .. }, .. }) => {
                self.listed_credential(walk, None, Refusal::NoState)
            }
            _ => Err(Refusal::NoState),
        }
    }

    fn listed_credential(&mut self, walk: &Walk, total: Option<u64>, none: Refusal) -> Progress {
        let &Walk {
            session,
            token,
            through: Through::Credentials { rp_id_hash, before, remaining },
        } = walk
        else {
            return Err(none);
        };
        if self.is_over(token) || remaining == 0 {
            return Err(none);
        }
        let mut found = None;
        self.each_credential(&rp_id_hash, before, &mut |credential| {
            found = Some(credential);
            ControlFlow::Break(())
        })?;
        let credential = found.ok_or(none)?;
        if let Kind::Discoverable(before) = credential.kind {
            let remaining = remaining.saturating_sub(1);
            let through = Through::Credentials { rp_id_hash, before, remaining };
            self.walk = Some(Walk { session, token, through });
        }
        entry(&credential, total, &self.config)
    }

    fn is_over(&self, token: Option<u64>) -> bool {
        token.is_some_and(|serial| !self.tokens.is_current(serial))
    }

    /// The credential, its relying party, and the keys of both.
    fn managed(&mut self, authority: &Authority, id: &[u8]) -> Result<Managed, Refusal> {
        let found = credential::find_discoverable(&mut self.records, id)?;
        let (rp16, credential) = found.ok_or(Refusal::NoCredentials)?;
        let party = self.records.relying_party(&rp16)?.ok_or(Refusal::Damaged)?;
        authority.covers(&party.id_hash)?;
        Ok(Managed { rp16, credential, party })
    }

    fn delete_credential(&mut self, authority: &Authority, id: &[u8]) -> Progress {
        let Managed { rp16, credential, mut party } = self.managed(authority, id)?;
        let (Kind::Discoverable(sequence), Some(user)) = (credential.kind, &credential.user) else {
            return Err(Refusal::Damaged);
        };
        let user16 = self.records.keys().user16(&party.id_hash, &user.id);
        let mut totals = Totals { count: self.totals.count.saturating_sub(1), ..self.totals };
        let mut batch = Batch::default();
        batch.delete(records::credential_key(&rp16, sequence));
        batch.delete(records::user_key(&rp16, &user16));
        self.drop_large_blob(&mut batch, &rp16, &credential.id);
        party.credentials = party.credentials.saturating_sub(1);
        if party.credentials == 0 {
            totals.relying_parties = totals.relying_parties.saturating_sub(1);
            batch.delete(records::rp_key(&rp16));
        } else {
            batch.put(records::rp_key(&rp16), &party.record());
        }
        self.commit_change(batch, totals)
    }

    fn update_user(&mut self, authority: &Authority, id: &[u8], user: &User<'_>) -> Progress {
        let Managed { rp16, mut credential, .. } = self.managed(authority, id)?;
        let (Kind::Discoverable(sequence), Some(stored)) = (credential.kind, &mut credential.user)
        else {
            return Err(Refusal::Damaged);
        };
        if stored.id != user.id.as_bytes() {
            return Err(Refusal::OtherUser);
        }
        let name = |name: Option<&str>| name.filter(|name| !name.is_empty()).map(shortened);
        let id = core::mem::take(&mut stored.id);
        *stored = Account { id, name: name(user.name), display_name: name(user.display_name) };
        let mut batch = Batch::default();
        let record = credential.record().ok_or(Refusal::Damaged)?;
        batch.put(records::credential_key(&rp16, sequence), &record);
        self.commit_change(batch, self.totals)
    }

    /// Commits a change of what is stored, and notes that it changed.
    fn commit_change(&mut self, mut batch: Batch, totals: Totals) -> Progress {
        let totals = Totals { change: self.new_change()?, ..totals };
        batch.put(records::TOTALS, &totals);
        self.records.commit(&mut self.rng, batch)?;
        self.totals = totals;
        self.walk = None;
        Ok(Outcome::Reply(alloc::vec::Vec::new()))
    }
}

/// A credential that its owner wants to change.
struct Managed {
    rp16: [u8; 16],
    credential: Credential,
    party: Party,
}

/// The missing param is found before all else, missing members before the protocol is judged.
fn param_given<'b>(request: &Request<'b>) -> Result<&'b [u8], Refusal> {
    request.pin_uv_auth_param.ok_or(Refusal::TokenRequired)
}

fn entry(credential: &Credential, total: Option<u64>, config: &Config) -> Progress {
    let user = credential.user.as_ref().ok_or(Refusal::Damaged)?;
    let id = UserId::try_from(user.id.as_slice()).map_err(|_| Refusal::Damaged)?;
    let public = credential.private_key()?.public();
    let public_key = cbor::encode(&public.cose(credential.algorithm));
    Ok(reply(&Response {
        user: Some(User {
            id,
            name: user.name.as_deref(),
            display_name: user.display_name.as_deref(),
        }),
        credential_id: Some(Descriptor::public_key(&credential.id)),
        public_key: Some(RawMap(&public_key)),
        total_credentials: total,
        cred_protect: config
            .extensions
            .cred_protect
            .then_some(credential.protection.number().into()),
        large_blob_key: credential
            .large_blob_key()
            .filter(|_| config.large_blobs == LargeBlobs::Array),
        third_party_payment: config
            .extensions
            .third_party_payment
            .then_some(credential.third_party_payment),
        ..Response::default()
    }))
}
