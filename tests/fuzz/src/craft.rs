//! The test package's writer of hostile changes, as it stands there.

#[allow(
    dead_code,
    reason = "the fuzzer makes bytes of its own; it needs the checksum only"
)]
#[path = "../../src/mutants/craft.rs"]
mod craft;

pub(crate) use craft::mend;
