//! Changes at the gate: honest records, and one change of arbitrary bytes with a true checksum.

use std::sync::OnceLock;

use diwan_core::id::{AgencyId, EntryHash, GroupId, Incarnation, NodeKey, RecordId, Writer};
use diwan_core::record::{
    AuthoredChange, Content, Edit, Editors, Genesis, Materialised, change_payloads, document,
    materialise,
};

use crate::craft::mend;

const RECORD: RecordId = RecordId([7; 32]);

struct Honest {
    genesis: Genesis,
    changes: Vec<AuthoredChange>,
    alone: Materialised,
}

fn honest() -> &'static Honest {
    static HONEST: OnceLock<Honest> = OnceLock::new();
    HONEST.get_or_init(|| {
        let genesis = genesis();
        let mut changes = Vec::new();
        for (n, key, text) in [
            (1, "body.fr", "Saisir un téléphone éteint."),
            (2, "body.fr", "Saisir le téléphone éteint."),
            (1, "title.ar", "ضبط هاتف"),
        ] {
            write(&genesis, &mut changes, n, &edit(key, text));
        }
        let alone = materialise(&genesis, &RECORD, &changes);
        Honest {
            genesis,
            changes,
            alone,
        }
    })
}

/// The first byte says who writes it and which base it names; the rest is the change.
pub fn change_gate(bytes: &[u8]) {
    let Some((first, change)) = bytes.split_first() else {
        return;
    };
    let mut change = change.to_vec();
    mend(&mut change);
    let bases: &[&str] = match first / 4 % 4 {
        0 => &[],
        1 => &["body.fr"],
        2 => &["title.fr"],
        _ => &["body.fr", "title.fr"],
    };
    let honest = honest();
    let hostile = authored(1 + first % 4, 99, payload(bases, &change));
    let mut all = honest.changes.clone();
    all.push(hostile.clone());
    let made = materialise(&honest.genesis, &RECORD, &all);
    all.reverse();
    let turned = materialise(&honest.genesis, &RECORD, &all);
    assert!(made == turned, "the order of arrival counts");
    let is_refused = made
        .refused
        .iter()
        .any(|(entry, _)| *entry == hostile.entry);
    if is_refused && made.refused.len() == 1 {
        assert!(
            made.content == honest.alone.content,
            "a refused change has an effect"
        );
    }
    if !is_refused {
        let saved = document(&honest.genesis, &RECORD, &all);
        assert!(saved.is_some(), "the record has no document");
        // The record can still be edited.
        let edit = edit("title.fr", "Un autre titre");
        change_payloads(&honest.genesis, &RECORD, &all, None, &edit, &writer(9)).unwrap();
    }
}

/// Honest changes to begin with.
pub fn seeds() -> Vec<Vec<u8>> {
    let honest = honest();
    let mut seeds = Vec::new();
    for (n, text) in [
        (1, "Saisir le téléphone."),
        (3, "Ne pas saisir le téléphone éteint."),
    ] {
        let mut edit = edit("body.fr", text);
        edit.values.insert("tlp".into(), Some("RED".into()));
        edit.sets
            .insert("tags".into(), ["saisie".to_owned()].into());
        edit.texts.insert("title.ar".into(), None);
        edit.texts.insert("title.en".into(), Some("A title".into()));
        let changes = &honest.changes;
        let made = change_payloads(&honest.genesis, &RECORD, changes, None, &edit, &writer(n));
        for payload in made.unwrap() {
            let magic = payload
                .windows(4)
                .position(|at| at == [0x85, 0x6f, 0x4a, 0x83]);
            seeds.push([&[n - 1], &payload[magic.unwrap()..]].concat());
        }
    }
    seeds
}

fn write(genesis: &Genesis, changes: &mut Vec<AuthoredChange>, n: u8, edit: &Edit) {
    let made = change_payloads(genesis, &RECORD, changes, None, edit, &writer(n)).unwrap();
    for payload in made {
        let at = u8::try_from(changes.len()).unwrap();
        changes.push(authored(n, at, payload));
    }
}

fn genesis() -> Genesis {
    let mut content = Content::default();
    content.texts.insert("title.fr".into(), "Saisie".into());
    content
        .texts
        .insert("body.fr".into(), "Saisir un téléphone.".into());
    content.values.insert("tlp".into(), "GREEN".into());
    content.set_set("themes", &["preuve".into()]);
    Genesis {
        group: GroupId([1; 32]),
        origin: AgencyId([2; 32]),
        kind: "guideline".into(),
        editors: Editors::Group,
        content,
    }
}

fn edit(key: &str, text: &str) -> Edit {
    let mut edit = Edit::default();
    edit.texts.insert(key.into(), Some(text.into()));
    edit
}

fn writer(n: u8) -> Writer {
    Writer {
        node: NodeKey([n; 32]),
        incarnation: Incarnation(u64::from(n)),
    }
}

fn authored(n: u8, at: u8, payload: Vec<u8>) -> AuthoredChange {
    AuthoredChange {
        entry: EntryHash([at; 32]),
        writer: writer(n),
        seq: at.into(),
        wall_ms: 0,
        payload,
    }
}

/// The CBOR around a change.
fn payload(bases: &[&str], change: &[u8]) -> Vec<u8> {
    let mut out = vec![0x82, 0x80 | u8::try_from(bases.len()).unwrap()];
    for base in bases {
        out.push(0x60 | u8::try_from(base.len()).unwrap());
        out.extend(base.as_bytes());
    }
    match u32::try_from(change.len()).unwrap() {
        length @ 0..24 => out.push(0x40 | u8::try_from(length).unwrap()),
        length @ 24..0x100 => out.extend([0x58, u8::try_from(length).unwrap()]),
        length @ 0x100..0x1_0000 => {
            out.push(0x59);
            out.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        length => {
            out.push(0x5a);
            out.extend(length.to_be_bytes());
        }
    }
    out.extend(change);
    out
}
