//! One batch: is there room, make room, write it, and only then know of it.

use alloc::vec::Vec;

use embedded_storage::nor_flash::NorFlash;
use softkey_authenticator::Change;

use crate::collect;
use crate::entry::{Body, FIRST, LAST, PIECE, Piece};
use crate::error::Error;
use crate::medium::{Medium, Slot};
use crate::page::Page;
use crate::state::{RESERVE, State, charge};

/// Makes all changes or none.
pub(crate) fn commit<F: NorFlash>(
    medium: &Medium<F>,
    state: &mut State,
    changes: &[Change<'_>],
) -> Result<(), Error<F::Error>> {
    let mut pieces = Vec::new();
    let mut before = 0;
    for change in changes {
        let old = old_bytes(medium, state, change)?;
        if old > 0 || matches!(change, Change::Put(..)) {
            cut(change, &mut pieces);
        }
        before += old;
    }
    if pieces.is_empty() {
        return Ok(());
    }
    let after: u32 = pieces.iter().map(new_bytes).sum();
    // What does not grow is never refused: a sign-in, a deletion, a reset. Only where most records are of a quarter of a
    // page and more, of which fewer fit a page than are counted, may there be no room to make room in.
    if after > before && state.live() - before.min(state.live()) + after > state.capacity() {
        return Err(Error::Full);
    }
    let next_batch = state.next_batch.checked_add(1).ok_or(Error::Full)?;
    state.quiet = state.quiet.saturating_add(1);
    make_room(medium, state, &pieces)?;
    let slots = write(medium, state, &pieces)?;
    state.next_batch = next_batch;
    enter(medium, state, &pieces, &slots)
}

/// What the record that is changed counts for now.
fn old_bytes<F: NorFlash>(
    medium: &Medium<F>,
    state: &State,
    change: &Change<'_>,
) -> Result<u32, Error<F::Error>> {
    let Ok(mut at) = state.find(medium, change.key(), 0)? else { return Ok(0) };
    let mut bytes = 0;
    while let Some(slot) = state.index.get(at) {
        let word = medium.record(*slot)?.word;
        bytes += charge(word);
        if !word.more {
            break;
        }
        at += 1;
    }
    Ok(bytes)
}

/// What a record counts for if its key shares nothing.
fn new_bytes(piece: &Piece<'_>) -> u32 {
    piece.value.map_or(0, |_| charge(Body::default().word(piece)))
}

fn cut<'a>(change: &'a Change<'a>, pieces: &mut Vec<Piece<'a>>) {
    let (key, value) = match change {
        Change::Delete(key) => {
            return pieces.push(Piece { key, number: 0, more: false, value: None });
        }
        Change::Put(key, value) => (key, *value),
    };
    let (mut number, mut rest) = (0, value);
    loop {
        let (value, left) = rest.split_at(PIECE.min(rest.len()));
        let more = !left.is_empty();
        pieces.push(Piece { key, number, more, value: Some(value) });
        if !more {
            return;
        }
        (number, rest) = (number + 1, left);
    }
}

/// A part of the batch, on its way.
struct Load {
    body: Body,
    /// It begins a page.
    fresh: bool,
    flags: u8,
}

/// Divides the batch into parts, as many as the pages make necessary.
fn pack<E>(
    mut room: u32,
    pieces: &[Piece<'_>],
    out: &mut dyn FnMut(Load) -> Result<(), E>,
) -> Result<(), E> {
    let mut load = Load { body: Body::default(), fresh: false, flags: FIRST };
    for piece in pieces {
        if load.body.total_with(piece) > room {
            let next = Load { body: Body::default(), fresh: true, flags: load.flags };
            let full = core::mem::replace(&mut load, next);
            if !full.body.is_empty() {
                load.flags = 0;
                out(full)?;
            }
            room = Page::ROOM;
        }
        load.body.push(piece);
    }
    load.flags |= LAST;
    out(load)
}

/// Collects pages until the batch fits.
fn make_room<F: NorFlash>(
    medium: &Medium<F>,
    state: &mut State,
    pieces: &[Piece<'_>],
) -> Result<(), Error<F::Error>> {
    let most = state.pages.len() * 2;
    for _ in 0..most {
        let mut pages = RESERVE;
        pack(state.room(), pieces, &mut |load| {
            pages += usize::from(load.fresh);
            Ok::<_, Error<F::Error>>(())
        })?;
        if pages <= state.free() {
            return Ok(());
        }
        collect::fullest_of_garbage(medium, state)?;
    }
    Err(Error::Full)
}

/// Writes the parts, and gives the slot of each piece.
fn write<F: NorFlash>(
    medium: &Medium<F>,
    state: &mut State,
    pieces: &[Piece<'_>],
) -> Result<Vec<Slot>, Error<F::Error>> {
    let mut slots = Vec::with_capacity(pieces.len());
    pack(state.room(), pieces, &mut |Load { body, fresh, flags }| {
        if fresh {
            state.open_page(medium)?;
        }
        let records = body.records();
        let at = state.append(medium, &body.finish(flags, state.next_batch))?;
        slots.extend((0..records).map(|number| Slot::new(at, number)));
        Ok(())
    })?;
    Ok(slots)
}

/// Makes the index that of after the batch.
fn enter<F: NorFlash>(
    medium: &Medium<F>,
    state: &mut State,
    pieces: &[Piece<'_>],
    slots: &[Slot],
) -> Result<(), Error<F::Error>> {
    for (piece, slot) in pieces.iter().zip(slots) {
        let mut at = match state.find(medium, piece.key, piece.number)? {
            Ok(at) => {
                state.leave(medium, at)?;
                at
            }
            Err(at) => at,
        };
        if piece.value.is_some() {
            state.index.insert(at, *slot);
            state.enter(*slot, medium.record(*slot)?.word)?;
            at += 1;
        }
        // What is left of a longer value.
        while !piece.more
            && let Some(slot) = state.index.get(at)
            && medium.record(*slot)?.key == *piece.key
        {
            state.leave(medium, at)?;
        }
    }
    Ok(())
}
