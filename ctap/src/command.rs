//! CTAP2 command codes (`CTAP` 2.3).

/// The first byte of a CTAP2 request. Every value is legal; known ones have names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct Command(pub u8);

macro_rules! commands {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        impl Command {
            $($(#[$doc])* pub const $name: Self = Self($code);)*

            /// The command's name in the standard, if it has one.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$name => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

commands! {
    /// Makes a credential.
    MAKE_CREDENTIAL = 0x01, "authenticatorMakeCredential";
    /// Signs with a credential.
    GET_ASSERTION = 0x02, "authenticatorGetAssertion";
    /// Says what the authenticator is and can do.
    GET_INFO = 0x04, "authenticatorGetInfo";
    /// Everything about the PIN and pinUvAuthTokens.
    CLIENT_PIN = 0x06, "authenticatorClientPIN";
    /// Back to the factory state.
    RESET = 0x07, "authenticatorReset";
    /// The next of several accounts.
    GET_NEXT_ASSERTION = 0x08, "authenticatorGetNextAssertion";
    /// Fingerprints.
    BIO_ENROLLMENT = 0x09, "authenticatorBioEnrollment";
    /// Lists, deletes and edits discoverable credentials.
    CREDENTIAL_MANAGEMENT = 0x0a, "authenticatorCredentialManagement";
    /// Asks for a touch, to choose among several authenticators.
    SELECTION = 0x0b, "authenticatorSelection";
    /// The serialized large-blob array.
    LARGE_BLOBS = 0x0c, "authenticatorLargeBlobs";
    /// Settings.
    CONFIG = 0x0d, "authenticatorConfig";
    /// authenticatorBioEnrollment as `FIDO_2_1_PRE` had it.
    BIO_ENROLLMENT_PREVIEW = 0x40, "authenticatorBioEnrollment (preview)";
    /// authenticatorCredentialManagement as `FIDO_2_1_PRE` had it.
    CREDENTIAL_MANAGEMENT_PREVIEW = 0x41, "authenticatorCredentialManagement (preview)";
}
