//! Statements of agencies' and groups' chains.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| diwan_fuzz::chains(bytes));
