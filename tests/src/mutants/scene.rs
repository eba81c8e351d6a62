//! Honest records with honest changes of several writers: what the hostile ones are mixed into.

use std::collections::{BTreeMap, BTreeSet};

use diwan_core::id::{AgencyId, EntryHash, GroupId, Incarnation, NodeKey, RecordId, Writer};
use diwan_core::record::{AuthoredChange, Content, Edit, Editors, Genesis, change_payloads};

use super::stand::Stand;
use crate::kit::Random;

/// A record with its changes.
#[derive(Debug)]
pub struct Scene {
    /// For reports.
    pub name: &'static str,
    /// The first version.
    pub genesis: Genesis,
    /// Its id.
    pub record: RecordId,
    /// All honest changes.
    pub changes: Vec<AuthoredChange>,
    /// Where mutants are made: the places of honest changes.
    pub stands: Vec<Stand>,
    /// How often it is taken, beside the others.
    weight: u64,
}

const FR: &str = "Saisir un téléphone allumé : le maintenir sous tension, l’isoler du réseau. ";
const EN: &str = "Seize a phone that is on: keep it powered, cut it off from any network. 🔒 ";
const AR: &str = "ضبط هاتف قيد التشغيل: إبقاؤه مشحونًا وعزله عن الشبكة. ";

impl Scene {
    /// The records that mutants are tried on.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut all = Self::small();
        all.push(Self::new("book", 1, 800));
        all
    }

    /// Those of them that are tried quickly.
    #[must_use]
    pub fn small() -> Vec<Self> {
        vec![Self::new("short", 300, 4), Self::new("page", 99, 20)]
    }

    /// One of them.
    #[must_use]
    pub fn pick<'a>(scenes: &'a [Self], random: &mut Random) -> &'a Self {
        let mut left = random.below(scenes.iter().map(|scene| scene.weight).sum());
        for scene in scenes {
            match left.checked_sub(scene.weight) {
                Some(rest) => left = rest,
                None => return scene,
            }
        }
        &scenes[0]
    }

    fn new(name: &'static str, weight: u64, repeat: usize) -> Self {
        let mut scene = Self {
            name,
            genesis: genesis(repeat),
            record: RecordId([7; 32]),
            changes: Vec::new(),
            stands: Vec::new(),
            weight,
        };
        scene.write();
        // A long text makes each stand slow to prepare and to try.
        let step = if repeat > 100 { 4 } else { 1 };
        let changes = (0..scene.changes.len()).step_by(step);
        scene.stands = changes.map(|at| Stand::new(&scene, at)).collect();
        scene
    }

    /// Two branches, then a merge by each of their writers, then two branches again.
    fn write(&mut self) {
        let body = self.genesis.content.texts["body.fr"].clone();
        let half = body.find(' ').unwrap_or(0);
        let (mut a, mut b) = (Vec::new(), Vec::new());
        let longer = format!("{body}Noter l’heure. ");
        self.edit(&mut a, 1, &text("body.fr", Some(&longer)));
        self.edit(
            &mut a,
            2,
            &text("title.en", Some("Seizing a phone that is on")),
        );
        self.edit(&mut a, 1, &value("tlp", "AMBER"));
        let cut = format!("{}{}", &body[..half], &body[half..].replacen("le ", "", 1));
        self.edit(&mut b, 3, &text("body.fr", Some(&cut)));
        self.edit(&mut b, 3, &items(&["saisie", "téléphones"]));
        let mut all: Vec<_> = a.into_iter().chain(b).collect();
        self.edit(&mut all, 1, &text("summary.ar", Some(AR)));
        self.edit(&mut all, 3, &text("title.fr", Some("Saisir un téléphone")));
        self.edit(&mut all, 2, &link(9));
        let (mut a, mut b) = (all.clone(), all.clone());
        self.edit(&mut a, 1, &text("summary.ar", Some("ضبط هاتف.")));
        self.edit(&mut b, 2, &text("title.en", None));
        self.edit(&mut b, 2, &value("hcode", "H4"));
        let known: BTreeSet<EntryHash> = a.iter().map(|change| change.entry).collect();
        a.extend(
            b.into_iter()
                .filter(|change| !known.contains(&change.entry)),
        );
        self.changes = a;
    }

    fn edit(&self, changes: &mut Vec<AuthoredChange>, n: u8, edit: &Edit) {
        let written = change_payloads(&self.genesis, &self.record, changes, None, edit, &writer(n));
        for payload in written.unwrap() {
            changes.push(authored(n, payload));
        }
    }
}

/// A writer of these records.
#[must_use]
pub fn writer(n: u8) -> Writer {
    Writer {
        node: NodeKey([n; 32]),
        incarnation: Incarnation(u64::from(n)),
    }
}

/// A change in the entry that a writer would put it into; the entry's hash is of the payload.
#[must_use]
pub fn authored(n: u8, payload: Vec<u8>) -> AuthoredChange {
    let mut entry = super::craft::hash(&[&[0; 8], payload.as_slice()].concat());
    entry[0] ^= n;
    AuthoredChange {
        entry: EntryHash(entry),
        writer: writer(n),
        seq: 0,
        wall_ms: 0,
        payload,
    }
}

/// The payload of a change entry: the bases that it names, and the change.
#[must_use]
pub fn payload(bases: &[String], change: &[u8]) -> Vec<u8> {
    let mut out = vec![0x82];
    head(&mut out, 0x80, bases.len());
    for base in bases {
        head(&mut out, 0x60, base.len());
        out.extend(base.as_bytes());
    }
    head(&mut out, 0x40, change.len());
    out.extend(change);
    out
}

/// Reads an honest payload.
pub(super) fn unpack(payload: &[u8]) -> (Vec<String>, Vec<u8>) {
    let mut rest = &payload[1..];
    let length = |rest: &mut &[u8]| {
        let (first, more) = (rest[0] & 0x1f, &rest[1..]);
        let bytes = match first {
            0..24 => 0,
            24 => 1,
            25 => 2,
            _ => 4,
        };
        *rest = &more[bytes..];
        let number = more[..bytes]
            .iter()
            .fold(0, |n, b| (n << 8) | usize::from(*b));
        if bytes == 0 {
            usize::from(first)
        } else {
            number
        }
    };
    let count = length(&mut rest);
    let mut bases = Vec::new();
    for _ in 0..count {
        let bytes = length(&mut rest);
        bases.push(String::from_utf8(rest[..bytes].to_vec()).unwrap());
        rest = &rest[bytes..];
    }
    length(&mut rest);
    (bases, rest.to_vec())
}

/// The head of a CBOR item, in its shortest form.
fn head(out: &mut Vec<u8>, major: u8, length: usize) {
    match length {
        0..24 => out.push(major | length as u8),
        24..0x100 => out.extend([major | 24, length as u8]),
        0x100..0x1_0000 => {
            out.push(major | 25);
            out.extend((length as u16).to_be_bytes());
        }
        _ => {
            out.push(major | 26);
            out.extend((length as u32).to_be_bytes());
        }
    }
}

fn genesis(repeat: usize) -> Genesis {
    let mut content = Content::default();
    for (key, text) in [
        ("title.fr", "Saisie d’un téléphone"),
        ("title.ar", "ضبط هاتف"),
        ("body.fr", &FR.repeat(repeat)),
        ("body.en", &EN.repeat(repeat.min(20))),
        ("body.ar", &AR.repeat(repeat.min(20))),
    ] {
        content.texts.insert(key.into(), text.to_owned());
    }
    content.values.insert("tlp".into(), "GREEN".into());
    content.values.insert("import_key".into(), "doc-1".into());
    content.set_set("themes", &["cybercrime".into(), "preuve".into()]);
    content.add_link("cites", &RecordId([5; 32]));
    Genesis {
        group: GroupId([1; 32]),
        origin: AgencyId([2; 32]),
        kind: "guideline".into(),
        editors: Editors::Group,
        content,
    }
}

fn text(key: &str, text: Option<&str>) -> Edit {
    Edit {
        texts: BTreeMap::from([(key.to_owned(), text.map(str::to_owned))]),
        ..Edit::default()
    }
}

fn value(field: &str, value: &str) -> Edit {
    Edit {
        values: BTreeMap::from([(field.to_owned(), Some(value.to_owned()))]),
        ..Edit::default()
    }
}

fn items(tags: &[&str]) -> Edit {
    let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
    Edit {
        sets: BTreeMap::from([("tags".to_owned(), tags)]),
        ..Edit::default()
    }
}

fn link(n: u8) -> Edit {
    let record = RecordId([n; 32]);
    Edit {
        links: Some(BTreeSet::from([format!("see.{record}")])),
        ..Edit::default()
    }
}
