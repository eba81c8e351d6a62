//! What a node does about what it finds when it starts.

use std::fs;

use diwan_tests::kit::{Listen, TestNode, copy_tree, share};

#[test]
fn a_missing_index_is_made_anew() {
    let mut node = TestNode::running("FR", Listen::Tcp);
    node.write(
        "own",
        "Saisie de téléphones",
        "Mode avion, puis sac de Faraday.",
    );
    node.write(
        "own",
        "Analyse de la mémoire",
        "Avant d'éteindre la machine.",
    );
    let queries = ["telephone", "mémoire", "eteindre", "introuvable"];
    let found: Vec<_> = queries.map(|query| node.search(&[query])).into();
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 1, 0]);

    node.stop();
    fs::remove_dir_all(node.home().join("index")).unwrap();
    node.start();
    assert_eq!(queries.map(|query| node.search(&[query])).to_vec(), found);
}

#[test]
fn all_is_there_after_a_stop() {
    let mut node = TestNode::running("FR", Listen::Tcp);
    let record = node.write("own", "Un titre", "Un corps.\n");
    node.diwan(&["edit", &record, "--body", "fr=Un autre corps.\n"]);
    let (shown, export) = (node.show(&record), node.export("own"));
    node.stop();
    node.try_diwan(&["status"]).refusal(3, "unreachable");
    node.start();
    assert_eq!(node.show(&record), shown);
    assert_eq!(node.export("own"), export);
}

/// Case 27.
#[test]
fn a_home_put_back_from_yesterday_never_writes_on_in_its_old_log() {
    let mut fr = TestNode::running("FR", Listen::Tcp);
    let tn = TestNode::running("TN", Listen::Tcp);
    share("cyber", &[&fr, &tn]);
    fr.write("cyber", "Hier", "Corps.");
    let incarnation = |node: &TestNode| node.diwan(&["status"])["incarnation"].clone();
    let first = incarnation(&fr);
    fr.stop();
    let backup = fr.scratch("backup");
    copy_tree(&fr.home(), &backup);
    fr.start();
    assert_eq!(incarnation(&fr), first, "a restart is no restore");
    fr.write("cyber", "Aujourd'hui", "Corps.");
    fr.sync(&[&tn]);
    fr.stop();
    fs::remove_dir_all(fr.home()).unwrap();
    copy_tree(&backup, &fr.home());
    fr.start();
    assert_ne!(incarnation(&fr), first);
    // Written before it has heard from anybody, as far as it can know.
    let late = fr.write("cyber", "Après la restauration", "Corps.");
    fr.sync(&[&tn]);
    for node in [&fr, &tn] {
        assert_eq!(node.diwan(&["status"])["records"], 3);
        assert_eq!(node.diwan(&["status"])["alarms"], serde_json::json!([]));
        node.show(&late);
    }
}

/// The TLS library would write every session's keys into that file.
#[test]
fn a_node_refuses_to_start_where_its_keys_would_be_logged() {
    let mut node = TestNode::init("FR", Listen::Tcp);
    let log = node.scratch("keys.log");
    let ended = node.try_start(&[], &[("SSLKEYLOGFILE", log.to_str().unwrap())]);
    let message = ended.unwrap_err().refusal(1, "net-failed");
    assert!(message.contains("SSLKEYLOGFILE"), "{message}");
    assert!(!log.exists());
    node.start();
}

#[test]
fn the_port_file_names_what_is_bound() {
    let mut node = TestNode::init("FR", Listen::AnyTcp);
    let path = node.scratch("ports.json");
    node.try_start(&["--port-file", path.to_str().unwrap()], &[])
        .unwrap();
    let ports: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    assert_eq!(ports["listen"], node.diwan(&["status"])["listen"]);
    assert!(!ports["listen"].to_string().contains("/tcp/0"), "{ports}");
}

/// Whoever asks or syncs goes before the index.
#[test]
fn indexing_yields_to_everything_else() {
    let node = TestNode::running("FR", Listen::Tcp);
    node.write("own", "Un titre", "Un corps.\n");
    node.indexed();
    let threads = fs::read_dir(format!("/proc/{}/task", node.pid())).unwrap();
    let (mut yielding, mut others) = (Vec::new(), Vec::new());
    for thread in threads {
        let stat = thread.unwrap().path().join("stat");
        // A thread that ended meanwhile has none.
        let stat = fs::read_to_string(stat).unwrap_or_default();
        // proc_pid_stat(5): the second field is the name in parentheses, the 19th the niceness.
        let Some((name, fields)) = stat.rsplit_once(')') else {
            continue;
        };
        let name = name.split('(').next_back().unwrap_or_default().to_owned();
        match fields.split_whitespace().nth(16) {
            Some("19") => yielding.push(name),
            _ => others.push(name),
        }
    }
    let is_of_tokio = |name: &String| name.starts_with("tokio");
    assert!(!yielding.is_empty(), "{others:?}");
    assert!(!yielding.iter().any(is_of_tokio), "{yielding:?}");
    assert!(others.iter().any(is_of_tokio), "{others:?}");
}
