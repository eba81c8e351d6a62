//! Fields of kinds, and what is told and listed by them.

use diwan_api::types::{Difference, FieldValue, FieldValues, ListQuery, RecordSummary, TextPiece};

use super::*;

fn line(text: &str) -> FieldValue {
    FieldValue::Line(text.to_owned())
}

fn lines(items: &[&str]) -> FieldValue {
    FieldValue::Lines(items.iter().map(|item| (*item).to_owned()).collect())
}

fn fields(pairs: &[(&str, FieldValue)]) -> FieldValues {
    let owned = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()));
    owned.collect()
}

fn exchange(given: FieldValues) -> NewRecord {
    let draft = Draft {
        kind: Some("exchange".to_owned()),
        title: texts(&[("fr", "Échange de Paris")]),
        fields: given,
        ..Draft::default()
    };
    new("own", draft)
}

#[tokio::test]
async fn the_fields_of_a_kind_are_written_edited_and_read_back_at_every_version() {
    let node = Node::start("fr").await;
    let first = fields(&[
        ("start", line("2026-03-09")),
        ("countries", lines(&["tn", "DZ"])),
        (
            "outcome",
            FieldValue::Texts(texts(&[("fr", "Trois lacunes."), ("ar", "ثلاث ثغرات")])),
        ),
    ]);
    let written = node.client.new_record(&exchange(first)).await.unwrap();
    let before = node.client.show(&written.record, None).await.unwrap();
    assert_eq!(before.fields["countries"], lines(&["DZ", "TN"]));
    let request = EditRequest {
        fields: fields(&[
            ("end", line("2026-03-13")),
            ("countries", lines(&["DZ", "TN", "MA"])),
            ("outcome", FieldValue::Texts(texts(&[("ar", "")]))),
        ]),
        ..EditRequest::default()
    };
    node.client.edit(&written.record, &request).await.unwrap();
    let after = node.client.show(&written.record, None).await.unwrap();
    let expected = fields(&[
        ("start", line("2026-03-09")),
        ("end", line("2026-03-13")),
        ("countries", lines(&["DZ", "MA", "TN"])),
        (
            "outcome",
            FieldValue::Texts(texts(&[("fr", "Trois lacunes.")])),
        ),
    ]);
    assert_eq!(after.fields, expected);
    let history = node.client.history(&written.record).await.unwrap();
    assert_eq!(
        history.versions[1].changed,
        ["countries", "end", "outcome.ar"]
    );
    let again = node.client.show(&written.record, Some(&before.version));
    assert_eq!(again.await.unwrap().fields, before.fields);
}

#[tokio::test]
async fn a_field_that_the_kind_does_not_have_is_refused_with_the_nearest() {
    let node = Node::start("fr").await;
    let misspelt = fields(&[("start", line("2026-03-09")), ("contries", lines(&["TN"]))]);
    let misspelt = node.client.new_record(&exchange(misspelt)).await;
    assert_eq!(
        refusal(misspelt, "nearest"),
        (ErrorCode::UnknownName, "countries".to_owned())
    );
}

#[tokio::test]
async fn what_changed_between_two_versions_is_told_by_field() {
    let node = Node::start("fr").await;
    let first = fields(&[("start", line("2026-03-09")), ("countries", lines(&["TN"]))]);
    let written = node.client.new_record(&exchange(first)).await.unwrap();
    let before = node.client.show(&written.record, None).await.unwrap();
    let request = EditRequest {
        title: texts(&[("fr", "Échange à Paris"), ("ar", "تبادل باريس")]),
        fields: fields(&[
            ("start", line("2026-03-16")),
            ("countries", lines(&["DZ", "MA"])),
        ]),
        ..EditRequest::default()
    };
    let second = node.client.edit(&written.record, &request).await.unwrap();
    let third = body("fr", "Cinq jours.");
    node.client.edit(&written.record, &third).await.unwrap();
    let diff = node
        .client
        .diff(&written.record, &before.version, Some(&second.version));
    let diff = diff.await.unwrap();
    let piece = |op: &str, text: &str| TextPiece {
        op: op.to_owned(),
        text: text.to_owned(),
    };
    let text = |pieces: &[TextPiece]| Difference::Text {
        pieces: pieces.to_vec(),
    };
    let own = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect();
    let told: Vec<_> = diff
        .changes
        .iter()
        .map(|change| (change.field.as_str(), change.difference.clone()))
        .collect();
    let expected = [
        (
            "countries",
            Difference::Set {
                added: own(&["DZ", "MA"]),
                removed: own(&["TN"]),
            },
        ),
        (
            "start",
            Difference::Value {
                before: Some("2026-03-09".to_owned()),
                after: Some("2026-03-16".to_owned()),
            },
        ),
        ("title.ar", text(&[piece("inserted", "تبادل باريس")])),
        (
            "title.fr",
            text(&[
                piece("kept", "Échange "),
                piece("deleted", "de"),
                piece("inserted", "à"),
                piece("kept", " Paris"),
            ]),
        ),
    ];
    assert_eq!(told, expected);
    assert_eq!(diff.versions.len(), 1);
    assert_eq!(diff.versions[0].version, second.version);
    let all = node.client.diff(&written.record, &before.version, None);
    let all = all.await.unwrap();
    assert_eq!((all.versions.len(), all.changes.len()), (2, 5));
    let back = node
        .client
        .diff(&written.record, &second.version, Some(&before.version));
    assert_eq!(back.await.unwrap().changes.len(), 4);
    let unknown = node.client.diff(&written.record, "7-00000000", None).await;
    assert_eq!(
        refusal(unknown, "version"),
        (ErrorCode::UnknownVersion, "7-00000000".to_owned())
    );
}

#[tokio::test]
async fn records_whose_review_or_expiry_has_come_are_a_work_list() {
    let node = Node::start("fr").await;
    for (title, field, day) in [
        ("Revue passée", "review", "2025-01-31"),
        ("Revue à venir", "review", "9998-12-31"),
        ("Périmé", "expires", "2025-02-01"),
        ("Étiquette à revoir", "label-review", "2025-02-02"),
        ("Sans date", "edition", "2"),
    ] {
        let draft = Draft {
            kind: Some("guideline".to_owned()),
            title: texts(&[("fr", title)]),
            fields: fields(&[(field, line(day))]),
            ..Draft::default()
        };
        node.client.new_record(&new("own", draft)).await.unwrap();
    }
    let due = async |day: &str| {
        let query = ListQuery {
            due: Some(day.to_owned()),
            ..ListQuery::default()
        };
        let list = node.client.list(&query).await?;
        let titles = list.records.into_iter();
        Ok(titles.map(|record| record.title["fr"].clone()).collect())
    };
    let titles: Vec<String> = due("today").await.unwrap();
    assert_eq!(titles, ["Étiquette à revoir", "Périmé", "Revue passée"]);
    let titles: Vec<String> = due("2025-01-31").await.unwrap();
    assert_eq!(titles, ["Revue passée"]);
    let titles: Vec<String> = due("9999-01-01").await.unwrap();
    assert_eq!(titles.len(), 4);
    let refused: Result<Vec<String>, ApiError> = due("demain").await;
    assert_eq!(refusal(refused, "field").1, "due");
}

#[tokio::test]
async fn translations_that_are_older_than_their_source_are_a_work_list() {
    let node = Node::start("fr").await;
    let mut ids = Vec::new();
    for title in ["Saisie", "Analyse", "Jamais traduit"] {
        let title = [("fr", title)];
        let written = node.guideline("own", &title, &[("fr", "Un.")]).await;
        ids.push(written.record);
    }
    for id in &ids[..2] {
        node.client.edit(id, &body("ar-TN", "واحد.")).await.unwrap();
    }
    node.client
        .edit(&ids[0], &body("fr", "Deux."))
        .await
        .unwrap();
    node.client
        .edit(&ids[2], &body("fr", "Deux."))
        .await
        .unwrap();
    let stale = async |lang: &str| {
        let query = ListQuery {
            stale: Some(lang.to_owned()),
            ..ListQuery::default()
        };
        let list = node.client.list(&query).await?;
        let of = |record: RecordSummary| (record.record, record.stale);
        Ok(list.records.into_iter().map(of).collect())
    };
    let only = (ids[0].clone(), vec!["ar-TN".to_owned()]);
    for (lang, expected) in [
        ("ar", vec![only.clone()]),
        ("AR-tn", vec![only]),
        ("fr", Vec::new()),
    ] {
        let found: Vec<(String, Vec<String>)> = stale(lang).await.unwrap();
        assert_eq!(found, expected, "{lang}");
    }
    let refused: Result<Vec<_>, ApiError> = stale("français").await;
    assert_eq!(refusal(refused, "field").1, "stale");
}
