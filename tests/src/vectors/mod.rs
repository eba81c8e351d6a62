//! The test vectors in `tests/vectors`, judged from the files alone: what they accept must be
//! accepted, and what they reject be rejected for the reason given.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a file that does not read is a failed test"
)]

pub mod changes;

use std::path::PathBuf;

use data_encoding::HEXLOWER;
use diwan_core::id::{EntryHash, Incarnation, Me};
use diwan_core::identity::AgencyChain;
use diwan_core::log::{LogHead, Range};
use diwan_core::replica::{LogState, Replica};
use diwan_core::sync::Message;
use diwan_core::verify::{self, Verified};
use diwan_core::wire;
use serde_json::Value;

/// Judges a vector's bytes in their context.
type Judge = fn(&Value) -> Result<(), String>;

/// Every file, and who judges it.
const FILES: [(&str, Judge); 7] = [
    ("agency-statements.json", agency_statement),
    ("group-statements.json", group_statement),
    ("ranges.json", range),
    ("receipts.json", receipt),
    ("proofs.json", proof),
    ("frames.json", frame),
    ("changes.json", changes::judge),
];

/// What became of all vectors.
#[derive(Debug, Default)]
pub struct Checked {
    /// How many were judged.
    pub count: usize,
    /// Those that were judged otherwise than they say.
    pub wrong: Vec<String>,
    /// Cases of the threat model that they show.
    pub cases: std::collections::BTreeSet<u64>,
}

/// Where the vectors are.
#[must_use]
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

/// Judges every vector of every file.
#[must_use]
pub fn check() -> Checked {
    let mut checked = Checked::default();
    for (file, judge) in FILES {
        let text = std::fs::read_to_string(folder().join(file)).expect(file);
        let all: Value = serde_json::from_str(&text).expect(file);
        for vector in all["vectors"].as_array().expect(file) {
            checked.count += 1;
            checked.cases.extend(vector["case"].as_u64());
            let context = with_shared(&all, vector);
            if let Some(wrong) = differs(vector, judge(&context)) {
                let name = &vector["name"];
                checked.wrong.push(format!("{file}: {name}: {wrong}"));
            }
        }
    }
    checked
}

/// A vector with what its file says once for all of them.
fn with_shared(all: &Value, vector: &Value) -> Value {
    let mut context = vector.clone();
    if let Some(at) = vector["record"].as_u64() {
        context["record"] = all["records"][usize::try_from(at).unwrap()].clone();
    }
    context
}

/// How a judgement differs from what a vector says.
fn differs(vector: &Value, judged: Result<(), String>) -> Option<String> {
    let reason = vector["reason"].as_str().unwrap_or_default();
    match (vector["expect"].as_str(), judged) {
        (Some("accept"), Ok(())) => None,
        (Some("reject"), Err(found)) if reason.is_empty() || found == reason => None,
        (expected, found) => Some(format!("{expected:?} {reason:?}, but {found:?}")),
    }
}

/// The bytes of a hexadecimal field.
fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().expect("a text");
    HEXLOWER.decode(text.as_bytes()).expect("hexadecimal")
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().expect("so many bytes")
}

fn statements(value: &Value) -> Vec<Vec<u8>> {
    value
        .as_array()
        .expect("a list")
        .iter()
        .map(bytes)
        .collect()
}

fn agencies(value: &Value) -> Vec<Verified<AgencyChain>> {
    let chains = value.as_array().expect("a list").iter();
    let chain = |value| verify::agency_chain(&statements(value)).expect("chains hold");
    chains.map(chain).collect()
}

/// A node of the first agency, which follows the group.
fn replica(vector: &Value) -> Replica {
    let chains = agencies(&vector["agencies"]);
    let (own, others) = chains.split_first().expect("an agency");
    let (node, _) = own.nodes().next().expect("a node");
    let me = Me {
        agency: own.id(),
        node: *node,
        incarnation: Incarnation(1),
    };
    let mut replica = Replica::new(me, own);
    for chain in others {
        replica.take_agency(chain).expect("room");
    }
    let mut last: Option<Verified<verify::GroupStep>> = None;
    for bytes in statements(&vector["group"]) {
        let step = match &last {
            None => verify::group_genesis(replica.agencies(), &bytes),
            Some(step) => verify::group_statement(&step.chain, replica.agencies(), &bytes),
        };
        last = Some(step.expect("chains hold"));
    }
    replica
        .take_group_step(&last.expect("a group"))
        .expect("room");
    replica
}

fn words<T>(outcome: Result<T, impl std::fmt::Display>) -> Result<(), String> {
    outcome.map(drop).map_err(|error| error.to_string())
}

fn agency_statement(vector: &Value) -> Result<(), String> {
    let chain = verify::agency_chain(&statements(&vector["chain"])).expect("chains hold");
    words(verify::agency_statement(
        Some(&chain),
        &bytes(&vector["statement"]),
    ))
}

fn group_statement(vector: &Value) -> Result<(), String> {
    let chains = agencies(&vector["agencies"]);
    let known = chains
        .into_iter()
        .map(|c| (c.id(), c.into_inner()))
        .collect();
    let chain = verify::group_chain(&known, &statements(&vector["chain"])).expect("chains hold");
    words(verify::group_statement(
        &chain,
        &known,
        &bytes(&vector["statement"]),
    ))
}

fn range(vector: &Value) -> Result<(), String> {
    let mut replica = replica(vector);
    let range: Range =
        wire::decode(&bytes(&vector["range"]), usize::MAX).map_err(|error| error.to_string())?;
    if let Some(seq) = vector["head"]["seq"].as_u64() {
        let hash = EntryHash(array(&vector["head"]["hash"]));
        let height = vector["head"]["height"].as_u64().expect("a height");
        let log = LogState {
            head: LogHead { seq, hash },
            height: u32::try_from(height).expect("a height"),
        };
        replica.advance(&range.group, range.writer, log);
    }
    words(replica.verify_range(range))
}

fn receipt(vector: &Value) -> Result<(), String> {
    words(verify::receipt(&bytes(&vector["receipt"])))
}

fn proof(vector: &Value) -> Result<(), String> {
    let replica = replica(vector);
    words(verify::proof(&replica, &bytes(&vector["proof"])))
}

fn frame(vector: &Value) -> Result<(), String> {
    words(Message::from_frame(&bytes(&vector["frame"])))
}
