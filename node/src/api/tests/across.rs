//! A question in one language finds what is there in another alone. The words are nobody's: no vocabulary knows them.

use diwan_api::types::TranslateRequest;

use super::federation::{SYNC, two};
use super::*;

/// In Arabic alone.
const GUIDE: [(&str, &str); 1] = [("ar", "دليل الزرموق")];

/// Once searches are widened by all that the node has.
async fn learned(node: &Node) {
    let stored = node.api.engine.state().store_seq;
    let learned = node.api.expander.wait_for(stored);
    let learned = tokio::time::timeout(Duration::from_secs(60), learned).await;
    assert!(learned.unwrap());
}

/// Whether the guide is found, and what was added to the question.
async fn finds(node: &Node, guide: &str, query: SearchQuery) -> (bool, Vec<String>) {
    let found = node.search(query).await;
    let is_found = found.hits.iter().any(|hit| hit.record == guide);
    (is_found, found.expanded)
}

#[tokio::test]
async fn labels_of_a_theme() {
    let node = Node::start("tn").await;
    let ransom = [("ar", "الوقاية من برامج الفدية")];
    let ransom = node.guideline("own", &ransom, &[]).await.record;
    learned(&node).await;
    let found = node.search(words("Rançongiciels")).await;
    assert_eq!(found.hits[0].record, ransom);
    assert!(
        found.expanded.contains(&"برامج الفدية".to_owned()),
        "{:?}",
        found.expanded
    );
    assert!(!found.hits[0].marks.is_empty() || found.hits[0].snippet.is_empty());
    let plain = SearchQuery {
        no_expand: Some(true),
        ..words("Rançongiciels")
    };
    let found = node.search(plain).await;
    assert_eq!((found.total, found.expanded.len()), (0, 0));
}

#[tokio::test]
async fn the_glossary_that_the_program_ships() {
    let node = Node::start("tn").await;
    let record = node
        .guideline("own", &[("ar", "كلمة المرور وحفظ الأدلة")], &[])
        .await
        .record;
    learned(&node).await;
    for query in ["mot de passe", "preuve", "password", "evidence"] {
        let (is_found, expanded) = finds(&node, &record, words(query)).await;
        assert!(is_found, "{query}: {expanded:?}");
    }
}

/// No label is the word alone: what it is called is learned from two that have it.
#[tokio::test]
async fn words_within_labels_of_concepts() {
    let node = Node::start("tn").await;
    for (fr, ar) in [
        ("plimard rouge", "زرموق أحمر"),
        ("plimard vert", "زرموق أخضر"),
    ] {
        let draft = Draft {
            kind: Some("concept".to_owned()),
            title: texts(&[("fr", fr), ("ar", ar)]),
            ..Draft::default()
        };
        node.client.new_record(&new("own", draft)).await.unwrap();
    }
    let guide = node.guideline("own", &GUIDE, &[]).await.record;
    learned(&node).await;
    let (is_found, expanded) = finds(&node, &guide, words("plimard")).await;
    assert!(is_found, "{expanded:?}");
}

#[tokio::test]
async fn records_in_both_languages() {
    let node = Node::start("tn").await;
    for (fr, ar) in [
        ("Saisie d'un plimard", "ضبط زرموق"),
        ("Saisie d'un goublon", "ضبط خشتوم"),
        ("Analyse d'un goublon", "تحليل خشتوم"),
        ("Analyse d'un plimard", "تحليل زرموق"),
    ] {
        node.guideline("own", &[("fr", fr), ("ar", ar)], &[]).await;
    }
    let guide = node.guideline("own", &GUIDE, &[]).await.record;
    learned(&node).await;
    let (is_found, expanded) = finds(&node, &guide, words("plimard")).await;
    assert!(is_found, "{expanded:?}");
}

/// Two agencies publish the same manual, each in its own language, and nothing says that one translates the other.
#[tokio::test]
async fn records_of_one_language_that_say_the_same() {
    let node = Node::start("tn").await;
    let phone = "`adb pull /sdcard`, Cellebrite UFED 4PC, AES256.";
    let money = "SWIFT MT103, IBAN, goAML, TRACFIN.";
    for (lang, title, body) in [
        ("fr", "Plimard", phone),
        ("ar", "زرموق", phone),
        ("fr", "Virement", money),
        ("ar", "تحويل", money),
    ] {
        node.guideline("own", &[(lang, title)], &[(lang, body)])
            .await;
    }
    let guide = node.guideline("own", &GUIDE, &[]).await.record;
    learned(&node).await;
    let (is_found, expanded) = finds(&node, &guide, words("plimard")).await;
    assert!(is_found, "{expanded:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_agencys_translation() {
    let (tn, fr) = two().await;
    let original = tn.guideline("Cyber", &[("fr", "Plimard")], &[("fr", "Un.")]);
    let original = original.await.record;
    assert!(tn.client.sync(&SYNC).await.unwrap().equal);
    let request = TranslateRequest {
        lang: "ar".to_owned(),
        title: Some("زرموق".to_owned()),
        body: Some("واحد.".to_owned()),
        ..TranslateRequest::default()
    };
    let done = fr.client.translate(&original, &request).await.unwrap();
    assert!(!done.in_record);
    let guide = fr.guideline("own", &GUIDE, &[]).await.record;
    learned(&fr).await;
    let (is_found, expanded) = finds(&fr, &guide, words("plimard")).await;
    assert!(is_found, "{expanded:?}");
}
