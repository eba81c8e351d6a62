//! What a record's document holds, as far as a further change may refer to it: which changes, which
//! objects, which elements, and in whose past they lie.
//!
//! Automerge takes an operation's references on trust: a dangling one panics, or leaves a document
//! that will not load again. So each is resolved here first, against the change's own past, and only
//! what resolves is handed on.

mod judge;

use std::collections::{BTreeMap, BTreeSet};

use automerge::{ActorId, Change, ChangeHash};

use self::judge::Judge;
use super::base::TextBase;
use super::content::{self, Content};
use super::gate::{ChangeReason, actor_of};
use super::scan::Scan;
use crate::breaks::{Break, is_left_out};
use crate::id::{RecordId, Writer};
use crate::limits;

/// An operation's name in the document: counter, and the actor's position in [`Ledger::actors`].
type OpId = (u64, usize);

/// The four maps below the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum MapName {
    Texts,
    Values,
    Sets,
    Links,
}

/// What one operation of a change does, resolved.
#[derive(Clone, Debug)]
enum Effect {
    /// Sets a key of a map, or removes it.
    Key(MapName, String, bool),
    /// Makes a text under a key.
    Text(String),
    /// Inserts a character of so many bytes into a text.
    Char(OpId, u8),
    /// Removes a character.
    Gone(OpId),
}

/// A change that passed every check, ready to be entered.
#[derive(Debug)]
pub(super) struct Judged {
    hash: ChangeHash,
    deps: Vec<ChangeHash>,
    actor: usize,
    start_op: u64,
    clock: Vec<u64>,
    effects: Vec<Effect>,
}

#[derive(Clone, Debug)]
struct Known {
    /// For each actor the highest sequence in this change's past, itself included.
    clock: Vec<u64>,
    max_op: u64,
}

#[derive(Clone, Debug, Default)]
struct Line {
    /// Of a base change: no version counts it.
    is_base: bool,
    /// First and last operation of the actor's changes, in order of sequence.
    spans: Vec<(u64, u64)>,
    last: Option<ChangeHash>,
}

#[derive(Clone, Debug)]
struct Text {
    key: String,
    bytes: usize,
}

/// Characters that one change inserted one after the other into one text.
#[derive(Clone, Debug)]
struct Run {
    text: OpId,
    /// Bytes of each; 0 once it was removed.
    widths: Vec<u8>,
}

/// The document's state, as far as references need it. Grows with the operations of the record's
/// changes and of the texts that they concern: a byte a character.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    changes: BTreeMap<ChangeHash, Known>,
    heads: BTreeSet<ChangeHash>,
    actors: Vec<(ActorId, Line)>,
    maps: BTreeMap<OpId, MapName>,
    /// Operations that later ones on the same key may name as predecessors.
    slots: BTreeMap<OpId, (MapName, String)>,
    keys: BTreeSet<(MapName, String)>,
    texts: BTreeMap<OpId, Text>,
    runs: BTreeMap<(usize, u64), Run>,
}

impl Ledger {
    /// Enters the root change, as [`super::base::root`] writes it.
    pub(super) fn enter_root(&mut self, change: &Change, content: &Content) {
        let actor = self.actor_index(change.actor_id());
        let mut counter = 1;
        self.maps.insert((counter, actor), MapName::Texts);
        counter += 1;
        self.maps.insert((counter, actor), MapName::Values);
        for field in content.values.keys() {
            counter += 1;
            self.slot((counter, actor), MapName::Values, field);
        }
        for (map, keys) in [
            (MapName::Sets, &content.sets),
            (MapName::Links, &content.links),
        ] {
            counter += 1;
            self.maps.insert((counter, actor), map);
            for key in keys {
                counter += 1;
                self.slot((counter, actor), map, key);
            }
        }
        for key in content.texts.keys() {
            self.keys.insert((MapName::Texts, key.clone()));
        }
        let span = (change.start_op().get(), change.max_op());
        self.enter_base(actor, change.hash(), change.deps(), span);
    }

    /// Enters the base change of a text.
    pub(super) fn enter_text(&mut self, base: &TextBase, key: &str, text: &str) {
        let actor = self.actor_index(&base.actor);
        let object = (base.start_op, actor);
        self.slot(object, MapName::Texts, key);
        let widths: Vec<u8> = text.chars().map(width).collect();
        let key = key.to_owned();
        let bytes = text.len();
        self.texts.insert(object, Text { key, bytes });
        let span = (base.start_op, base.start_op + widths.len() as u64);
        let run = Run {
            text: object,
            widths,
        };
        self.runs.insert((actor, object.0 + 1), run);
        self.enter_base(actor, base.hash, &[base.root], span);
    }

    fn enter_base(
        &mut self,
        actor: usize,
        hash: ChangeHash,
        deps: &[ChangeHash],
        span: (u64, u64),
    ) {
        if let Some((_, line)) = self.actors.get_mut(actor) {
            line.is_base = true;
        }
        let mut clock = self.join(deps);
        set(&mut clock, actor, 1);
        self.enter_change(hash, deps, actor, span, clock);
    }

    fn enter_change(
        &mut self,
        hash: ChangeHash,
        deps: &[ChangeHash],
        actor: usize,
        span: (u64, u64),
        clock: Vec<u64>,
    ) {
        let max_op = span.1;
        self.changes.insert(hash, Known { clock, max_op });
        for dep in deps {
            self.heads.remove(dep);
        }
        self.heads.insert(hash);
        if let Some((_, line)) = self.actors.get_mut(actor) {
            line.spans.push(span);
            line.last = Some(hash);
        }
    }

    fn slot(&mut self, id: OpId, map: MapName, key: &str) {
        self.slots.insert(id, (map, key.to_owned()));
        self.keys.insert((map, key.to_owned()));
    }

    fn actor_index(&mut self, actor: &ActorId) -> usize {
        if let Some(at) = self.find_actor(actor) {
            return at;
        }
        self.actors.push((actor.clone(), Line::default()));
        self.actors.len() - 1
    }

    fn find_actor(&self, actor: &ActorId) -> Option<usize> {
        self.actors.iter().position(|(known, _)| known == actor)
    }

    /// How many changes lie in the past of these, themselves included; bases do not count.
    pub(super) fn past(&self, heads: &[ChangeHash]) -> u64 {
        let clock = self.join(heads);
        let lines = self.actors.iter().map(|(_, line)| line);
        let counted = lines.zip(clock).filter(|(line, _)| !line.is_base);
        counted.map(|(_, seq)| seq).sum()
    }

    /// Whether a change is one of the bases.
    pub(super) fn is_base(&self, change: &ChangeHash) -> bool {
        let lines = self.actors.iter();
        lines
            .filter(|(_, line)| line.is_base)
            .any(|(_, line)| line.last == Some(*change))
    }

    /// The changes that no other one depends on.
    pub(super) fn heads(&self) -> &BTreeSet<ChangeHash> {
        &self.heads
    }

    /// Whether all that a change depends on is here.
    pub(super) fn has_all(&self, deps: &[ChangeHash]) -> bool {
        deps.iter().all(|dep| self.changes.contains_key(dep))
    }

    /// The past of a change with these dependencies.
    fn join(&self, deps: &[ChangeHash]) -> Vec<u64> {
        let mut joined: Vec<u64> = Vec::new();
        for known in deps.iter().filter_map(|dep| self.changes.get(dep)) {
            for (actor, seq) in known.clock.iter().enumerate() {
                if joined.get(actor).is_none_or(|there| there < seq) {
                    set(&mut joined, actor, *seq);
                }
            }
        }
        joined
    }

    /// Judges a change whose dependencies are all here: a pure function of its bytes and its past.
    ///
    /// # Errors
    /// [`ChangeReason`]: the first rule that it breaks.
    pub(super) fn judge(
        &self,
        scan: &Scan<'_>,
        hash: ChangeHash,
        writer: &Writer,
        record: &RecordId,
    ) -> Result<Judged, ChangeReason> {
        let author = actor_of(writer, record);
        if scan.actors.first() != Some(&author) && !is_left_out(Break::ChangeActor) {
            return Err(ChangeReason::Actor);
        }
        let own = self.find_actor(&author);
        let line = own.and_then(|at| self.actors.get(at)).map(|(_, line)| line);
        let written = line.map_or(0, |line| line.spans.len() as u64);
        if scan.seq != written + 1 && !is_left_out(Break::ChangeSequence) {
            return Err(ChangeReason::Sequence);
        }
        if let Some(last) = line.and_then(|line| line.last)
            && !scan.deps.contains(&last)
            && !is_left_out(Break::ChangePredecessor)
        {
            return Err(ChangeReason::Predecessor);
        }
        let ends = scan.deps.iter().filter_map(|dep| self.changes.get(dep));
        let end = ends.map(|known| known.max_op).max().unwrap_or(0);
        if scan.start_op != end + 1 && !is_left_out(Break::StartOp) {
            return Err(ChangeReason::StartOp);
        }
        let mut clock = self.join(&scan.deps);
        let actor = own.unwrap_or(self.actors.len());
        let effects = Judge::new(self, scan, actor, &clock).effects()?;
        self.within_limits(&effects, (scan.start_op, actor))?;
        set(&mut clock, actor, scan.seq);
        Ok(Judged {
            hash,
            deps: scan.deps.clone(),
            actor,
            start_op: scan.start_op,
            clock,
            effects,
        })
    }

    /// Whether the record keeps its bounds with these effects, without making the document.
    fn within_limits(&self, effects: &[Effect], (start, actor): OpId) -> Result<(), ChangeReason> {
        let mut fresh: BTreeSet<(MapName, &str)> = BTreeSet::new();
        let mut grown: BTreeMap<OpId, i64> = BTreeMap::new();
        let mut own_texts: BTreeMap<OpId, &str> = BTreeMap::new();
        for (at, effect) in effects.iter().enumerate() {
            match effect {
                Effect::Key(map, key, _) => {
                    fresh.insert((*map, key));
                }
                Effect::Text(key) => {
                    fresh.insert((MapName::Texts, key));
                    own_texts.insert((start + at as u64, actor), key);
                }
                Effect::Char(text, width) => *grown.entry(*text).or_default() += i64::from(*width),
                Effect::Gone(char) => {
                    if let Some((text, width)) = self.char_at(*char) {
                        *grown.entry(text).or_default() -= i64::from(width);
                    }
                }
            }
        }
        for (text, by) in grown {
            let known = self.texts.get(&text);
            let key = known
                .map(|t| t.key.as_str())
                .or_else(|| own_texts.get(&text).copied());
            let limit = content::text_limit(key.unwrap_or_default());
            let bytes = known.map_or(0, |text| i64::try_from(text.bytes).unwrap_or(i64::MAX));
            let after = usize::try_from(bytes.saturating_add(by)).unwrap_or(0);
            if by > 0 && after > limit {
                return Err(ChangeReason::TooLarge);
            }
        }
        for (map, limit) in [
            (MapName::Texts, limits::TEXTS),
            (MapName::Values, limits::VALUES),
            (MapName::Sets, limits::SET_ITEMS),
            (MapName::Links, limits::LINKS),
        ] {
            let new = fresh
                .iter()
                .filter(|(of, key)| *of == map && !self.keys.contains(&(map, (*key).to_owned())));
            let new = new.count();
            let known = self.keys.iter().filter(|(of, _)| *of == map).count();
            if new > 0 && known + new > limit {
                return Err(ChangeReason::TooLarge);
            }
        }
        Ok(())
    }

    /// The text that an element belongs to, and its bytes.
    fn char_at(&self, (counter, actor): OpId) -> Option<(OpId, u8)> {
        let (key, run) = self.runs.range(..=(actor, counter)).next_back()?;
        if key.0 != actor {
            return None;
        }
        let at = usize::try_from(counter.checked_sub(key.1)?).ok()?;
        Some((run.text, *run.widths.get(at)?))
    }

    /// Enters a change that was judged.
    pub(super) fn enter(&mut self, judged: Judged, author: &ActorId) {
        let actor = self.actor_index(author);
        debug_assert_eq!(actor, judged.actor, "judged against this very state");
        let last = judged.start_op + judged.effects.len() as u64 - 1;
        let mut run: Option<((usize, u64), Run)> = None;
        for (counter, effect) in (judged.start_op..).zip(judged.effects) {
            if let Effect::Char(text, width) = effect {
                if let Some(text) = self.texts.get_mut(&text) {
                    text.bytes += usize::from(width);
                }
                match &mut run {
                    Some((_, run)) if run.text == text => run.widths.push(width),
                    _ => {
                        let widths = vec![width];
                        let begun = ((actor, counter), Run { text, widths });
                        self.runs.extend(run.replace(begun));
                    }
                }
                continue;
            }
            self.runs.extend(run.take());
            match effect {
                Effect::Key(map, key, true) => self.slot((counter, actor), map, &key),
                Effect::Key(..) | Effect::Char(..) => {}
                Effect::Text(key) => {
                    self.slot((counter, actor), MapName::Texts, &key);
                    self.texts.insert((counter, actor), Text { key, bytes: 0 });
                }
                Effect::Gone(char) => self.forget(char),
            }
        }
        self.runs.extend(run);
        let span = (judged.start_op, last);
        self.enter_change(judged.hash, &judged.deps, actor, span, judged.clock);
    }

    /// A character was removed; twice counts once.
    fn forget(&mut self, (counter, actor): OpId) {
        let Some((key, run)) = self.runs.range_mut(..=(actor, counter)).next_back() else {
            return;
        };
        let at = counter
            .checked_sub(key.1)
            .and_then(|at| usize::try_from(at).ok());
        if let Some(width) = at.and_then(|at| run.widths.get_mut(at))
            && let Some(text) = self.texts.get_mut(&run.text)
        {
            text.bytes = text
                .bytes
                .saturating_sub(usize::from(std::mem::take(width)));
        }
    }

    /// The keys that a judged change concerns, as history names them.
    pub(super) fn concerned(&self, judged: &Judged) -> Vec<String> {
        let own = |text: &OpId| {
            let at = text
                .0
                .checked_sub(judged.start_op)
                .filter(|_| text.1 == judged.actor)?;
            match judged.effects.get(usize::try_from(at).ok()?) {
                Some(Effect::Text(key)) => Some(key.clone()),
                _ => None,
            }
        };
        let of_text = |text: &OpId| match self.texts.get(text) {
            Some(known) => Some(known.key.clone()),
            None => own(text),
        };
        let of_own_char = |(counter, actor): &OpId| {
            let at = counter
                .checked_sub(judged.start_op)
                .filter(|_| *actor == judged.actor)?;
            match judged.effects.get(usize::try_from(at).ok()?) {
                Some(Effect::Char(text, _)) => of_text(text),
                _ => None,
            }
        };
        let mut keys = BTreeSet::new();
        let mut last = None;
        for effect in &judged.effects {
            match effect {
                Effect::Key(MapName::Links, ..) => keys.extend([Some("links".to_owned())]),
                Effect::Key(MapName::Sets, key, _) => {
                    keys.insert(key.split('.').next().map(str::to_owned));
                }
                Effect::Key(_, key, _) | Effect::Text(key) => keys.extend([Some(key.clone())]),
                Effect::Char(text, _) if last == Some(*text) => {}
                Effect::Char(text, _) => {
                    last = Some(*text);
                    keys.insert(of_text(text));
                }
                Effect::Gone(char) => {
                    let known = self.char_at(*char).and_then(|(text, _)| of_text(&text));
                    keys.insert(known.or_else(|| of_own_char(char)));
                }
            }
        }
        keys.into_iter().flatten().collect()
    }
}

fn set(clock: &mut Vec<u64>, actor: usize, seq: u64) {
    if clock.len() <= actor {
        clock.resize(actor + 1, 0);
    }
    if let Some(there) = clock.get_mut(actor) {
        *there = seq;
    }
}

/// A character's bytes in UTF-8: 1 to 4.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a character has at most four bytes"
)]
fn width(char: char) -> u8 {
    char.len_utf8() as u8
}
