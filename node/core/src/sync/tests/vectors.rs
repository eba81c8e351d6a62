//! Test vectors: frames of the sync protocol.

use crate::id::{GroupId, Incarnation, NodeKey, Writer};
use crate::limits;
use crate::log::Range;
use crate::log::block;
use crate::sync::message::Have;
use crate::sync::{Hello, Message, PROTOCOL_VERSION};
use crate::testing::{Pen, key};
use crate::vectors::{accepted, committed, hex, refused};
use crate::wire;

/// A batch of three entries, made by hand: its ranges, the lengths of their payloads, and these, a frame
/// each.
fn batch_of(
    change: impl FnOnce(&mut Range, &mut Vec<u32>, &mut Vec<Vec<u8>>),
) -> Vec<(&'static str, String)> {
    let whole = Pen::new(key(1), GroupId([1; 32])).range(3);
    let payloads = whole.entries.iter().map(|entry| entry.payload.clone());
    let mut payloads: Vec<Vec<u8>> = payloads.collect();
    let lengths = payloads
        .iter()
        .map(|payload| u32::try_from(payload.len()).unwrap());
    let mut lengths: Vec<u32> = lengths.collect();
    let mut range = whole.without_payloads();
    change(&mut range, &mut lengths, &mut payloads);
    let mut frame = vec![4];
    frame.extend(block::pack(&wire::encode(&([range], lengths))).unwrap());
    frame.extend(
        payloads
            .iter()
            .flat_map(|payload| block::pack(payload).unwrap()),
    );
    vec![("frame", hex(frame))]
}

#[test]
fn frames() {
    let with = |frame: Vec<u8>| vec![("frame", hex(frame))];
    let hello = Hello {
        version: PROTOCOL_VERSION,
        own_height: 2,
        your_height: 1,
        groups: Vec::new(),
    };
    let hello = Message::Hello(hello).to_frame().unwrap();
    let longer = [hello.as_slice(), &[0]].concat();
    let zeros = |count: usize| block::pack(&vec![0; count]).unwrap();
    let batch = |bytes: Vec<u8>| [vec![4], bytes].concat();
    let mut lying = zeros(1_000);
    // The frame's content size (RFC 8878, section 3.1.1.1.4), here in two bytes less 256.
    lying[5..7].copy_from_slice(&[0xff, 0x7f]);
    let nested = [vec![0], vec![0x81; 200_000]].concat();
    let endless = vec![0, 0x84, 1, 0, 0, 0x9f];
    let huge = vec![
        0, 0x84, 1, 0, 0, 0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    ];
    let writer = Writer {
        node: NodeKey([2; 32]),
        incarnation: Incarnation(3),
    };
    let have = Message::Have(Have {
        group: GroupId([1; 32]),
        logs: vec![(writer, 4)],
    });
    let have = have.to_frame().unwrap();
    // Its list of logs is the last of two elements.
    let mut alone = have[..36].to_vec();
    alone[1] = 0x81;
    let vectors = [
        accepted("a hello", with(hello.clone())),
        accepted("a have", with(have)),
        refused("a have without logs", 34, with(alone), ""),
        accepted("a ping", with(Message::Ping.to_frame().unwrap())),
        refused("nothing", 34, with(Vec::new()), "an empty frame"),
        refused(
            "an unknown type",
            34,
            with(vec![99, 0x80]),
            "message type 99 is not known",
        ),
        refused(
            "a hello that is cut",
            34,
            with(hello[..hello.len() - 1].to_vec()),
            "",
        ),
        refused(
            "a byte follows the hello",
            34,
            with(longer),
            "1 bytes follow the end",
        ),
        refused(
            "a byte follows the ping",
            34,
            with([Message::Ping.to_frame().unwrap(), vec![0]].concat()),
            "1 bytes follow the end",
        ),
        refused(
            "two hundred thousand arrays in one another",
            34,
            with(nested[..2_000].to_vec()),
            "",
        ),
        refused("a list without an end", 34, with(endless), ""),
        refused(
            "a list that says to be the longest possible",
            34,
            with(huge),
            "",
        ),
        refused(
            "a batch that is no zstd",
            35,
            with(batch(b"no zstd at all".to_vec())),
            "the batch does not decompress",
        ),
        refused(
            "a batch that says to be too large",
            35,
            with(batch(zeros(limits::BATCH_BYTES + 1))),
            "the batch does not declare an allowed size",
        ),
        refused(
            "a batch that is larger than it says",
            35,
            with(batch(lying)),
            "the batch does not decompress",
        ),
        refused("a batch of zeros", 35, with(batch(zeros(1_000))), ""),
        accepted(
            "a batch of three entries, the payload of each in a frame of its own",
            batch_of(|_, _, _| ()),
        ),
        accepted(
            "the same in one frame",
            batch_of(|_, _, payloads| *payloads = vec![payloads.concat()]),
        ),
        refused(
            "a payload over two frames",
            34,
            batch_of(|_, _, payloads| {
                let half = payloads[0].split_off(5);
                payloads.insert(1, half);
            }),
            "the batch holds no ranges: a payload over two frames",
        ),
        refused(
            "a payload more than there are entries",
            34,
            batch_of(|_, _, payloads| payloads.push(vec![1])),
            "the batch holds no ranges: more payloads than entries",
        ),
        refused(
            "a payload less than there are entries",
            34,
            batch_of(|_, _, payloads| payloads.truncate(2)),
            "the batch does not decompress",
        ),
        refused(
            "a length less than there are entries",
            34,
            batch_of(|_, lengths, _| lengths.truncate(2)),
            "the batch holds no ranges: 3 entries, 2 lengths",
        ),
        refused(
            "a payload among the headers",
            34,
            batch_of(|range, _, _| range.entries[0].payload = vec![1]),
            "the batch holds no ranges: a payload among the headers",
        ),
        refused(
            "frames that are too large only together",
            35,
            batch_of(|_, lengths, payloads| {
                let most = limits::BATCH_BYTES - 1_000;
                lengths[..2].fill(u32::try_from(most).unwrap());
                *payloads = vec![vec![0; most]; 2];
            }),
            "the batch does not declare an allowed size",
        ),
    ];
    committed(
        "frames.json",
        "A frame of the sync protocol, without its length prefix. Where no reason is given, any will do.",
        &vectors,
    );
}
