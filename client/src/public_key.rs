//! The internal methods of `PublicKeyCredential`: what is checked and decided before any key is asked (WebAuthn
//! Level 3 sections 5.1.3 steps 1 to 16 and 5.1.4 steps 1 to 15).

use softkey_ctap::Instant;

use crate::abort::AbortSignal;
use crate::call::Mediation;
use crate::capabilities::Capability;
use crate::cause::{Cause, Operation};
use crate::client_data::{self, ClientData};
use crate::create::{self, check_algorithms, check_extensions, check_user};
use crate::entropy::Entropy;
use crate::extensions::payment;
use crate::get::{self, Wish as GetWish};
use crate::options::{CreationOptions, RequestOptions};
use crate::origin::Origin;
use crate::page::{Mark, Page};
use crate::profile::{Profile, Settings};
use crate::related::Lookup;
use crate::request::{Pending, Plan, Request, Timeout, Work, aborted};
use crate::suffix::ascii_domain;

/// What the call says beside the options of the type.
pub(crate) struct Terms {
    pub(crate) mediation: Mediation,
    pub(crate) signal: Option<AbortSignal>,
}

/// `[[Create]]`.
pub(crate) fn create(
    page: &mut Page,
    now: Instant,
    mut options: CreationOptions,
    terms: Terms,
    (entropy, mark): (Entropy, Mark),
) -> Result<Request, Cause> {
    let caller = Caller::new(page);
    let can = caller.settings.can(Capability::ConditionalCreate);
    let conditional = can && terms.mediation == Mediation::Conditional;
    if !page.is_same_origin_with_ancestors() {
        if conditional {
            return Err(Cause::ConditionalInFrame);
        }
        if !page.consume_activation() {
            return Err(Cause::NoActivation);
        }
    }
    let timeout = caller.timeout(options.timeout);
    options.timeout = in_millis(&timeout);
    check_user(&options)?;
    let origin = page.origin()?;
    let Claim { rp_id, lookup } = caller.claim(&origin, options.rp_id.as_deref())?;
    options.extensions.retain(|extension| caller.settings.can(extension));
    let json = caller.client_data(client_data::CREATE, &origin, &options.challenge, None);
    let app_id = create::check_app_id(&options, &origin);
    let rest = app_id.as_ref().map_err(Cause::clone).and_then(|_| {
        check_algorithms(&options)?;
        check_extensions(&options)?;
        aborted(terms.signal.as_ref(), now)?;
        let may = !conditional || caller.profile.allows_conditional_create(origin.as_str(), now);
        if may { Ok(()) } else { Err(Cause::NoCreationConsent) }
    });
    let pending = pending(lookup, rest)?;
    let mut wish = create::Wish::new(options, rp_id, json);
    wish.hinted = wish.options.hinted;
    wish.app_id = app_id.unwrap_or_default();
    wish.enterprise = caller.settings.enterprise.contains(&wish.rp_id);
    wish.zero_aaguid = caller.settings.zero_aaguid;
    let plan = Plan {
        work: Work::Create(Box::new(wish)),
        pending,
        signal: terms.signal,
        entropy,
        conditional: None,
        profile: caller.profile,
        origin: origin.as_str().to_owned(),
        _mark: mark,
    };
    Ok(Request::new(Operation::Create, now, plan, timeout))
}

/// `[[DiscoverFromExternalSource]]`.
pub(crate) fn get(
    page: &Page,
    now: Instant,
    mut options: RequestOptions,
    terms: Terms,
    (entropy, mark): (Entropy, Mark),
) -> Result<Request, Cause> {
    let caller = Caller::new(page);
    let mut timeout = caller.timeout(options.timeout);
    options.timeout = in_millis(&timeout);
    options.extensions.retain(|extension| caller.settings.can(extension));
    let payment = options.extensions.payment.clone();
    if payment.is_some() && !caller.settings.payment_handler {
        return Err(Cause::NotPaymentHandler);
    }
    let extensions = options.extensions.check(&options.allow);
    let conditional = (terms.mediation == Mediation::Conditional).then(|| {
        // The list becomes a filter, and the call waits until it is picked or aborted.
        timeout.effective = None;
        options.allow.drain(..).map(|credential| credential.id).collect()
    });
    let origin = page.origin()?;
    let asked = options.rp_id.as_deref();
    let Claim { rp_id, lookup } = match payment {
        // Whoever is paid signs nobody in: the identifier is the bank's.
        Some(_) => {
            Claim { rp_id: asked.and_then(ascii_domain).ok_or(Cause::RpIdMismatch)?, lookup: None }
        }
        None => caller.claim(&origin, asked)?,
    };
    let kind = if payment.is_some() { payment::TYPE } else { client_data::GET };
    let extra = payment.map(|payment| payment.client_data(&rp_id, page.top_origin()));
    let json = caller.client_data(kind, &origin, &options.challenge, extra.as_deref());
    let app_id = get::check_app_id(&options, &origin);
    let rest = extensions
        .and_then(|()| app_id.as_ref().map(drop).map_err(Cause::clone))
        .and_then(|()| aborted(terms.signal.as_ref(), now));
    let pending = pending(lookup, rest)?;
    let mut wish = GetWish::new(options, rp_id, json);
    wish.hinted = wish.options.hinted;
    wish.app_id = app_id.unwrap_or_default();
    wish.attests = caller.settings.attestation_at_sign_in;
    wish.enterprise = caller.settings.enterprise.contains(&wish.rp_id);
    let plan = Plan {
        work: Work::Get(Box::new(wish)),
        pending,
        signal: terms.signal,
        entropy,
        conditional,
        profile: caller.profile,
        origin: origin.as_str().to_owned(),
        _mark: mark,
    };
    Ok(Request::new(Operation::Get, now, plan, timeout))
}

/// What the steps need to know of the page.
pub(crate) struct Caller {
    profile: Profile,
    settings: Settings,
    /// The top-level origin, if the caller is in a frame of another one.
    top_origin: Option<String>,
}

impl Caller {
    pub(crate) fn new(page: &Page) -> Self {
        let cross_origin = !page.is_same_origin_with_ancestors();
        Self {
            profile: page.profile().clone(),
            settings: page.profile().settings(),
            top_origin: cross_origin.then(|| page.top_origin().to_owned()),
        }
    }

    /// The relying party identifier, and what has to be looked up before the caller may have it.
    pub(crate) fn claim(&self, origin: &Origin, asked: Option<&str>) -> Result<Claim, Cause> {
        match (origin.rp_id(asked), asked.and_then(ascii_domain)) {
            (Err(Cause::RpIdMismatch), Some(rp_id))
                if self.settings.can(Capability::RelatedOrigins) =>
            {
                let labels = self.settings.related_origin_labels;
                let lookup = Some(Lookup::new(&rp_id, origin, labels)?);
                Ok(Claim { rp_id, lookup })
            }
            (rp_id, _) => Ok(Claim { rp_id: rp_id?, lookup: None }),
        }
    }

    fn timeout(&self, asked: Option<u64>) -> Timeout {
        Timeout { asked, effective: Some(self.settings.timeout.effective(asked)) }
    }

    fn client_data(
        &self,
        kind: &str,
        origin: &Origin,
        challenge: &[u8],
        payment: Option<&str>,
    ) -> Vec<u8> {
        let extra = self.settings.client_data_extra.clone().filter(|extra| !extra.is_empty());
        let extra = extra.map(|extra| serde_json::Value::Object(extra).to_string());
        let extra = match (payment, extra) {
            (Some(payment), Some(extra)) => {
                let (head, tail) = (payment.strip_suffix('}'), extra.strip_prefix('{'));
                head.zip(tail).map(|(head, tail)| format!("{head},{tail}"))
            }
            (payment, extra) => payment.map(str::to_owned).or(extra),
        };
        ClientData {
            kind,
            challenge,
            origin: origin.as_str(),
            cross_origin: self.top_origin.is_some(),
            top_origin: self.top_origin.as_deref(),
            extra: extra.as_deref(),
        }
        .to_json()
    }
}

/// A relying party identifier that may depend on a lookup.
pub(crate) struct Claim {
    pub(crate) rp_id: String,
    pub(crate) lookup: Option<Lookup>,
}

/// What comes behind the identifier counts only once it is granted.
fn pending(lookup: Option<Lookup>, rest: Result<(), Cause>) -> Result<Option<Pending>, Cause> {
    match lookup {
        Some(lookup) => Ok(Some((lookup, rest))),
        None => rest.map(|()| None),
    }
}

/// What a ceremony that polls a CTAP1 key goes by.
fn in_millis(timeout: &Timeout) -> Option<u64> {
    timeout.effective.and_then(|time| u64::try_from(time.as_millis()).ok())
}
