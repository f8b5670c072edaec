//! What an owner asks of a key without a page: who it is, a touch, the factory state.

use softkey_ctap::cose::algorithm::ES256;
use softkey_ctap::entities::{PUBLIC_KEY, Parameters, RelyingParty, RpId, User};
use softkey_ctap::make_credential::Request;
use softkey_ctap::{Command, StatusCode};

use crate::cause::{Cause, OwnerFault};
use crate::ceremony::Ceremony;
use crate::entropy::Entropy;
use crate::info::Info;
use crate::session::{Reach, Session};

/// What a key says about itself, as far as its protocols go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// It speaks CTAP2.
    Ctap2(Box<Info>),
    /// It speaks CTAP1 only, and gives this version, `U2F_V2`.
    U2f(String),
}

/// Asks the key who it is.
#[must_use]
pub fn about(reach: Reach, entropy: Entropy) -> Ceremony<About> {
    Ceremony::new(async move |desk| {
        let session = Session::new(desk, entropy);
        if let Some(info) = session.info(reach).await? {
            return Ok(About::Ctap2(Box::new(info)));
        }
        let version = session.u2f_version().await?;
        Ok(About::U2f(String::from_utf8_lossy(&version).into_owned()))
    })
}

/// Waits for a touch that does nothing (`CTAP` 2.3 sections 6.9 and 16 step 7): authenticatorSelection, or
/// what does its work on older keys.
#[must_use]
pub fn select(reach: Reach, entropy: Entropy) -> Ceremony<()> {
    Ceremony::new(async move |desk| {
        let session = Session::new(desk, entropy);
        match session.info(reach).await? {
            Some(info) if info.has_version("FIDO_2_1") || info.has_version("FIDO_2_3") => {
                session.desk.command(Command::SELECTION).await.map(drop)
            }
            Some(info) => session.touch_ctap2_0(&info).await,
            None => session.touch_only(None).await,
        }
    })
}

/// Puts the key back to its factory state. Many keys allow it only within seconds of being plugged in; later it fails with
/// [`OwnerFault::TooLateForReset`].
#[must_use]
pub fn reset(reach: Reach, entropy: Entropy) -> Ceremony<()> {
    Ceremony::new(async move |desk| {
        let session = Session::new(desk, entropy);
        if !reach.ctap2 {
            return Err(Cause::NoSuchCommand);
        }
        let late = |cause| OwnerFault::TooLateForReset.of(StatusCode::NOT_ALLOWED, cause);
        session.desk.command(Command::RESET).await.map(drop).map_err(late)
    })
}

impl Session {
    /// A request that a key of CTAP 2.0 refuses as soon as it was touched: an empty pinUvAuthParam.
    async fn touch_ctap2_0(&self, info: &Info) -> Result<(), Cause> {
        let request = Request {
            client_data_hash: [0; 32],
            rp: RelyingParty { id: RpId::try_from(".dummy")?, name: None },
            user: User { id: [1].as_slice().try_into()?, name: Some("dummy"), display_name: None },
            pub_key_cred_params: [Parameters { alg: ES256, kind: PUBLIC_KEY }]
                .into_iter()
                .collect(),
            exclude_list: None,
            extensions: None,
            options: None,
            pin_uv_auth_param: info.options.client_pin.map(|_| [].as_slice()),
            pin_uv_auth_protocol: info.options.client_pin.map(|_| 1),
            enterprise_attestation: None,
            attestation_formats_preference: None,
        };
        match self.desk.request(Command::MAKE_CREDENTIAL, &request).await {
            Ok(_)
            | Err(Cause::Refused(
                StatusCode::PIN_INVALID | StatusCode::PIN_AUTH_INVALID | StatusCode::PIN_NOT_SET,
            )) => Ok(()),
            Err(cause) => Err(cause),
        }
    }
}
