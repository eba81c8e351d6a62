//! What a job works with: the tables of the open transaction and the state that will be published
//! when it is durable.

use std::collections::{BTreeMap, BTreeSet};

use diwan_api::error::{ApiError, ErrorCode};
use diwan_core::breaks::{Break, is_left_out};
use diwan_core::group::{GroupChain, Role};
use diwan_core::id::{AgencyId, GroupId, Incarnation, Me, Writer};
use diwan_core::identity::Capabilities;
use diwan_core::log::{Entry, SALT_BYTES};
use diwan_core::replica::Replica;
use diwan_core::verify::{self, OwnEntry, Receipt, Verified};
use diwan_core::wire::Signing;

use super::machine::Machine;
use super::{EngineError, OwnKeys, State, effect};
use crate::store::{PLACE, StoreError, Writing};

/// One transaction of the writer, shared by the jobs of a commit.
pub struct Step<'a, 'txn> {
    pub(super) tables: &'a mut Writing<'txn>,
    pub(super) state: &'a mut State,
    keys: &'a OwnKeys,
    machine: &'a dyn Machine,
    /// Groups whose frontier moved: they get a new receipt.
    moved: BTreeSet<GroupId>,
    /// The agency that answers for what is being taken, where a peer brought it.
    pub(super) on_behalf_of: Option<AgencyId>,
}

impl<'a, 'txn> Step<'a, 'txn> {
    pub(super) fn new(
        tables: &'a mut Writing<'txn>,
        state: &'a mut State,
        keys: &'a OwnKeys,
        machine: &'a dyn Machine,
    ) -> Self {
        Self {
            tables,
            state,
            keys,
            machine,
            moved: BTreeSet::new(),
            on_behalf_of: None,
        }
    }

    pub(super) fn me(&self) -> Me {
        self.state.replica.me()
    }

    pub(super) fn replica(&self) -> &Replica {
        &self.state.replica
    }

    pub(super) fn machine(&self) -> &'a dyn Machine {
        self.machine
    }

    pub(super) fn node_key(&self) -> &'a Signing {
        &self.keys.node
    }

    pub(super) fn root_key(&self) -> Option<&'a Signing> {
        self.keys.root.as_ref()
    }

    /// The newest store sequence, this transaction included.
    pub(super) fn store_seq(&self) -> Result<u64, StoreError> {
        self.tables.store_seq()
    }

    /// A group in which this agency may write.
    pub(super) fn writable_group(&self, group: &GroupId) -> Result<&GroupChain, EngineError> {
        let unknown = || ApiError::new(ErrorCode::UnknownGroup).with("name", group);
        let chain = &self.replica().group(group).ok_or_else(unknown)?.chain;
        let role = chain.role(&self.me().agency);
        if role < Some(Role::Contributor) {
            return Err(ApiError::new(ErrorCode::NotContributor)
                .with("group", chain.name())
                .with("role", role.map_or("none", Role::name))
                .into());
        }
        self.can_write(group)?;
        Ok(chain)
    }

    /// Whether this node's log of a group goes on.
    fn can_write(&self, group: &GroupId) -> Result<(), EngineError> {
        let me = self.me();
        let found = self.replica().group(group);
        let name = found.map_or("", |found| found.chain.name());
        let own = self.replica().agency(&me.agency);
        let certificate = own.and_then(|chain| chain.certificate(&me.node));
        if !certificate.is_some_and(|own| own.may(Capabilities::WRITE)) {
            return Err(ApiError::new(ErrorCode::NodeRevoked).into());
        }
        let forked = found.is_some_and(|found| found.forks.contains_key(&me.writer()));
        if forked || found.is_some_and(|found| found.fork.is_some()) {
            let code = if forked {
                ErrorCode::LogFrozen
            } else {
                ErrorCode::GroupFrozen
            };
            return Err(ApiError::new(code).with("group", name).into());
        }
        if found.is_some_and(|found| found.left) {
            return Err(ApiError::new(ErrorCode::GroupLeft)
                .with("group", name)
                .into());
        }
        Ok(())
    }

    /// Begins a new life of this node: its logs so far are over, the next entries go into new ones.
    pub(super) fn renew(&mut self) -> Result<(), StoreError> {
        let mut bytes = [0; 8];
        let drawn = self.machine.fill(&mut bytes);
        drawn.map_err(|error| StoreError::Io(error.to_string()))?;
        let incarnation = Incarnation(u64::from_be_bytes(bytes));
        self.tables.set_meta_u64("incarnation", incarnation.0);
        self.state.replica.set_incarnation(incarnation);
        Ok(())
    }

    /// Notes in which file the store lies. A store that finds itself in another one is a copy: its
    /// original may have gone on, so it begins a new life. True where it does.
    pub(super) fn settle_in(&mut self, place: u64) -> Result<bool, StoreError> {
        let known = self.tables.meta_u64(PLACE)?;
        if known == Some(place) {
            return Ok(false);
        }
        self.tables.set_meta_u64(PLACE, place);
        if known.is_some() {
            self.renew()?;
        }
        Ok(known.is_some())
    }

    /// Keeps what waits for signatures in a group, as the state has it.
    pub(super) fn keep_pending(&mut self, group: &GroupId) -> Result<(), StoreError> {
        let found = self.state.replica.group(group);
        let pending = found.map(|found| found.pending.clone()).unwrap_or_default();
        self.tables.put_pending(group, &pending)
    }

    /// Bytes that keep a payload from being guessed by its hash.
    pub(super) fn salt(&self) -> Result<[u8; SALT_BYTES], EngineError> {
        let mut salt = [0; SALT_BYTES];
        self.machine.fill(&mut salt)?;
        Ok(salt)
    }

    /// Signs and stores this node's next entries in a group, with their effect.
    pub(super) fn write_own(
        &mut self,
        group: &GroupId,
        drafts: Vec<OwnEntry>,
    ) -> Result<(), EngineError> {
        let height = self.writable_group(group)?.height();
        let head = self.replica().own_head(group);
        let signer = (self.node_key(), &self.me());
        let entries = verify::own_entries(
            signer,
            *group,
            head,
            (height, self.machine.now_ms()),
            drafts,
        );
        self.take_entries(entries)?;
        Ok(())
    }

    /// Stores verified entries of one log, with their effect. Returns how many there were.
    pub(super) fn take_entries(
        &mut self,
        entries: Verified<Vec<Entry>>,
    ) -> Result<u64, StoreError> {
        let entries = &self.without_purged(entries)?;
        let Some(first) = entries.first() else {
            return Ok(0);
        };
        let (group, writer) = (first.header.group, first.header.writer);
        let log = self.log(group, writer)?;
        self.tables.put_entries(log, entries)?;
        let count = entries.len() as u64;
        self.tables.count_entries(count)?;
        self.state.replica.take_entries(entries);
        effect::of_entries(self, log, entries)?;
        self.moved.insert(group);
        Ok(count)
    }

    fn log(&mut self, group: GroupId, writer: Writer) -> Result<u32, StoreError> {
        if let Some(log) = self.state.logs.get(&(group, writer)) {
            return Ok(*log);
        }
        let log = self.tables.new_log()?;
        self.state.logs.insert((group, writer), log);
        Ok(log)
    }

    /// Whose log each of the small numbers is.
    pub(super) fn writers(&self) -> BTreeMap<u32, Writer> {
        let logs = self.state.logs.iter();
        logs.map(|((_, writer), log)| (*log, *writer)).collect()
    }

    /// A group's state changed, so that this node's receipt must be signed again.
    pub(super) fn touch(&mut self, group: GroupId) {
        self.moved.insert(group);
    }

    /// The last thing before the commit: receipts for what moved.
    pub(super) fn finish(&mut self) -> Result<(), StoreError> {
        for group in std::mem::take(&mut self.moved) {
            let Some(replica) = self.replica().group(&group) else {
                continue;
            };
            let mut frontier = replica.frontier();
            if is_left_out(Break::ReceiptAhead) {
                frontier.0.values_mut().for_each(|head| head.seq += 1);
            }
            let receipt = Receipt {
                group,
                node: self.me().node,
                wall_ms: self.machine.now_ms(),
                frontier,
            };
            // Our own signature over our own words: a refusal here would be a fault of ours.
            if let Ok(signed) = verify::receipt(&receipt.sign(self.node_key()))
                && self.state.replica.take_receipt(&signed)
            {
                self.tables.put_receipt(&signed)?;
            }
        }
        self.state.store_seq = self.tables.store_seq()?;
        Ok(())
    }
}
