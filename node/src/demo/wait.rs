//! Waiting with an end: as long as something moves, and not much longer.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::fault::DemoError;

/// For how long nothing may move before a wait is given up.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pause between two looks at a node.
const PAUSE: Duration = Duration::from_millis(100);

/// What a look found.
#[derive(Debug)]
pub(super) enum Look<T> {
    /// What was waited for.
    Done(T),
    /// Not there yet; a number that changes while things move.
    At(u64),
}

/// Looks until what is waited for is there. `awaited` is a key of the catalogue.
///
/// # Errors
/// [`DemoError::TooLong`] when nothing moved for a minute; what a look fails with.
pub(super) async fn until<T>(
    awaited: &'static str,
    mut look: impl AsyncFnMut() -> Result<Look<T>, DemoError>,
) -> Result<T, DemoError> {
    let (mut moved, mut last) = (Instant::now(), None);
    loop {
        match look().await? {
            Look::Done(found) => return Ok(found),
            Look::At(number) if last == Some(number) => {}
            Look::At(number) => (moved, last) = (Instant::now(), Some(number)),
        }
        if moved.elapsed() >= PATIENCE {
            return Err(DemoError::TooLong {
                awaited,
                seconds: PATIENCE.as_secs(),
            });
        }
        sleep(PAUSE).await;
    }
}

/// Looks until something is so.
///
/// # Errors
/// As [`until`].
pub(super) async fn until_so(
    awaited: &'static str,
    mut look: impl AsyncFnMut() -> Result<bool, DemoError>,
) -> Result<(), DemoError> {
    until(awaited, async || {
        Ok(match look().await? {
            true => Look::Done(()),
            false => Look::At(0),
        })
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(future)
    }

    #[test]
    fn a_wait_ends_with_what_was_found() {
        let mut looks = 0;
        let found = run(until("x", async || {
            looks += 1;
            Ok(if looks == 3 {
                Look::Done(looks)
            } else {
                Look::At(7)
            })
        }));
        assert_eq!(found.unwrap(), 3);
    }

    #[test]
    fn a_failed_look_ends_the_wait() {
        let failed = run(until_so("x", async || {
            Err(DemoError::Untrue {
                short: "fr",
                law: "y",
            })
        }));
        assert!(matches!(failed, Err(DemoError::Untrue { .. })));
    }
}
