//! Names and ids that are unknown, too short or misspelt, and a node that does not run.

use diwan_tests::kit::{Listen, TestNode, cli};

const UNKNOWN: &str = "00000000000000000000000000000000000000000000000000000000000000ff";

#[test]
fn unknown_names_are_refused() {
    let node = TestNode::running("FR", Listen::Tcp);
    let refusal = |args: &[&str], exit, code| node.try_diwan(args).refusal(exit, code);
    let record = ["--kind", "practice", "--title", "fr=Un titre"];
    let message = refusal(
        &[&["new", "--group", "cybre"], &record[..]].concat(),
        5,
        "unknown-group",
    );
    assert!(message.contains("cybre"), "{message}");
    refusal(&["group", "show", "cybre"], 5, "unknown-group");
    refusal(&["trust", "show", "tn"], 5, "unknown-agency");
    refusal(&["sync", "--peer", "tn"], 5, "unknown-agency");
    refusal(
        &["group", "create", "cyber", "--member", "tn"],
        5,
        "unknown-agency",
    );
    refusal(&["show", UNKNOWN], 5, "unknown-record");
    refusal(&["history", UNKNOWN], 5, "unknown-record");
    refusal(
        &["comment", UNKNOWN, "--body", "fr=Bravo"],
        5,
        "unknown-record",
    );
    refusal(&["show", &UNKNOWN[..8]], 5, "unknown-record");

    let kind = [
        "new",
        "--group",
        "own",
        "--kind",
        "pratcice",
        "--title",
        "fr=Un titre",
    ];
    let message = refusal(&kind, 2, "unknown-name");
    assert!(message.contains("pratcice"), "{message}");
    let label = [
        &["new", "--group", "own"],
        &record[..],
        &["--tlp", "PURPLE"],
    ]
    .concat();
    refusal(&label, 2, "invalid-value");
}

#[test]
fn an_id_may_be_cut_but_not_too_short() {
    let node = TestNode::running("FR", Listen::Tcp);
    let record = node.write("own", "Un titre", "Un corps.");
    assert_eq!(node.show(&record[..6])["record"], record.as_str());
    assert_eq!(node.show(&record[..20])["record"], record.as_str());
    let message = node
        .try_diwan(&["show", &record[..5]])
        .refusal(2, "bad-prefix");
    assert!(message.contains(&record[..5]), "{message}");
    node.try_diwan(&["show", "not-an-id"])
        .refusal(2, "bad-prefix");
    let at = |version| node.try_diwan(&["show", &record, "--at", version]);
    at("1-00000000").refusal(5, "unknown-version");
    at("yesterday").refusal(2, "invalid-value");
}

#[test]
fn a_node_that_does_not_run_is_said_to_be_so() {
    let node = TestNode::init("FR", Listen::Tcp);
    for args in [&["status"][..], &["search", "saisie"], &["group", "list"]] {
        let message = node.try_diwan(args).refusal(3, "unreachable");
        assert!(message.contains("node.sock"), "{message}");
    }
    let nowhere = cli(&["--home", "/nowhere", "--json", "status"]);
    nowhere.refusal(3, "unreachable");
}

#[test]
fn a_command_line_that_is_not_understood_is_explained() {
    let node = TestNode::init("FR", Listen::Tcp);
    node.try_diwan(&["serch", "saisie"]).refusal(2, "usage");
    node.try_diwan(&["import", "somewhere"]).refusal(2, "usage");
    let said = cli(&["serch", "saisie"]);
    assert_eq!(said.code, 2, "{said}");
    assert!(
        said.stderr.contains("hint:") && said.stderr.contains("search"),
        "{said}"
    );
}

#[test]
fn what_cannot_be_undone_is_not_done_unasked() {
    let fr = TestNode::running("FR", Listen::Tcp);
    let tn = TestNode::running("TN", Listen::Tcp);
    fr.pin(&tn, &tn.card());
    let plan = fr.diwan(&["trust", "remove", "tn", "--dry-run"]);
    assert_eq!(plan["dry_run"], true, "{plan}");
    fr.try_diwan(&["trust", "remove", "tn"])
        .refusal(2, "no-terminal");
    assert_eq!(
        fr.diwan(&["trust", "list"])["agencies"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    fr.diwan(&["trust", "remove", "tn", "--yes"]);
    fr.try_diwan(&["trust", "show", "tn"])
        .refusal(5, "unknown-agency");
}
