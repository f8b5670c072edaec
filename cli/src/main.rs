//! A FIDO2 security key made of software, and a manager for any FIDO key.

fn main() {}
