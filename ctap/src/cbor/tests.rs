//! The strict reader by hand-made bytes: one test per rule of CTAP2 canonical CBOR. The property tests against
//! an independent reader and writer are in `tests/standard`.

use alloc::{vec, vec::Vec};

use super::*;

const MALFORMED: Result<(), DecodeError> = Err(DecodeError::Malformed);

/// Three levels with every type of item that CTAP2 knows, and text of two, three and four bytes a character.
const MIXED: &[u8] = b"\xa4\x01\x58\x18\
    abcdefghijklmnopqrstuvwx\
    \x19\x01\x00\x82\xf4\xf6\
    \x20\xa2\x61a\x38\x63\x62\xc3\xbc\x83\xf5\x1a\x00\x01\x00\x00\x1b\x00\x00\x00\x01\x00\x00\x00\x00\
    \x64type\x67\xe6\xb0\xb4\xf0\x90\x85\x91";

/// CB-03
#[test]
fn nothing_may_follow_the_item() {
    assert_eq!(check(MIXED), Ok(()));
    for extra in 0..=u8::MAX {
        assert_eq!(check(&[MIXED, &[extra]].concat()), MALFORMED, "behind it {extra:02x}");
    }
    assert_eq!(decode::<u64>(&[0x01, 0x02]), Err(DecodeError::Malformed));
}

/// CB-04
#[test]
fn a_message_cut_anywhere_is_malformed() {
    for end in 0..MIXED.len() {
        assert_eq!(check(&MIXED[..end]), MALFORMED, "cut to {end} bytes");
    }
}

/// CB-05
#[test]
fn indefinite_lengths_are_malformed() {
    let messages: [&[u8]; 7] = [
        &[0x5f, 0x41, 0x61, 0xff],
        &[0x7f, 0x61, 0x61, 0xff],
        &[0x9f, 0x01, 0xff],
        &[0xbf, 0x01, 0x02, 0xff],
        &[0xa1, 0x01, 0x9f, 0xff],
        &[0x81, 0xbf, 0xff],
        &[0xff],
    ];
    for message in messages {
        assert_eq!(check(message), MALFORMED, "{message:02x?}");
    }
    // The reserved lengths 28 to 30 and the break, of every major type.
    for head in (0..8_u8).flat_map(|major| (28..=31).map(move |info| (major << 5) | info)) {
        assert_eq!(check(&[&[head][..], &[0; 16]].concat()), MALFORMED, "{head:02x}");
    }
}

/// CB-06: at each width the least number that needs it is right and the greatest that does not is wrong.
#[test]
fn only_the_shortest_head_is_canonical() {
    let widths: [(u8, usize, u64, u64); 4] = [
        (24, 1, 0x17, 0x18),
        (25, 2, 0xff, 0x100),
        (26, 4, 0xffff, 0x1_0000),
        (27, 8, 0xffff_ffff, 0x1_0000_0000),
    ];
    for (info, bytes, too_long_for, needed_by) in widths {
        let head = |major: u8, value: u64| {
            [&[(major << 5) | info][..], &value.to_be_bytes()[8 - bytes..]].concat()
        };
        for major in [0, 1] {
            assert_eq!(check(&head(major, needed_by)), Ok(()), "{major}, {needed_by}");
            for value in [0, too_long_for] {
                assert_eq!(check(&head(major, value)), MALFORMED, "{major}, {value} in {bytes}");
            }
        }
        // Lengths and counts, with as much behind them as they say: zero bytes, or the keys 0, 1, 2 ...
        for major in 2..=5 {
            let content = |count: u64| match major {
                2..=4 => vec![0; usize::try_from(count).unwrap()],
                _ => (0..count).flat_map(|key| [encode(&key), vec![0]].concat()).collect(),
            };
            if needed_by < 0x1_0000_0000 {
                let right = [head(major, needed_by), content(needed_by)].concat();
                assert_eq!(check(&right), Ok(()), "{major}, {needed_by}");
            }
            if too_long_for < 0xffff_ffff {
                let wrong = [head(major, too_long_for), content(too_long_for)].concat();
                assert_eq!(check(&wrong), MALFORMED, "{major}, {too_long_for} in {bytes}");
            }
            assert_eq!(check(&head(major, 0)), MALFORMED, "{major}, 0 in {bytes}");
        }
    }
}

/// CB-07
#[test]
fn duplicate_keys_are_malformed() {
    let keys: [&[u8]; 5] = [&[0x01], &[0x20], &[0x41, 0x61], &[0x61, 0x61], &[0xf5]];
    for key in keys {
        let map = [&[0xa2][..], key, &[0x00], key, &[0x01]].concat();
        assert_eq!(check(&map), MALFORMED, "{key:02x?} twice");
        let nested = [&[0xa1, 0x01, 0xa2][..], key, &[0x00], key, &[0x00]].concat();
        assert_eq!(check(&nested), MALFORMED, "{key:02x?} twice inside");
    }
    // Not neighbours: then the order is wrong already.
    assert_eq!(check(&[0xa3, 0x01, 0x00, 0x02, 0x00, 0x01, 0x00]), MALFORMED);
    // In different maps nothing is said twice.
    assert_eq!(check(&[0x82, 0xa1, 0x01, 0x00, 0xa1, 0x01, 0x00]), Ok(()));
}

/// CB-08: major type, then length, then bytes.
#[test]
fn keys_stand_in_canonical_order() {
    let ascending: [&[u8]; 21] = [
        &[0x00],
        &[0x17],
        &[0x18, 0x18],
        &[0x18, 0xff],
        &[0x19, 0x01, 0x00],
        // Unsigned before negative, however long; -1 first.
        &[0x20],
        &[0x22],
        &[0x38, 0x18],
        // Byte strings before text.
        &[0x40],
        &[0x41, 0x00],
        &[0x41, 0xff],
        &[0x42, 0x00, 0x00],
        // Text by length, then bytes: upper case before lower.
        &[0x60],
        &[0x61, b'Z'],
        &[0x61, b'a'],
        &[0x62, b'r', b'k'],
        &[0x64, b'p', b'l', b'a', b't'],
        // By length, though the bytes would say otherwise.
        &[0x80],
        &[0x82, 0x00, 0x00],
        &[0x81, 0x62, b'a', b'a'],
        &[0xf4],
    ];
    for (i, first) in ascending.iter().enumerate() {
        for (j, second) in ascending.iter().enumerate() {
            let map = [&[0xa2][..], first, &[0x00], second, &[0x00]].concat();
            let wanted = if i < j { Ok(()) } else { MALFORMED };
            assert_eq!(check(&map), wanted, "{first:02x?} then {second:02x?}");
            let nested = [&[0x81, 0xa1, 0x01][..], &map].concat();
            assert_eq!(check(&nested), wanted, "inside: {first:02x?} then {second:02x?}");
        }
    }
    let all: Vec<u8> = ascending.iter().flat_map(|key| [key, &[0xf6][..]].concat()).collect();
    assert_eq!(check(&[&[0xb5][..], &all].concat()), Ok(()));
}

/// CB-08, in the tables: the order that the compiler checks is the one that [`check`] wants.
#[test]
fn the_order_of_tables_is_the_order_of_the_wire() {
    let keys = [
        Key::Int(0),
        Key::Int(23),
        Key::Int(24),
        Key::Int(256),
        Key::Int(i64::MAX),
        Key::Int(-1),
        Key::Int(-25),
        Key::Int(i64::MIN),
        Key::Text(""),
        Key::Text("b"),
        Key::Text("aa"),
        Key::Text("ab"),
        Key::Text("zzz"),
    ];
    let write = |key: &Key<'_>, into: &mut Encoder| match key {
        Key::Int(key) => into.integer(*key),
        Key::Text(key) => into.text(key),
    };
    for a in &keys {
        for b in &keys {
            let mut map = Encoder::new();
            map.map(2);
            write(a, &mut map);
            map.unsigned(0);
            write(b, &mut map);
            map.unsigned(0);
            assert_eq!(canonical(&[*a, *b]), check(&map.into_bytes()).is_ok(), "{a:?}, {b:?}");
        }
    }
    assert!(canonical(&keys) && canonical(&[]));
    assert!(!canonical(&[Key::Int(1), Key::Int(2), Key::Int(2)]));
}

/// CB-09
#[test]
fn text_is_utf_8() {
    let wrong: [&[u8]; 9] = [
        &[0xff],
        &[0x80],
        &[0xc3],
        &[0xc0, 0x80],
        &[0xe6, 0xb0],
        &[0xed, 0xa0, 0x80],
        &[0xf4, 0x90, 0x80, 0x80],
        &[0xf8, 0x88, 0x80, 0x80, 0x80],
        b"ok until \xfe",
    ];
    for text in wrong {
        let mut item = vec![0x60 | u8::try_from(text.len()).unwrap()];
        item.extend_from_slice(text);
        assert_eq!(check(&item), MALFORMED, "{text:02x?}");
        let value = [&[0xa1, 0x01][..], &item].concat();
        assert_eq!(check(&value), MALFORMED, "{text:02x?} as a value");
        let key = [&[0xa1][..], &item, &[0x00]].concat();
        assert_eq!(check(&key), MALFORMED, "{text:02x?} as a key");
        // As a byte string it is nobody's business.
        item[0] ^= 0x20;
        assert_eq!(check(&item), Ok(()), "{text:02x?} as bytes");
    }
}

/// CB-10
#[test]
fn tags_floats_and_other_simple_values_are_malformed() {
    let items: [&[u8]; 12] = [
        &[0xc0, 0x60],
        &[0xc1, 0x00],
        &[0xc2, 0x41, 0x01],
        &[0xd8, 0x18, 0x40],
        &[0xd9, 0xd9, 0xf7, 0xa0],
        &[0xf9, 0x3c, 0x00],
        &[0xfa, 0x47, 0xc3, 0x50, 0x00],
        &[0xfb, 0x3f, 0xf1, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a],
        &[0xf7],
        &[0xf8, 0x14],
        &[0xf8, 0x20],
        &[0xf8, 0xff],
    ];
    let reserved: Vec<[u8; 1]> = (0xe0..0xf4).map(|head| [head]).collect();
    let reserved = reserved.iter().map(|item| &item[..]);
    for item in items.into_iter().chain(reserved) {
        assert_eq!(check(item), MALFORMED, "{item:02x?}");
        for before in [&[0x81][..], &[0xa1, 0x01], &[0x81, 0xa1, 0x61, 0x61]] {
            assert_eq!(check(&[before, item].concat()), MALFORMED, "{item:02x?} in {before:02x?}");
        }
        assert_eq!(check(&[&[0xa1][..], item, &[0x00]].concat()), MALFORMED, "{item:02x?} as key");
    }
}

/// CB-10: null is well-formed, and never the right type.
#[test]
fn null_is_only_a_wrong_type() {
    const NULL: &[u8] = &[0xf6];
    assert_eq!(check(NULL), Ok(()));
    assert_eq!(decode::<u64>(NULL), Err(DecodeError::UnexpectedType));
    assert_eq!(decode::<i64>(NULL), Err(DecodeError::UnexpectedType));
    assert_eq!(decode::<bool>(NULL), Err(DecodeError::UnexpectedType));
    assert_eq!(decode::<&str>(NULL), Err(DecodeError::UnexpectedType));
    assert_eq!(decode::<&[u8]>(NULL), Err(DecodeError::UnexpectedType));
    assert_eq!(decode::<[u8; 1]>(NULL), Err(DecodeError::UnexpectedType));
    assert_eq!(decode::<List<'_, u64>>(NULL), Err(DecodeError::UnexpectedType));
}

/// CB-11
#[test]
fn four_levels_are_accepted_and_five_refused() {
    for (open, innermost) in [(&[0x81][..], 0x80), (&[0xa1, 0x01], 0xa0), (&[0x81], 0xa0)] {
        let nested = |levels: usize| [open.repeat(levels - 1), vec![innermost]].concat();
        for levels in 1..=4 {
            assert_eq!(check(&nested(levels)), Ok(()), "{levels} levels of {open:02x?}");
        }
        for levels in [5, 6, 100, 100_000] {
            assert_eq!(check(&nested(levels)), MALFORMED, "{levels} levels of {open:02x?}");
        }
    }
    // Neighbours are not deeper, and a key counts like a value.
    assert_eq!(check(&[0x82, 0x81, 0x81, 0x80, 0x81, 0x81, 0x80]), Ok(()));
    assert_eq!(check(&[0x81, 0xa1, 0x81, 0x80, 0x00]), Ok(()));
    assert_eq!(check(&[0x81, 0xa1, 0x81, 0x81, 0x80, 0x00]), MALFORMED);
}

/// CB-11: levels are counted in what nobody looks at, from where it stands.
#[test]
fn unknown_members_are_no_deeper_than_known_ones() {
    let deep = [vec![0x81; 1_000_000], vec![0x80]].concat();
    assert_eq!(Decoder::new(&deep).skip(), MALFORMED);
    // {1: [...]} in a message without members: the map is the first level.
    let unknown = |levels: usize| [&[0xa1, 0x01][..], &vec![0x81; levels - 2], &[0x80]].concat();
    let read = |bytes: &[u8]| {
        let mut decoder = Decoder::strict(bytes, MAX_DEPTH);
        decoder.entries(|_, _| Ok(false)).map(|()| decoder.depth())
    };
    assert_eq!(read(&unknown(4)), Ok(0));
    assert_eq!(read(&unknown(5)), Err(DecodeError::Malformed));
}

/// Attestation objects and what they are made of may have a level more than other messages, read by either order.
#[test]
fn readers_within_other_levels_count_as_exactly() {
    let nested = |levels: usize| [vec![0x81; levels - 1], vec![0x80]].concat();
    for (levels, read) in [(4, 4), (5, 5), (6, 5)] {
        let (bytes, fits) = (nested(levels), levels <= usize::from(read));
        let raw = if fits { Ok(Raw(&bytes)) } else { Err(DecodeError::Malformed) };
        assert_eq!(decode_within::<Raw<'_>>(&bytes, read), raw, "{levels} levels");
        assert_eq!(decode_unsorted_within::<Raw<'_>>(&bytes, read), raw, "{levels} levels");
        assert_eq!(check_within(&bytes, read).is_ok(), fits, "{levels} levels");
        // Malformed before the wrong type.
        let kind = if fits { DecodeError::UnexpectedType } else { DecodeError::Malformed };
        assert_eq!(decode_unsorted_within::<u64>(&bytes, read), Err(kind), "{levels} levels");
    }
    let unsorted = [0xa2, 0x02, 0x00, 0x01, 0x00];
    assert_eq!(decode_unsorted_within::<Raw<'_>>(&unsorted, 5), Ok(Raw(&unsorted)));
    assert_eq!(decode_within::<Raw<'_>>(&unsorted, 5), Err(DecodeError::Malformed));
}

/// What [`Decoder::new`] is for: keys in any order, nothing else.
#[test]
fn a_lenient_reader_takes_keys_in_any_order() {
    let unsorted = [0xa2, 0x02, 0xa2, 0x61, b'b', 0x01, 0x61, b'a', 0x02, 0x01, 0x00];
    assert_eq!(decode::<Raw<'_>>(&unsorted), Err(DecodeError::Malformed));
    assert_eq!(Raw::decode(&mut Decoder::new(&unsorted)), Ok(Raw(&unsorted)));
    let mut labels = Vec::new();
    let read = Decoder::new(&unsorted).entries(|label, _| {
        labels.push(label);
        Ok(false)
    });
    assert_eq!((read, labels), (Ok(()), vec![Label::Int(2), Label::Int(1)]));
    let too_long = [0xa1, 0x18, 0x01, 0x00];
    assert_eq!(Raw::decode(&mut Decoder::new(&too_long)), Err(DecodeError::Malformed));
}

/// A key that stands twice has no meaning in any order, beside its twin or far from it, in maps that are read and in those
/// that are passed over.
#[test]
fn a_lenient_reader_takes_no_key_twice() {
    let beside = [0xa2, 0x01, 0x00, 0x01, 0x00];
    let apart = [0xa4, 0x02, 0x00, 0x61, b'a', 0x80, 0x01, 0xa1, 0x02, 0x00, 0x02, 0x01];
    let lowest = [0xa3, 0x01, 0x00, 0x02, 0x00, 0x01, 0x00];
    let text = [0xa3, 0x61, b'b', 0x00, 0x61, b'a', 0x00, 0x61, b'b', 0x00];
    for map in [&beside[..], &apart, &lowest, &text] {
        assert_eq!(decode_unsorted::<Raw<'_>>(map), Err(DecodeError::Malformed), "{map:02x?}");
        let read = Decoder::new(map).entries(|_, _| Ok(false));
        assert_eq!(read, MALFORMED, "{map:02x?}");
        let within = [&[0x81], map].concat();
        assert_eq!(decode_unsorted::<Raw<'_>>(&within), Err(DecodeError::Malformed), "{map:02x?}");
    }
    let distinct = [0xa4, 0x02, 0x00, 0x61, b'a', 0x80, 0x01, 0xa1, 0x02, 0x00, 0x03, 0x01];
    assert_eq!(decode_unsorted::<Raw<'_>>(&distinct), Ok(Raw(&distinct)));
}

/// Looking for twins does not look through maps within maps again and again: this would take days, not milliseconds.
#[test]
fn unsorted_maps_within_maps_are_judged_once() {
    let mut message = vec![0x00];
    for _ in 0..MAX_DEPTH {
        // The last map is the value of the first key; the others follow in falling order.
        message.splice(0..0, [0xb9, 0x01, 0xc1, 0x19, 0xff, 0xff]);
        for key in (0x1000_u16..0x11c0).rev() {
            let [high, low] = key.to_be_bytes();
            message.extend([0x19, high, low, 0x00]);
        }
    }
    assert!((7000..7609).contains(&message.len()));
    assert_eq!(decode_unsorted::<Raw<'_>>(&message), Ok(Raw(&message)));
    message.truncate(message.len() - 4);
    message.extend([0x19, 0xff, 0xff, 0x00]);
    assert_eq!(decode_unsorted::<Raw<'_>>(&message), Err(DecodeError::Malformed));
}

/// What [`decode_unsorted`] is for: a whole message, strict but for the order, with malformed before every other fault.
#[test]
fn a_whole_message_may_be_unsorted() {
    let unsorted = [0xa2, 0x02, 0x00, 0x01, 0x00];
    assert_eq!(decode_unsorted::<Raw<'_>>(&unsorted), Ok(Raw(&unsorted)));
    let behind = [0xa0, 0x00];
    assert_eq!(decode_unsorted::<Raw<'_>>(&behind), Err(DecodeError::Malformed));
    assert_eq!(decode_unsorted::<u64>(&unsorted), Err(DecodeError::UnexpectedType));
    assert_eq!(decode_unsorted::<u64>(&[0xa1, 0x18, 0x01, 0x00]), Err(DecodeError::Malformed));
    assert_eq!(decode_unsorted::<u64>(&[0xbf, 0xff]), Err(DecodeError::Malformed));
}

/// CB-15
#[test]
fn a_length_beyond_the_message_is_malformed() {
    for major in 2..=5_u8 {
        for length in [2_u64, 0x18, 0x100, 0x1_0000, 0x1_0000_0000, u64::MAX / 2, u64::MAX] {
            let mut head = Encoder::new();
            head.unsigned(length);
            let mut item = head.into_bytes();
            item[0] |= major << 5;
            for behind in [&[][..], &[0x00]] {
                let item = [&item, behind].concat();
                assert_eq!(check(&item), MALFORMED, "{major}, {length}, {behind:02x?}");
                let mut unchecked = Decoder::new(&item);
                assert_eq!(unchecked.skip(), MALFORMED, "{major}, {length}, {behind:02x?}");
                let list = <List<'_, u64>>::decode(&mut Decoder::new(&item));
                let wanted =
                    if major == 4 { DecodeError::Malformed } else { DecodeError::UnexpectedType };
                assert_eq!(list.err(), Some(wanted), "{major}, {length}, {behind:02x?}");
            }
        }
    }
}

/// A name, the types it takes, and how it reads.
type Reader = (&'static str, &'static [&'static str], fn(&[u8]) -> Result<(), DecodeError>);

/// CB-20
#[test]
fn each_type_is_only_itself() {
    let samples: [(&str, &[u8]); 8] = [
        ("unsigned", &[0x01]),
        ("negative", &[0x20]),
        ("bytes", &[0x41, 0x61]),
        ("text", &[0x61, 0x61]),
        ("array", &[0x81, 0x01]),
        ("map", &[0xa1, 0x01, 0x02]),
        ("boolean", &[0xf4]),
        ("null", &[0xf6]),
    ];
    let readers: [Reader; 8] = [
        ("u64", &["unsigned"], |bytes| decode::<u64>(bytes).map(drop)),
        ("i64", &["unsigned", "negative"], |bytes| decode::<i64>(bytes).map(drop)),
        ("bool", &["boolean"], |bytes| decode::<bool>(bytes).map(drop)),
        ("str", &["text"], |bytes| decode::<&str>(bytes).map(drop)),
        ("bytes", &["bytes"], |bytes| decode::<&[u8]>(bytes).map(drop)),
        ("one byte", &["bytes"], |bytes| decode::<[u8; 1]>(bytes).map(drop)),
        ("list", &["array"], |bytes| decode::<List<'_, u64>>(bytes).map(drop)),
        ("map", &["map"], |bytes| decode::<RawMap<'_>>(bytes).map(drop)),
    ];
    for (reader, takes, read) in readers {
        for (sample, bytes) in samples {
            let wanted =
                if takes.contains(&sample) { Ok(()) } else { Err(DecodeError::UnexpectedType) };
            assert_eq!(read(bytes), wanted, "{sample} as {reader}");
        }
    }
    assert_eq!((decode(&[0xf4]), decode(&[0xf5])), (Ok(false), Ok(true)));
}

#[test]
fn strings_of_fixed_length_name_their_fault() {
    assert_eq!(decode(&[0x42, 0x01, 0x02]), Ok([1_u8, 2]));
    for wrong in [&[0x40][..], &[0x41, 0x01], &[0x43, 0x01, 0x02, 0x03]] {
        assert_eq!(decode::<[u8; 2]>(wrong), Err(DecodeError::Length), "{wrong:02x?}");
    }
}

#[test]
fn integers_beyond_i64_come_as_the_ends_of_the_range() {
    let wide = |head: u8, value: u64| [&[head][..], &value.to_be_bytes()].concat();
    let last = u64::MAX / 2;
    assert_eq!(decode(&wide(0x1b, last)), Ok(i64::MAX));
    assert_eq!(decode(&wide(0x1b, last + 1)), Ok(i64::MAX));
    assert_eq!(decode(&wide(0x1b, u64::MAX)), Ok(i64::MAX));
    assert_eq!(decode(&wide(0x3b, last)), Ok(i64::MIN));
    assert_eq!(decode(&wide(0x3b, last - 1)), Ok(i64::MIN + 1));
    assert_eq!(decode(&wide(0x3b, u64::MAX)), Ok(i64::MIN));
    assert_eq!(decode(&wide(0x1b, u64::MAX)), Ok(u64::MAX));
}
