//! Whom an attestation leads to: the trust paths of a registration against a set of roots (WebAuthn Level 3 section
//! 7.1, steps 23 and 24; RFC 5280 section 6, without revocation and without policies).

use std::fmt;

use x509_cert::Certificate;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::oid::db::rfc5280::{
    ID_CE_BASIC_CONSTRAINTS, ID_CE_EXT_KEY_USAGE, ID_CE_KEY_USAGE, ID_CE_SUBJECT_ALT_NAME,
};
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};

use super::certificate::{is_signed_by, read};
use super::{Attestation, Registered};

/// Certificates in which a relying party trusts: of roots, of intermediates, or of single authenticators.
#[derive(Clone, Debug)]
pub struct TrustRoots(Vec<Link>);

/// A certificate, and the bytes it was read from.
#[derive(Clone, Debug)]
struct Link {
    certificate: Certificate,
    der: Vec<u8>,
}

/// How far an attestation is to be trusted. Whether that is enough is the relying party's policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// There is no attestation.
    None,
    /// The credential attested itself.
    SelfSigned,
    /// Every certificate leads to one of the roots.
    Anchored,
}

/// Why a trust path does not lead to a root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustFault {
    /// A certificate cannot be read.
    Unreadable,
    /// A certificate is not valid yet, or no longer.
    Validity,
    /// A certificate has a critical extension that is not understood here.
    CriticalExtension,
    /// A certificate is followed by one of another name than its issuer's.
    Issuer,
    /// An issuer's certificate does not entitle it to issue.
    Authority,
    /// An issuer may not stand that far above.
    PathLength,
    /// A certificate's signature is not its issuer's.
    Signature,
    /// The path ends without having met a root.
    NoAnchor,
}

impl TrustRoots {
    /// The roots with these certificates, in DER.
    ///
    /// # Errors
    ///
    /// [`TrustFault::Unreadable`] if one cannot be read.
    pub fn new<D: AsRef<[u8]>>(certificates: &[D]) -> Result<Self, TrustFault> {
        certificates.iter().map(|der| Link::read(der.as_ref())).collect::<Result<_, _>>().map(Self)
    }

    /// Assesses a registration at a time in seconds since 1970.
    ///
    /// # Errors
    ///
    /// Why the first path that does not lead to a root does not.
    pub fn assess(&self, registered: &Registered, at: u64) -> Result<Trust, TrustFault> {
        for path in &registered.trust_paths {
            self.follow(&path.certificates, at)?;
        }
        Ok(match registered.attestation {
            Attestation::None => Trust::None,
            Attestation::SelfSigned => Trust::SelfSigned,
            Attestation::Certificate => Trust::Anchored,
        })
    }

    /// Follows one path until it meets a root.
    fn follow(&self, path: &[Vec<u8>], at: u64) -> Result<(), TrustFault> {
        let links = path.iter().map(|der| Link::read(der));
        let links = links.collect::<Result<Vec<_>, _>>()?;
        let mut below = 0;
        for (number, link) in links.iter().enumerate() {
            link.is_acceptable(at)?;
            if self.0.iter().any(|root| root.der == link.der) {
                return Ok(());
            }
            // The leaf does not count; nor do those that issued themselves.
            below += usize::from(number > 0 && !link.is_self_issued());
            let mut roots = self.0.iter();
            if roots.any(|root| root.is_acceptable(at).is_ok() && root.issued(link, below).is_ok())
            {
                return Ok(());
            }
            let Some(issuer) = links.get(number + 1) else { break };
            issuer.issued(link, below)?;
        }
        Err(TrustFault::NoAnchor)
    }
}

impl Link {
    fn read(der: &[u8]) -> Result<Self, TrustFault> {
        let certificate = read(der).ok_or(TrustFault::Unreadable)?;
        Ok(Self { certificate, der: der.to_vec() })
    }

    fn is_self_issued(&self) -> bool {
        let body = self.certificate.tbs_certificate();
        body.issuer() == body.subject()
    }

    /// What is asked of every certificate.
    fn is_acceptable(&self, at: u64) -> Result<(), TrustFault> {
        const UNDERSTOOD: [ObjectIdentifier; 4] =
            [ID_CE_BASIC_CONSTRAINTS, ID_CE_KEY_USAGE, ID_CE_SUBJECT_ALT_NAME, ID_CE_EXT_KEY_USAGE];
        let body = self.certificate.tbs_certificate();
        let validity = body.validity();
        let seconds = |time: x509_cert::time::Time| time.to_unix_duration().as_secs();
        if !(seconds(validity.not_before)..=seconds(validity.not_after)).contains(&at) {
            return Err(TrustFault::Validity);
        }
        let mut extensions = body.extensions().into_iter().flatten();
        if extensions.any(|it| it.critical && !UNDERSTOOD.contains(&it.extn_id)) {
            return Err(TrustFault::CriticalExtension);
        }
        Ok(())
    }

    /// Did the holder of this certificate issue `link`, with as many intermediate ones `below` itself?
    fn issued(&self, link: &Self, below: usize) -> Result<(), TrustFault> {
        let (issuer, subject) = (self.certificate.tbs_certificate(), &link.certificate);
        if subject.tbs_certificate().issuer() != issuer.subject() {
            return Err(TrustFault::Issuer);
        }
        let constraints = issuer.get_extension::<BasicConstraints>().ok().flatten();
        let Some((_, BasicConstraints { ca: true, path_len_constraint })) = constraints else {
            return Err(TrustFault::Authority);
        };
        let usage = issuer.get_extension::<KeyUsage>().map_err(|_| TrustFault::Authority)?;
        if usage.is_some_and(|(_, usage)| !usage.key_cert_sign()) {
            return Err(TrustFault::Authority);
        }
        if path_len_constraint.is_some_and(|most| below > usize::from(most)) {
            return Err(TrustFault::PathLength);
        }
        if !is_signed_by(subject, &link.der, &self.certificate) {
            return Err(TrustFault::Signature);
        }
        Ok(())
    }
}

impl fmt::Display for TrustFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreadable => "A certificate cannot be read.",
            Self::Validity => "A certificate is not valid at this time.",
            Self::CriticalExtension => "A critical extension of a certificate is not understood.",
            Self::Issuer => "A certificate is followed by one that is not its issuer's.",
            Self::Authority => "A certificate was issued by one who may not.",
            Self::PathLength => "A certificate was issued too far below its root.",
            Self::Signature => "A certificate's signature is wrong.",
            Self::NoAnchor => "The certificates lead to no root that is trusted.",
        })
    }
}

impl std::error::Error for TrustFault {}

#[cfg(test)]
mod tests;
