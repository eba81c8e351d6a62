//! From a first version and the changes that followed to what the record says: a pure function of
//! the set of changes, whatever the order in which they arrived.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use automerge::{Automerge, Change, ChangeHash, ReadDoc};

use super::base::{self, TextBase};
use super::content::Content;
use super::gate::{self, ChangeReason, Parsed};
use super::genesis::Genesis;
use super::ledger::Ledger;
use super::says::read;
use super::window::{Opened, Settled, Window};
use crate::id::{EntryHash, RecordId, Writer};
use crate::log::Entry;
use crate::wire::{self, Domain};

/// A change with the entry that carried it. Standing and editorship were judged before.
#[derive(Clone, Debug)]
pub struct AuthoredChange {
    /// The entry.
    pub entry: EntryHash,
    /// Who wrote it.
    pub writer: Writer,
    /// Its place in the writer's log.
    pub seq: u64,
    /// The writer's clock, for display.
    pub wall_ms: u64,
    /// The payload.
    pub payload: Vec<u8>,
}

impl AuthoredChange {
    /// The change that an entry carries; none where its payload is no more.
    #[must_use]
    pub fn of(entry: Entry) -> Option<Self> {
        Some(Self {
            entry: entry.header.hash(),
            writer: entry.header.writer,
            seq: entry.header.seq,
            wall_ms: entry.header.wall_ms,
            payload: entry.payload?.bytes,
        })
    }
}

/// A version of a record: how many changes it holds and a digest of which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    /// 1 for the first version, one more for each change.
    pub count: u64,
    /// The first bytes of a hash over the heads.
    pub digest: [u8; 4],
}

impl Version {
    /// The first version of a record.
    #[must_use]
    pub fn first(record: &RecordId) -> Self {
        Self {
            count: 1,
            digest: record.0.first_chunk().copied().unwrap_or_default(),
        }
    }

    fn of(count: u64, heads: &[ChangeHash]) -> Self {
        let mut heads: Vec<&[u8]> = heads.iter().map(|head| head.0.as_slice()).collect();
        heads.sort_unstable();
        let hash = wire::hash(Domain::Version, &heads);
        Self {
            count,
            digest: hash.first_chunk().copied().unwrap_or_default(),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}-{}",
            self.count,
            data_encoding::HEXLOWER.encode(&self.digest)
        )
    }
}

impl FromStr for Version {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let (count, digest) = text.split_once('-').ok_or(())?;
        let digest = data_encoding::HEXLOWER_PERMISSIVE
            .decode(digest.as_bytes())
            .map_err(drop)?;
        Ok(Self {
            count: count.parse().map_err(drop)?,
            digest: digest.try_into().map_err(drop)?,
        })
    }
}

/// One applied change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The entry.
    pub entry: EntryHash,
    /// Who wrote it.
    pub writer: Writer,
    /// The writer's clock.
    pub wall_ms: u64,
    /// The version that it made, as its author saw it. It stays, whatever is merged beside it.
    pub version: Version,
    /// The keys that it changed, such as `body.fr`; empty unless history was asked for.
    pub changed: Vec<String>,
}

/// What a record says, and what became of each change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Materialised {
    /// The content.
    pub content: Content,
    /// Its version.
    pub version: Version,
    /// The changes that made it, in an order that every node agrees on.
    pub steps: Vec<Step>,
    /// The changes that stay out, and why.
    pub refused: Vec<(EntryHash, ChangeReason)>,
}

/// Materialises a record.
#[must_use]
pub fn materialise(
    genesis: &Genesis,
    record: &RecordId,
    changes: &[AuthoredChange],
) -> Materialised {
    Replay::run(genesis, record, changes, Detail::Result).into_materialised()
}

/// Like [`materialise`], with the changed keys of every step.
#[must_use]
pub fn history(genesis: &Genesis, record: &RecordId, changes: &[AuthoredChange]) -> Materialised {
    Replay::run(genesis, record, changes, Detail::EveryStep).into_materialised()
}

/// The record's document as Automerge saves it, for whoever wants to check a merge with other
/// tools; none where it cannot be made.
#[must_use]
pub fn document(
    genesis: &Genesis,
    record: &RecordId,
    changes: &[AuthoredChange],
) -> Option<Vec<u8>> {
    let mut replay = Replay::run(genesis, record, changes, Detail::Result);
    replay.document().ok().map(Automerge::save)
}

/// What a record said in one of its versions; none where it has no such version.
#[must_use]
pub fn content_at(
    genesis: &Genesis,
    record: &RecordId,
    changes: &[AuthoredChange],
    version: &Version,
) -> Option<Content> {
    if *version == Version::first(record) {
        return Some(genesis.content.clone());
    }
    let replay = Replay::run(genesis, record, changes, Detail::EveryStep);
    let heads = replay.heads_of(version)?;
    let doc = replay.doc.as_ref()?.fork_at(&heads).ok()?;
    read(&doc, genesis, &replay.promoted_at(&heads))
}

/// The gate as it stands once a record's changes passed: it judges one more at the cost of that one alone,
/// which is what a measurement of the gate asks for. [`materialise`] says what the record becomes.
pub struct Gate<'a>(Replay<'a>);

impl fmt::Debug for Gate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}

impl<'a> Gate<'a> {
    /// The gate behind these changes.
    #[must_use]
    pub fn behind(genesis: &'a Genesis, record: &RecordId, changes: &[AuthoredChange]) -> Self {
        let mut replay = Replay::run(genesis, record, changes, Detail::Result);
        // Without changes nothing has asked for the document yet.
        replay.open();
        Self(replay)
    }

    /// Why the gate's own rules keep a further change out; none where it passes them. Where several rules
    /// do, which one is named depends on what was there before it.
    pub fn refuses(&mut self, change: &AuthoredChange) -> Option<ChangeReason> {
        let opened = Opened::new();
        let mut window = Window::over(std::iter::once((change, &opened)));
        let mut refused = Vec::new();
        window.fill(&mut refused);
        window.settle(|authored, parsed| {
            let settled = self.0.settle(authored, parsed, Pace::Together);
            refused.extend(self.0.refused.pop_if(|_| settled == Settled::Refused));
            settled
        });
        refused.extend(window.rest(ChangeReason::Waiting));
        refused.first().map(|(_, reason)| *reason)
    }

    /// Puts what passed the rules into a copy of the document, which must come back the same when it
    /// was saved and loaded.
    ///
    /// # Errors
    /// Where Automerge refuses what the rules let through.
    pub fn apply(&mut self) -> Result<(), ChangeReason> {
        self.0.doc = Some(self.0.applied()?);
        Ok(())
    }

    /// What the document says by now.
    ///
    /// # Errors
    /// Where that is no content of a record.
    pub fn read(&self) -> Result<Content, ChangeReason> {
        let doc = self.0.doc.as_ref().ok_or(ChangeReason::Apply)?;
        self.0.content_of(doc)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    Result,
    EveryStep,
}

/// Changes among which the two heads of a merged state are looked for.
const RECENT: usize = 64;

/// How changes reach the document.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// All that passed the gate at once: the document is saved, loaded and compared once.
    Together,
    /// Each on its own, after Automerge refused one of them: to know which.
    OneByOne,
}

/// The state while changes are applied.
pub(super) struct Replay<'a> {
    pub(super) genesis: &'a Genesis,
    pub(super) record: RecordId,
    /// None while no change needed it, or when the base cannot be made.
    doc: Option<Automerge>,
    root: Option<Change>,
    /// Changes that passed the gate and are not in the document yet.
    pending: Vec<Change>,
    ledger: Ledger,
    /// Base changes that a change has cited: known to the ledger, not to the document.
    derived: BTreeMap<String, TextBase>,
    /// Texts whose base change is in the document, with its hash.
    pub(super) promoted: BTreeMap<String, ChangeHash>,
    /// Those of them that a change which counts has named.
    pub(super) named: BTreeSet<String>,
    pub(super) content: Content,
    steps: Vec<(Step, Vec<ChangeHash>)>,
    /// Heads of the states that somebody read and built on.
    read: BTreeSet<Vec<ChangeHash>>,
    refused: Vec<(EntryHash, ChangeReason)>,
    detail: Detail,
}

impl<'a> Replay<'a> {
    pub(super) fn run(
        genesis: &'a Genesis,
        record: &RecordId,
        changes: &[AuthoredChange],
        detail: Detail,
    ) -> Self {
        let opened: Vec<Opened> = changes.iter().map(|_| Opened::new()).collect();
        let all = || changes.iter().zip(&opened);
        let run_at = |pace| {
            let mut replay = Self {
                genesis,
                record: *record,
                doc: None,
                root: None,
                pending: Vec::new(),
                ledger: Ledger::default(),
                derived: BTreeMap::new(),
                promoted: BTreeMap::new(),
                named: BTreeSet::new(),
                content: genesis.content.clone(),
                steps: Vec::new(),
                read: BTreeSet::new(),
                refused: Vec::new(),
                detail,
            };
            let done = replay.apply_all(Window::over(all()), pace).is_ok();
            replay.refused.sort_unstable();
            (done, replay)
        };
        match run_at(Pace::Together) {
            (true, replay) => replay,
            (false, _) => run_at(Pace::OneByOne).1,
        }
    }

    /// # Errors
    /// Where Automerge refuses what the gate let through, or the result is no record.
    fn apply_all(&mut self, mut window: Window<'_>, pace: Pace) -> Result<(), ChangeReason> {
        loop {
            window.fill(&mut self.refused);
            if window.changes.is_empty() {
                break;
            }
            if self.open().is_none() {
                self.refused.extend(window.rest(ChangeReason::Apply));
                break;
            }
            if !window.settle(|authored, parsed| self.settle(authored, parsed, pace)) {
                break;
            }
        }
        self.refused.extend(window.rest(ChangeReason::Waiting));
        match self.steps.is_empty() {
            true => Ok(()),
            false => self.take_in(),
        }
    }

    /// Makes the document with its root change, once.
    pub(super) fn open(&mut self) -> Option<()> {
        if self.doc.is_none() {
            let root = base::root(self.genesis).ok()?;
            let change = root.get_last_local_change()?;
            self.ledger.enter_root(&change, &self.genesis.content);
            self.doc = Some(root);
            self.root = Some(change);
        }
        Some(())
    }

    /// The document with all that passed so far.
    pub(super) fn document(&mut self) -> Result<&Automerge, ChangeReason> {
        self.open();
        let doc = self.doc.as_mut().ok_or(ChangeReason::Apply)?;
        let pending = std::mem::take(&mut self.pending);
        doc.apply_changes(pending)
            .map_err(|_| ChangeReason::Apply)?;
        Ok(doc)
    }

    /// Derives a text's base change, once: what it takes to judge those that build on it.
    fn derive(&mut self, key: &str) -> Result<(), ChangeReason> {
        if self.derived.contains_key(key) {
            return Ok(());
        }
        let texts = &self.genesis.content.texts;
        let text = texts.get(key).ok_or(ChangeReason::Base)?;
        let root = self.root.as_ref().ok_or(ChangeReason::Apply)?;
        let base = base::text(root, key, text);
        self.ledger.enter_text(&base, key, text);
        self.derived.insert(key.to_owned(), base);
        Ok(())
    }

    /// Puts a text's base change into the document, once.
    pub(super) fn promote(&mut self, key: &str) -> Result<(), ChangeReason> {
        self.derive(key)?;
        let base = self.derived.get(key).ok_or(ChangeReason::Base)?;
        if !self.promoted.contains_key(key) {
            let change = Change::from_bytes(base.bytes.clone());
            self.pending.push(change.map_err(|_| ChangeReason::Apply)?);
            self.promoted.insert(key.to_owned(), base.hash);
        }
        Ok(())
    }

    /// Puts the bases that a change depends on into the document.
    fn promote_all(&mut self, deps: &[ChangeHash]) -> Result<(), ChangeReason> {
        let needed = self.derived.iter();
        let needed = needed.filter(|(_, base)| deps.contains(&base.hash));
        let needed: Vec<String> = needed.map(|(key, _)| key.clone()).collect();
        needed.iter().try_for_each(|key| self.promote(key))
    }

    /// Takes or refuses a change, or lets it wait for its dependencies.
    fn settle(&mut self, authored: &AuthoredChange, parsed: &Parsed<'_>, pace: Pace) -> Settled {
        let derived = parsed.bases.iter().try_for_each(|key| self.derive(key));
        if derived.is_ok() && !self.ledger.has_all(&parsed.scan.deps) {
            return Settled::Waits;
        }
        match derived.and_then(|()| self.accept(authored, parsed, pace)) {
            Ok(()) => Settled::Counts,
            Err(reason) => {
                self.refused.push((authored.entry, reason));
                Settled::Refused
            }
        }
    }

    fn accept(
        &mut self,
        authored: &AuthoredChange,
        parsed: &Parsed<'_>,
        pace: Pace,
    ) -> Result<(), ChangeReason> {
        let hash = parsed.change.hash();
        let judged = self
            .ledger
            .judge(&parsed.scan, hash, &authored.writer, &self.record)?;
        self.promote_all(&parsed.scan.deps)?;
        if pace == Pace::OneByOne {
            // Bases are our own and stay, whatever becomes of the change.
            self.document()?;
        }
        self.pending.push(parsed.change.clone());
        if pace == Pace::OneByOne {
            self.take_in()?;
        }
        let changed = match self.detail {
            Detail::Result => Vec::new(),
            Detail::EveryStep => self.ledger.concerned(&judged),
        };
        self.ledger.enter(judged, parsed.change.actor_id());
        self.named.extend(parsed.bases.iter().cloned());
        let heads = vec![hash];
        let deps = parsed
            .scan
            .deps
            .iter()
            .filter(|dep| !self.ledger.is_base(dep));
        self.read.insert(deps.copied().collect());
        let step = Step {
            entry: authored.entry,
            writer: authored.writer,
            wall_ms: authored.wall_ms,
            version: self.version_of(&heads),
            changed,
        };
        self.steps.push((step, heads));
        Ok(())
    }

    /// Puts what passed the gate into the document, and reads it: both or neither.
    fn take_in(&mut self) -> Result<(), ChangeReason> {
        let doc = self.applied()?;
        self.content = self.content_of(&doc)?;
        self.doc = Some(doc);
        Ok(())
    }

    /// A copy of the document with what passed the gate.
    fn applied(&mut self) -> Result<Automerge, ChangeReason> {
        let doc = self.doc.as_ref().ok_or(ChangeReason::Apply)?;
        gate::apply(doc, std::mem::take(&mut self.pending))
    }

    fn content_of(&self, doc: &Automerge) -> Result<Content, ChangeReason> {
        let content = read(doc, self.genesis, &self.promoted).ok_or(ChangeReason::Schema)?;
        content.check().map_err(|_| ChangeReason::Schema)?;
        Ok(content)
    }

    /// The heads without base texts that no change has touched: those say nothing about a version.
    fn heads(&self) -> Vec<ChangeHash> {
        let bases: BTreeSet<ChangeHash> = self.derived.values().map(|base| base.hash).collect();
        let heads = self.ledger.heads().iter();
        heads
            .filter(|head| !bases.contains(head))
            .copied()
            .collect()
    }

    fn version_of(&self, heads: &[ChangeHash]) -> Version {
        match heads.is_empty() {
            true => Version::first(&self.record),
            false => Version::of(self.ledger.past(heads).saturating_add(1), heads),
        }
    }

    /// The heads of a version: the newest state, the state behind one of the changes as its author
    /// saw it, or one that brought several of these together.
    pub(super) fn heads_of(&self, version: &Version) -> Option<Vec<ChangeHash>> {
        let is_it = |heads: &Vec<ChangeHash>| self.version_of(heads) == *version;
        let single = self.steps.iter().map(|(_, heads)| heads);
        let newest = self.heads();
        let known = std::iter::once(&newest)
            .chain(single.clone())
            .chain(&self.read);
        if let Some(heads) = known.into_iter().find(|heads| is_it(heads)) {
            return Some(heads.clone());
        }
        // A state that was read when two sides had just met, and that nobody built on.
        let single: Vec<ChangeHash> = single.flatten().copied().collect();
        let recent = single
            .get(single.len().saturating_sub(RECENT)..)
            .unwrap_or_default();
        for (at, one) in recent.iter().enumerate() {
            for other in recent.iter().skip(at + 1) {
                let pair = vec![*one, *other];
                if is_it(&pair) {
                    return Some(pair);
                }
            }
        }
        None
    }

    /// The promoted texts whose base is an ancestor of the heads.
    pub(super) fn promoted_at(&self, heads: &[ChangeHash]) -> BTreeMap<String, ChangeHash> {
        let Some(doc) = self.doc.as_ref().and_then(|doc| doc.fork_at(heads).ok()) else {
            return BTreeMap::new();
        };
        let there = |(_, hash): &(&String, &ChangeHash)| doc.get_change_by_hash(hash).is_some();
        self.promoted
            .iter()
            .filter(there)
            .map(|(key, hash)| (key.clone(), *hash))
            .collect()
    }

    pub(super) fn version(&self) -> Version {
        self.version_of(&self.heads())
    }

    fn into_materialised(self) -> Materialised {
        Materialised {
            version: self.version(),
            content: self.content,
            steps: self.steps.into_iter().map(|(step, _)| step).collect(),
            refused: self.refused,
        }
    }
}
