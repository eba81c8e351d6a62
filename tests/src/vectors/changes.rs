//! Changes at the gate: one hostile change of each kind, among the honest ones of its record.

use data_encoding::HEXLOWER;
use diwan_core::id::{EntryHash, Incarnation, NodeKey, RecordId, Writer};
use diwan_core::record::{AuthoredChange, Genesis, materialise};
use serde_json::{Value, json};

use super::{array, bytes};
use crate::kit::Random;
use crate::mutants::{Scene, Stand, authored, kinds, of_kind};

/// Larger ones are left out of the file: what they show is a limit that is written down.
const LARGEST: usize = 4 * 1024;

/// Judges a change, as the last that arrives of its record.
pub(super) fn judge(vector: &Value) -> Result<(), String> {
    let record = &vector["record"];
    let genesis = Genesis::from_bytes(&bytes(&record["genesis"])).expect("a first version");
    let before = record["changes"].as_array().expect("a list").iter();
    let mut changes: Vec<AuthoredChange> = before.map(change).collect();
    let hostile = change(&vector["change"]);
    changes.push(hostile.clone());
    let made = materialise(&genesis, &RecordId(array(&record["record"])), &changes);
    let refused = made.refused.iter();
    let refused = refused.filter(|(entry, _)| *entry == hostile.entry);
    match refused.map(|(_, reason)| reason.to_string()).next() {
        Some(reason) => Err(reason),
        None => Ok(()),
    }
}

fn change(value: &Value) -> AuthoredChange {
    AuthoredChange {
        entry: EntryHash(array(&value["entry"])),
        writer: Writer {
            node: NodeKey(array(&value["node"])),
            incarnation: Incarnation(value["incarnation"].as_u64().expect("a number")),
        },
        seq: value["seq"].as_u64().expect("a number"),
        wall_ms: 0,
        payload: bytes(&value["payload"]),
    }
}

/// What the file is to say, from the laboratory's own honest record.
#[must_use]
pub fn file() -> String {
    let scenes = Scene::small();
    let scene = &scenes[0];
    let stands: Vec<&Stand> = scene
        .stands
        .iter()
        .filter(|s| s.own_last.is_some())
        .collect();
    let mut records: Vec<Value> = Vec::new();
    let mut vectors: Vec<Value> = Vec::new();
    for kind in kinds() {
        let mut random = Random::seeded(8);
        let found = stands.iter().enumerate().find_map(|(at, stand)| {
            let mutant = of_kind(kind, stand, &mut random)?;
            (mutant.payload.len() <= LARGEST).then_some((at, *stand, mutant))
        });
        let Some((_, stand, mutant)) = found else {
            continue;
        };
        let record = json!({
            "record": HEXLOWER.encode(&scene.record.0),
            "genesis": HEXLOWER.encode(&scene.genesis.to_bytes()),
            "changes": stand.before.iter().map(told).collect::<Vec<_>>(),
        });
        let at = records.iter().position(|known| *known == record);
        let at = at.unwrap_or_else(|| {
            records.push(record.clone());
            records.len() - 1
        });
        let change = told(&authored(stand.writer, mutant.payload));
        let mut vector = json!({"name": kind, "record": at, "change": change});
        match judge(&json!({"record": record, "change": change})) {
            Ok(()) => vector["expect"] = "accept".into(),
            Err(reason) => {
                vector["expect"] = "reject".into();
                vector["reason"] = reason.into();
            }
        }
        vectors.push(vector);
    }
    let about = "A change that arrives as the last of a record. Each shows one thing that no honest \
                 program writes; those of kind honest and its like pass.";
    let lines = |items: &[Value]| {
        let lines: Vec<String> = items.iter().map(|item| format!("    {item}")).collect();
        lines.join(",\n")
    };
    format!(
        "{{\n  \"about\": {},\n  \"records\": [\n{}\n  ],\n  \"vectors\": [\n{}\n  ]\n}}\n",
        json!(about),
        lines(&records),
        lines(&vectors)
    )
}

fn told(change: &AuthoredChange) -> Value {
    json!({
        "entry": HEXLOWER.encode(&change.entry.0),
        "node": HEXLOWER.encode(&change.writer.node.0),
        "incarnation": change.writer.incarnation.0,
        "seq": change.seq,
        "payload": HEXLOWER.encode(&change.payload),
    })
}
