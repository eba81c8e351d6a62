//! Documents that come in and go out.

use diwan_api::types::{ImportBatch, ImportOutcome};

use super::*;

#[tokio::test]
async fn importing_again_changes_only_what_changed() {
    let node = Node::start("tn").await;
    let document = |n: u8, text: &str| Draft {
        title: texts(&[("fr", &format!("Document {n}"))]),
        body: texts(&[("fr", text)]),
        import_key: Some(format!("{n:032x}")),
        ..Draft::default()
    };
    let batch = |drafts, dry_run| ImportBatch {
        group: "own".to_owned(),
        kind: None,
        drafts,
        dry_run,
        editors: Editors::Group,
        override_reason: None,
    };
    let drafts = || vec![document(1, "Un."), document(2, "Deux."), Draft::default()];
    let planned = node
        .client
        .import_batch(&batch(drafts(), true))
        .await
        .unwrap();
    assert!(matches!(&planned.outcomes[0], ImportOutcome::Created { record } if record.is_empty()));
    assert_eq!(node.client.status().await.unwrap().records, 0);

    let done = node
        .client
        .import_batch(&batch(drafts(), false))
        .await
        .unwrap();
    let [
        ImportOutcome::Created { record: one },
        ImportOutcome::Created { record: two },
        ImportOutcome::Skipped { error },
    ] = done.outcomes.as_slice()
    else {
        panic!("{done:?}")
    };
    assert_eq!((error.code, done.seq), (ErrorCode::InvalidValue, 2));
    assert_eq!(node.client.show(one, None).await.unwrap().kind, "guideline");

    // An officer makes the label stricter; the document that names none does not undo it.
    let stricter = EditRequest {
        tlp: Some("RED".to_owned()),
        ..EditRequest::default()
    };
    node.client.edit(one, &stricter).await.unwrap();
    let changed = vec![document(1, "Un, corrigé."), document(2, "Deux.")];
    let again = node
        .client
        .import_batch(&batch(changed, false))
        .await
        .unwrap();
    let expected = [
        ImportOutcome::Updated {
            record: one.clone(),
        },
        ImportOutcome::Unchanged {
            record: two.clone(),
        },
    ];
    assert_eq!(again.outcomes, expected);
    let record = node.client.show(one, None).await.unwrap();
    assert_eq!(
        (record.body["fr"].as_str(), record.tlp.as_str()),
        ("Un, corrigé.", "RED")
    );

    let many = vec![Draft::default(); diwan_api::types::IMPORT_BATCH_DRAFTS + 1];
    let answer = node.client.import_batch(&batch(many, false)).await;
    assert_eq!(
        refusal(answer, "field"),
        (ErrorCode::InvalidValue, "drafts".to_owned())
    );
}

#[tokio::test]
async fn an_export_is_sorted_and_holds_what_is_asked() {
    let node = Node::start("tn").await;
    let seized = node
        .guideline("own", &[("fr", "Saisie")], &[("fr", "Couper le réseau.")])
        .await;
    node.guideline("own", &[("fr", "Frontière")], &[]).await;
    let comment = Draft {
        body: texts(&[("fr", "Testé.")]),
        ..Draft::default()
    };
    node.client
        .annotate(&seized.record, "comment", &comment)
        .await
        .unwrap();
    let whole = node.export().await;
    let ids: Vec<&str> = whole.lines().map(|line| &line[..30]).collect();
    assert!(ids.len() == 3 && ids.is_sorted(), "{ids:?}");
    for local in ["group_name", "proof"] {
        assert!(!whole.contains(local), "{local}");
    }
    node.search(words("réseau")).await;
    let query = ExportQuery {
        group: Some("own".into()),
        query: Some("reseau".into()),
    };
    let mut lines = node.client.export(&query).await.unwrap();
    let line = String::from_utf8(lines.next().await.unwrap().unwrap()).unwrap();
    assert!(line.contains(&seized.record) && whole.contains(&line));
    assert_eq!(lines.next().await.unwrap(), None);
}
