//! The named variants: for each step of a relying party's verification one response that fails there.

use softkey_ctap::auth_data::Flags;

use super::{Deviations, FLAGS};
use crate::client_data::{CREATE, GET};

/// A named way to be wrong.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// Its name on a command line.
    pub name: &'static str,
    /// Which check fails, by the section of WebAuthn Level 3.
    pub step: &'static str,
    apply: fn(&mut Deviations),
}

impl Variant {
    /// What is wrong.
    #[must_use]
    pub fn deviations(&self) -> Deviations {
        let mut deviations = Deviations::default();
        (self.apply)(&mut deviations);
        deviations
    }
}

/// The credential that the variant `registered` makes, every time: with the second account it belongs to somebody already.
pub const SAME_CREDENTIAL: [u8; 32] = *b"softkey: the same credential ...";

const ATTACKER: &str = "https://attacker.example";

const fn variant(name: &'static str, step: &'static str, apply: fn(&mut Deviations)) -> Variant {
    Variant { name, step, apply }
}

const TYPE: Variant = variant("credential-type", "5.1: type is public-key", |it| {
    it.credential_type = Some("password".to_owned());
});
const CHALLENGE: Variant = variant("challenge", "7.1, 7.2: challenge", |it| {
    it.challenge = Some(b"another challenge of 32 bytes...".to_vec());
});
const ORIGIN: Variant =
    variant("origin", "7.1, 7.2: origin", |it| it.origin = Some(ATTACKER.to_owned()));
const SUBDOMAIN: Variant = variant("origin-of-no-page", "7.1, 7.2: origin, to the letter", |it| {
    it.origin = Some("https://example.org.attacker.example".to_owned());
});
const CROSS_ORIGIN: Variant =
    variant("cross-origin", "7.1, 7.2: crossOrigin", |it| it.cross_origin = true);
const TOP_ORIGIN: Variant = variant("top-origin", "7.1, 7.2: topOrigin", |it| {
    it.cross_origin = true;
    it.top_origin = Some(ATTACKER.to_owned());
});
const RP_ID_HASH: Variant = variant("rp-id-hash", "7.1, 7.2: rpIdHash", |it| {
    it.rp_id = Some("attacker.example".to_owned());
});
const NOT_PRESENT: Variant = variant("not-present", "7.1, 7.2: UP", |it| {
    it.flags = Some(Flags::USER_VERIFIED);
});
const NOT_VERIFIED: Variant = variant("not-verified", "7.1, 7.2: UV, if it is required", |it| {
    it.flags = Some(Flags::USER_PRESENT);
});
const BACKUP_STATE: Variant = variant("backup-state-alone", "7.1, 7.2: BS without BE", |it| {
    it.flags = Some(FLAGS.with_if(true, Flags::BACKUP_STATE));
});
const OTHER_KEY: Variant =
    variant("other-key", "7.1, 7.2: the signature", |it| it.other_key = true);
const OTHER_HASH: Variant =
    variant("other-hash", "7.1, 7.2: what is signed", |it| it.other_hash = true);
const OTHER_ID: Variant = variant("other-id", "7.1, 7.2: whose credential it is", |it| {
    it.id = Some(vec![7; 32]);
});

/// The variants at registration. Those about the statement fail only where attestation was asked for, `registered` only
/// when it comes for the second time.
pub const REGISTRATION: &[Variant] = &[
    TYPE,
    variant("type", "7.1: type is webauthn.create", |it| it.kind = Some(GET.to_owned())),
    CHALLENGE,
    ORIGIN,
    SUBDOMAIN,
    CROSS_ORIGIN,
    TOP_ORIGIN,
    RP_ID_HASH,
    NOT_PRESENT,
    NOT_VERIFIED,
    BACKUP_STATE,
    variant("no-credential", "7.1: attested credential data", |it| it.attested = true),
    variant("algorithm", "7.1: alg is one that was asked for", |it| it.algorithm = true),
    variant("format", "7.1: fmt is known", |it| {
        it.format = Some("unheard-of".to_owned());
    }),
    variant("none-with-statement", "8.7: none has no statement", |it| {
        it.format = Some("none".to_owned());
    }),
    variant("statement-algorithm", "8.2: alg of self attestation", |it| {
        it.statement_algorithm = true;
    }),
    OTHER_KEY,
    OTHER_HASH,
    OTHER_ID,
    variant("registered", "7.1: registered for nobody yet, if it is made twice", |it| {
        it.credential_id = Some(SAME_CREDENTIAL.to_vec());
    }),
    variant("long-credential-id", "7.1: at most 1023 bytes", |it| {
        it.credential_id = Some(vec![9; 1024]);
    }),
];

/// The variants at sign-in.
pub const AUTHENTICATION: &[Variant] = &[
    TYPE,
    variant("type", "7.2: type is webauthn.get", |it| it.kind = Some(CREATE.to_owned())),
    CHALLENGE,
    ORIGIN,
    SUBDOMAIN,
    CROSS_ORIGIN,
    TOP_ORIGIN,
    RP_ID_HASH,
    NOT_PRESENT,
    NOT_VERIFIED,
    BACKUP_STATE,
    variant("backup-eligible", "7.2: BE is as in the record", |it| {
        it.flags = Some(FLAGS.with_if(true, Flags::BACKUP_ELIGIBLE));
    }),
    OTHER_KEY,
    OTHER_HASH,
    variant("counter", "7.2: the counter grew", |it| it.sign_count = Some(1)),
    OTHER_ID,
    variant("user-handle", "7.2: whose account it is", |it| {
        it.user_handle = Some(b"somebody else".to_vec());
    }),
];
