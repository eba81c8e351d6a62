//! What an officer does with searches beyond one: what is new since last time, what is like a record, and why
//! a result stands where it stands.

use diwan_tests::kit::{Listen, TestNode};
use serde_json::Value;

fn new(node: &TestNode, title: &str) -> String {
    let title = format!("fr={title}");
    let written = node.diwan(&[
        "new",
        "--group",
        "own",
        "--kind",
        "guideline",
        "--title",
        &title,
    ]);
    written["record"].as_str().unwrap().to_owned()
}

/// What is new by saved search, and whether it stays so.
fn news(node: &TestNode, more: &[&str]) -> Vec<(String, Vec<String>)> {
    let args: Vec<&str> = std::iter::once("watch")
        .chain(more.iter().copied())
        .collect();
    let watches = node.diwan(&args)["watches"].as_array().unwrap().clone();
    let record = |hit: &Value| hit["record"].as_str().unwrap().to_owned();
    let each = watches.iter().map(|watch| {
        let hits = watch["found"]["hits"].as_array().unwrap().iter();
        let name = watch["name"].as_str().unwrap().to_owned();
        (name, hits.map(record).collect())
    });
    each.collect()
}

#[test]
fn a_saved_search_shows_each_match_once_and_outlives_a_restart() {
    let mut node = TestNode::running("TN", Listen::AnyTcp);
    new(&node, "Saisie d'un serveur");
    node.diwan(&["watch", "add", "saisies", "saisie kind:guideline"]);
    node.diwan(&["watch", "add", "فديو", "video*"]);
    let none = |name: &str| (name.to_owned(), Vec::new());
    assert_eq!(news(&node, &[]), [none("saisies"), none("فديو")]);

    let phone = new(&node, "Saisie d'un téléphone");
    let video = new(&node, "Vidéosurveillance");
    node.stop();
    node.start();
    let of = |name: &str, record: &str| (name.to_owned(), vec![record.to_owned()]);
    let both = [of("saisies", &phone), of("فديو", &video)];
    assert_eq!(news(&node, &["--keep"]), both);
    assert_eq!(news(&node, &["saisies"]), both[..1]);
    assert_eq!(news(&node, &[]), [none("saisies"), both[1].clone()]);

    node.try_diwan(&["watch", "saisie"])
        .refusal(5, "unknown-watch");
    let open = node.try_diwan(&["watch", "add", "a", "\"saisie"]);
    open.refusal(2, "bad-query");
    node.diwan(&["watch", "remove", "saisies"]);
    let list = node.diwan(&["watch", "list"]);
    assert_eq!(list["watches"].as_array().unwrap().len(), 1);
}

#[test]
fn an_index_of_an_earlier_version_answers_and_is_made_anew() {
    let mut node = TestNode::running("TN", Listen::AnyTcp);
    let phone = new(&node, "Saisie d'un téléphone");
    let found = |node: &TestNode| node.diwan(&["search", "saisie"])["hits"][0]["record"].clone();
    assert_eq!(found(&node), phone.as_str());
    node.stop();
    let (index, next) = (node.home().join("index"), node.home().join("index.next"));
    let version = index.join("diwan-index-version");
    let today = std::fs::read_to_string(&version).unwrap();
    std::fs::write(&version, "1\n").unwrap();

    node.start();
    assert_eq!(found(&node), phone.as_str());
    let server = new(&node, "Saisie d'un serveur");
    node.indexed();
    let both = node.diwan(&["search", "saisie serveur"]);
    assert_eq!(both["hits"][0]["record"], server.as_str());
    assert_eq!(both["total"], 2);
    assert!(next.exists(), "made beside the one that answered");
    node.stop();
    node.start();
    assert!(!next.exists());
    assert_eq!(std::fs::read_to_string(&version).unwrap(), today);
    assert_eq!(found(&node), phone.as_str());
}

#[test]
fn alike_records_facets_and_reasons() {
    let node = TestNode::running("TN", Listen::AnyTcp);
    let bag = new(&node, "Sac de Faraday pour téléphones");
    let other = new(&node, "Choisir un sac de Faraday");
    new(&node, "Réunion");
    let alike = node.diwan(&["similar", &bag]);
    let hits = alike["hits"].as_array().unwrap();
    assert_eq!(
        (hits.len(), hits[0]["record"].as_str()),
        (1, Some(other.as_str()))
    );
    let found = node.diwan(&[
        "search",
        "--facets",
        "--explain",
        "--country",
        "TN",
        "faraday",
    ]);
    assert_eq!(found["facets"]["country"]["TN"], 2);
    let years = found["facets"]["year"].as_object().unwrap();
    assert_eq!(years.values().filter_map(Value::as_u64).sum::<u64>(), 2);
    let why = found["hits"][0]["why"].as_array().unwrap();
    assert!(why.iter().any(|part| part["part"] == "=faraday"), "{why:?}");
}
