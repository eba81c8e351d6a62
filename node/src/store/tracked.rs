//! Tables that notice when something is written. A transaction in which nothing was needs no commit,
//! which costs a wait for the disk: what a peer says in vain is not to cost that.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

use redb::{Key, Table, TableDefinition, Value, WriteTransaction};

use super::StoreError;

/// Opens the tables of a transaction.
pub(super) struct Opening<'txn> {
    pub(super) transaction: &'txn WriteTransaction,
    pub(super) writes: Rc<Cell<u64>>,
}

impl<'txn> Opening<'txn> {
    pub(super) fn open<K: Key + 'static, V: Value + 'static>(
        &self,
        definition: TableDefinition<K, V>,
    ) -> Result<Tracked<'txn, K, V>, StoreError> {
        Ok(Tracked {
            table: self.transaction.open_table(definition)?,
            writes: self.writes.clone(),
        })
    }
}

/// A table that notes when it is opened for writing.
pub(super) struct Tracked<'txn, K: Key + 'static, V: Value + 'static> {
    table: Table<'txn, K, V>,
    writes: Rc<Cell<u64>>,
}

impl<'txn, K: Key, V: Value> Deref for Tracked<'txn, K, V> {
    type Target = Table<'txn, K, V>;
    fn deref(&self) -> &Self::Target {
        &self.table
    }
}

impl<K: Key, V: Value> DerefMut for Tracked<'_, K, V> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.writes.set(self.writes.get().saturating_add(1));
        &mut self.table
    }
}
