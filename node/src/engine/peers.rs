//! Sessions with peers: the sync machine of the core on the links of the net room.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};

use diwan_core::id::{AgencyId, GroupId, NodeKey};
use diwan_core::sync::{GroupProgress, SessionStats};
use tokio::sync::{mpsc, watch};

use super::allowance::Allowance;
use super::{Engine, Machine, driver};
use crate::net::{Net, NetEvent, PeerAddresses};

/// Why a session ended that took more than its share.
pub(super) const FLOODS: &str =
    "it floods this node with what is in vain; it may come back in a minute";

/// A peer as the admin sees it.
#[derive(Clone, Debug)]
pub struct PeerView {
    /// `connected`, `dialing` or `offline`.
    pub state: &'static str,
    /// Since when, ms.
    pub since_ms: u64,
    /// Why it is offline.
    pub reason: Option<String>,
    /// Counters of the newest session.
    pub stats: SessionStats,
    /// How far it is, by group in common, at the newest session's last step.
    pub progress: Vec<(GroupId, GroupProgress)>,
    /// All that is in common is equal, and the peer has said so.
    pub equal: bool,
    /// Bytes received and sent by the newest session.
    pub bytes: (u64, u64),
}

impl PeerView {
    fn new(state: &'static str, since_ms: u64) -> Self {
        Self {
            state,
            since_ms,
            reason: None,
            stats: SessionStats::default(),
            progress: Vec::new(),
            equal: false,
            bytes: (0, 0),
        }
    }
}

type Views = Arc<Mutex<BTreeMap<NodeKey, PeerView>>>;

/// The running sessions. Cheap to clone.
#[derive(Clone)]
pub struct Peers {
    net: Net,
    machine: Arc<dyn Machine>,
    views: Views,
    changed: watch::Sender<u64>,
    allowance: Arc<Mutex<Allowance>>,
    /// Bytes that wait to be written over all sessions.
    pub(super) queued: Arc<AtomicUsize>,
}

impl Peers {
    /// Talks to the peers of the trust list over a started net, until the engine ends.
    #[must_use]
    pub fn start(engine: &Engine, net: Net, events: mpsc::Receiver<NetEvent>) -> Self {
        let peers = Self {
            net,
            machine: engine.machine(),
            views: Views::default(),
            changed: watch::channel(0).0,
            allowance: Arc::default(),
            queued: Arc::default(),
        };
        tokio::spawn(peers.clone().follow_trust(engine.clone()));
        tokio::spawn(peers.clone().follow_net(engine.clone(), events));
        peers
    }

    /// Every peer that was heard of since the start.
    #[must_use]
    pub fn views(&self) -> BTreeMap<NodeKey, PeerView> {
        self.lock().clone()
    }

    /// Tells of every change of a view.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Dials a peer now, without waiting for its backoff.
    pub async fn dial_now(&self, node: &NodeKey) {
        self.net.dial_now(node.0).await;
    }

    /// Bound addresses.
    #[must_use]
    pub fn listening(&self) -> Vec<String> {
        self.net.listening()
    }

    /// Ends all links and stops listening.
    pub async fn shutdown(&self) {
        self.net.shutdown().await;
    }

    pub(super) fn allowance(&self) -> std::sync::MutexGuard<'_, Allowance> {
        self.allowance
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<NodeKey, PeerView>> {
        self.views.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn update(&self, node: NodeKey, change: impl FnOnce(&mut PeerView)) {
        change(
            self.lock()
                .entry(node)
                .or_insert_with(|| PeerView::new("offline", self.machine.now_ms())),
        );
        self.changed
            .send_modify(|generation| *generation = generation.wrapping_add(1));
    }

    fn set_state(&self, node: NodeKey, state: &'static str, reason: Option<String>) {
        let now_ms = self.machine.now_ms();
        self.update(node, |view| {
            if view.state != state {
                view.since_ms = now_ms;
            }
            view.state = state;
            view.reason = reason;
            view.equal &= state == "connected";
        });
    }

    /// Keeps the net's peers equal to what the trust list and the chains say.
    async fn follow_trust(self, engine: Engine) {
        let mut state = engine.watch();
        let mut known = None;
        loop {
            let now = state.borrow_and_update().clone();
            let peers: Vec<PeerAddresses> = now
                .replica
                .peers()
                .map(|(node, agency)| PeerAddresses {
                    peer: node.0,
                    addresses: now
                        .replica
                        .agency(agency)
                        .and_then(|chain| chain.certificate(node))
                        .map(|certificate| certificate.addresses.clone())
                        .unwrap_or_default(),
                })
                .collect();
            if known.as_ref() != Some(&peers) {
                self.lock()
                    .retain(|node, _| peers.iter().any(|peer| peer.peer == node.0));
                self.net.set_peers(peers.clone()).await;
                let trusted: BTreeSet<AgencyId> =
                    now.replica.peers().map(|(_, agency)| *agency).collect();
                self.allowance().keep(|agency| trusted.contains(agency));
                known = Some(peers);
            }
            if state.changed().await.is_err() {
                return;
            }
        }
    }

    async fn follow_net(self, engine: Engine, mut events: mpsc::Receiver<NetEvent>) {
        while let Some(event) = events.recv().await {
            match event {
                NetEvent::Dialing { peer } => self.set_state(NodeKey(peer), "dialing", None),
                NetEvent::Offline { peer, reason } => {
                    let node = NodeKey(peer);
                    let reason = match self.is_away(&engine, &node) {
                        true => FLOODS.to_owned(),
                        false => reason,
                    };
                    self.set_state(node, "offline", Some(reason));
                }
                NetEvent::Connected { peer, link, .. } => {
                    let node = NodeKey(peer);
                    let Some(agency) = engine.state().replica.agency_of(&node) else {
                        continue;
                    };
                    if self.is_away(&engine, &node) {
                        continue;
                    }
                    self.set_state(node, "connected", None);
                    tokio::spawn(driver::run(
                        self.clone(),
                        engine.clone(),
                        node,
                        agency,
                        link,
                    ));
                }
            }
        }
    }

    /// Whether a node's agency was sent away and may not be back yet.
    fn is_away(&self, engine: &Engine, node: &NodeKey) -> bool {
        let agency = engine.state().replica.agency_of(node);
        let now_ms = engine.elapsed_ms();
        agency.is_some_and(|agency| self.allowance().is_away(&agency, now_ms))
    }
}
