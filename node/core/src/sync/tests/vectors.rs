//! Test vectors: frames of the sync protocol.

use crate::id::{GroupId, Incarnation, NodeKey, Writer};
use crate::limits;
use crate::sync::message::Have;
use crate::sync::{Hello, Message, PROTOCOL_VERSION};
use crate::vectors::{accepted, committed, hex, refused};

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
    let zeros = |count: usize| zstd::bulk::compress(&vec![0; count], 3).unwrap();
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
            "the batch does not declare an allowed size",
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
    ];
    committed(
        "frames.json",
        "A frame of the sync protocol, without its length prefix. Where no reason is given, any will do.",
        &vectors,
    );
}
