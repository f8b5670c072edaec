//! CTAP1/U2F: APDUs, the three commands and their responses (U2F raw message formats 1.2).

use alloc::vec::Vec;

/// The status word that ends every response. Every value is legal; known ones have names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StatusWord(pub u16);

impl StatusWord {
    /// Success.
    pub const NO_ERROR: Self = Self(0x9000);
    /// User presence is needed, or a check-only request found its key handle.
    pub const CONDITIONS_NOT_SATISFIED: Self = Self(0x6985);
    /// The command is not allowed: user verification is always needed.
    pub const COMMAND_NOT_ALLOWED: Self = Self(0x6986);
    /// The key handle is not of this authenticator and application, or the control byte is unknown.
    pub const WRONG_DATA: Self = Self(0x6a80);
    /// The length is wrong.
    pub const WRONG_LENGTH: Self = Self(0x6700);
    /// The class is not supported.
    pub const CLA_NOT_SUPPORTED: Self = Self(0x6e00);
    /// The instruction is not supported.
    pub const INS_NOT_SUPPORTED: Self = Self(0x6d00);
    /// Something else went wrong.
    pub const OTHER: Self = Self(0x6f00);

    /// The response that is this status word alone.
    #[must_use]
    pub fn to_bytes(self) -> Vec<u8> {
        self.0.to_be_bytes().to_vec()
    }

    /// A response: `data`, then this status word.
    #[must_use]
    pub fn behind(self, mut data: Vec<u8>) -> Vec<u8> {
        data.extend_from_slice(&self.0.to_be_bytes());
        data
    }

    /// Splits a response into data and status word; nothing if it is shorter than two bytes.
    #[must_use]
    pub fn split(response: &[u8]) -> Option<(&[u8], Self)> {
        response.split_last_chunk().map(|(data, word)| (data, Self(u16::from_be_bytes(*word))))
    }
}

/// A command APDU, in short or extended form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct Apdu<'b> {
    /// The class; 0 for U2F.
    pub cla: u8,
    /// The instruction.
    pub ins: u8,
    /// The first parameter.
    pub p1: u8,
    /// The second parameter.
    pub p2: u8,
    /// The data, at most 65535 bytes.
    pub data: Body<'b>,
}

/// The data of an APDU, as far as its length fields make sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub enum Body<'b> {
    /// The data; empty if there are none.
    Data(&'b [u8]),
    /// The length fields contradict the message.
    WrongLength,
}

impl<'b> Apdu<'b> {
    /// Reads an APDU. Contradicting lengths are kept as [`Body::WrongLength`], because class and instruction
    /// are judged before them. Nothing if the header of four bytes is not complete.
    #[must_use]
    pub fn from_bytes(bytes: &'b [u8]) -> Option<Self> {
        let (&[cla, ins, p1, p2], rest) = bytes.split_first_chunk()?;
        let data = body(rest).map_or(Body::WrongLength, Body::Data);
        Some(Self { cla, ins, p1, p2, data })
    }

    /// The extended form, which HID requires, with the longest answer allowed. Empty if there is no such form:
    /// more than 65535 bytes of data, or [`Body::WrongLength`].
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Body::Data(data) = self.data else {
            return Vec::new();
        };
        let Ok(len) = u16::try_from(data.len()) else {
            return Vec::new();
        };
        let mut bytes = alloc::vec![self.cla, self.ins, self.p1, self.p2, 0];
        if len > 0 {
            bytes.extend_from_slice(&len.to_be_bytes());
            bytes.extend_from_slice(data);
        }
        bytes.extend_from_slice(&[0, 0]);
        bytes
    }
}

/// The data behind the header: `Lc data [Le]`, `Le` or nothing, in short form, or in extended form behind a
/// zero byte. Clients also send an extended Lc of zero with an Le.
fn body(rest: &[u8]) -> Option<&[u8]> {
    match rest {
        [] | [_] | [0, _, _] | [0, 0, 0, _, _] => Some(&[]),
        [0, high, low, data @ ..] => {
            let len = usize::from(u16::from_be_bytes([*high, *low]));
            exact(data, len, 2)
        }
        [len, data @ ..] => exact(data, usize::from(*len), 1),
    }
}

/// `len` bytes of data with nothing behind them, or an Le of `le` bytes.
fn exact(data: &[u8], len: usize, le: usize) -> Option<&[u8]> {
    let (data, rest) = data.split_at_checked(len)?;
    if len > 0 && (rest.is_empty() || rest.len() == le) { Some(data) } else { None }
}

/// The instructions.
pub mod instruction {
    /// `U2F_REGISTER`.
    pub const REGISTER: u8 = 0x01;
    /// `U2F_AUTHENTICATE`.
    pub const AUTHENTICATE: u8 = 0x02;
    /// `U2F_VERSION`.
    pub const VERSION: u8 = 0x03;
}

/// The control byte of `U2F_AUTHENTICATE`, its first parameter.
pub mod control {
    /// Say only whether the key handle is known.
    pub const CHECK_ONLY: u8 = 0x07;
    /// Sign once user presence is shown.
    pub const ENFORCE_USER_PRESENCE: u8 = 0x03;
    /// Sign without user presence.
    pub const DONT_ENFORCE_USER_PRESENCE: u8 = 0x08;
}

/// The data of `U2F_REGISTER`: 64 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct RegisterRequest {
    /// SHA-256 of the client data.
    pub challenge: [u8; 32],
    /// SHA-256 of the application identity.
    pub application: [u8; 32],
}

impl RegisterRequest {
    /// Reads the data; nothing unless there are exactly 64 bytes.
    #[must_use]
    pub fn from_bytes(data: &[u8]) -> Option<Self> {
        let (challenge, application) = data.split_first_chunk()?;
        Some(Self { challenge: *challenge, application: application.try_into().ok()? })
    }

    /// The data.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [self.challenge, self.application].concat()
    }
}

/// The response to `U2F_REGISTER`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisterResponse<'b> {
    /// The public key: 0x04 and the coordinates of a point of P-256.
    pub public_key: &'b [u8; 65],
    /// The key handle, at most 255 bytes.
    pub key_handle: &'b [u8],
    /// The attestation certificate in DER.
    pub certificate: &'b [u8],
    /// The signature in DER.
    pub signature: &'b [u8],
}

impl<'b> RegisterResponse<'b> {
    const RESERVED: u8 = 0x05;

    /// The bytes; nothing if the key handle is longer than 255 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        let len = u8::try_from(self.key_handle.len()).ok()?;
        let mut bytes = alloc::vec![Self::RESERVED];
        bytes.extend_from_slice(self.public_key);
        bytes.push(len);
        bytes.extend_from_slice(self.key_handle);
        bytes.extend_from_slice(self.certificate);
        bytes.extend_from_slice(self.signature);
        Some(bytes)
    }

    /// Takes the bytes apart; nothing if they are of another form.
    #[must_use]
    pub fn from_bytes(bytes: &'b [u8]) -> Option<Self> {
        let (&reserved, rest) = bytes.split_first()?;
        let (public_key, rest) = rest.split_first_chunk()?;
        let (&len, rest) = rest.split_first()?;
        let (key_handle, rest) = rest.split_at_checked(usize::from(len))?;
        let (certificate, signature) = rest.split_at_checked(der_len(rest)?)?;
        if reserved != Self::RESERVED {
            return None;
        }
        Some(Self { public_key, key_handle, certificate, signature })
    }
}

/// The length of the DER SEQUENCE that `bytes` begin with, its head included. Lengths have one form in DER.
fn der_len(bytes: &[u8]) -> Option<usize> {
    let (len, head) = match bytes {
        [0x30, len @ ..=0x7f, ..] => (u16::from(*len), 2),
        [0x30, 0x81, len @ 0x80..=0xff, ..] => (u16::from(*len), 3),
        [0x30, 0x82, high @ 1..=0xff, low, ..] => (u16::from_be_bytes([*high, *low]), 4),
        _ => return None,
    };
    usize::from(len).checked_add(head)
}

/// The data of `U2F_AUTHENTICATE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct AuthenticateRequest<'b> {
    /// SHA-256 of the client data.
    pub challenge: [u8; 32],
    /// SHA-256 of the application identity.
    pub application: [u8; 32],
    /// The key handle, at most 255 bytes.
    pub key_handle: &'b [u8],
}

impl<'b> AuthenticateRequest<'b> {
    /// Reads the data; nothing if their length is not 65 and that of the key handle.
    #[must_use]
    pub fn from_bytes(data: &'b [u8]) -> Option<Self> {
        let (challenge, rest) = data.split_first_chunk()?;
        let (application, rest) = rest.split_first_chunk()?;
        let (&len, key_handle) = rest.split_first()?;
        if key_handle.len() != usize::from(len) {
            return None;
        }
        Some(Self { challenge: *challenge, application: *application, key_handle })
    }

    /// The data; nothing if the key handle is longer than 255 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        let len = u8::try_from(self.key_handle.len()).ok()?;
        let mut bytes = [self.challenge, self.application].concat();
        bytes.push(len);
        bytes.extend_from_slice(self.key_handle);
        Some(bytes)
    }
}

/// The response to `U2F_AUTHENTICATE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthenticateResponse<'b> {
    /// Bit 0: user presence was shown.
    pub user_presence: u8,
    /// The signature counter.
    pub counter: u32,
    /// The signature in DER.
    pub signature: &'b [u8],
}

impl<'b> AuthenticateResponse<'b> {
    /// The bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = alloc::vec![self.user_presence];
        bytes.extend_from_slice(&self.counter.to_be_bytes());
        bytes.extend_from_slice(self.signature);
        bytes
    }

    /// Takes the bytes apart; nothing if there are fewer than five.
    #[must_use]
    pub fn from_bytes(bytes: &'b [u8]) -> Option<Self> {
        let (&user_presence, rest) = bytes.split_first()?;
        let (counter, signature) = rest.split_first_chunk()?;
        Some(Self { user_presence, counter: u32::from_be_bytes(*counter), signature })
    }
}

/// The response to `U2F_VERSION`.
pub const VERSION: &[u8] = b"U2F_V2";

#[cfg(test)]
mod tests;
