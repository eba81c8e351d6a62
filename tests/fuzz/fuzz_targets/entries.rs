//! A header, and a range of entries.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| diwan_fuzz::entries(bytes));
