//! One vendor, one room: a dependency that shapes what it touches is named in one place, so that it
//! can be replaced, upgraded and distrusted there.

use super::tree::{Repository, RustFile};

/// Crates of one vendor, and the paths that may name them.
const VENDORS: &[(&[&str], &[&str])] = &[
    (
        &[
            "libp2p",
            "libp2p_stream",
            "libp2p_allow_block_list",
            "libp2p_connection_limits",
        ],
        &["node/src/net/", "node/src/net.rs"],
    ),
    (&["redb"], &["node/src/store/", "node/src/store.rs"]),
    (&["tantivy"], &["node/src/index/", "node/src/index.rs"]),
    (&["regex"], &["node/src/guard/"]),
    (&["axum"], &["node/src/api/", "node/src/api.rs"]),
    (&["automerge"], &["node/core/src/record/"]),
    (&["zstd"], &["node/core/src/log/"]),
    (
        &["argon2", "chacha20poly1305", "getrandom", "rpassword"],
        &["node/src/keystore/", "node/src/keystore.rs"],
    ),
    (
        &["hyper", "hyper_util", "http_body_util"],
        &["node/api/src/client/", "node/api/src/client.rs"],
    ),
    (
        &["fluent", "fluent_bundle", "fluent_syntax"],
        &["node/api/src/message/", "node/api/src/message.rs"],
    ),
    (
        &["clap", "clap_complete"],
        &[
            "cli/src/",
            "node/src/main.rs",
            "node/src/args.rs",
            "node/src/args/",
        ],
    ),
];

/// The test package drives vendors from outside: hostile peers, its own command lines.
const EXEMPT: &str = "tests/";

/// Vendors that a file names outside of their rooms.
fn problems(file: &RustFile) -> Vec<String> {
    if file.path.starts_with(EXEMPT) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for path in &file.outline.paths {
        let Some(first) = path.segments.first() else {
            continue;
        };
        let vendor = VENDORS
            .iter()
            .find(|(names, _)| names.contains(&first.as_str()));
        let Some((_, rooms)) = vendor else { continue };
        if !rooms.iter().any(|room| file.path.starts_with(room)) {
            let (file, line, text, room) = (&file.path, path.line, path.text(), rooms.join(", "));
            found.push(format!("{file}:{line}: `{text}` belongs to {room}"));
        }
    }
    found
}

#[test]
fn every_vendor_stays_in_its_room() {
    let repository = Repository::read().unwrap();
    super::none(&repository.files().flat_map(problems).collect::<Vec<_>>());
}

#[cfg(test)]
mod tests {
    use super::super::paths::outline;
    use super::*;

    fn check(path: &str, text: &str) -> usize {
        let (path, text, outline) = (path.to_owned(), text.to_owned(), outline(text));
        problems(&RustFile {
            path,
            text,
            outline,
            place: None,
        })
        .len()
    }

    #[test]
    fn a_vendor_outside_its_room_is_refused() {
        assert_eq!(check("node/src/engine/mod.rs", "use redb::Database;"), 1);
        assert_eq!(
            check("node/src/engine/mod.rs", "use {redb, libp2p::PeerId};"),
            2
        );
        assert_eq!(
            check("node/src/engine/mod.rs", "fn f(x: ::redb::Database) {}"),
            1
        );
        assert_eq!(
            check("node/src/engine/mod.rs", "#[derive(clap::Args)] struct A;"),
            1
        );
        assert_eq!(
            check("node/core/src/sync/session.rs", "extern crate automerge;"),
            1
        );
        // The room that owns a vendor is a directory, not a beginning of a name.
        assert_eq!(check("node/src/network/mod.rs", "use libp2p::PeerId;"), 1);
    }

    #[test]
    fn a_vendor_in_its_room_passes() {
        assert_eq!(check("node/src/store/tables.rs", "use redb::Database;"), 0);
        assert_eq!(check("tests/src/bin/siege.rs", "use libp2p::PeerId;"), 0);
        assert_eq!(
            check(
                "node/src/engine/mod.rs",
                "use crate::store::redb; // redb::Database"
            ),
            0
        );
    }
}
