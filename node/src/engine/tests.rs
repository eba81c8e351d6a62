//! The engine without threads and sockets: nodes in temporary files, whose sessions are pumped by
//! hand. What one node signs, the others judge by themselves.

mod cases;
mod flooding;
mod forks;
mod governing;
mod judging;
mod newer;
mod purging;
mod reading;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use diwan_core::group::{Member, Role};
use diwan_core::id::{AgencyId, GroupId, NodeKey, RecordId};
use diwan_core::identity::Card;
use diwan_core::record::{Content, Edit, Editors, Tlp};
use diwan_core::sync::{Input, Session, Wish};
use diwan_core::trust::{TrustEntry, Verification};
use diwan_core::verify;
use diwan_core::wire::Signing;
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::*;
use crate::boot::{Founding, NewAgency, read_state};
use crate::store::{RecordState, Store};

fn key(seed: u8) -> Signing {
    Signing::from_seed(&Zeroizing::new([seed; 32]))
}

/// The program `breaks` asks whether these tests notice a rule that is left out.
fn leave_out_what_the_tester_says() {
    #[cfg(feature = "breaks")]
    if let Ok(name) = std::env::var("DIWAN_LEFT_OUT") {
        use diwan_core::breaks::{Break, leave_out};
        let rule = Break::ALL
            .into_iter()
            .find(|rule| format!("{rule:?}") == name);
        leave_out(rule);
    }
}

/// A node whose store is a file that can be copied and opened again.
struct Bench {
    committer: Option<Committer>,
    seeds: (u8, u8),
    path: PathBuf,
    _dir: TempDir,
}

impl Bench {
    /// Node of agency `n`, whose short name is the country in small letters.
    fn new(n: u8, country: &str) -> Self {
        leave_out_what_the_tester_says();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.redb");
        let seeds = (n, n + 100);
        let agency = NewAgency {
            name: format!("Police {country}"),
            country: country.to_owned(),
            short: country.to_lowercase(),
        };
        let store = Store::open(&path, true).unwrap();
        let founding = Founding::of(agency, (&key(seeds.0), &key(seeds.1)), [n; 16]).unwrap();
        founding.write(&store, u64::from(n), 0).unwrap();
        store.mark_clean(true).unwrap();
        drop(store);
        let mut bench = Self {
            committer: None,
            seeds,
            path,
            _dir: dir,
        };
        bench.open();
        bench
    }

    fn open(&mut self) {
        self.open_on(Arc::new(ThisMachine));
    }

    fn open_on(&mut self, machine: Arc<dyn Machine>) {
        let store = Store::open(&self.path, false).unwrap();
        let (root, node) = (key(self.seeds.0), key(self.seeds.1));
        let state = read_state(&self.path, &store.read().unwrap(), &node).unwrap();
        let keys = OwnKeys {
            node,
            root: Some(root),
        };
        self.committer = Some(Committer::new(store, state, keys, machine));
    }

    fn close(&mut self) {
        self.committer.take().unwrap().close().unwrap();
    }

    /// A copy of the home as it is now, as a backup would be.
    fn copy(&mut self) -> Bench {
        self.close();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.redb");
        std::fs::copy(&self.path, &path).unwrap();
        self.open();
        let mut copy = Bench {
            committer: None,
            seeds: self.seeds,
            path,
            _dir: dir,
        };
        copy.open();
        copy
    }

    fn step<T>(
        &mut self,
        job: impl FnOnce(&mut Step<'_, '_>) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        self.committer.as_mut().unwrap().run(job)
    }

    fn state(&self) -> Arc<State> {
        self.committer.as_ref().unwrap().state().clone()
    }

    fn read(&self) -> Reading {
        self.committer.as_ref().unwrap().store().read().unwrap()
    }

    fn agency(&self) -> AgencyId {
        self.state().replica.me().agency
    }

    fn node(&self) -> NodeKey {
        self.state().replica.me().node
    }

    fn trust(&mut self, other: &Bench) {
        let state = other.state();
        let chain = state.replica.agency(&other.agency()).unwrap().clone();
        let card = verify::card(&Card { chain }.render()).unwrap();
        let pinned = TrustEntry::pinned(Verification {
            at_ms: 1,
            by_uid: 0,
        });
        self.step(|step| step.trust_card(&card, pinned)).unwrap();
    }

    fn write(&mut self, group: &GroupId, title: &str) -> RecordId {
        self.write_body(group, title, "Premier.\n\nDeuxième.\n")
    }

    fn write_body(&mut self, group: &GroupId, title: &str, body: &str) -> RecordId {
        let mut content = Content::default();
        content.texts.insert("title.fr".into(), title.into());
        content.texts.insert("body.fr".into(), body.into());
        let draft = RecordDraft {
            kind: "guideline".into(),
            content,
            editors: Editors::Group,
            record: None,
            file_name: None,
        };
        self.step(|step| step.create_record(group, draft))
            .unwrap()
            .0
    }

    fn edit(&mut self, record: &RecordId, body: &str) -> Result<EditDone, EngineError> {
        let mut edit = Edit::default();
        edit.texts.insert("body.fr".into(), Some(body.into()));
        self.step(|step| step.edit_record(record, None, &edit))
    }

    /// What a record says; none where it is unknown, hidden or purged.
    fn content(&self, record: &RecordId) -> Option<Content> {
        let reading = self.read();
        let num = reading.record_num(record).unwrap()?;
        let row = reading.record(num).unwrap()?;
        reading.content(num, &row).unwrap()
    }

    fn body(&self, record: &RecordId) -> Option<String> {
        Some(self.content(record)?.texts["body.fr"].clone())
    }

    fn state_of(&self, record: &RecordId) -> Option<RecordState> {
        let reading = self.read();
        let num = reading.record_num(record).unwrap()?;
        reading.record(num).unwrap().map(|row| row.state)
    }

    /// Every reason in quarantine, by place.
    fn quarantine(&self) -> Vec<(u64, u8)> {
        let all = self.read().quarantine_behind((0, 0), 1_000).unwrap();
        all.into_iter()
            .map(|(_, seq, reason)| (seq, reason))
            .collect()
    }
}

/// Nodes that trust each other, and a group of the first one's with the roles of the others.
fn federation(roles: &[Role]) -> (Vec<Bench>, GroupId) {
    let countries = ["FR", "TN", "MA", "DZ"];
    let mut nodes: Vec<Bench> = (1..)
        .zip(countries.iter().take(roles.len() + 1))
        .map(|(n, country)| Bench::new(n, country))
        .collect();
    for a in 0..nodes.len() {
        for b in 0..nodes.len() {
            if a != b {
                let other = std::mem::replace(&mut nodes[b], Bench::new(90, "XX"));
                nodes[a].trust(&other);
                nodes[b] = other;
            }
        }
    }
    let members: Vec<Member> = (1..)
        .zip(roles)
        .map(|(at, role)| Member {
            agency: nodes[at as usize].agency(),
            role: *role,
        })
        .collect();
    let owners = 1 + roles.iter().filter(|role| **role == Role::Owner).count();
    let majority = u32::try_from(owners / 2 + 1).unwrap();
    let group = nodes[0]
        .step(|step| step.create_group("cyber", &members, majority, Tlp::Green))
        .unwrap();
    (nodes, group)
}

/// Lets two nodes sync until nothing is under way; both say whether they are equal.
fn sync(nodes: &mut [Bench], a: usize, b: usize) -> bool {
    let peer = |nodes: &[Bench], at: usize| (nodes[at].node(), nodes[at].agency());
    let mut sessions = [
        (a, Session::new(peer(nodes, b).0, peer(nodes, b).1, 0)),
        (b, Session::new(peer(nodes, a).0, peer(nodes, a).1, 0)),
    ];
    let mut queue: VecDeque<(usize, Input)> =
        VecDeque::from([(0, Input::Start), (1, Input::Start)]);
    let mut now_ms = 0;
    let mut idle = 0;
    loop {
        let Some((side, input)) = queue.pop_front() else {
            // Receipts of others leave with the time.
            if idle == 4 {
                break;
            }
            (idle, now_ms) = (idle + 1, now_ms + 250);
            queue.extend([(0, Input::Tick), (1, Input::Tick)]);
            continue;
        };
        if !matches!(input, Input::Tick) {
            idle = 0;
        }
        let other_agency = nodes[sessions[1 - side].0].agency();
        let (at, session) = &mut sessions[side];
        let node = &mut nodes[*at];
        let before = node.state();
        for wish in session.handle(input, &before.replica, now_ms) {
            match wish {
                Wish::Send(frame) => queue.push_back((1 - side, Input::Frame(frame))),
                Wish::Read {
                    group,
                    writer,
                    from,
                } => {
                    let state = node.state();
                    let found = state.replica.group(&group).unwrap();
                    let end = state.replica.end_of_log(found, &writer);
                    let log = state.logs.get(&(group, writer)).copied();
                    let range = log.and_then(|log| {
                        let last = end.map(|end| end.last.seq);
                        node.read().range(log, from, 4_000, last).unwrap()
                    });
                    queue.push_back((
                        side,
                        Input::Read {
                            group,
                            writer,
                            range,
                        },
                    ));
                }
                Wish::Submit(incoming) => {
                    let taken = node.step(|step| Ok(step.take_incoming(&other_agency, incoming)?));
                    let Taken {
                        stored, refused, ..
                    } = taken.unwrap();
                    assert!(refused.iter().all(|item| item.innocent), "{refused:?}");
                    queue.push_back((side, Input::Submitted { stored, refused }));
                    queue.push_back((side, Input::Changed));
                }
                Wish::Compare {
                    group,
                    writer,
                    points,
                } => {
                    let about = (group, writer);
                    let answer = compared(&node.state(), &node.read(), about, &points).unwrap();
                    let messages = answer.into_iter().collect();
                    queue.push_back((side, Input::Answer { group, messages }));
                }
                Wish::Serve { group, entries } => {
                    let messages = served(&node.state(), &node.read(), group, &entries).unwrap();
                    queue.push_back((side, Input::Answer { group, messages }));
                }
                Wish::Close(reason) => panic!("{at} closed: {reason}"),
            }
        }
    }
    sessions.iter().all(|(at, session)| {
        let state = nodes[*at].state();
        session.is_equal(&state.replica)
    })
}
