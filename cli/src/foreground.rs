//! Whether an editor or a pager has the terminal: then Ctrl-C is meant for it, not for us.

use std::sync::atomic::{AtomicBool, Ordering};

static HELD: AtomicBool = AtomicBool::new(false);

/// The time in which another program has the terminal; it ends when this is dropped.
#[must_use]
pub(crate) struct Hold(());

/// Another program takes the terminal.
pub(crate) fn hold() -> Hold {
    HELD.store(true, Ordering::SeqCst);
    Hold(())
}

/// Whether another program has the terminal.
pub(crate) fn is_held() -> bool {
    HELD.load(Ordering::SeqCst)
}

impl Drop for Hold {
    fn drop(&mut self) {
        HELD.store(false, Ordering::SeqCst);
    }
}
