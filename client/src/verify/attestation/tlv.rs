//! DER values one after the other, with tags of any length: what two vendors' extensions are made of, whose schemas
//! no library has.

pub(super) const SEQUENCE: u32 = 0x30;
pub(super) const OCTET_STRING: u32 = 0x04;

/// The constructed value with this context-specific tag.
pub(super) const fn context(number: u32) -> u32 {
    if number < 0x1f { 0xa0 | number } else { 0xbf00 | number << 16 }
}

/// The first value: its tag, its content and what comes behind it.
pub(super) fn first(bytes: &[u8]) -> Option<(u32, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (tag, rest) =
        if tag & 0x1f == 0x1f { long_tag(*tag, rest)? } else { (u32::from(*tag), rest) };
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match *length {
        short @ 0..=0x7f => (usize::from(short), rest),
        long => {
            let (digits, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            if digits.is_empty() || digits.len() > 3 {
                return None;
            }
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// A tag of two or three bytes, its number in the upper half.
fn long_tag(first: u8, rest: &[u8]) -> Option<(u32, &[u8])> {
    let end = rest.iter().position(|byte| byte & 0x80 == 0).filter(|end| *end < 2)?;
    let (number, rest) = rest.split_at_checked(end + 1)?;
    let number = number.iter().fold(0, |number, byte| number << 7 | u32::from(byte & 0x7f));
    Some((u32::from(first) << 8 | number << 16, rest))
}

/// All values, if the bytes end with the last.
pub(super) fn all(mut bytes: &[u8]) -> Option<Vec<(u32, &[u8])>> {
    let mut values = Vec::new();
    while !bytes.is_empty() {
        let (tag, content, rest) = first(bytes)?;
        values.push((tag, content));
        bytes = rest;
    }
    Some(values)
}

/// The content of a single value with this tag.
pub(super) fn only(tag: u32, bytes: &[u8]) -> Option<&[u8]> {
    first(bytes).filter(|(found, _, rest)| *found == tag && rest.is_empty()).map(|(_, it, _)| it)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_lengths_of_every_size() {
        assert_eq!(first(&[0x04, 1, 7, 9]), Some((OCTET_STRING, &[7][..], &[9][..])));
        assert_eq!(only(context(702), &[0xbf, 0x85, 0x3e, 1, 7]), Some(&[7][..]));
        assert_eq!(only(context(600), &[0xbf, 0x84, 0x58, 0]), Some(&[][..]));
        assert_eq!(only(context(1), &[0xa1, 0x81, 1, 7]), Some(&[7][..]));
        let long = [&[0x30, 0x82, 1, 0], [7; 256].as_slice()].concat();
        assert_eq!(only(SEQUENCE, &long).map(<[u8]>::len), Some(256));
    }

    #[test]
    fn what_is_cut_or_endless_is_nothing() {
        for bytes in [
            &[][..],
            &[4],
            &[4, 2, 7],
            &[4, 0x82, 1],
            &[0x30, 0x80, 0, 0],
            &[0xbf, 0xff],
            &[4, 0x84, 0, 0, 0, 0],
            &[0xbf, 0xff, 0xff, 0x01, 0],
        ] {
            assert_eq!(first(bytes), None, "{bytes:?}");
        }
        assert_eq!(all(&[4, 0, 4]), None);
        assert_eq!(only(OCTET_STRING, &[4, 0, 4, 0]), None);
    }
}
