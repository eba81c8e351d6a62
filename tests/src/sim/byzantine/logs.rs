//! Logs of broken nodes: entries whose chain and signature hold, with payloads, heights and places
//! that no honest node writes.

use std::collections::BTreeMap;

use diwan_core::id::{AgencyId, GroupId, RecordId};
use diwan_core::identity::AgencyBody;
use diwan_core::record::{Content, Editors, Genesis};
use diwan_core::sync::Message;

use super::changes::{self, Victim};
use super::pen::{Draft, Pen};
use super::{Act, Kind};
use crate::sim::world::World;

/// Changes in one flood.
const FLOOD: usize = 40;
/// Logs that one broken node has in one group beside its honest one.
const PENS: usize = 2;

impl World {
    /// Writes such entries and sends the log to one peer; the honest code of the others passes it
    /// on.
    pub(super) fn evil_entries(&mut self, kind: Kind, act: &Act) -> Option<()> {
        let group = self.group_of(act)?;
        let drafts = self.drafts(kind, act, &group)?;
        let at = self.open_pen(act, group);
        let key = self.nodes[act.node].signing();
        let mallory = &mut self.mallory;
        let pens = mallory.pens.get_mut(&(act.node, group))?;
        let pen = pens.get_mut(at)?;
        if kind == Kind::HeightFalls && pen.last_height() == 0 {
            return None;
        }
        let count = drafts.len();
        for mut draft in drafts {
            // Only where it is meant does a height fall: it would end the log for everybody.
            let floor = match kind {
                Kind::HeightFalls => 0,
                _ => pen.last_height(),
            };
            draft.height = draft.height.max(floor);
            pen.write(&key, draft, &mut mallory.random);
        }
        let mut range = pen.range()?;
        if matches!(kind, Kind::HeightFalls | Kind::HeightAhead) {
            // Nobody takes these: what comes later builds on what was before.
            pen.take_back(count);
        }
        if kind == Kind::ForgedEntry {
            pen.take_back(count);
            range.writer = self.somebody_elses_log(act)?;
        }
        self.send_entries(act, range)
    }

    fn send_entries(&mut self, act: &Act, range: diwan_core::log::Range) -> Option<()> {
        let frame = Message::Entries(vec![range]).to_frame().ok()?;
        self.send(act.node, act.link, frame);
        Some(())
    }

    /// A group that the broken node follows.
    fn group_of(&mut self, act: &Act) -> Option<GroupId> {
        let state = self.nodes[act.node].state()?;
        let groups = state.replica.groups().iter();
        let shared: Vec<GroupId> = groups
            .filter(|(_, group)| !group.chain.is_own())
            .map(|(id, _)| *id)
            .collect();
        self.mallory.random.pick(&shared).copied()
    }

    fn open_pen(&mut self, act: &Act, group: GroupId) -> usize {
        let key = self.nodes[act.node].signing();
        let mallory = &mut self.mallory;
        let pens = mallory.pens.entry((act.node, group)).or_default();
        if pens.len() < PENS && (pens.is_empty() || mallory.random.percent(20)) {
            let incarnation = mallory.random.bits();
            pens.push(Pen::new(&key, group, incarnation));
        }
        mallory.random.index(pens.len())
    }

    fn somebody_elses_log(&mut self, act: &Act) -> Option<diwan_core::id::Writer> {
        let others = self.nodes.iter().enumerate();
        let others: Vec<_> = others
            .filter(|(id, _)| *id != act.node)
            .map(|(_, node)| node.me.writer())
            .collect();
        self.mallory.random.pick(&others).copied()
    }

    fn drafts(&mut self, kind: Kind, act: &Act, group: &GroupId) -> Option<Vec<Draft>> {
        let state = self.nodes[act.node].state()?;
        let height = state.replica.group(group)?.chain.height();
        let agency = self.nodes[act.node].agency;
        let draft = |record, payload| Draft {
            record,
            payload,
            height,
        };
        let genesis = self.genesis(*group, agency);
        Some(match kind {
            Kind::ForgedEntry => vec![draft(None, genesis)],
            Kind::HeightAhead => vec![Draft {
                height: height + 7,
                ..draft(None, genesis)
            }],
            Kind::HeightFalls | Kind::BackDated => vec![Draft {
                height: 0,
                ..draft(None, genesis)
            }],
            Kind::BadGenesis => vec![draft(None, self.noise(90))],
            Kind::ForeignGenesis => {
                // A group that nobody has: naming a real one would be a leak of its own.
                let mut other = [0; 32];
                self.mallory.random.fill(&mut other);
                let origin = *self.mallory.random.pick(&self.model.agencies)?;
                let foreign = match self.mallory.random.percent(50) {
                    true => self.genesis(GroupId(other), agency),
                    false => self.genesis(*group, origin),
                };
                vec![draft(None, foreign)]
            }
            Kind::NoRecord => {
                let mut id = [0; 32];
                self.mallory.random.fill(&mut id);
                vec![draft(Some(RecordId(id)), self.noise(60))]
            }
            _ => self.evil_changes(kind, act, group, height)?,
        })
    }

    /// Changes of a record that the broken node sees.
    fn evil_changes(
        &mut self,
        kind: Kind,
        act: &Act,
        group: &GroupId,
        height: u32,
    ) -> Option<Vec<Draft>> {
        let at = self.open_pen(act, *group);
        let writer = self.mallory.pens.get(&(act.node, *group))?.get(at)?.writer;
        let random = &mut self.mallory.random;
        let victim = Victim::find(&self.nodes[act.node], group, random)?;
        let payloads = match kind {
            Kind::BadChange => vec![changes::garbage(random)],
            Kind::ForeignActor => vec![victim.somebodys_change(random)?],
            Kind::CraftedChange => vec![changes::crafted(&victim.edit(&writer, random)?, random)?],
            Kind::Orphans => {
                let edit = victim.edit(&writer, random)?;
                let orphan = |_| changes::orphan(&edit, random);
                (0..FLOOD).map(orphan).collect::<Option<Vec<_>>>()?
            }
            Kind::Erase => vec![victim.erase(&writer)?],
            _ => return None,
        };
        let draft = |payload| Draft {
            record: Some(victim.record),
            payload,
            height,
        };
        Some(payloads.into_iter().map(draft).collect())
    }

    fn noise(&mut self, bytes: usize) -> Vec<u8> {
        let mut noise = vec![0; self.mallory.random.index(bytes)];
        self.mallory.random.fill(&mut noise);
        noise
    }

    fn genesis(&mut self, group: GroupId, origin: AgencyId) -> Vec<u8> {
        let text = format!("m {:x}", self.mallory.random.bits());
        let genesis = Genesis {
            group,
            origin,
            kind: "guideline".to_owned(),
            editors: Editors::Group,
            content: Content {
                texts: BTreeMap::from([("body.fr".to_owned(), text)]),
                ..Content::default()
            },
        };
        genesis.to_bytes()
    }

    /// Two logs that part at one place, each for another peer.
    pub(super) fn equivocate(&mut self, act: &Act) -> Option<()> {
        let group = self.group_of(act)?;
        let at = self.open_pen(act, group);
        let links: Vec<_> = self.nodes[act.node].sessions.keys().copied().collect();
        let key = self.nodes[act.node].signing();
        for link in links {
            let drafts = self.drafts(Kind::ForgedEntry, act, &group)?;
            let mallory = &mut self.mallory;
            let pen = mallory.pens.get_mut(&(act.node, group))?.get_mut(at)?;
            for draft in drafts {
                pen.write(&key, draft, &mut mallory.random);
            }
            let range = pen.range()?;
            pen.take_back(1);
            let node = act.node;
            self.send_entries(&Act { node, link }, range)?;
        }
        Some(())
    }

    /// Two histories of one agency, each for another peer.
    pub(super) fn fork_agency(&mut self, act: &Act) -> Option<()> {
        let at = &self.nodes[act.node];
        let (agency, key, root) = (at.agency, at.me.node, at.root());
        let state = at.state()?;
        let chain = state.replica.agency(&agency)?;
        let links: Vec<_> = at.sessions.keys().copied().collect();
        for link in links {
            let port = self.mallory.random.below(60_000);
            let addresses = vec![format!("/ip4/10.9.9.9/tcp/{port}")];
            let statement = chain.next(AgencyBody::Addresses(key, addresses));
            let heard = self.mallory.heard.iter();
            let heard = heard.filter_map(|frame| Message::from_frame(frame).ok());
            let message = heard.into_iter().find_map(|message| match message {
                Message::Agency(message) => Some(message),
                _ => None,
            });
            let mut message = message?;
            message.agency = agency;
            message.from = statement.height;
            message.statements = vec![statement.sign(&root).into()];
            let frame = Message::Agency(message).to_frame().ok()?;
            self.send(act.node, link, frame);
        }
        Some(())
    }
}
