//! What commands say is what is so: of peers that are away, members that are out, documents that
//! moved, and values that are wrong.

use std::fs;

use diwan_tests::kit::{Listen, TestNode, node_program, share};

#[test]
fn sync_says_who_was_not_reached() {
    let fr = TestNode::running("FR", Listen::Tcp);
    let mut tn = TestNode::running("TN", Listen::Tcp);
    share("cyber", &[&fr, &tn]);
    assert_eq!(fr.try_diwan(&["sync"]).code, 0);
    tn.stop();
    let sync = fr.try_diwan(&["sync"]);
    assert_eq!(sync.code, 7, "{sync}");
    let document: serde_json::Value = serde_json::from_slice(&sync.stdout).unwrap();
    assert_eq!(document["peers"][0]["state"], "offline");
    let output = fr.command().arg("sync").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("Not reached: tn"), "{said}");
}

#[test]
fn a_removed_member_learns_it_from_whoever_removed_it() {
    let fr = TestNode::running("FR", Listen::Tcp);
    let mut tn = TestNode::running("TN", Listen::Tcp);
    let ma = TestNode::running("MA", Listen::Tcp);
    share("cyber", &[&fr, &tn, &ma]);
    let alarms = |node: &TestNode| node.diwan(&["status"])["alarms"].to_string();
    assert!(!alarms(&ma).contains("alarm-removed"));

    // One is connected, the other is away.
    tn.stop();
    for gone in ["ma", "tn"] {
        fr.diwan(&["group", "remove", "cyber", gone, "--yes"]);
    }
    fr.write("cyber", "Confidentiel", "Seulement pour nous.");
    fr.try_diwan(&["sync", "--peer", "ma"]);
    for _ in 0..600 {
        if alarms(&ma).contains("alarm-removed") {
            break;
        }
        fr.try_diwan(&["sync", "--peer", "ma"]);
    }
    assert!(
        alarms(&ma).contains("alarm-removed cyber"),
        "{}",
        alarms(&ma)
    );
    tn.start();
    for _ in 0..600 {
        if alarms(&tn).contains("alarm-removed") {
            break;
        }
        tn.try_diwan(&["sync", "--peer", "fr"]);
    }
    assert!(
        alarms(&tn).contains("alarm-removed cyber"),
        "{}",
        alarms(&tn)
    );
    for former in [&ma, &tn] {
        former
            .try_diwan(&["group", "show", "cyber"])
            .refusal(5, "unknown-group");
        assert!(former.search(&["confidentiel"]).is_empty());
    }
}

#[test]
fn a_document_that_moved_is_the_same_and_two_that_look_alike_are_two() {
    let node = TestNode::running("FR", Listen::Tcp);
    let here = node.scratch("here/guide");
    fs::create_dir_all(&here).unwrap();
    let text = "# Saisie\n\nCouper le réseau avant la saisie du téléphone.\n";
    for name in ["saisie.md", "copie.md"] {
        fs::write(here.join(name), text).unwrap();
    }
    let import = |path: &std::path::Path, kind: &str| {
        let path = path.to_str().unwrap();
        node.try_diwan(&["import", path, "--group", "own", "--kind", kind])
    };
    let message = import(&here, "pratcice").refusal(2, "unknown-name");
    assert!(message.contains("pratcice"), "{message}");
    let first = import(&here, "practice").json();
    assert_eq!((&first["created"], &first["files"]), (&2.into(), &2.into()));
    assert_eq!(first["languages"]["fr"], 2);

    let there = node.scratch("there");
    fs::rename(node.scratch("here"), &there).unwrap();
    let again = import(&there, "practice").json();
    assert_eq!(
        (&again["created"], &again["unchanged"]),
        (&0.into(), &2.into()),
        "{again}"
    );
    let records = |done: &serde_json::Value| {
        let records = done["records"].as_array().unwrap().iter();
        records
            .map(|one| one["record"].to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(records(&first), records(&again));
}

#[test]
fn the_node_program_names_what_is_wrong_as_the_other_one_does() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let home = home.to_str().unwrap();
    let message = node_program(&["--json", "init", "--home", home]).refusal(2, "usage");
    assert!(message.contains("--country"), "{message}");
    let message = node_program(&["--json", "inti"]).refusal(2, "usage");
    assert!(message.contains("inti"), "{message}");

    let init = |flags: &[&str]| {
        let always = ["init", "--home", home, "--no-passphrase"];
        [&always, flags]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let refusal = |flags: &[&str], code: &str| {
        let mut args = vec!["--json".to_owned()];
        args.extend(init(flags));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        node_program(&args).refusal(2, code)
    };
    let name = ["--name", "Police judiciaire"];
    let message = refusal(
        &[&name[..], &["--country", "Tunisie"]].concat(),
        "invalid-value",
    );
    assert!(
        message.contains("country") && message.contains("Tunisie"),
        "{message}"
    );
    let short = ["--country", "TN", "--short", "Tunis PJ"];
    let message = refusal(&[&name[..], &short].concat(), "invalid-value");
    assert!(message.contains("Tunis PJ"), "{message}");
    let listen = ["--country", "TN", "--listen", "203.0.113.7:4001"];
    let message = refusal(&[&name[..], &listen].concat(), "bad-address");
    assert!(message.contains("203.0.113.7:4001"), "{message}");

    let plain = node_program(&["run", "--home", "/nowhere"]);
    assert!(plain.stderr.starts_with("error: "), "{plain}");
    assert!(plain.stderr.contains("\nhint: "), "{plain}");
}
