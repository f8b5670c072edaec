//! What a key's interface tells the host about its reports (CTAP 2.3, 11.2.8.2).

/// The FIDO report descriptor: one input and one output report of 64 bytes, no report numbers.
#[rustfmt::skip]
pub const REPORT_DESCRIPTOR: [u8; 34] = [
    0x06, 0xD0, 0xF1, // usage page: FIDO alliance
    0x09, 0x01,       // usage: authenticator device
    0xA1, 0x01,       // collection: application
    0x09, 0x20,       //   usage: input report data
    0x15, 0x00,       //   logical minimum 0
    0x26, 0xFF, 0x00, //   logical maximum 255
    0x75, 0x08,       //   report size 8 bits
    0x95, 0x40,       //   report count 64
    0x81, 0x02,       //   input: data, variable, absolute
    0x09, 0x21,       //   usage: output report data
    0x15, 0x00,       //   logical minimum 0
    0x26, 0xFF, 0x00, //   logical maximum 255
    0x75, 0x08,       //   report size 8 bits
    0x95, 0x40,       //   report count 64
    0x91, 0x02,       //   output: data, variable, absolute
    0xC0,             // end of collection
];
