//! A root of its own and, signed by it, the certificate of one server for all its names. Keys stay in memory.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// A root that nobody trusts yet.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// A new root.
    ///
    /// # Errors
    ///
    /// What rcgen gives when the system has no entropy.
    pub fn new() -> Result<Self, rcgen::Error> {
        let mut root = CertificateParams::default();
        root.distinguished_name.push(DnType::CommonName, "softkey scripted provider, root");
        root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        CertifiedIssuer::self_signed(root, KeyPair::generate()?).map(Self)
    }

    /// The root in PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// The root in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        self.0.der()
    }

    /// What a TLS server of these names, or addresses, needs.
    ///
    /// # Errors
    ///
    /// A name that is none, or what rustls refuses.
    pub fn server(&self, names: &[String]) -> Result<Arc<ServerConfig>, String> {
        let text = |error: &dyn ToString| error.to_string();
        let key = KeyPair::generate().map_err(|error| text(&error))?;
        let mut leaf = CertificateParams::new(names).map_err(|error| text(&error))?;
        leaf.distinguished_name.push(DnType::CommonName, "softkey scripted provider");
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = leaf.signed_by(&key, &self.0).map_err(|error| text(&error))?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let chain: Vec<CertificateDer<'static>> = vec![certificate.der().clone()];
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(ring)
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(chain, key));
        config.map(Arc::new).map_err(|error| text(&error))
    }
}
