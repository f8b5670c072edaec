//! The number spaces of CTAPHID: channels, commands, error codes, keepalive states, capability bits
//! (CTAP 2.3, section 11.2). Each keeps every value the wire can carry.

use core::fmt;

/// A logical channel: the four bytes that open every report, big-endian (section 11.2.3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(u32);

impl ChannelId {
    /// Zero, which no channel ever has.
    pub const RESERVED: Self = Self(0);
    /// The channel every client may use, and only for INIT.
    pub const BROADCAST: Self = Self(u32::MAX);

    /// The channel with this number; any number, the two special ones too.
    #[must_use]
    pub const fn from_u32(number: u32) -> Self {
        Self(number)
    }

    /// The channel's number.
    #[must_use]
    pub const fn as_u32(self) -> u32 {
        self.0
    }

    /// Whether a device may hand this number out: neither zero nor broadcast.
    #[must_use]
    pub const fn is_allocatable(self) -> bool {
        self.0 != Self::RESERVED.0 && self.0 != Self::BROADCAST.0
    }
}

impl fmt::Debug for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChannelId({self})")
    }
}

/// Eight hexadecimal digits.
impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// One table of number, constant, name and sentence for a number space in one byte.
macro_rules! byte_names {
    ($type:ident; $($value:literal $constant:ident $name:literal $doc:literal;)+) => {
        impl $type {
            $(#[doc = $doc] pub const $constant: Self = Self($value);)+

            /// The byte itself.
            #[must_use]
            pub const fn as_u8(self) -> u8 {
                self.0
            }

            /// The standard's name, if it gives one.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($name),)+
                    _ => None,
                }
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($type), "({})"), self)
            }
        }

        /// The standard's name, else the number in hexadecimal.
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, "0x{:02X}", self.0),
                }
            }
        }
    };
}

/// A command, 0x00 to 0x7F, without the bit that marks an initialization packet (section 11.2.9).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Command(u8);

byte_names! { Command;
    0x01 PING "CTAPHID_PING" "Echo of 0 to 7609 bytes.";
    0x03 MSG "CTAPHID_MSG" "A raw CTAP1/U2F APDU.";
    0x04 LOCK "CTAPHID_LOCK" "Exclusive use of the device for 0 to 10 seconds.";
    0x06 INIT "CTAPHID_INIT" "Allocates a channel, or resynchronises one.";
    0x08 WINK "CTAPHID_WINK" "Asks the device to show itself.";
    0x10 CBOR "CTAPHID_CBOR" "A CTAP2 command byte and its CBOR.";
    0x11 CANCEL "CTAPHID_CANCEL" "Ends the pending CBOR request of its channel.";
    0x3B KEEPALIVE "CTAPHID_KEEPALIVE" "Device to host: the request is in work.";
    0x3F ERROR "CTAPHID_ERROR" "Device to host: the transaction failed; one byte, a [`HidError`].";
}

impl Command {
    /// The command in the fifth byte of an initialization packet; bit 7 is dropped.
    #[must_use]
    pub const fn from_u8(byte: u8) -> Self {
        Self(byte & 0x7F)
    }
}

/// The one byte of an ERROR answer (section 11.2.9.1.6). Every value is legal on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HidError(pub u8);

byte_names! { HidError;
    0x01 INVALID_CMD "ERR_INVALID_CMD" "Unknown or unsupported command.";
    0x02 INVALID_PAR "ERR_INVALID_PAR" "A parameter is out of range.";
    0x03 INVALID_LEN "ERR_INVALID_LEN" "Announced length over 7609, or wrong for the command.";
    0x04 INVALID_SEQ "ERR_INVALID_SEQ" "A packet out of order inside a message.";
    0x05 MSG_TIMEOUT "ERR_MSG_TIMEOUT" "The message was not completed in time.";
    0x06 CHANNEL_BUSY "ERR_CHANNEL_BUSY" "The device works for another request; try again later.";
    0x0A LOCK_REQUIRED "ERR_LOCK_REQUIRED" "The command needs the lock.";
    0x0B INVALID_CHANNEL "ERR_INVALID_CHANNEL" "The channel was never allocated, or may not carry this command.";
    0x7F OTHER "ERR_OTHER" "Unspecified error.";
}

impl core::error::Error for HidError {}

/// What a KEEPALIVE says (section 11.2.9.1.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// `STATUS_PROCESSING`, 1.
    Processing,
    /// `STATUS_UPNEEDED`, 2: the device waits for the user.
    UserNeeded,
}

impl Status {
    /// The byte on the wire.
    #[must_use]
    pub const fn as_u8(self) -> u8 {
        match self {
            Self::Processing => 1,
            Self::UserNeeded => 2,
        }
    }

    /// The state a byte stands for. Values the standard does not define count as processing.
    #[must_use]
    pub const fn from_u8(byte: u8) -> Self {
        if byte == 2 { Self::UserNeeded } else { Self::Processing }
    }
}

/// The capability byte of an INIT answer (section 11.2.9.1.3). Undefined bits are kept and ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Capabilities(pub u8);

impl Capabilities {
    const WINK: u8 = 0x01;
    const CBOR: u8 = 0x04;
    const NMSG: u8 = 0x08;

    /// The byte of a device with these commands.
    #[must_use]
    pub const fn new(wink: bool, cbor: bool, msg: bool) -> Self {
        let wink = if wink { Self::WINK } else { 0 };
        let cbor = if cbor { Self::CBOR } else { 0 };
        let msg = if msg { 0 } else { Self::NMSG };
        Self(wink | cbor | msg)
    }

    /// WINK is there.
    #[must_use]
    pub const fn wink(self) -> bool {
        self.0 & Self::WINK != 0
    }

    /// CBOR is there: a CTAP2 authenticator.
    #[must_use]
    pub const fn cbor(self) -> bool {
        self.0 & Self::CBOR != 0
    }

    /// MSG is there: U2F works. On the wire the bit says the contrary.
    #[must_use]
    pub const fn msg(self) -> bool {
        self.0 & Self::NMSG == 0
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn known_bytes_print_the_standards_name_and_others_the_number() {
        assert_eq!(format!("{}", HidError::CHANNEL_BUSY), "ERR_CHANNEL_BUSY");
        assert_eq!(format!("{}", HidError(0x42)), "0x42");
        assert_eq!(format!("{:?}", Command::from_u8(0x90)), "Command(CTAPHID_CBOR)");
        assert_eq!(format!("{}", ChannelId::from_u32(0xA0B)), "00000a0b");
    }

    #[test]
    fn capabilities_invert_the_msg_bit() {
        assert_eq!(Capabilities::new(true, true, true).0, 0x05);
        assert_eq!(Capabilities::new(false, true, false).0, 0x0C);
        let odd = Capabilities(0xF2);
        assert!(!odd.wink() && !odd.cbor() && odd.msg());
    }

    #[test]
    fn keepalive_states_survive_the_wire() {
        for status in [Status::Processing, Status::UserNeeded] {
            assert_eq!(Status::from_u8(status.as_u8()), status);
        }
        assert_eq!(Status::from_u8(0), Status::Processing);
    }
}
