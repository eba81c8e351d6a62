//! Which room may use which. Rooms are the modules at the top of a package's library; production
//! code is held to the arrows, tests may look further.

use super::paths::NamedPath;
use super::tree::{Repository, RustFile};

/// A room and the rooms that it may use.
type Arrows = (&'static str, &'static [&'static str]);

/// Where a reader of a problem finds the arrows.
const TABLE: &str = "tests/tests/rules/arrows.rs";

/// The rules of Diwan: each room uses only those before it.
const CORE: &[Arrows] = &[
    // Deliberate faults for testing the tests: any room may ask whether it has one.
    ("breaks", &[]),
    ("id", &[]),
    ("limits", &["id"]),
    ("wire", &["breaks", "id", "limits"]),
    ("identity", &["breaks", "id", "limits", "wire"]),
    ("trust", &["breaks", "id", "limits", "wire", "identity"]),
    (
        "log",
        &["breaks", "id", "limits", "wire", "identity", "trust"],
    ),
    (
        "record",
        &["breaks", "id", "limits", "wire", "identity", "trust", "log"],
    ),
    (
        "group",
        &[
            "breaks", "id", "limits", "wire", "identity", "trust", "log", "record",
        ],
    ),
    (
        "verify",
        &[
            "breaks", "id", "limits", "wire", "identity", "trust", "log", "record", "group",
        ],
    ),
    (
        "replica",
        &[
            "breaks", "id", "limits", "wire", "identity", "trust", "log", "record", "group",
            "verify",
        ],
    ),
    (
        "sync",
        &[
            "breaks", "id", "limits", "wire", "identity", "trust", "log", "record", "group",
            "verify", "replica",
        ],
    ),
];

/// The shell. Devices (store, index, net, keystore) do not know each other: the engine alone
/// connects them. `home` knows the directory's layout and how to write private files, which every
/// device that has files needs. Programs (`main.rs` and what it declares) put rooms together and
/// may use any.
const NODE: &[Arrows] = &[
    ("limits", &[]),
    ("config", &[]),
    ("home", &[]),
    ("keystore", &["home"]),
    ("store", &["home"]),
    ("index", &["home"]),
    ("net", &["limits"]),
    // What records are sorted by: reads the records of vocabularies, changes nothing.
    ("vocabulary", &["store", "index"]),
    // Looks at texts and knows nothing of where they go.
    ("guard", &[]),
    (
        "engine",
        &[
            "limits",
            "config",
            "home",
            "keystore",
            "store",
            "index",
            "net",
            "vocabulary",
        ],
    ),
    // Makes an agency's home and reads one back: the only place that puts keys, log and
    // configuration together for the first time.
    (
        "boot",
        &[
            "config", "home", "keystore", "store", "index", "net", "guard", "engine",
        ],
    ),
    // Answers officers: reads store and index, and submits what changes anything to the engine.
    (
        "api",
        &[
            "config",
            "store",
            "index",
            "net",
            "vocabulary",
            "guard",
            "engine",
        ],
    ),
    // Starts the parts in order and ends them in reverse.
    (
        "daemon",
        &[
            "limits", "config", "home", "keystore", "store", "index", "net", "engine", "boot",
            "api",
        ],
    ),
    // Starts whole nodes as processes and speaks to them as officers do.
    ("demo", &["config", "home"]),
];

/// What lets its holder change something, and the rooms that may name it. There is one door to the
/// store, the engine, and `boot` makes the store that the engine is given.
const DOORS: &[(&str, &[&str])] = &[
    ("store::Store", &["boot", "engine"]),
    ("store::Writing", &["engine"]),
    ("index::Writer", &["engine"]),
    ("net::Net", &["engine", "daemon"]),
];

const PACKAGES: &[(&str, &[Arrows])] = &[("diwan-core", CORE), ("diwan-node", NODE)];

/// What is wrong with the arrows of one file of a library.
fn problems(rooms: &[Arrows], file: &RustFile) -> Vec<String> {
    let Some(place) = file.place.as_ref().filter(|p| p.library) else {
        return Vec::new();
    };
    let Some(from) = place.module.first() else {
        return undeclared(rooms, file);
    };
    // A room that is not in the table is reported once, where it is declared.
    let Some((_, allowed)) = rooms.iter().find(|(room, _)| room == from) else {
        return Vec::new();
    };
    let production = file.outline.paths.iter().filter(|p| !file.is_test(p.test));
    let whole_rooms: Vec<_> = production.clone().filter_map(whole_room).collect();
    production
        .filter_map(|path| {
            let first = path.segments.first()?;
            // `use crate::index;` makes `index::Writer` a path into that room.
            let absolute = match whole_rooms.contains(&first.as_str()) {
                true => path.segments.clone(),
                false => path.absolute(&place.module)?,
            };
            let fault = fault(rooms, from, allowed, path, &absolute)?;
            Some(format!("{}:{}: {fault}", file.path, path.line))
        })
        .collect()
}

/// The room of `use crate::room;`.
fn whole_room(path: &NamedPath) -> Option<&str> {
    match path.segments.as_slice() {
        [root, room] if root == "crate" => Some(room),
        _ => None,
    }
}

/// What is wrong with one path, which is `absolute` from the root of the crate.
fn fault(
    rooms: &[Arrows],
    from: &str,
    allowed: &[&str],
    path: &NamedPath,
    absolute: &[String],
) -> Option<String> {
    let text = path.text();
    let Some(to) = absolute.first() else {
        return Some(format!("`{text}` is the whole crate; name the room"));
    };
    if to == from {
        return None;
    }
    if !rooms.iter().any(|(room, _)| room == to) {
        return Some(format!("`{text}` is in no room of the table in {TABLE}"));
    }
    if !allowed.contains(&to.as_str()) {
        return Some(format!(
            "{from} must not use {to} (`{text}`); the arrows are in {TABLE}"
        ));
    }
    let (door, holders) = DOORS
        .iter()
        .find(|(door, _)| leads_through(absolute, door))?;
    let shut = !holders.contains(&from);
    shut.then(|| format!("{from} must not hold {door} (`{text}`); the doors are in {TABLE}"))
}

/// The path is the door or lies behind it; a room's `*` brings its doors along.
fn leads_through(absolute: &[String], door: &str) -> bool {
    let mut at = absolute.iter();
    door.split("::")
        .all(|part| at.next().is_some_and(|s| s == part || s == "*"))
}

/// Rooms that the root declares and the table lacks.
fn undeclared(rooms: &[Arrows], root: &RustFile) -> Vec<String> {
    let declared = root.outline.declared.iter().filter(|d| !d.test);
    declared
        .filter(|d| !rooms.iter().any(|(room, _)| *room == d.name))
        .map(|d| {
            let (path, name) = (&root.path, &d.name);
            format!("{path}: room {name} has no arrows; add it to the table in {TABLE}")
        })
        .collect()
}

#[test]
fn every_import_follows_the_arrows() {
    let repository = Repository::read().unwrap();
    let mut found = Vec::new();
    for (package, rooms) in PACKAGES {
        for file in &repository.packages[*package].files {
            found.extend(problems(rooms, file));
        }
    }
    super::none(&found);
}

#[test]
fn the_table_has_no_rings() {
    for (_, rooms) in PACKAGES {
        for (i, (room, allowed)) in rooms.iter().enumerate() {
            let before: Vec<_> = rooms[..i].iter().map(|(room, _)| *room).collect();
            for target in *allowed {
                assert!(
                    before.contains(target),
                    "{room} uses {target}, which stands behind it"
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::paths::outline;
    use super::super::tree::Place;
    use super::*;

    const ROOMS: &[Arrows] = &[
        ("low", &[]),
        ("middle", &["low"]),
        ("high", &["low", "middle"]),
    ];

    fn check(module: &[&str], text: &str) -> Vec<String> {
        let module = module.iter().map(|m| (*m).to_owned()).collect();
        let place = Some(Place {
            library: true,
            test: false,
            module,
        });
        let (path, text, outline) = ("f.rs".to_owned(), text.to_owned(), outline(text));
        problems(
            ROOMS,
            &RustFile {
                path,
                text,
                outline,
                place,
            },
        )
    }

    #[test]
    fn arrows_downwards_pass() {
        let text = "use crate::{low::A, middle}; use super::other; fn f() { crate::low::g() }";
        assert_eq!(check(&["high", "part"], text), [""; 0]);
    }

    #[test]
    fn arrows_upwards_are_refused_however_they_are_written() {
        for text in [
            "use crate::high::A;",
            "use crate::{low::{B, C}, high::{self as h}};",
            "use super::super::high;",
            "fn f(x: crate::high::A) {}",
            "mod inner { use super::super::super::high::A; }",
            "use crate as root;",
            "use crate::*;",
            "use crate::Thing;",
        ] {
            assert_eq!(check(&["middle", "part"], text).len(), 1, "{text}");
        }
    }

    #[test]
    fn tests_may_look_further() {
        assert_eq!(
            check(&["low"], "#[cfg(test)] mod tests { use crate::high::A; }"),
            [""; 0]
        );
    }

    #[test]
    fn doors_open_to_their_holders_only() {
        let rooms: &[Arrows] = &[("store", &[]), ("engine", &["store"]), ("api", &["store"])];
        let check = |from: &str, text: &str| {
            let place = Place {
                library: true,
                test: false,
                module: vec![from.to_owned()],
            };
            let (path, text, outline) = ("f.rs".to_owned(), text.to_owned(), outline(text));
            problems(
                rooms,
                &RustFile {
                    path,
                    text,
                    outline,
                    place: Some(place),
                },
            )
            .len()
        };
        assert_eq!(check("engine", "use crate::store::{Store, Writing};"), 0);
        assert_eq!(
            check("api", "use crate::store::{self, Reading, StoreError};"),
            0
        );
        assert_eq!(check("api", "use crate::store::{Reading, Writing};"), 1);
        assert_eq!(
            check("api", "use crate::store; fn f(s: &store::Store) {}"),
            1
        );
        assert_eq!(check("api", "fn f() { crate::store::Store::open(p); }"), 1);
        assert_eq!(check("api", "use crate::store::*;"), 1);
    }

    #[test]
    fn an_unknown_room_is_refused() {
        let found = check(&[], "pub mod low; pub mod new; #[cfg(test)] mod tests;");
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("room new has no arrows"), "{found:?}");
    }
}
