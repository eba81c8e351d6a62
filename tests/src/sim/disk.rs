//! A disk in memory that forgets what was not synced, tears it, fails and fills up.
//!
//! What a crash leaves does not depend on the order in which pages were written: each sector that
//! differs from what was synced is old or new, as the seed says. A sector itself is whole: that a
//! write changes nothing outside of its bytes is what redb asks of a disk.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use diwan_node::store::Disk;

use crate::kit::Random;

/// Bytes that a disk writes as one.
const SECTOR: usize = 512;

/// What is wrong with the disk just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing.
    None,
    /// Syncing fails: what was written since the last success may be there or not.
    Sync,
    /// Writing and syncing fail.
    Write,
    /// Nothing that would need more room can be written.
    Full,
    /// The power goes when so many more syncs have succeeded.
    PowerAt(u64),
    /// The power is gone: nothing works until the crash.
    Off,
}

#[derive(Debug)]
struct Platter {
    /// What survives a crash for sure.
    synced: Vec<u8>,
    /// What a reader sees.
    live: Vec<u8>,
    /// Bytes written since the last sync, as (first, behind the last).
    dirty: Vec<(usize, usize)>,
    /// The machine lost its power: whatever still holds the disk writes nothing more.
    generation: u64,
    trouble: Trouble,
    syncs: u64,
}

/// A handle to the disk, good until the next crash.
#[derive(Clone, Debug)]
pub struct SimDisk {
    platter: Arc<Mutex<Platter>>,
    generation: u64,
}

impl SimDisk {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        let platter = Platter {
            synced: Vec::new(),
            live: Vec::new(),
            dirty: Vec::new(),
            generation: 0,
            trouble: Trouble::None,
            syncs: 0,
        };
        Self {
            platter: Arc::new(Mutex::new(platter)),
            generation: 0,
        }
    }

    /// Makes the disk fail, or heals it.
    pub fn set_trouble(&self, trouble: Trouble) {
        self.lock().trouble = trouble;
    }

    /// What is wrong with it.
    #[must_use]
    pub fn trouble(&self) -> Trouble {
        self.lock().trouble
    }

    /// Syncs so far.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.lock().syncs
    }

    /// The power goes: of what was not synced each sector stays or goes as `random` says. Returns
    /// the disk as the next start finds it; older handles are dead. Tells how many sectors were
    /// new and how many of them were lost.
    #[must_use]
    pub fn crash(&self, random: &mut Random) -> (Self, usize, usize) {
        let mut platter = self.lock();
        let salt = random.bits();
        // Now and then everything or nothing of it has reached the platter.
        let keep = *random.pick(&[0, 50, 50, 50, 90, 100]).unwrap_or(&50);
        let (mut changed, mut lost) = (0, 0);
        let keeps = |sector: usize| {
            Random::seeded(salt ^ (sector as u64).wrapping_mul(0x9e37_79b9)).percent(keep)
        };
        let grown = platter.live.len();
        // A length is metadata: it is there or it is not.
        if grown != platter.synced.len() && keeps(usize::MAX) {
            platter.synced.resize(grown, 0);
        }
        let live = std::mem::take(&mut platter.live);
        for sector in 0..platter.synced.len().div_ceil(SECTOR) {
            let from = sector * SECTOR;
            let to = (from + SECTOR).min(platter.synced.len()).min(live.len());
            if from >= to || platter.synced[from..to] == live[from..to] {
                continue;
            }
            changed += 1;
            if keeps(sector) {
                platter.synced[from..to].copy_from_slice(&live[from..to]);
            } else {
                lost += 1;
            }
        }
        platter.live = platter.synced.clone();
        platter.dirty.clear();
        platter.trouble = Trouble::None;
        platter.generation += 1;
        let next = Self {
            platter: self.platter.clone(),
            generation: platter.generation,
        };
        (next, changed, lost)
    }

    /// The process ends, the machine goes on: what was written is there.
    #[must_use]
    pub fn restart(&self) -> Self {
        let mut platter = self.lock();
        platter.generation += 1;
        Self {
            platter: self.platter.clone(),
            generation: platter.generation,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Platter> {
        self.platter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn live(&self) -> io::Result<MutexGuard<'_, Platter>> {
        let platter = self.lock();
        match platter.generation == self.generation && platter.trouble != Trouble::Off {
            true => Ok(platter),
            false => Err(io::Error::other("the power is off")),
        }
    }
}

impl Default for SimDisk {
    fn default() -> Self {
        Self::new()
    }
}

impl Disk for SimDisk {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.live()?.live.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let platter = self.live()?;
        let from = place(offset)?;
        let found = platter.live.get(from..from.saturating_add(out.len()));
        let found = found.ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(found);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut platter = self.live()?;
        let len = place(len)?;
        match platter.trouble {
            Trouble::Write => return Err(io::Error::other("the disk fails")),
            Trouble::Full if len > platter.live.len() => {
                return Err(io::ErrorKind::StorageFull.into());
            }
            _ => {}
        }
        platter.live.resize(len, 0);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut platter = self.live()?;
        match platter.trouble {
            Trouble::Sync | Trouble::Write => {
                return Err(io::Error::other("the disk does not sync"));
            }
            Trouble::PowerAt(0) => {
                platter.trouble = Trouble::Off;
                return Err(io::Error::other("the power is going"));
            }
            Trouble::PowerAt(syncs) => platter.trouble = Trouble::PowerAt(syncs - 1),
            Trouble::None | Trouble::Full | Trouble::Off => {}
        }
        platter.syncs += 1;
        let Platter {
            synced,
            live,
            dirty,
            ..
        } = &mut *platter;
        synced.resize(live.len(), 0);
        for (from, to) in dirty.drain(..) {
            let to = to.min(live.len());
            if from < to {
                synced[from..to].copy_from_slice(&live[from..to]);
            }
        }
        Ok(())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut platter = self.live()?;
        match platter.trouble {
            Trouble::Write => return Err(io::Error::other("the disk fails")),
            // A file with holes needs room for every page that was never written.
            Trouble::Full => return Err(io::ErrorKind::StorageFull.into()),
            _ => {}
        }
        let from = place(offset)?;
        let to = from.saturating_add(bytes.len());
        if platter.live.len() < to {
            platter.live.resize(to, 0);
        }
        platter.live[from..to].copy_from_slice(bytes);
        platter.dirty.push((from, to));
        Ok(())
    }
}

fn place(offset: u64) -> io::Result<usize> {
    usize::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(bytes: u8) -> SimDisk {
        let disk = SimDisk::new();
        disk.write(0, &[1; 64 * SECTOR]).unwrap();
        disk.sync().unwrap();
        disk.write(0, &[bytes; 64 * SECTOR]).unwrap();
        disk
    }

    #[test]
    fn what_was_synced_survives_and_the_rest_may_be_torn() {
        let mut outcomes = [0; 3];
        for seed in 0..60 {
            let disk = written(2);
            let (after, changed, lost) = disk.crash(&mut Random::seeded(seed));
            assert_eq!(changed, 64);
            let mut found = vec![0; 64 * SECTOR];
            after.read(0, &mut found).unwrap();
            let old = found.chunks(SECTOR).filter(|sector| sector[0] == 1).count();
            assert_eq!(old, lost);
            assert!(
                found
                    .chunks(SECTOR)
                    .all(|s| s.iter().all(|byte| *byte == s[0]))
            );
            outcomes[match old {
                0 => 0,
                64 => 1,
                _ => 2,
            }] += 1;
            assert!(disk.write(0, &[9]).is_err(), "the old handle is dead");
        }
        assert!(outcomes.iter().all(|count| *count > 0), "{outcomes:?}");
    }

    #[test]
    fn what_is_synced_after_a_failure_survives() {
        let disk = written(2);
        disk.set_trouble(Trouble::Sync);
        assert!(disk.sync().is_err());
        disk.set_trouble(Trouble::None);
        disk.sync().unwrap();
        let (after, changed, _) = disk.crash(&mut Random::seeded(1));
        assert_eq!(changed, 0);
        let mut found = [0; 4];
        after.read(0, &mut found).unwrap();
        assert_eq!(found, [2; 4]);
    }

    #[test]
    fn a_full_disk_takes_nothing_and_still_reads() {
        let disk = written(2);
        disk.set_trouble(Trouble::Full);
        assert!(disk.write(0, &[3]).is_err());
        assert!(disk.set_len(1 << 20).is_err());
        let mut found = [0; 1];
        disk.read(0, &mut found).unwrap();
        assert_eq!(found, [2]);
    }
}
