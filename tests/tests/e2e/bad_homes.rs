//! Homes, keys, configurations and databases that are not as they should be: each has its message,
//! its exit code and a hint, and none is taken for something else.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use diwan_tests::kit::{Ended, Listen, TestNode, node_program};

/// Starts a node that must not start.
#[track_caller]
fn refused_start(node: &mut TestNode, flags: &[&str]) -> Ended {
    let started = node.try_start(flags, &[]);
    started.expect_err("the node started")
}

#[test]
fn a_misspelt_key_is_named_with_its_line_and_the_nearest_right_one() {
    let mut node = TestNode::init("FR", Listen::Tcp);
    let config = node.home().join("config.toml");
    fs::write(&config, "[sync]\nredial_mim_s = 2\n").unwrap();
    let check = node_program(&["--json", "check-config", text(&config)]);
    for refusal in [check, refused_start(&mut node, &[])] {
        let message = refusal.refusal(2, "bad-config");
        for part in ["redial_mim_s", "redial_min_s", "2"] {
            assert!(message.contains(part), "{part}: {message}");
        }
    }
}

#[test]
fn every_problem_of_a_configuration_is_told_at_once() {
    let node = TestNode::init("FR", Listen::Tcp);
    let config = "listen = [\"127.0.0.1:80\"]\n[node]\nlog = \"loud\"\n[sync]\nredial_min_s = 0\n";
    let path = node.file("bad.toml", config);
    let check = node_program(&["--json", "check-config", text(&path)]);
    let message = check.refusal(2, "bad-config");
    for part in ["127.0.0.1:80", "loud", "redial_min_s"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let missing = node_program(&["--json", "check-config", "/nowhere/config.toml"]);
    missing.refusal(5, "unknown-path");
    let good = node_program(&[
        "--json",
        "check-config",
        text(&node.home().join("config.toml")),
    ]);
    assert_eq!(good.code, 0, "{good}");
}

#[test]
fn a_port_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut node = TestNode::init("FR", Listen::Tcp);
    let address = format!("/ip4/127.0.0.1/tcp/{port}");
    fs::write(
        node.home().join("config.toml"),
        format!("listen = [\"{address}\"]\n"),
    )
    .unwrap();
    let message = refused_start(&mut node, &[]).refusal(1, "port-in-use");
    assert!(message.contains(&address), "{message}");
    drop(taken);
    node.start();
}

#[test]
fn a_home_has_one_node_at_a_time() {
    let node = TestNode::running("FR", Listen::Tcp);
    let second = node_program(&["--json", "run", "--home", text(&node.home())]);
    second.refusal(1, "home-locked");
    node.diwan(&["status"]);
}

#[test]
fn what_is_no_home_is_not_used() {
    let node = TestNode::init("FR", Listen::Tcp);
    let run = |home: &Path| node_program(&["--json", "run", "--home", text(home)]);
    let file = node.file("file", "not a folder");
    run(&file).refusal(2, "not-a-home");
    run(&node.scratch("missing")).refusal(5, "home-missing");
    fs::create_dir(node.scratch("empty")).unwrap();
    run(&node.scratch("empty")).refusal(2, "not-a-home");

    let init = |home: &Path| {
        let home = text(home);
        let names = ["--country", "FR", "--name", "Police", "--no-passphrase"];
        node_program(&[&["--json", "init", "--home", home], &names[..]].concat())
    };
    init(&node.home()).refusal(2, "already-a-home");
    let used = node.scratch("used");
    fs::create_dir(&used).unwrap();
    fs::write(used.join("thesis.doc"), "mine").unwrap();
    init(&used).refusal(2, "home-not-empty");
    assert_eq!(fs::read(used.join("thesis.doc")).unwrap(), b"mine");
    // A path through a file cannot be read by anybody, not even by root.
    init(&file.join("home")).refusal(4, "home-unreadable");
}

#[test]
fn a_home_that_may_not_be_read_is_named() {
    let node = TestNode::init("FR", Listen::Tcp);
    if is_root() {
        // Modes do not stop root; a folder where a file should be does.
        fs::create_dir_all(node.home().join("db/store.redb.d")).unwrap();
        fs::remove_file(node.home().join("db/store.redb")).unwrap();
        fs::rename(
            node.home().join("db/store.redb.d"),
            node.home().join("db/store.redb"),
        )
        .unwrap();
    } else {
        fs::set_permissions(node.home().join("db"), fs::Permissions::from_mode(0o000)).unwrap();
    }
    let run = node_program(&["--json", "run", "--home", text(&node.home())]);
    let message = run.refusal(4, "home-unreadable");
    fs::set_permissions(node.home().join("db"), fs::Permissions::from_mode(0o700)).unwrap();
    assert!(message.contains("db"), "{message}");
}

#[test]
fn a_damaged_key_file_is_not_used() {
    let mut node = TestNode::init("FR", Listen::Tcp);
    let key = node.home().join("keys/node.key");
    let whole = fs::read(&key).unwrap();
    let mut flipped = whole.clone();
    let last = flipped.len() - 3;
    flipped[last] ^= 1;
    for damaged in [&whole[..whole.len() / 2], &flipped, b""] {
        fs::write(&key, damaged).unwrap();
        let message = refused_start(&mut node, &[]).refusal(6, "key-damaged");
        assert!(message.contains("node.key"), "{message}");
    }
    fs::remove_file(&key).unwrap();
    refused_start(&mut node, &[]).refusal(1, "key-unusable");
    fs::write(&key, &whole).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    refused_start(&mut node, &[]).refusal(4, "key-too-open");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    node.start();
}

#[test]
fn only_the_right_passphrase_opens_the_keys() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let right = file("right", "une phrase longue et secrète\n");
    let wrong = file("wrong", "une phrase longue et fausse\n");
    let empty = file("empty", "\n");
    let mut node = TestNode::init_with("FR", Listen::Tcp, &["--passphrase-file", &right]);
    let flags = |path| ["--passphrase-file", path];
    refused_start(&mut node, &flags(&wrong)).refusal(4, "wrong-passphrase");
    refused_start(&mut node, &flags(&empty)).refusal(2, "bad-passphrase");
    refused_start(&mut node, &[]).refusal(2, "needs-passphrase");
    node.try_start(&flags(&right), &[]).unwrap();
}

#[test]
fn a_damaged_database_is_not_served() {
    let mut node = TestNode::running("FR", Listen::Tcp);
    for nth in 0..20 {
        node.write(
            "own",
            &format!("Titre {nth}"),
            &"Un paragraphe. ".repeat(100),
        );
    }
    node.stop();
    let path = node.home().join("db/store.redb");
    let whole = fs::read(&path).unwrap();
    let mut zeroed = whole.clone();
    zeroed[..4096].fill(0);
    let mut scrambled = whole.clone();
    for byte in scrambled.iter_mut().skip(4096).step_by(7) {
        *byte ^= 0x5a;
    }
    for damaged in [&whole[..whole.len() / 3], &zeroed, &scrambled, b""] {
        fs::write(&path, damaged).unwrap();
        let ended = refused_start(&mut node, &[]);
        let message = ended.refusal(6, "store-damaged");
        assert!(message.contains("store.redb"), "{message}");
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    }
    fs::write(&path, &whole).unwrap();
    node.start();
    assert_eq!(node.export("own").lines().count(), 20);
}

/// Whether modes stop this user.
fn is_root() -> bool {
    rustix::process::getuid().is_root()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
