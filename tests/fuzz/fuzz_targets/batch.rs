//! A compressed batch of entries.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| diwan_fuzz::batch(bytes));
