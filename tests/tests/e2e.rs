//! Whole-program tests: real processes on loopback, driven by the commands that officers and admins
//! type. Laws of single rooms are tested there; these prove the wiring. One binary, so that it links
//! once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "test code: a step that fails is a failed test"
)]

mod e2e {
    mod addresses;
    mod bad_files;
    mod bad_homes;
    mod bad_names;
    mod bagit;
    mod closed;
    mod federation;
    mod kill9;
    mod misp;
    mod newcomer;
    mod real_documents;
    mod restart;
    mod searching;
    mod stix;
    mod store_and_forward;
    mod story;
    mod vocabularies;
    mod what_is_said;
}
