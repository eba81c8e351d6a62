//! What the fuzz targets do: each takes arbitrary bytes to a place where the node reads what a
//! stranger, a peer or a file wrote, and holds the answer to a law where there is one. A panic is a
//! finding.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: what fails here is a finding"
)]

mod batches;
mod changes;
mod craft;
mod statements;

use diwan_api::document::{LineContext, MarkdownContext, parse_line, parse_markdown};
use diwan_api::types;
use diwan_core::sync::Message;

pub use batches::{batch, entries, seeds as batch_seeds};
pub use changes::{change_gate, seeds as change_seeds};
pub use statements::{cards, chains, seeds as statement_seeds};

/// A frame of a peer: what is read is written as the same frame again, entries apart, which may be
/// compressed otherwise.
pub fn frames(bytes: &[u8]) {
    let Ok(message) = Message::from_frame(bytes) else {
        return;
    };
    let again = message.to_frame().expect("what was read can be written");
    assert_eq!(Message::from_frame(&again).as_ref(), Ok(&message));
}

/// A file that somebody imports.
pub fn documents(bytes: &[u8]) {
    let (forced, path) = match bytes.first().map_or(0, |byte| byte % 3) {
        0 => (None, None),
        1 => (Some("fr"), None),
        _ => (None, Some("ar")),
    };
    let bytes = bytes.get(1..).unwrap_or_default();
    let context = MarkdownContext {
        forced_lang: forced,
        path_lang: path,
        stem: "saisie",
    };
    let _ = parse_markdown(bytes, &context);
    for (line, bytes) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let context = LineContext {
            forced_lang: forced,
            path_lang: path,
            file: "a/b.jsonl",
            line,
        };
        let _ = parse_line(bytes, &context);
    }
}

/// A body of a request to the local API, as each of the types that it may be.
pub fn api_requests(bytes: &[u8]) {
    macro_rules! reads {
        ($($name:ident)*) => {
            $(if let Ok(read) = serde_json::from_slice::<types::$name>(bytes) {
                let again = serde_json::to_vec(&read).expect("what was read can be written");
                serde_json::from_slice::<types::$name>(&again).expect("and read again");
            })*
        };
    }
    reads!(
        NewRecord Draft EditRequest ImportBatch GroupCreate GroupMembers GroupRemove TrustAdd
        TrustVerify SyncRequest SearchQuery ListQuery ExportQuery
    );
}

/// A configuration file.
#[cfg(feature = "config")]
pub fn config(bytes: &[u8]) {
    use diwan_node::config::Config;
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok(config) = Config::parse(text) else {
        return;
    };
    let again = Config::parse(&config.render_commented());
    assert!(again.is_ok(), "what we write ourselves can be read");
}
