//! The fingers that a key's own sensor knows: enrolled, listed, renamed and removed (`CTAP` 2.3 section 6.7).

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use softkey_ctap::bio_enrollment::{
    FINGERPRINT, Params, Request, Response, SampleStatus, subcommand,
};
use softkey_ctap::cbor::{self, Received};
use softkey_ctap::client_pin::Permissions;
use softkey_ctap::{Command, StatusCode};

use crate::cause::{Cause, FingerFault, WrongResponse};
use crate::ceremony::{Ceremony, Progress};
use crate::entropy::Entropy;
use crate::info::Info;
use crate::session::{Reach, Session};
use crate::token::{Token, Wanted};

/// For how long the key is asked to wait for one sample, in milliseconds.
const SAMPLE_TIMEOUT: u64 = 30_000;

/// After so many samples in a row for which nobody touched the sensor, nobody is there.
const MAX_UNTOUCHED: u64 = 2;

/// After so many bad samples in a row it is no use to go on.
const MAX_BAD: u64 = 20;

/// A finger that a key knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finger {
    /// The identifier of its template, as the key made it.
    pub id: Vec<u8>,
    /// Its name, if it has one.
    pub name: Option<String>,
}

impl Finger {
    /// Its identifier in hexadecimal, as people see it.
    #[must_use]
    pub fn hex_id(&self) -> String {
        self.id.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// Is it called so: is this its name, or the beginning of its identifier in hexadecimal?
    fn is_called(&self, which: &str) -> bool {
        self.name.as_deref() == Some(which)
            || (!which.is_empty() && self.hex_id().starts_with(&which.to_ascii_lowercase()))
    }
}

/// Lists the fingers; none is no failure.
#[must_use]
pub fn list(reach: Reach, entropy: Entropy) -> Ceremony<Vec<Finger>> {
    Ceremony::new(async move |desk| {
        let session = Session::new(desk, entropy);
        Enroller::open(session, reach).await?.all().await
    })
}

/// Enrolls a finger, sample by sample; each is shown by [`Progress::Sample`]. The name is given to it at the end.
///
/// Fails with [`FingerFault::Enrolled`] if the sensor knows it, [`Cause::Timeout`] if nobody touches the sensor,
/// [`FingerFault::BadSamples`] if no sample is good enough, [`FingerFault::NameTooLong`] before the first one; the key then
/// knows no finger more than before.
#[must_use]
pub fn add(name: Option<String>, reach: Reach, entropy: Entropy) -> Ceremony<Finger> {
    Ceremony::new(async move |desk| {
        let session = Session::new(desk, entropy);
        let enroller = Enroller::open(session, reach).await?;
        if let Some(name) = &name {
            enroller.name_fits(name).await?;
        }
        let id = match enroller.capture().await {
            Ok(id) => id,
            Err(cause) => {
                // What has been begun must not stand in the way of others. That this fails changes nothing.
                let cancel = bare(subcommand::CANCEL_CURRENT_ENROLLMENT);
                let _ = enroller.session.desk.request(enroller.command, &cancel).await;
                return Err(cause);
            }
        };
        let finger = Finger { id, name: name.filter(|name| !name.is_empty()) };
        if let Some(name) = &finger.name {
            enroller.set_name(&finger.id, name).await?;
        }
        Ok(finger)
    })
}

/// Names the one finger that is called so now, by its name or the beginning of its identifier in hexadecimal; gives
/// what it is now.
///
/// Fails with [`FingerFault::Unknown`] or [`FingerFault::Several`] if that is not exactly one.
#[must_use]
pub fn rename(which: String, name: String, reach: Reach, entropy: Entropy) -> Ceremony<Finger> {
    Ceremony::new(async move |desk| {
        let session = Session::new(desk, entropy);
        let enroller = Enroller::open(session, reach).await?;
        enroller.name_fits(&name).await?;
        let finger = enroller.one(&which).await?;
        enroller.set_name(&finger.id, &name).await?;
        Ok(Finger { name: Some(name).filter(|name| !name.is_empty()), ..finger })
    })
}

/// Removes one finger, found as for [`rename`], and gives what it was.
#[must_use]
pub fn remove(which: String, reach: Reach, entropy: Entropy) -> Ceremony<Finger> {
    Ceremony::new(async move |desk| {
        let session = Session::new(desk, entropy);
        let enroller = Enroller::open(session, reach).await?;
        let finger = enroller.one(&which).await?;
        let params = Params { template_id: Some(&finger.id), ..Params::default() };
        enroller.request(subcommand::REMOVE_ENROLLMENT, Some(params)).await.map_err(gone)?;
        Ok(finger)
    })
}

/// A session with a token for bio enrollment.
struct Enroller {
    session: Session,
    info: Info,
    command: Command,
    token: Token,
}

impl Enroller {
    /// Keys older than CTAP 2.1 have the command under another number.
    async fn open(mut session: Session, reach: Reach) -> Result<Self, Cause> {
        let info = session.ctap2_info(reach).await?;
        let command = if info.options.bio_enroll.is_some() {
            Command::BIO_ENROLLMENT
        } else if info.options.user_verification_mgmt_preview.is_some() {
            Command::BIO_ENROLLMENT_PREVIEW
        } else {
            return Err(Cause::NoSuchCommand);
        };
        let wanted = Wanted { permissions: Permissions::BIO_ENROLLMENT, rp_id: None };
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
        let byte = |number: u64| u8::try_from(number).unwrap_or_default();
        let covered = [byte(FINGERPRINT), byte(sub_command)];
        let param = self.token.authenticate(&[&covered, &encoded]);
        let request = Request {
            sub_command_params: params.map(|value| Received { bytes: &[], value }),
            pin_uv_auth_protocol: Some(self.token.protocol_number()),
            pin_uv_auth_param: Some(&param),
            ..bare(sub_command)
        };
        self.session.sized(&self.info, self.command, &request).await
    }

    async fn all(&self) -> Result<Vec<Finger>, Cause> {
        let bytes = match self.request(subcommand::ENUMERATE_ENROLLMENTS, None).await {
            // So a key says that there is none.
            Err(Cause::Refused(StatusCode::INVALID_OPTION)) => return Ok(Vec::new()),
            other => other?,
        };
        let response: Response<'_> = cbor::decode_unsorted(&bytes)?;
        let infos = response.template_infos.ok_or(WrongResponse::MissingMember)?;
        let name = |name: Option<&str>| name.filter(|name| !name.is_empty()).map(str::to_owned);
        let fingers = infos.iter().map(|info| Finger {
            id: info.template_id.to_vec(),
            name: name(info.template_friendly_name),
        });
        Ok(fingers.collect())
    }

    /// The only finger that is called so.
    async fn one(&self, which: &str) -> Result<Finger, Cause> {
        let mut all = self.all().await?;
        all.retain(|finger| finger.is_called(which));
        match (all.len(), all.pop()) {
            (1, Some(finger)) => Ok(finger),
            (0, _) | (_, None) => Err(FingerFault::Unknown.into()),
            (several, _) => Err(FingerFault::Several(several).into()),
        }
    }

    /// Does the key take so long a name? A key that does not say is asked with the name itself.
    async fn name_fits(&self, name: &str) -> Result<(), Cause> {
        let request = bare(subcommand::GET_FINGERPRINT_SENSOR_INFO);
        let bytes = self.session.desk.request(self.command, &request).await?;
        let response: Response<'_> = cbor::decode_unsorted(&bytes)?;
        let longest = response.max_template_friendly_name;
        let length = u64::try_from(name.len()).unwrap_or(u64::MAX);
        match longest.filter(|longest| length > *longest) {
            Some(longest) => Err(FingerFault::NameTooLong(longest).into()),
            None => Ok(()),
        }
    }

    async fn set_name(&self, id: &[u8], name: &str) -> Result<(), Cause> {
        let params = Params {
            template_id: Some(id),
            template_friendly_name: Some(name),
            ..Params::default()
        };
        self.request(subcommand::SET_FRIENDLY_NAME, Some(params)).await.map(drop).map_err(gone)
    }

    /// Takes samples until there are enough; gives the new template's identifier.
    async fn capture(&self) -> Result<Vec<u8>, Cause> {
        let timeout = Params { timeout_milliseconds: Some(SAMPLE_TIMEOUT), ..Params::default() };
        let mut bytes = self.request(subcommand::ENROLL_BEGIN, Some(timeout)).await?;
        let id = cbor::decode_unsorted::<Response<'_>>(&bytes)?.template_id;
        let id = id.ok_or(WrongResponse::MissingMember)?.to_vec();
        let mut luck = Luck::default();
        loop {
            let response: Response<'_> = cbor::decode_unsorted(&bytes)?;
            let status = response.last_enroll_sample_status.ok_or(WrongResponse::MissingMember)?;
            let remaining = response.remaining_samples.ok_or(WrongResponse::MissingMember)?;
            let status = SampleStatus(status);
            self.session.desk.seen(Progress::Sample { status, remaining }).await?;
            if remaining == 0 {
                return Ok(id);
            }
            luck.after(status)?;
            let params = Params {
                template_id: Some(&id),
                timeout_milliseconds: Some(SAMPLE_TIMEOUT),
                ..Params::default()
            };
            bytes = self.request(subcommand::ENROLL_CAPTURE_NEXT_SAMPLE, Some(params)).await?;
        }
    }
}

/// How many samples in a row were of no use.
#[derive(Default)]
struct Luck {
    bad: u64,
    untouched: u64,
}

impl Luck {
    /// Is it worth while to go on after this sample?
    fn after(&mut self, status: SampleStatus) -> Result<(), Cause> {
        let counts = |count: &mut u64, hit: bool| *count = if hit { *count + 1 } else { 0 };
        counts(&mut self.bad, status != SampleStatus::GOOD);
        counts(&mut self.untouched, status == SampleStatus::NO_USER_ACTIVITY);
        match status {
            SampleStatus::EXISTS => Err(FingerFault::Enrolled.into()),
            SampleStatus::DATABASE_FULL => Err(Cause::Refused(StatusCode::FP_DATABASE_FULL)),
            _ if self.untouched >= MAX_UNTOUCHED => Err(Cause::Timeout),
            _ if self.bad >= MAX_BAD => Err(FingerFault::BadSamples(self.bad).into()),
            _ => Ok(()),
        }
    }
}

/// Somebody else may have removed the finger since it was listed.
fn gone(cause: Cause) -> Cause {
    match cause {
        Cause::Refused(StatusCode::INVALID_OPTION) => FingerFault::Unknown.into(),
        other => other,
    }
}

const fn bare<'b>(sub_command: u64) -> Request<'b> {
    Request {
        modality: Some(FINGERPRINT),
        sub_command: Some(sub_command),
        sub_command_params: None,
        pin_uv_auth_protocol: None,
        pin_uv_auth_param: None,
        get_modality: None,
    }
}
