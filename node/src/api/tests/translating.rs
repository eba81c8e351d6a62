//! Translations: the origin's and others', which version they are of, and adopting one.

use diwan_api::types::{Decision, Record, RecordLink, TranslateRequest};

use super::super::translations::Versions;
use super::super::view::View;
use super::federation::{SYNC, two};
use super::*;

fn into(lang: &str, body: &str) -> TranslateRequest {
    TranslateRequest {
        lang: lang.to_owned(),
        body: Some(body.to_owned()),
        ..TranslateRequest::default()
    }
}

/// Languages, whether each is stale, and whether it stands beside the record.
fn states(record: &Record) -> Vec<(&str, bool, bool)> {
    let states = record.translations.iter();
    let state = states.map(|state| (state.lang.as_str(), state.stale, state.annotation.is_some()));
    state.collect()
}

#[tokio::test]
async fn the_origins_translation_is_in_its_record_and_of_a_version() {
    let node = Node::start("fr").await;
    let client = &node.client;
    let id = node.guideline("own", &[("fr", "Saisie")], &[("fr", "Un.")]);
    let id = id.await.record;
    let first = client.show(&id, None).await.unwrap().version;
    let done = client.translate(&id, &into("ar", "واحد.")).await.unwrap();
    assert_eq!((done.record.as_str(), done.in_record), (id.as_str(), true));
    let shown = client.show(&id, None).await.unwrap();
    assert_eq!(shown.body["ar"], "واحد.");
    assert_eq!(states(&shown), [("ar", false, false), ("fr", false, false)]);
    // Arabic is a translation itself: French is what was translated, and need not be said.
    client.translate(&id, &into("en", "One.")).await.unwrap();
    client.edit(&id, &body("en", "One!")).await.unwrap();
    let shown = client.show(&id, None).await.unwrap();
    assert!(states(&shown).iter().all(|(_, stale, _)| !stale));
    client.edit(&id, &body("fr", "Deux.")).await.unwrap();
    let shown = client.show(&id, None).await.unwrap();
    let both = [
        ("ar", true, false),
        ("en", true, false),
        ("fr", false, false),
    ];
    assert_eq!(states(&shown), both);
    // What was translated may be older than what is there now.
    let late = TranslateRequest {
        version: Some(first),
        ..into("ar", "واحد!")
    };
    client.translate(&id, &late).await.unwrap();
    assert!(states(&client.show(&id, None).await.unwrap())[0].1);
    let now = into("ar", "اثنان.");
    client.translate(&id, &now).await.unwrap();
    assert!(!states(&client.show(&id, None).await.unwrap())[0].1);
}

#[tokio::test]
async fn what_is_no_translation_is_refused_by_field() {
    let node = Node::start("fr").await;
    let title = [("fr", "Saisie"), ("en", "Seizure")];
    let id = node.guideline("own", &title, &[("fr", "Un.")]).await.record;
    let from = |lang: &str| TranslateRequest {
        from: Some(lang.to_owned()),
        ..into("ar", "واحد.")
    };
    let of_no_version = TranslateRequest {
        version: Some("9-00000000".to_owned()),
        ..from("fr")
    };
    for (request, field) in [
        (into("العربية", "واحد."), "lang"),
        (into("ar", "واحد."), "from"),
        (from("it"), "from"),
        (from("ar"), "from"),
        (
            TranslateRequest {
                body: None,
                ..from("fr")
            },
            "body",
        ),
    ] {
        let refused = node.client.translate(&id, &request).await;
        let (code, named) = refusal(refused, "field");
        assert_eq!((code, named.as_str()), (ErrorCode::InvalidValue, field));
    }
    let refused = node.client.translate(&id, &of_no_version).await;
    assert_eq!(refusal(refused, "version").0, ErrorCode::UnknownVersion);
    let refused = node.client.adopt(&id, &Decision::default()).await;
    assert_eq!(refusal(refused, "field").1, "id");
}

#[tokio::test(flavor = "multi_thread")]
async fn anothers_translation_stands_beside_the_record_until_its_origin_adopts_it() {
    let (tn, fr) = two().await;
    let id = tn.guideline("Cyber", &[("fr", "Saisie")], &[("fr", "Un.")]);
    let id = id.await.record;
    assert!(tn.client.sync(&SYNC).await.unwrap().equal);
    let request = TranslateRequest {
        title: Some("Seizure".to_owned()),
        ..into("en", "One.")
    };
    let done = fr.client.translate(&id, &request).await.unwrap();
    assert!(!done.in_record && done.record != id);
    let shown = fr.client.show(&id, None).await.unwrap();
    assert!(!shown.body.contains_key("en"));
    assert_eq!(states(&shown), [("fr", false, false), ("en", false, true)]);
    let refused = fr.client.adopt(&done.record, &Decision::default()).await;
    assert_eq!(
        refusal(refused, "origin"),
        (ErrorCode::NotEditor, "tn".to_owned())
    );
    assert!(fr.client.sync(&SYNC).await.unwrap().equal);
    tn.client.edit(&id, &body("fr", "Deux.")).await.unwrap();
    let shown = tn.client.show(&id, None).await.unwrap();
    assert_eq!(states(&shown), [("fr", false, false), ("en", true, true)]);
    tn.client
        .adopt(&done.record, &Decision::default())
        .await
        .unwrap();
    let shown = tn.client.show(&id, None).await.unwrap();
    assert_eq!(
        (shown.title["en"].as_str(), shown.body["en"].as_str()),
        ("Seizure", "One.")
    );
    let expected = [
        ("en", true, false),
        ("fr", false, false),
        ("en", true, true),
    ];
    assert_eq!(states(&shown), expected);
    let adopted = RecordLink {
        rel: "adopted".to_owned(),
        record: done.record,
    };
    assert_eq!(shown.links, [adopted]);
}

#[tokio::test]
async fn of_very_many_versions_that_translations_name_few_are_read() {
    let node = Node::start("fr").await;
    let id = node.guideline("own", &[("fr", "Saisie")], &[("fr", "Un.")]);
    let id = id.await.record;
    for at in 0..18 {
        let text = format!("Texte {at}.");
        node.client.edit(&id, &body("fr", &text)).await.unwrap();
    }
    let history = node.client.history(&id).await.unwrap();
    let view = View::open(&node.api.engine).unwrap();
    let (num, row) = view.find(&id).unwrap();
    let seen = view.seen(num, row).unwrap().unwrap();
    let mut versions = Versions::of(&view, &seen);
    let mut told = history.versions.iter().rev().map(|info| &info.version);
    let read = told
        .by_ref()
        .filter(|version| versions.content(version).unwrap().is_some());
    assert_eq!(read.count(), 16);
}
