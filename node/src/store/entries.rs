//! Entries as they lie in the store: bytes, the payload compressed.

use std::borrow::Cow;

use diwan_core::id::{EntryHash, GroupId, RecordId, Writer};
use diwan_core::limits;
use diwan_core::log::block::{self, Block};
use diwan_core::log::{Entry, HEADER_BYTES, Header, Payload, PayloadKind, SALT_BYTES, Salt};

use super::StoreError;

const SIGNED: u8 = 1;
const HAS_PAYLOAD: u8 = 2;
/// The payload lies compressed.
const PACKED: u8 = 4;

/// The record is not the payload's hash, and is named.
const NAMES_RECORD: u8 = 8;
/// The payload lies in a block.
const IN_BLOCK: u8 = 16;

/// The first byte of a row without what the log says; other rows begin with their header's tag.
const SHORT: u8 = 2;
/// Bytes of such a row's header, first byte and flags included.
const SHORT_BYTES: usize = 3 + 4 + 8 + 4 + 32 + 32;

/// Where an entry's payload is written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place<'a> {
    /// Into its row.
    Row,
    /// Into its row, as the frame of this block, which holds nothing else.
    Frame(&'a Block),
    /// Into the block of this sequence, at so many bytes.
    Block(u64, u32),
}

/// A payload as a row keeps it.
#[derive(Debug)]
pub(super) enum Kept {
    /// None.
    No,
    /// In the row.
    Here(Payload),
    /// In a block.
    InBlock {
        /// Its salt.
        salt: Salt,
        /// Sequence of the block.
        first: u64,
        /// Where in the block.
        offset: u32,
        /// Its bytes.
        bytes: u32,
    },
}

/// An entry's bytes where nothing else says whose it is: header, flags, signature if any, salt and
/// payload if any.
pub(super) fn to_bytes(entry: &Entry) -> Vec<u8> {
    let body = Body::of(entry, Place::Row);
    let mut bytes = Vec::with_capacity(HEADER_BYTES + body.len());
    bytes.extend(entry.header.to_bytes());
    bytes.push(body.flags());
    body.write(&mut bytes);
    bytes
}

/// The bytes of an entry in its log: without what the log's row and the key say.
pub(super) fn in_log_to_bytes(entry: &Entry, place: Place<'_>) -> Vec<u8> {
    let (body, header) = (Body::of(entry, place), &entry.header);
    let names_record = header.record.0 != header.payload_hash;
    let mut bytes = Vec::with_capacity(SHORT_BYTES + 32 + body.len());
    bytes.push(SHORT);
    bytes.push(body.flags() | flag(names_record, NAMES_RECORD));
    bytes.push(header.kind as u8);
    bytes.extend(header.height.to_be_bytes());
    bytes.extend(header.wall_ms.to_be_bytes());
    bytes.extend(header.payload_len.to_be_bytes());
    bytes.extend(header.payload_hash);
    bytes.extend(header.previous.0);
    if names_record {
        bytes.extend(header.record.0);
    }
    body.write(&mut bytes);
    bytes
}

/// Reads an entry back.
pub(super) fn from_bytes(bytes: &[u8]) -> Result<Entry, StoreError> {
    let damaged = || StoreError::row("entries");
    match read_entry(bytes).ok_or_else(damaged)? {
        (entry, Kept::No) => Ok(entry),
        (entry, Kept::Here(payload)) => Ok(with(entry, payload)),
        (_, Kept::InBlock { .. }) => Err(damaged()),
    }
}

/// Reads an entry of a log back, as far as its row goes; `log` says which log that is, where the row does
/// not.
pub(super) fn in_log(
    bytes: &[u8],
    seq: u64,
    log: impl FnOnce() -> Result<(GroupId, Writer), StoreError>,
) -> Result<(Entry, Kept), StoreError> {
    let read = match bytes.split_first() {
        Some((&SHORT, rest)) => read_short(rest, seq, log()?),
        _ => read_entry(bytes),
    };
    read.ok_or_else(|| StoreError::row("entries"))
}

/// An entry with its payload.
pub(super) fn with(mut entry: Entry, payload: Payload) -> Entry {
    entry.payload = Some(payload);
    entry
}

fn read_entry(bytes: &[u8]) -> Option<(Entry, Kept)> {
    let (header, rest) = bytes.split_at_checked(HEADER_BYTES)?;
    let header = Header::from_bytes(header).ok()?;
    let (flags, rest) = rest.split_first()?;
    read_body(header, *flags, rest)
}

fn read_short(bytes: &[u8], seq: u64, (group, writer): (GroupId, Writer)) -> Option<(Entry, Kept)> {
    let ([flags, kind], rest) = bytes.split_first_chunk()?;
    let (height, rest) = rest.split_first_chunk()?;
    let (wall_ms, rest) = rest.split_first_chunk()?;
    let (payload_len, rest) = rest.split_first_chunk()?;
    let (payload_hash, rest) = rest.split_first_chunk()?;
    let (previous, rest) = rest.split_first_chunk()?;
    let (record, rest) = match flags & NAMES_RECORD != 0 {
        true => rest.split_first_chunk()?,
        false => (payload_hash, rest),
    };
    let header = Header {
        group,
        record: RecordId(*record),
        writer,
        seq,
        previous: EntryHash(*previous),
        height: u32::from_be_bytes(*height),
        wall_ms: u64::from_be_bytes(*wall_ms),
        kind: PayloadKind::from_byte(*kind)?,
        payload_len: u32::from_be_bytes(*payload_len),
        payload_hash: *payload_hash,
    };
    let fits = header.payload_len as usize <= limits::PAYLOAD_BYTES;
    fits.then(|| read_body(header, *flags, rest))?
}

/// What follows the header.
struct Body<'a> {
    entry: &'a Entry,
    written: Written<'a>,
}

/// An entry's payload as its row is given it.
enum Written<'a> {
    None,
    Plain(&'a [u8]),
    Packed(Cow<'a, [u8]>),
    InBlock(u64, u32),
}

impl<'a> Body<'a> {
    fn of(entry: &'a Entry, place: Place<'a>) -> Self {
        let written = match (&entry.payload, place) {
            (None, _) => Written::None,
            (Some(_), Place::Block(first, offset)) => Written::InBlock(first, offset),
            (Some(_), Place::Frame(block)) if block.frame.len() < block.bytes => {
                Written::Packed(Cow::Borrowed(&block.frame))
            }
            (Some(payload), Place::Frame(_)) => Written::Plain(&payload.bytes),
            (Some(payload), Place::Row) => match block::pack_if_worth(&payload.bytes) {
                Some(frame) => Written::Packed(Cow::Owned(frame)),
                None => Written::Plain(&payload.bytes),
            },
        };
        Self { entry, written }
    }

    fn flags(&self) -> u8 {
        let payload = match self.written {
            Written::None => 0,
            Written::Plain(_) => HAS_PAYLOAD,
            Written::Packed(_) => HAS_PAYLOAD | PACKED,
            Written::InBlock(..) => HAS_PAYLOAD | IN_BLOCK,
        };
        payload | flag(self.entry.signature.is_some(), SIGNED)
    }

    fn payload(&self) -> &[u8] {
        match &self.written {
            Written::None | Written::InBlock(..) => &[],
            Written::Plain(bytes) => bytes,
            Written::Packed(frame) => frame,
        }
    }

    fn len(&self) -> usize {
        1 + 64 + SALT_BYTES + 12 + self.payload().len()
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        if let Some(signature) = &self.entry.signature {
            bytes.extend(signature);
        }
        if let Some(payload) = &self.entry.payload {
            bytes.extend(payload.salt);
        }
        if let Written::InBlock(first, offset) = self.written {
            bytes.extend(first.to_be_bytes());
            bytes.extend(offset.to_be_bytes());
        }
        bytes.extend(self.payload());
    }
}

fn flag(is_set: bool, flag: u8) -> u8 {
    if is_set { flag } else { 0 }
}

fn read_body(header: Header, flags: u8, mut rest: &[u8]) -> Option<(Entry, Kept)> {
    let mut signature = None;
    if flags & SIGNED != 0 {
        let (bytes, after) = rest.split_first_chunk::<64>()?;
        signature = Some(*bytes);
        rest = after;
    }
    let kept = match flags & HAS_PAYLOAD != 0 {
        true => read_payload(&header, flags, rest)?,
        false => Kept::No,
    };
    let entry = Entry {
        header,
        payload: None,
        signature,
    };
    Some((entry, kept))
}

fn read_payload(header: &Header, flags: u8, rest: &[u8]) -> Option<Kept> {
    let (salt, bytes) = rest.split_first_chunk::<SALT_BYTES>()?;
    if flags & IN_BLOCK != 0 {
        let (first, offset) = bytes.split_first_chunk()?;
        return Some(Kept::InBlock {
            salt: *salt,
            first: u64::from_be_bytes(*first),
            offset: u32::from_be_bytes(offset.try_into().ok()?),
            bytes: header.payload_len,
        });
    }
    let bytes = match flags & PACKED != 0 {
        true => block::unpack(bytes, header.payload_len as usize)?,
        false => bytes.to_vec(),
    };
    Some(Kept::Here(Payload::new(*salt, bytes)))
}

#[cfg(test)]
mod tests {
    use diwan_core::id::{Incarnation, NodeKey};
    use proptest::prelude::*;

    use super::*;

    fn entry(payload: Option<Vec<u8>>, signature: Option<[u8; 64]>) -> Entry {
        let payload = payload.map(|bytes| Payload::new([8; SALT_BYTES], bytes));
        Entry {
            header: Header {
                group: GroupId([1; 32]),
                record: RecordId([2; 32]),
                writer: Writer {
                    node: NodeKey([3; 32]),
                    incarnation: Incarnation(4),
                },
                seq: 5,
                previous: EntryHash([6; 32]),
                height: 7,
                wall_ms: 8,
                kind: PayloadKind::Change,
                payload_len: payload
                    .as_ref()
                    .map_or(9, |p| u32::try_from(p.bytes.len()).unwrap()),
                payload_hash: [10; 32],
            },
            payload,
            signature,
        }
    }

    proptest! {
        #[test]
        fn an_entry_reads_back(
            random in prop::collection::vec(any::<u8>(), 0..300),
            times in 1..40_usize,
            has_payload in any::<bool>(),
            is_signed in any::<bool>(),
        ) {
            let written = entry(has_payload.then(|| random.repeat(times)), is_signed.then_some([9; 64]));
            prop_assert_eq!(from_bytes(&to_bytes(&written)).unwrap(), written.clone());
            prop_assert_eq!(read_in_log(&in_log_to_bytes(&written, Place::Row), &written), written);
        }

        #[test]
        fn any_bytes_of_a_row_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let log = || Ok((GroupId([1; 32]), entry(None, None).header.writer));
            let short = [&[SHORT], bytes.as_slice()].concat();
            let _ = in_log(&short, 5, log);
            let _ = in_log(&bytes, 5, log);
        }
    }

    fn read_in_log(bytes: &[u8], written: &Entry) -> Entry {
        let header = &written.header;
        match in_log(bytes, header.seq, || Ok((header.group, header.writer))).unwrap() {
            (entry, Kept::Here(payload)) => with(entry, payload),
            (entry, Kept::No) => entry,
            (_, Kept::InBlock { .. }) => panic!("in no block"),
        }
    }

    #[test]
    fn a_row_of_a_log_leaves_out_whose_it_is_and_a_first_version_its_record() {
        let mut first = entry(Some(vec![7; 10]), None);
        let change = in_log_to_bytes(&first, Place::Row).len();
        assert_eq!(change, SHORT_BYTES + 32 + SALT_BYTES + 10);
        first.header.record = RecordId(first.header.payload_hash);
        let bytes = in_log_to_bytes(&first, Place::Row);
        assert_eq!(bytes.len(), change - 32);
        assert_eq!(read_in_log(&bytes, &first), first);
    }

    #[test]
    fn prose_takes_less_room_than_it_has_bytes_and_noise_no_more() {
        let rest = HEADER_BYTES + 1 + SALT_BYTES;
        let prose = b"the officer seals the device and signs the form; ".repeat(40);
        assert!(to_bytes(&entry(Some(prose.clone()), None)).len() < rest + prose.len() / 2);
        let noise: Vec<u8> = (0..200_u8).map(|at| at.wrapping_mul(151)).collect();
        assert_eq!(to_bytes(&entry(Some(noise), None)).len(), rest + 200);
    }

    #[test]
    fn rows_of_payloads_as_they_are_read_as_well() {
        let written = entry(Some(b"plain ".repeat(30)), None);
        let mut bytes = written.header.to_bytes().to_vec();
        bytes.push(HAS_PAYLOAD);
        bytes.extend([8; SALT_BYTES]);
        bytes.extend(b"plain ".repeat(30));
        assert_eq!(from_bytes(&bytes).unwrap(), written);
    }

    #[test]
    fn a_frame_of_another_size_than_the_header_says_is_damage() {
        let mut other = entry(Some(b"plain ".repeat(30)), None);
        other.header.payload_len += 1;
        assert!(from_bytes(&to_bytes(&other)).is_err());
    }
}
