//! `holders`: which agencies have stored a record, by the receipts that their nodes signed and by nothing
//! else. That something was sent to an agency says nothing.

use std::collections::BTreeMap;

use axum::extract::State;
use diwan_api::types::{Holder, Holders, Stored};
use diwan_core::id::{AgencyId, GroupId, Writer};
use diwan_core::log::LogHead;
use diwan_core::record::{AuthoredChange, Version, materialise};
use diwan_core::verify::Receipt;

use super::answer::{Answer, Json, Named, apart};
use super::view::{Seen, View};
use super::{Api, names, time};
use crate::engine::{Engine, EngineError};
use crate::store::StoreError;

/// `GET /v1/records/{record}/holders`.
pub(super) async fn holders(
    State(api): State<Api>,
    Named(record): Named<String>,
) -> Answer<Holders> {
    apart(move || read(&api.engine, &record)).await.map(Json)
}

fn read(engine: &Engine, text: &str) -> Result<Holders, EngineError> {
    let view = View::open(engine)?;
    let seen = view.found(text)?;
    let changes = view.changes(seen.num)?;
    let held = held(&view, &seen, &changes)?;
    let replica = view.replica();
    let holder = |(agency, held): (&AgencyId, &Held)| Holder {
        agency: agency.to_string(),
        short: names::short(replica, agency),
        stored: held.all(&changes),
        version: held
            .version(&seen, &changes)
            .map(|version| version.to_string()),
        receipt_time: held.receipt_ms.map(time::rfc3339),
        ahead: held.is_ahead,
    };
    let mut holders: Vec<Holder> = held.iter().map(holder).collect();
    holders.sort_by(|a, b| a.short.cmp(&b.short));
    Ok(Holders {
        record: seen.row.id.to_string(),
        of: holders.len() as u64,
        holders,
    })
}

/// How many agencies of its group have stored a record as it is now.
pub(super) fn stored(view: &View, seen: &Seen) -> Result<Stored, StoreError> {
    let changes = view.changes(seen.num)?;
    let held = held(view, seen, &changes)?;
    Ok(Stored {
        by: held.values().filter(|held| held.all(&changes)).count() as u64,
        of: held.len() as u64,
    })
}

/// What the best of an agency's receipts says of a record.
#[derive(Default)]
struct Held {
    /// The first version is stored.
    first: bool,
    /// Places of the changes that are.
    changes: Vec<(Writer, u64)>,
    receipt_ms: Option<u64>,
    /// It is for entries that are not here: what it proves is known once they are.
    is_ahead: bool,
}

impl Held {
    fn all(&self, changes: &[AuthoredChange]) -> bool {
        self.first && self.changes.len() == changes.len()
    }

    /// The version that these entries make.
    fn version(&self, seen: &Seen, changes: &[AuthoredChange]) -> Option<Version> {
        if !self.first {
            return None;
        }
        if self.all(changes) {
            return Some(Version::from(seen.row.version));
        }
        let stored = |change: &&AuthoredChange| self.changes.contains(&place(change));
        let stored: Vec<AuthoredChange> = changes.iter().filter(stored).cloned().collect();
        Some(materialise(&seen.genesis, &seen.row.id, &stored).version)
    }
}

fn place(change: &AuthoredChange) -> (Writer, u64) {
    (change.writer, change.seq)
}

/// What each member of a record's group has stored of it.
fn held(
    view: &View,
    seen: &Seen,
    changes: &[AuthoredChange],
) -> Result<BTreeMap<AgencyId, Held>, StoreError> {
    let replica = view.replica();
    let mut held = BTreeMap::new();
    let Some(group) = replica.group(&seen.row.group) else {
        return Ok(held);
    };
    for (agency, _) in group.chain.members() {
        held.insert(*agency, Held::default());
    }
    for (node, signed) in &group.receipts {
        let agency = replica.agency_of(node);
        let Some(best) = agency.and_then(|agency| held.get_mut(&agency)) else {
            continue;
        };
        let proven = Proven::by(view, seen.row.group, &signed.receipt, seen, changes)?;
        let order = |held: &Held| (held.first, held.changes.len(), held.receipt_ms);
        let found = Held {
            first: proven.reaches(&(seen.header.writer, seen.header.seq)),
            changes: changes
                .iter()
                .map(place)
                .filter(|place| proven.reaches(place))
                .collect(),
            receipt_ms: Some(signed.receipt.wall_ms),
            is_ahead: proven.is_ahead,
        };
        if order(&found) > order(best) {
            *best = found;
        }
    }
    Ok(held)
}

/// How far into each log a receipt proves that its node has what this one has.
pub(super) struct Proven {
    upto: BTreeMap<Writer, u64>,
    /// It names a head that this node has not reached.
    is_ahead: bool,
}

impl Proven {
    /// A receipt names the head of each log. Where this node has another entry there, or none, the two
    /// may hold different logs: that proves nothing.
    pub(super) fn by(
        view: &View,
        group: GroupId,
        receipt: &Receipt,
        seen: &Seen,
        changes: &[AuthoredChange],
    ) -> Result<Self, StoreError> {
        let (mut proven, mut is_ahead) = (BTreeMap::new(), false);
        let replica = view.replica().group(&group);
        let writers = changes.iter().map(|change| change.writer);
        for writer in writers.chain([seen.header.writer]) {
            if proven.contains_key(&writer) {
                continue;
            }
            let head = receipt.frontier.0.get(&writer);
            let same = match head {
                Some(head) => has(view, group, writer, head)?,
                None => false,
            };
            let own = replica.and_then(|replica| replica.logs.get(&writer));
            let own = own.map_or(0, |log| log.head.seq);
            is_ahead |= head.is_some_and(|head| head.seq > own);
            proven.insert(writer, head.filter(|_| same).map_or(0, |head| head.seq));
        }
        Ok(Self {
            upto: proven,
            is_ahead,
        })
    }

    /// Whether it has the entry of a place.
    pub(super) fn reaches(&self, (writer, seq): &(Writer, u64)) -> bool {
        self.upto.get(writer).is_some_and(|proven| proven >= seq)
    }
}

/// Whether this node has the entry that a receipt names as the head of a log.
fn has(view: &View, group: GroupId, writer: Writer, head: &LogHead) -> Result<bool, StoreError> {
    let replica = view.replica().group(&group);
    let own = replica.and_then(|replica| replica.logs.get(&writer));
    if own.is_some_and(|log| log.head == *head) {
        return Ok(true);
    }
    let Some(log) = view.log(group, writer) else {
        return Ok(false);
    };
    let entry = view.reading.entry(log, head.seq)?;
    Ok(entry.is_some_and(|entry| entry.header.hash() == head.hash))
}
