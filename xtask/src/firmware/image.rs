//! From an ELF file to what boards are flashed with: UF2 for a drive that a boot ROM shows, Intel HEX for programmers.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::house::Result;

/// Bytes of flash in a block of UF2.
const PAGE: u32 = 256;

/// Pieces of flash, by address.
pub(super) struct Image(BTreeMap<u32, Vec<u8>>);

impl Image {
    /// What an ELF file for a small ARM says is to be loaded, where it is to lie in flash.
    pub(super) fn of_elf(elf: &[u8]) -> Result<Self> {
        let broken = "no ELF file of 32 bits, least significant byte first";
        if elf.get(..6) != Some(b"\x7fELF\x01\x01") {
            return Err(broken.into());
        }
        let headers = word(elf, 28).ok_or(broken)?;
        let (len, count) =
            half(elf, 42).zip(half(elf, 44)).ok_or("the ELF file's header is cut off")?;
        let mut pieces = BTreeMap::new();
        for number in 0..u32::from(count) {
            let at = headers + number * u32::from(len);
            let field = |offset| word(elf, at + offset).ok_or("a program header is cut off");
            let (kind, offset, address, size) = (field(0)?, field(4)?, field(12)?, field(16)?);
            // Of those to be loaded (1) some are all zeros in RAM.
            if kind == 1 && size > 0 {
                let bytes = bytes(elf, offset, size).ok_or("a segment is cut off")?;
                pieces.insert(address, bytes.to_vec());
            }
        }
        if pieces.is_empty() {
            return Err("there is nothing to load in the ELF file".into());
        }
        Ok(Self(pieces))
    }

    /// Where the first piece begins.
    pub(super) fn start(&self) -> u32 {
        self.0.keys().next().copied().unwrap_or_default()
    }

    /// Is this word somewhere in these addresses, at a multiple of four from where its piece begins?
    pub(super) fn has_word(&self, word: u32, within: &Range<u32>) -> bool {
        self.0.iter().any(|(start, bytes)| {
            let words = (*start..).step_by(4).zip(bytes.chunks_exact(4));
            words.into_iter().any(|(at, found)| within.contains(&at) && found == word.to_le_bytes())
        })
    }

    /// Where the pieces end.
    pub(super) fn end(&self) -> u32 {
        self.0.iter().map(|(at, bytes)| at + length(bytes)).max().unwrap_or_default()
    }

    /// As UF2 for this family of chips: a block for every page that a piece touches, what lies between pieces zero.
    pub(super) fn uf2(&self, family: u32) -> Vec<u8> {
        let mut pages: BTreeMap<u32, [u8; PAGE as usize]> = BTreeMap::new();
        for (start, bytes) in &self.0 {
            for (at, byte) in (*start..).zip(bytes) {
                let page = pages.entry(at - at % PAGE).or_insert([0; PAGE as usize]);
                if let Some(place) = page.get_mut((at % PAGE) as usize) {
                    *place = *byte;
                }
            }
        }
        let count = u32::try_from(pages.len()).unwrap_or(u32::MAX);
        let mut out = Vec::new();
        for (number, (address, page)) in (0..count).zip(&pages) {
            // The flag says that a family follows where the file's size would.
            let head = [0x0A32_4655, 0x9E5D_5157, 0x2000, *address, PAGE, number, count, family];
            out.extend(head.iter().flat_map(|word: &u32| word.to_le_bytes()));
            out.extend(page);
            out.extend([0; 476 - PAGE as usize]);
            out.extend(0x0AB1_6F30_u32.to_le_bytes());
        }
        out
    }

    /// As Intel HEX, 16 bytes to a line.
    pub(super) fn hex(&self) -> String {
        let mut out = String::new();
        let mut upper = None;
        for (start, bytes) in &self.0 {
            let mut at = *start;
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                if upper != Some(at >> 16) {
                    upper = Some(at >> 16);
                    line(&mut out, 0, 4, &[at.to_be_bytes()[0], at.to_be_bytes()[1]]);
                }
                // A line does not cross what the one before it gave.
                let room = usize::try_from(0x1_0000 - (at & 0xFFFF)).unwrap_or(16);
                let (now, later) = rest.split_at(rest.len().min(16).min(room));
                line(&mut out, at & 0xFFFF, 0, now);
                at += length(now);
                rest = later;
            }
        }
        line(&mut out, 0, 1, &[]);
        out
    }
}

/// A record of Intel HEX: length, address, kind, bytes, and what makes the sum zero.
fn line(out: &mut String, address: u32, kind: u8, bytes: &[u8]) {
    use std::fmt::Write as _;
    let [_, _, high, low] = address.to_be_bytes();
    let mut record = vec![length(bytes).to_le_bytes()[0], high, low, kind];
    record.extend(bytes);
    let sum = record.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    record.push(sum.wrapping_neg());
    out.push(':');
    for byte in record {
        let _ = write!(out, "{byte:02X}");
    }
    out.push('\n');
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

fn bytes(file: &[u8], at: u32, len: u32) -> Option<&[u8]> {
    let start = usize::try_from(at).ok()?;
    file.get(start..start.checked_add(usize::try_from(len).ok()?)?)
}

fn word(file: &[u8], at: u32) -> Option<u32> {
    Some(u32::from_le_bytes(bytes(file, at, 4)?.try_into().ok()?))
}

fn half(file: &[u8], at: u32) -> Option<u16> {
    Some(u16::from_le_bytes(bytes(file, at, 2)?.try_into().ok()?))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An ELF file with these segments: kind, physical address, bytes, and bytes in memory.
    pub(in super::super) fn elf(segments: &[(u32, u32, &[u8])]) -> Vec<u8> {
        let mut file = b"\x7fELF\x01\x01".to_vec();
        file.resize(52, 0);
        file[28..32].copy_from_slice(&52_u32.to_le_bytes());
        file[42..44].copy_from_slice(&32_u16.to_le_bytes());
        file[44..46].copy_from_slice(&u16::try_from(segments.len()).unwrap().to_le_bytes());
        let mut at = u32::try_from(52 + 32 * segments.len()).unwrap();
        for (kind, address, bytes) in segments {
            let len = length(bytes);
            for word in [*kind, at, 0x2000_0000, *address, len, len + 8, 5, 4] {
                file.extend(word.to_le_bytes());
            }
            at += len;
        }
        file.extend(segments.iter().flat_map(|(_, _, bytes)| *bytes));
        file
    }

    #[test]
    fn segments_are_taken_where_they_lie_in_flash() {
        let file = elf(&[(1, 0x1000_0100, b"code"), (6, 0, b"stack"), (1, 0x1000_0200, b"")]);
        let image = Image::of_elf(&file).unwrap();
        assert_eq!(image.0, BTreeMap::from([(0x1000_0100, b"code".to_vec())]));
        assert_eq!(image.end(), 0x1000_0104);
    }

    #[test]
    fn start_and_words_are_found_by_their_addresses() {
        let file = elf(&[(1, 0x2000, b"abcdefgh"), (1, 0x1000, b"ijkl")]);
        let image = Image::of_elf(&file).unwrap();
        assert_eq!(image.start(), 0x1000);
        let word = u32::from_le_bytes(*b"efgh");
        assert!(image.has_word(word, &(0x1000..0x2005)));
        assert!(!image.has_word(word, &(0x1000..0x2004)));
        assert!(!image.has_word(u32::from_le_bytes(*b"bcde"), &(0..0x3000)));
    }

    #[test]
    fn what_is_no_such_file_is_refused() {
        let whole = elf(&[(1, 0x1000_0100, b"code")]);
        for end in [0, 5, 40, 60, whole.len() - 1] {
            assert!(Image::of_elf(&whole[..end]).is_err(), "{end} bytes");
        }
        let mut wide = whole;
        wide[4] = 2;
        assert!(Image::of_elf(&wide).is_err());
        assert!(Image::of_elf(&elf(&[(1, 0x2000_0000, b"")])).is_err());
    }

    /// The format's own description: 512 bytes to a block, three magic numbers, payload of 256 at 32.
    #[test]
    fn uf2_has_a_block_for_every_page_that_is_touched() {
        let long = [7; 300];
        let image =
            Image::of_elf(&elf(&[(1, 0x1000_00F0, &long), (1, 0x1000_1000, b"far")])).unwrap();
        let file = image.uf2(0xE48B_FF56);
        let blocks: Vec<&[u8]> = file.chunks(512).collect();
        assert_eq!(file.len(), 4 * 512);
        for (number, (block, address)) in
            (0..).zip(blocks.iter().zip([0x1000_0000, 0x1000_0100, 0x1000_0200, 0x1000_1000]))
        {
            let words: Vec<u32> =
                block.chunks(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect();
            let head = [0x0A32_4655, 0x9E5D_5157, 0x2000, address, 256, number, 4, 0xE48B_FF56];
            assert_eq!(words[..8], head);
            assert_eq!(words[127], 0x0AB1_6F30);
            assert!(block[32 + 256..508].iter().all(|byte| *byte == 0));
        }
        assert_eq!(blocks[0][32..][..256], [[0; 240].as_slice(), &[7; 16]].concat());
        assert_eq!(blocks[1][32..][..256], [7; 256]);
        assert_eq!(blocks[2][32..][..29], [[7; 28].as_slice(), &[0]].concat());
        assert_eq!(&blocks[3][32..][..4], b"far\0");
    }

    #[test]
    fn hex_has_the_address_before_the_bytes_and_an_end() {
        let image = Image::of_elf(&elf(&[(1, 0x0001_FFFC, b"abcdef"), (1, 0x1000, b"x")])).unwrap();
        let expected = ":020000040000FA\n:01100000787 7\n:020000040001F9\n:04FFFC0061626364 77\n\
             :020000040002F8\n:020000006566 33\n:00000001FF\n";
        assert_eq!(image.hex(), expected.replace(' ', ""));
    }

    #[test]
    fn every_line_of_hex_sums_to_zero() {
        let image = Image::of_elf(&elf(&[(1, 0xFFF3, &[0xA5; 100])])).unwrap();
        let text = image.hex();
        for line in text.lines() {
            let digits = line.strip_prefix(':').unwrap();
            let bytes = (0..digits.len()).step_by(2);
            let sum = bytes.fold(0_u8, |sum, at| {
                sum.wrapping_add(u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
            });
            assert_eq!(sum, 0, "{line}");
        }
    }
}
