//! A body of a request to the local API.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| diwan_fuzz::api_requests(bytes));
