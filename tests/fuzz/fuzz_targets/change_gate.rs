//! A change at the gate before Automerge.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| diwan_fuzz::change_gate(bytes));
