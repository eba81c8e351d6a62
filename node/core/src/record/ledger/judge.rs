//! Resolves the operations of one change, one after the other.

use super::super::content;
use super::super::gate::ChangeReason;
use super::super::scan::{Action, Op, OpName, Place, Scan};
use super::{Effect, Ledger, MapName, OpId, width};

/// One change while its operations are resolved.
pub(super) struct Judge<'a> {
    ledger: &'a Ledger,
    scan: &'a Scan<'a>,
    /// Where the change's actors stand in the ledger.
    actors: Vec<Option<usize>>,
    /// Which of the change's actors were referred to.
    used: Vec<bool>,
    own: usize,
    clock: &'a [u64],
    effects: Vec<Effect>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(
        ledger: &'a Ledger,
        scan: &'a Scan<'a>,
        own: usize,
        clock: &'a [u64],
    ) -> Self {
        Self {
            ledger,
            scan,
            actors: scan.actors.iter().map(|id| ledger.find_actor(id)).collect(),
            used: vec![false; scan.actors.len()],
            own,
            clock,
            effects: Vec::with_capacity(scan.ops.len()),
        }
    }

    /// What the operations do, in order.
    pub(super) fn effects(mut self) -> Result<Vec<Effect>, ChangeReason> {
        for op in &self.scan.ops {
            let effect = self.effect(op)?;
            self.effects.push(effect);
        }
        // An actor that nothing refers to would be carried along for good.
        match self.used.iter().skip(1).all(|used| *used) {
            true => Ok(self.effects),
            false => Err(ChangeReason::Malformed),
        }
    }

    /// Resolves a name in the change's own past: an earlier operation of its own, or one of a
    /// change that it depends on.
    fn resolve(&mut self, name: OpName) -> Result<OpId, ChangeReason> {
        if let Some(used) = self.used.get_mut(name.actor) {
            *used = true;
        }
        let is_own = name.actor == 0;
        if is_own && name.counter >= self.scan.start_op {
            let next = self.scan.start_op + self.effects.len() as u64;
            return match name.counter < next {
                true => Ok((name.counter, self.own)),
                false => Err(ChangeReason::Reference),
            };
        }
        let actor = self.actors.get(name.actor).copied().flatten();
        let actor = actor.ok_or(ChangeReason::Reference)?;
        let (_, line) = self
            .ledger
            .actors
            .get(actor)
            .ok_or(ChangeReason::Reference)?;
        let behind = line
            .spans
            .partition_point(|(start, _)| *start <= name.counter);
        let span = behind.checked_sub(1).and_then(|at| line.spans.get(at));
        let in_span = span.is_some_and(|(_, end)| name.counter <= *end);
        let seen = self.clock.get(actor).copied().unwrap_or(0);
        match in_span && behind as u64 <= seen {
            true => Ok((name.counter, actor)),
            false => Err(ChangeReason::Reference),
        }
    }

    fn own_effect(&self, id: OpId) -> Option<&Effect> {
        if id.1 != self.own {
            return None;
        }
        let at = id.0.checked_sub(self.scan.start_op)?;
        self.effects.get(usize::try_from(at).ok()?)
    }

    fn effect(&mut self, op: &Op<'_>) -> Result<Effect, ChangeReason> {
        let object = self.resolve(op.object.ok_or(ChangeReason::Schema)?)?;
        if let Some(map) = self.ledger.maps.get(&object) {
            return self.on_map(*map, op);
        }
        let is_own_text = matches!(self.own_effect(object), Some(Effect::Text(_)));
        match is_own_text || self.ledger.texts.contains_key(&object) {
            true => self.in_text(object, op),
            false => Err(ChangeReason::Reference),
        }
    }

    fn on_map(&mut self, map: MapName, op: &Op<'_>) -> Result<Effect, ChangeReason> {
        let Place::Key(key) = op.place else {
            return Err(ChangeReason::Schema);
        };
        if op.insert {
            return Err(ChangeReason::Schema);
        }
        let effect = match (map, op.action) {
            (MapName::Texts, Action::MakeText) => Effect::Text(key.to_owned()),
            (MapName::Values, Action::SetText(value)) => {
                content::check_value(key, value).map_err(|_| ChangeReason::Schema)?;
                Effect::Key(map, key.to_owned(), true)
            }
            (MapName::Sets | MapName::Links, Action::SetTrue) => {
                Effect::Key(map, key.to_owned(), true)
            }
            (_, Action::Delete) if !op.preds.is_empty() => Effect::Key(map, key.to_owned(), false),
            _ => return Err(ChangeReason::Schema),
        };
        let checked = match map {
            MapName::Texts => content::check_text_key(key),
            MapName::Values => content::check_field(key),
            MapName::Sets => content::check_item(key),
            MapName::Links => content::check_link(key),
        };
        checked.map_err(|_| ChangeReason::Schema)?;
        self.on_same_key(map, key, op)?;
        Ok(effect)
    }

    /// An operation on a key names earlier ones on that very key, in order, each once.
    fn on_same_key(&mut self, map: MapName, key: &str, op: &Op<'_>) -> Result<(), ChangeReason> {
        let mut before: Option<OpName> = None;
        for at in op.preds.clone() {
            let pred = *self.scan.preds.get(at).ok_or(ChangeReason::Malformed)?;
            if before.is_some_and(|before| !self.is_before(before, pred)) {
                return Err(ChangeReason::Malformed);
            }
            before = Some(pred);
            let id = self.resolve(pred)?;
            let known = self.ledger.slots.get(&id);
            let is_same = known.is_some_and(|(of, there)| *of == map && there == key)
                || match self.own_effect(id) {
                    Some(Effect::Key(of, there, true)) => *of == map && there == key,
                    Some(Effect::Text(there)) => map == MapName::Texts && there == key,
                    _ => false,
                };
            if !is_same {
                return Err(ChangeReason::Reference);
            }
        }
        Ok(())
    }

    /// Automerge's order of names: counters first, then actors' bytes.
    fn is_before(&self, a: OpName, b: OpName) -> bool {
        let actor = |name: OpName| self.scan.actors.get(name.actor);
        (a.counter, actor(a)) < (b.counter, actor(b))
    }

    fn in_text(&mut self, text: OpId, op: &Op<'_>) -> Result<Effect, ChangeReason> {
        let element = match op.place {
            Place::Head => None,
            Place::Element(name) => Some((name, self.resolve(name)?)),
            Place::Key(_) => return Err(ChangeReason::Schema),
        };
        if let Some((_, element)) = element
            && self.text_of(element) != Some(text)
        {
            return Err(ChangeReason::Reference);
        }
        match (op.action, element) {
            (Action::SetText(char), _) if op.insert && op.preds.is_empty() => {
                let mut chars = char.chars();
                match (chars.next(), chars.next()) {
                    (Some(char), None) => Ok(Effect::Char(text, width(char))),
                    _ => Err(ChangeReason::Schema),
                }
            }
            (Action::Delete, Some((name, element))) if !op.insert => {
                let mut preds = op.preds.clone().filter_map(|at| self.scan.preds.get(at));
                match (preds.next(), preds.next()) {
                    (Some(pred), None) if *pred == name => Ok(Effect::Gone(element)),
                    _ => Err(ChangeReason::Reference),
                }
            }
            _ => Err(ChangeReason::Schema),
        }
    }

    /// The text that an element belongs to.
    fn text_of(&self, element: OpId) -> Option<OpId> {
        match self.own_effect(element) {
            Some(Effect::Char(text, _)) => Some(*text),
            Some(_) => None,
            None => self.ledger.char_at(element).map(|(text, _)| text),
        }
    }
}
