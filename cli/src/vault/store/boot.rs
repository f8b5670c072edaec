//! [`Boot`]: when was the system last started anew?

/// Names the time from one start of the operating system to the next, in which nothing that was written can
/// get lost. 16 bytes, new at each start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Boot(pub [u8; 16]);

impl Boot {
    /// The present one, if the system tells (Linux does).
    #[must_use]
    pub fn current() -> Option<Self> {
        let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        let mut bytes = [0; 16];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        (digits.len() == 32).then_some(Self(bytes))
    }
}
