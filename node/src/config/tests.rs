//! What the configuration promises: mistakes are told, all of them, by line and with a way out;
//! what is written reads back; the examples are right.

use super::*;
use proptest::prelude::*;
use std::fs;

/// Line, key and stable name of every problem.
fn problems(text: &str) -> Vec<(usize, String, &'static str)> {
    match Config::parse(text) {
        Ok(_) => Vec::new(),
        Err(problems) => problems
            .into_iter()
            .map(|problem| (problem.line, problem.key.clone(), problem.code_name()))
            .collect(),
    }
}

fn only_problem(text: &str) -> Problem {
    let mut problems = Config::parse(text).expect_err(text);
    assert_eq!(problems.len(), 1, "{text:?} gave {problems:?}");
    problems.remove(0)
}

#[test]
fn an_empty_file_is_the_default() {
    assert_eq!(Config::parse("").unwrap(), Config::default());
    assert_eq!(
        Config::parse("\u{feff}# only words\n\n[sync]\n").unwrap(),
        Config::default()
    );
}

#[test]
fn every_key_is_read_in_any_form_of_toml() {
    let written_out = "
        listen = [
            '/ip6/::/tcp/0', # any free port
        ]
        announce = ['/dns4/diwan.example.org/udp/4001/quic-v1']
        [node]
        log = 'debug'
        memory_mb = 1_024
        [sync]
        redial_min_s = 2
        redial_max_s = 0x10
        max_connections = 5
        [index]
        writer_memory_mb = 15
        [api]
        socket = '/run/diwan/node.sock'";
    let dotted = "
        listen = ['/ip6/::/tcp/0']
        announce = ['/dns4/diwan.example.org/udp/4001/quic-v1']
        node = { log = 'debug', memory_mb = 1024 }
        sync.redial_min_s = 2
        sync.redial_max_s = 16
        sync.max_connections = 5
        index.writer_memory_mb = 15
        api.socket = '/run/diwan/node.sock'";
    let expected = Config {
        listen: vec![Address::unchecked("/ip6/::/tcp/0")],
        announce: vec![Address::unchecked(
            "/dns4/diwan.example.org/udp/4001/quic-v1",
        )],
        node: NodeConfig {
            log: LogLevel::Debug,
            memory_mb: 1024,
        },
        sync: SyncConfig {
            redial_min_s: 2,
            redial_max_s: 16,
            max_connections: 5,
        },
        index: IndexConfig {
            writer_memory_mb: 15,
        },
        api: ApiConfig {
            socket: "/run/diwan/node.sock".to_owned(),
        },
    };
    assert_eq!(Config::parse(written_out).unwrap(), expected);
    assert_eq!(Config::parse(dotted).unwrap(), expected);
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_their_lines() {
    let text = "\
listen = ['203.0.113.7:4001', 7, '/ip4/0.0.0.0/tcp/1', '/ip4/0.0.0.0/tcp/1']
anounce = []
[api]
socket = ''
[sync]
redial_min = 5
redial_max_s = 'soon'
max_connections = 0
[synch]
whatever = 1
[node]
log = 'inf'
memory_mb = 63
";
    let expected = [
        (1, "listen", "config-bad-address"),
        (1, "listen", "config-wrong-type"),
        (1, "listen", "config-repeated-address"),
        (2, "anounce", "config-misspelt-key"),
        (4, "api.socket", "config-bad-path"),
        (6, "sync.redial_min", "config-misspelt-key"),
        (7, "sync.redial_max_s", "config-wrong-type"),
        (8, "sync.max_connections", "config-out-of-range"),
        (9, "synch", "config-misspelt-key"),
        (12, "node.log", "config-misspelt-word"),
        (13, "node.memory_mb", "config-out-of-range"),
    ];
    let expected = expected.map(|(line, key, code)| (line, key.to_owned(), code));
    assert_eq!(problems(text), expected);
}

#[test]
fn a_misspelt_key_is_answered_with_the_nearest_right_one() {
    let table = [
        ("lisen = []", Some("listen")),
        ("Listen = []", Some("listen")),
        ("sinc.max_connections = 1", Some("sync")),
        ("sync.max_conections = 1", Some("sync.max_connections")),
        ("sync.max-connections = 1", Some("sync.max_connections")),
        ("sync.redial_max = 1", Some("sync.redial_max_s")),
        ("socket = 'x'", Some("api.socket")), // in the wrong section
        ("[sync]\nmemory_mb = 64", Some("node.memory_mb")),
        ("nonsense = 1", None),
        ("[sync]\ncolour = 1", None),
    ];
    for (text, expected) in table {
        match only_problem(text).code {
            ProblemCode::UnknownKey { nearest } => {
                assert_eq!(nearest.as_deref(), expected, "{text}");
            }
            other => panic!("{text:?} gave {other:?}"),
        }
    }
    let endless = format!("{} = 1", "l".repeat(CONFIG_MAX_BYTES));
    assert_eq!(
        only_problem(&endless).code,
        ProblemCode::UnknownKey { nearest: None }
    );
}

#[test]
fn types_and_bounds_are_those_of_the_table() {
    for key in KEYS {
        let place = key.path();
        let wrong = [
            format!("{place} = 1.5"),
            format!("{place} = true"),
            format!("{place} = {{}}"),
        ];
        for text in wrong {
            let problem = only_problem(&text);
            assert_eq!((problem.key, problem.line), (place.clone(), 1), "{text}");
            assert!(
                matches!(problem.code, ProblemCode::WrongType { .. }),
                "{text}"
            );
        }
        if let Kind::Integer { min, max, slot } = key.kind {
            let least = Config::parse(&format!("{place} = {min}"));
            // The two waits may be as far apart as they like, but not the wrong way round.
            let most = Config::parse(&format!("sync.redial_max_s = 86400\n{place} = {max}"))
                .or_else(|_| Config::parse(&format!("{place} = {max}")));
            assert_eq!(*slot(&mut least.unwrap()), min, "{place}");
            assert_eq!(*slot(&mut most.unwrap()), max, "{place}");
            for beyond in [i64::from(min) - 1, i64::from(max) + 1, i64::MIN, i64::MAX] {
                let problem = only_problem(&format!("{place} = {beyond}"));
                let expected = ProblemCode::OutOfRange {
                    min,
                    max,
                    found: beyond,
                };
                assert_eq!(problem.code, expected, "{place}");
            }
        }
    }
    for section in SECTIONS.iter().filter(|section| !section.name.is_empty()) {
        for text in [
            format!("{} = 1", section.name),
            format!("[[{}]]", section.name),
        ] {
            assert!(
                matches!(only_problem(&text).code, ProblemCode::WrongType { .. }),
                "{text}"
            );
        }
    }
}

#[test]
fn the_waits_bound_one_another_whichever_is_set() {
    let both = "[sync]\nredial_min_s = 10\nredial_max_s = 9\n";
    let min_alone = "[sync]\nredial_min_s = 301\n";
    for (text, line) in [(both, 3), (min_alone, 2)] {
        assert_eq!(
            problems(text),
            [(line, "sync.redial_max_s".to_owned(), "config-below-other")]
        );
    }
    assert!(Config::parse("[sync]\nredial_min_s = 10\nredial_max_s = 10\n").is_ok());
    // The refused value is the only mistake here; the default in its place is none.
    assert_eq!(
        problems("[sync]\nredial_min_s = 400\nredial_max_s = 0\n").len(),
        1
    );
}

#[test]
fn what_is_not_toml_is_told_by_its_line() {
    for (text, line) in [
        ("\nlisten = [\n", 2),
        ("\n\nlisten\n", 3),
        ("[node]\nlog = 'info'\nlog = 'warn'\n", 3),
        ("[node]\n[sync]\n[node]\n", 3),
        ("[node]\nmemory_mb = 99999999999999999999\n", 2),
    ] {
        let problem = only_problem(text);
        assert_eq!(problem.code_name(), "config-syntax", "{text:?}");
        assert_eq!(problem.line, line, "{text:?} gave {problem}");
    }
}

#[test]
fn addresses_are_told_from_what_only_looks_like_one() {
    use AddressFault::*;
    let good_for_both = [
        "/ip4/203.0.113.7/tcp/4001",
        "/ip4/203.0.113.7/udp/4001/quic-v1",
        "/ip6/2001:db8::7/tcp/65535",
        "/ip6/::1/udp/1/quic-v1",
    ];
    for text in good_for_both {
        assert_eq!(Address::listen(text).unwrap().as_str(), text);
        assert_eq!(Address::announce(text).unwrap().as_str(), text);
    }
    let part = |text: &str| text.to_owned();
    let bad_for_both = [
        ("", NotAMultiaddr),
        ("203.0.113.7:4001", NotAMultiaddr),
        ("tcp://203.0.113.7:4001", NotAMultiaddr),
        ("/", UnknownFamily(part(""))),
        ("/IP4/203.0.113.7/tcp/1", UnknownFamily(part("IP4"))),
        ("/unix/run/node.sock", UnknownFamily(part("unix"))),
        ("/ip4", BadHost(part(""))),
        ("/ip4/203.0.113.256/tcp/1", BadHost(part("203.0.113.256"))),
        ("/ip4/2001:db8::7/tcp/1", BadHost(part("2001:db8::7"))),
        ("/ip6/203.0.113.7/tcp/1", BadHost(part("203.0.113.7"))),
        ("/dns/two words/tcp/1", BadHost(part("two words"))),
        ("/dns/-a.example/tcp/1", BadHost(part("-a.example"))),
        ("/dns/a..example/tcp/1", BadHost(part("a..example"))),
        ("/ip4/203.0.113.7", UnknownTransport(part(""))),
        ("/ip4/203.0.113.7/sctp/1", UnknownTransport(part("sctp"))),
        ("/ip4/203.0.113.7/tcp", BadPort(part(""))),
        ("/ip4/203.0.113.7/tcp/65536", BadPort(part("65536"))),
        ("/ip4/203.0.113.7/tcp/+1", BadPort(part("+1"))),
        ("/ip4/203.0.113.7/udp/4001", UdpWithoutQuic),
        ("/ip4/203.0.113.7/udp/4001/quic", UdpWithoutQuic),
        ("/ip4/203.0.113.7/tcp/1/ws", TrailingParts(part("/ws"))),
        ("/ip4/203.0.113.7/tcp/1/", TrailingParts(part("/"))),
        (
            "/ip4/203.0.113.7/tcp/1/p2p/x",
            TrailingParts(part("/p2p/x")),
        ),
    ];
    for (text, fault) in bad_for_both {
        assert_eq!(Address::listen(text).unwrap_err(), fault, "{text}");
        assert_eq!(Address::announce(text).unwrap_err(), fault, "{text}");
    }
    let name = "/dns/diwan.example.org/tcp/4001";
    assert_eq!(
        Address::listen(name),
        Err(NameToListenOn(part("diwan.example.org")))
    );
    assert!(Address::announce(name).is_ok());
    assert!(Address::announce(&format!("/dns/{}/tcp/1", "a.".repeat(126) + "a")).is_ok());
    assert!(Address::announce(&format!("/dns/{}/tcp/1", "a.".repeat(126) + "aa")).is_err());
    for (text, fault) in [
        ("/ip4/0.0.0.0/tcp/4001", UnspecifiedToDial),
        ("/ip6/::/udp/4001/quic-v1", UnspecifiedToDial),
        ("/ip4/203.0.113.7/tcp/0", PortZeroToDial),
    ] {
        assert!(Address::listen(text).is_ok(), "{text}");
        assert_eq!(Address::announce(text).unwrap_err(), fault, "{text}");
    }
}

#[test]
fn lists_of_addresses_are_bounded() {
    let list = |length: usize| {
        let items: Vec<_> = (1..=length)
            .map(|port| format!("'/ip4/127.0.0.1/tcp/{port}'"))
            .collect();
        format!("listen = [{}]", items.join(", "))
    };
    assert_eq!(Config::parse(&list(16)).unwrap().listen.len(), 16);
    assert_eq!(
        only_problem(&list(17)).code,
        ProblemCode::TooManyAddresses { max: 16, found: 17 }
    );
}

#[test]
fn a_message_names_place_mistake_and_way_out() {
    let said = |text: &str| only_problem(text).to_string();
    assert_eq!(
        said("\nlisen = []"),
        "line 2: there is no key `lisen`; did you mean `listen`?"
    );
    assert_eq!(
        said("sync.max_connections = 0"),
        "line 1: `sync.max_connections` must be from 1 to 4096, not 0"
    );
    assert_eq!(
        said("listen = ['0.0.0.0:4001']"),
        "line 1: `listen` holds \"0.0.0.0:4001\": it does not begin with /ip4, /ip6 or /dns; an \
         example is \"/ip4/203.0.113.7/tcp/4001\""
    );
    assert_eq!(
        said("node.log = 'INFOS'"),
        "line 1: `node.log` must be one of \"error\", \"warn\", \"info\", \"debug\", \"trace\", \
         not \"INFOS\"; did you mean \"info\"?"
    );
    assert_eq!(
        said("api.socket = 1"),
        "line 1: `api.socket` must be a path, as text, not of type integer"
    );
}

#[test]
fn nothing_from_the_file_reaches_a_terminal_as_a_command() {
    let escape = "\"\\u001b[31m\"";
    for text in [
        format!("{escape} = 1"),
        format!("node.log = {escape}"),
        format!("api.socket = {escape}"),
        format!("listen = [{escape}]"),
        format!("listen = ['/ip4/{}/tcp/1']", "\u{9b}31m"),
    ] {
        let said = Config::parse(&text).unwrap_err().remove(0);
        let args = said
            .args()
            .into_iter()
            .map(|(_, value)| value)
            .collect::<String>();
        assert!(
            !format!("{said}{args}").contains(char::is_control),
            "{said:?}"
        );
    }
}

#[test]
fn a_catalogue_has_what_each_message_needs() {
    let problem = only_problem("sync.max_connections = 0");
    let args = problem.args();
    let expected = [
        ("line", "1"),
        ("key", "sync.max_connections"),
        ("min", "1"),
        ("max", "4096"),
        ("found", "0"),
    ];
    assert_eq!(args, expected.map(|(name, value)| (name, value.to_owned())));
}

#[test]
fn the_table_is_whole_and_its_defaults_pass_its_own_checks() {
    let defaults: String = KEYS
        .iter()
        .map(|key| format!("{} = {}\n", key.path(), key.default_value()))
        .collect();
    assert_eq!(Config::parse(&defaults).unwrap(), Config::default());
    for key in KEYS {
        let path = key.path();
        assert!(
            SECTIONS.iter().any(|section| section.name == key.section),
            "{path}"
        );
        for words in [key.doc, key.cost, key.danger] {
            assert!(words.ends_with('.'), "{path}: {words:?} is no sentence");
        }
        assert_eq!(
            KEYS.iter().filter(|other| other.path() == path).count(),
            1,
            "{path} twice"
        );
        if matches!(key.kind, Kind::Integer { .. }) {
            assert!(key.unit.is_some(), "{path} counts something");
        }
    }
}

#[test]
fn the_file_of_init_describes_every_key_and_sets_what_was_asked() {
    let mut config = Config::default();
    assert_eq!(Config::parse(&config.render_commented()).unwrap(), config);
    config.sync.max_connections = 7;
    let text = config.render_commented();
    assert!(text.contains("\nmax_connections = 7\n"), "{text}");
    assert!(text.contains("\n#redial_min_s = 1\n"), "{text}");
    for key in KEYS {
        assert!(text.contains(&format!("{} = ", key.name)), "{}", key.path());
    }
    // Taking the # away must leave a file that still reads.
    let uncommented = text.replace("\n#redial_min_s", "\nredial_min_s");
    assert_eq!(Config::parse(&uncommented).unwrap(), config);
    for line in text.lines().filter(|line| line.starts_with("# ")) {
        assert!(line.chars().count() <= 100, "{line}");
    }
    assert!(text.len() < CONFIG_MAX_BYTES / 10);
}

fn any_config() -> impl Strategy<Value = Config> {
    let listen = "/ip4/[1-9][0-9]?\\.0\\.0\\.1/(tcp/[0-9]{1,4}|udp/[0-9]{1,4}/quic-v1)";
    let announce = "/dns[46]?/[a-z]{1,9}\\.example/tcp/[1-9][0-9]{0,3}";
    let addresses = |pattern| {
        proptest::collection::hash_set(pattern, 0..4).prop_map(|texts| {
            texts
                .iter()
                .map(|text: &String| Address::unchecked(text))
                .collect()
        })
    };
    let node = (prop::sample::select(&LogLevel::ALL[..]), 64..=65_536_u32)
        .prop_map(|(log, memory_mb)| NodeConfig { log, memory_mb });
    let sync = (1..=3600_u32, 3600..=86_400_u32, 1..=4096_u32).prop_map(
        |(redial_min_s, redial_max_s, max_connections)| SyncConfig {
            redial_min_s,
            redial_max_s,
            max_connections,
        },
    );
    (
        addresses(listen),
        addresses(announce),
        node,
        sync,
        15..=2048_u32,
        "[^\\p{Cc}]{1,25}",
    )
        .prop_map(
            |(listen, announce, node, sync, writer_memory_mb, socket)| Config {
                listen,
                announce,
                node,
                sync,
                index: IndexConfig { writer_memory_mb },
                api: ApiConfig { socket },
            },
        )
}

proptest! {
    #[test]
    fn what_is_rendered_reads_back(config in any_config()) {
        for shown in [Shown::Changed, Shown::Every] {
            let text = config.render(shown);
            prop_assert_eq!(Config::parse(&text), Ok(config.clone()), "{}", text);
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic_or_refuse_without_a_reason(
        text in "(([a-z_]{1,9}|\"\\PC{0,4}\") ?(=|\\.) ?|\\[{1,2}[a-z.]{0,6}\\]{1,2}|\\n|\\PC{0,6}){0,12}",
    ) {
        if let Err(problems) = Config::parse(&text) {
            prop_assert!(!problems.is_empty());
            for problem in problems {
                prop_assert!((1..=1 + text.matches('\n').count()).contains(&problem.line));
            }
        }
    }
}

#[test]
fn a_file_is_refused_by_what_is_wrong_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    assert!(matches!(
        Config::load(&path),
        Err(ConfigError::Missing { .. })
    ));
    assert!(matches!(
        Config::load(dir.path()),
        Err(ConfigError::Unreadable { .. })
    ));

    let mut long = "#".repeat(CONFIG_MAX_BYTES);
    fs::write(&path, &long).unwrap();
    assert_eq!(Config::load(&path).unwrap(), Config::default());
    long.push('#');
    fs::write(&path, &long).unwrap();
    assert!(matches!(
        Config::load(&path),
        Err(ConfigError::TooLarge { .. })
    ));

    fs::write(&path, b"# fine\n# \xe9t\xe9\n").unwrap();
    assert!(matches!(
        Config::load(&path),
        Err(ConfigError::NotText { line: 2, .. })
    ));

    fs::write(&path, "a = 1\nb = 2\n").unwrap();
    match Config::load(&path) {
        Err(ConfigError::Problems { problems, .. }) => assert_eq!(problems.len(), 2),
        other => panic!("{other:?}"),
    }
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../config-examples")
}

#[test]
fn every_example_is_a_configuration_without_a_mistake() {
    let mut seen = Vec::new();
    for entry in fs::read_dir(examples()).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            Config::load(&path).unwrap_or_else(|error| panic!("{error}: {error:?}"));
            seen.push(path.file_stem().unwrap().to_str().unwrap().to_owned());
        }
    }
    seen.sort();
    assert_eq!(seen, ["air-gapped", "full", "minimal"]);

    let air_gapped = Config::load(&examples().join("air-gapped.toml")).unwrap();
    assert!(air_gapped.listen.is_empty() && air_gapped.announce.is_empty());
}

/// The full example shows every key with the words of the table. Its values are its own: with
/// `DIWAN_REGENERATE=1` in the environment it is written anew around them.
#[test]
fn the_full_example_shows_every_key_as_the_table_describes_it() {
    let path = examples().join("full.toml");
    let rendered = Config::load(&path).unwrap().render(Shown::Every);
    if std::env::var_os("DIWAN_REGENERATE").is_some() {
        fs::write(&path, &rendered).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        rendered,
        "run again with DIWAN_REGENERATE=1"
    );
}

#[test]
fn the_service_starts_the_node_as_documented() {
    let unit = fs::read_to_string(examples().join("diwan-node.service")).unwrap();
    let values = |name: &str| -> Vec<&str> {
        unit.lines()
            .filter_map(|line| line.strip_prefix(name)?.strip_prefix('='))
            .collect()
    };
    assert_eq!(
        values("ExecStart"),
        [
            "/usr/bin/diwan-node run --home /var/lib/diwan --passphrase-file \
          ${CREDENTIALS_DIRECTORY}/passphrase"
        ]
    );
    assert_eq!(values("Type"), ["notify"]);
    assert_eq!(
        values("LoadCredential"),
        ["passphrase:/etc/diwan/passphrase"]
    );
    assert_eq!(
        values("StateDirectory"),
        ["diwan"],
        "makes /var/lib/diwan writable"
    );
    assert_eq!(
        values("PrivateUsers"),
        [""; 0],
        "would hide the officers' users from the node"
    );
    for hardening in [
        "NoNewPrivileges",
        "PrivateTmp",
        "ProtectHome",
        "MemoryDenyWriteExecute",
    ] {
        assert_eq!(values(hardening), ["yes"], "{hardening}");
    }
    assert_eq!(values("ProtectSystem"), ["strict"]);
    assert_eq!(values("LimitCORE"), ["0"]);
}
