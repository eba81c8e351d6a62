//! One simulated node: the real store and the real writing side of the engine on a simulated disk,
//! with the sessions that it has, its officers' jobs, and its crashes.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;

use diwan_core::id::{AgencyId, GroupId, Me, NodeKey, Writer};
use diwan_core::log::Range;
use diwan_core::sync::{Incoming, Input, Message, Session, Wish};
use diwan_core::wire::Signing;
use diwan_node::boot::{Founding, NewAgency, read_state};
use diwan_node::engine::{Committer, OwnKeys, State};
use diwan_node::store::{Reading, Store, StoreError};
use zeroize::Zeroizing;

use super::disk::SimDisk;
use super::machine::{SimMachine, Time};
use super::network::{LinkId, NodeId};
use super::task::Task;
use crate::kit::Random;

/// Jobs in one commit, as in the node itself.
const JOBS_PER_COMMIT: usize = 64;

/// Frames of entries that are with the writer together, as in the node itself.
const BATCHES_TOGETHER: usize = 4;

/// A job that waits for the writer.
#[derive(Debug)]
pub enum Order {
    /// What a peer brought.
    Incoming {
        /// The session that waits for the answer.
        link: LinkId,
        /// The peer's agency.
        from: AgencyId,
        /// What it is.
        incoming: Incoming,
    },
    /// What an officer wants.
    Officer(Task),
}

/// A running session, with what waits for it.
pub struct Live {
    /// The real thing.
    pub session: Session,
    /// The other end.
    pub peer: NodeId,
    /// The other end's key.
    pub key: NodeKey,
    /// Wishes of the last step that are not fulfilled yet.
    pub wishes: VecDeque<Wish>,
    /// Answers that come before anything else, in this order.
    pub inputs: VecDeque<Input>,
    /// Frames that arrived.
    pub frames: VecDeque<Vec<u8>>,
    /// A range that was read.
    pub read: Option<(GroupId, Writer, Option<Range>)>,
    /// Something was committed.
    pub changed: bool,
    /// Time passed.
    pub ticked: bool,
    /// Submissions that are with the writer; the session waits for them.
    pub submitted: usize,
    /// The frame that has arrived brings entries and goes to the writer before it has answered.
    pub goes_on: bool,
}

impl Live {
    /// A session that has not begun.
    #[must_use]
    pub fn new(session: Session, peer: NodeId, key: NodeKey) -> Self {
        Self {
            session,
            peer,
            key,
            wishes: VecDeque::new(),
            inputs: VecDeque::from([Input::Start]),
            frames: VecDeque::new(),
            read: None,
            changed: false,
            ticked: false,
            submitted: 0,
            goes_on: false,
        }
    }

    fn next_frame(&mut self) -> Option<(Input, usize)> {
        let frame = self.frames.pop_front()?;
        let bytes = frame.len();
        Some((Input::Frame(frame), bytes))
    }

    /// Whether nothing goes on before the writer answers.
    pub fn waits(&self) -> bool {
        self.submitted > 0 && !self.goes_on && self.inputs.is_empty()
    }

    /// Notes a submission. Entries that have arrived behind entries may go to the writer as well
    /// before it has answered, up to four frames of them.
    pub fn submits(&mut self, incoming: &Incoming, random: &mut Random) {
        self.submitted += 1;
        let is_entries = matches!(incoming, Incoming::Entries(_));
        let next = self.frames.front();
        let follows = next.is_some_and(|frame| Message::brings_entries(frame));
        if is_entries && follows && self.submitted < BATCHES_TOGETHER {
            self.goes_on = random.percent(50);
        }
    }

    /// The next thing that happened, of several one by chance, and how long the frame was if it is
    /// one.
    pub fn next_input(&mut self, random: &mut Random) -> Option<(Input, usize)> {
        if std::mem::take(&mut self.goes_on) {
            return self.next_frame();
        }
        if let Some(input) = self.inputs.pop_front() {
            return Some((input, 0));
        }
        let ready = [
            !self.frames.is_empty(),
            self.changed,
            self.ticked,
            self.read.is_some(),
        ];
        let ready: Vec<usize> = (0..4).filter(|at| ready[*at]).collect();
        match random.pick(&ready)? {
            0 => self.next_frame(),
            1 => {
                self.changed = false;
                Some((Input::Changed, 0))
            }
            2 => {
                self.ticked = false;
                Some((Input::Tick, 0))
            }
            _ => {
                let (group, writer, range) = self.read.take()?;
                let read = Input::Read {
                    group,
                    writer,
                    range,
                };
                Some((read, 0))
            }
        }
    }
}

/// One node.
pub struct Node {
    /// What people call it in the trace.
    pub name: String,
    /// Its agency.
    pub agency: AgencyId,
    /// Who it is.
    pub me: Me,
    root_seed: [u8; 32],
    node_seed: [u8; 32],
    /// It is broken into: it has its keys and does what it wants.
    pub byzantine: bool,
    /// Its disk.
    pub disk: SimDisk,
    /// Its clock and entropy.
    pub machine: Arc<SimMachine>,
    /// The writing side; none while the node is down.
    pub committer: Option<Committer>,
    /// Counts its starts.
    pub life: u64,
    /// Jobs that wait.
    pub queue: VecDeque<Order>,
    /// A commit is under way.
    pub committing: bool,
    /// How long a commit takes, ms: from, to.
    pub commit_ms: (u64, u64),
    /// The store refused: nothing more can be written before a restart.
    pub sick: bool,
    /// Its sessions.
    pub sessions: BTreeMap<LinkId, Live>,
}

fn key(seed: &[u8; 32]) -> Signing {
    Signing::from_seed(&Zeroizing::new(*seed))
}

impl Node {
    /// Founds an agency with one node and starts it.
    ///
    /// # Errors
    /// What the node's own code answered.
    pub fn found(id: NodeId, time: &Time, random: &mut Random) -> Result<Self, String> {
        let (mut root_seed, mut node_seed, mut nonce) = ([0; 32], [0; 32], [0; 16]);
        random.fill(&mut root_seed);
        random.fill(&mut node_seed);
        random.fill(&mut nonce);
        let name = format!("n{id}");
        let agency = NewAgency {
            name: format!("Police n° {id} · شرطة"),
            country: "FR".to_owned(),
            short: format!("pol-{id}"),
        };
        let founding = Founding::of(agency, (&key(&root_seed), &key(&node_seed)), nonce)
            .map_err(|error| error.to_string())?;
        let disk = SimDisk::new();
        let store = Store::open_on(disk.clone()).map_err(|error| error.to_string())?;
        let incarnation = random.bits();
        founding
            .write(&store, incarnation, 0)
            .and_then(|()| store.mark_clean(true))
            .map_err(|error| error.to_string())?;
        drop(store);
        let machine = Arc::new(SimMachine::new(time.clone(), random.fork()));
        let disk = disk.restart();
        let committer = open(&disk, (&root_seed, &node_seed), machine.clone())?;
        let me = committer.state().replica.me();
        Ok(Self {
            name,
            agency: me.agency,
            me,
            root_seed,
            node_seed,
            byzantine: false,
            disk,
            machine,
            committer: Some(committer),
            life: 1,
            queue: VecDeque::new(),
            committing: false,
            commit_ms: (1, 5),
            sick: false,
            sessions: BTreeMap::new(),
        })
    }

    /// The key that signs its entries.
    #[must_use]
    pub fn signing(&self) -> Signing {
        key(&self.node_seed)
    }

    /// The key that signs its agency's chain.
    #[must_use]
    pub fn root(&self) -> Signing {
        key(&self.root_seed)
    }

    /// The state of its last commit; none while it is down.
    #[must_use]
    pub fn state(&self) -> Option<Arc<State>> {
        self.committer
            .as_ref()
            .map(|committer| committer.state().clone())
    }

    /// Reads the store beside the state of its last commit.
    ///
    /// # Errors
    /// What the store answered, or that the node is down.
    pub fn read_for<T>(
        &self,
        read: impl FnOnce(&State, &Reading) -> Result<T, StoreError>,
    ) -> Result<T, String> {
        let committer = self.committer.as_ref().ok_or("the node is down")?;
        let reading = committer.store().read();
        let done = reading.and_then(|reading| read(committer.state(), &reading));
        done.map_err(|error| error.to_string())
    }

    /// Whether it runs.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.committer.is_some()
    }

    /// What the writer takes into its next commit.
    pub fn next_orders(&mut self) -> Vec<Order> {
        let count = self.queue.len().min(JOBS_PER_COMMIT);
        self.queue.drain(..count).collect()
    }

    /// Loses its power. Tells what the disk lost.
    pub fn crash(&mut self, random: &mut Random) -> (usize, usize) {
        let (disk, changed, lost) = self.disk.crash(random);
        self.disk = disk;
        self.end();
        (changed, lost)
    }

    /// Ends, in order where `clean` and as by kill -9 where not.
    pub fn stop(&mut self, clean: bool) {
        if let Some(committer) = &self.committer
            && clean
        {
            // A disk that fails may refuse even this.
            let _ = committer.close();
        }
        if !clean {
            self.disk = self.disk.restart();
        }
        self.end();
        if clean {
            self.disk = self.disk.restart();
        }
    }

    fn end(&mut self) {
        self.committer = None;
        self.queue.clear();
        self.committing = false;
        self.sick = false;
        self.life += 1;
    }

    /// Starts again from what is on the disk.
    ///
    /// # Errors
    /// What the node said on its way up.
    pub fn start(&mut self) -> Result<(), String> {
        let seeds = (&self.root_seed, &self.node_seed);
        let committer = open(&self.disk, seeds, self.machine.clone())?;
        let me = committer.state().replica.me();
        if (me.agency, me.node) != (self.me.agency, self.me.node) {
            return Err("it came up as somebody else".to_owned());
        }
        self.committer = Some(committer);
        Ok(())
    }
}

fn open(
    disk: &SimDisk,
    (root, node): (&[u8; 32], &[u8; 32]),
    machine: Arc<SimMachine>,
) -> Result<Committer, String> {
    let store = Store::open_on(disk.clone()).map_err(|error| error.to_string())?;
    let reading = store.read().map_err(|error| error.to_string())?;
    let signing = key(node);
    let state =
        read_state(Path::new("disk"), &reading, &signing).map_err(|error| format!("{error:?}"))?;
    drop(reading);
    let keys = OwnKeys {
        node: signing,
        root: Some(key(root)),
    };
    Ok(Committer::new(store, state, keys, machine))
}
