//! Writing and reading records on one node.

use diwan_api::types::{ListQuery, RecordLink};

use super::*;

#[tokio::test]
async fn a_new_record_is_shown_listed_and_found() {
    let node = Node::start("tn").await;
    let draft = Draft {
        kind: Some("guideline".to_owned()),
        title: texts(&[("fr", "Saisie d’un te\u{301}le\u{301}phone"), ("en", " ")]),
        body: texts(&[
            ("fr", "Couper le réseau avant la perquisition."),
            ("ar", "ضبط الهاتف"),
        ]),
        themes: vec!["cybercrime".to_owned()],
        tags: vec!["mobile".to_owned()],
        tlp: Some("tlp:amber".to_owned()),
        hcode: Some("h1".to_owned()),
        ..Draft::default()
    };
    let written = node.client.new_record(&new("own", draft)).await.unwrap();
    let record = node.client.show(&written.record[..8], None).await.unwrap();
    assert_eq!(record.record, written.record);
    assert_eq!(record.title, texts(&[("fr", "Saisie d’un téléphone")]));
    assert_eq!(
        (record.tlp.as_str(), record.hcode.as_deref()),
        ("AMBER", Some("H1"))
    );
    assert_eq!(
        (record.origin.as_str(), record.editors.join(",")),
        ("tn", "tn".to_owned())
    );
    assert_eq!(record.group_name.as_deref(), Some("own"));
    let languages: Vec<_> = record
        .translations
        .iter()
        .map(|t| t.lang.as_str())
        .collect();
    assert_eq!(languages, ["ar", "fr"]);
    let proof = record.proof.unwrap();
    assert_eq!(
        (proof.agency_name.as_str(), proof.seq, proof.verified),
        ("Police tn", 1, true)
    );
    assert_eq!(proof.node, node.client.status().await.unwrap().peer_id);

    let page = node.client.list(&ListQuery::default()).await.unwrap();
    assert_eq!(page.records[0].languages, ["ar", "fr"]);
    assert_eq!((page.records.len(), page.next), (1, None));

    let answer = node
        .search(SearchQuery {
            facets: Some(true),
            ..words("telephone perquisition")
        })
        .await;
    assert_eq!((answer.total, answer.hits.len()), (1, 1));
    let hit = &answer.hits[0];
    assert_eq!(
        (hit.lang.as_str(), hit.title.as_str()),
        ("fr", "Saisie d’un téléphone")
    );
    let (from, to) = hit.marks[0];
    assert_eq!(&hit.snippet[from..to], "perquisition");
    assert_eq!(answer.facets["origin"]["tn"], 1);
    assert_eq!(answer.facets["group"]["own"], 1);
    let arabic = node
        .search(SearchQuery {
            reader: Some("ar".into()),
            ..words("réseau")
        })
        .await;
    assert_eq!(arabic.hits[0].snippet, "ضبط الهاتف");
}

#[tokio::test]
async fn drafts_that_cannot_be_records_are_refused_with_their_field() {
    let node = Node::start("tn").await;
    let good = || Draft {
        kind: Some("guideline".to_owned()),
        title: texts(&[("fr", "Saisie")]),
        ..Draft::default()
    };
    let link = |rel: &str, record: &str| {
        vec![RecordLink {
            rel: rel.to_owned(),
            record: record.to_owned(),
        }]
    };
    let cases = [
        (
            Draft {
                kind: None,
                ..good()
            },
            ErrorCode::InvalidValue,
            "kind",
        ),
        (
            Draft {
                kind: Some("comment".into()),
                ..good()
            },
            ErrorCode::InvalidValue,
            "kind",
        ),
        (
            Draft {
                kind: Some("guidline".into()),
                ..good()
            },
            ErrorCode::UnknownName,
            "kind",
        ),
        (
            Draft {
                title: Texts::new(),
                ..good()
            },
            ErrorCode::InvalidValue,
            "title",
        ),
        (
            Draft {
                title: texts(&[("fr", "  ")]),
                ..good()
            },
            ErrorCode::InvalidValue,
            "title",
        ),
        (
            Draft {
                title: texts(&[("f", "x")]),
                ..good()
            },
            ErrorCode::InvalidValue,
            "lang",
        ),
        (
            Draft {
                tlp: Some("PINK".into()),
                ..good()
            },
            ErrorCode::InvalidValue,
            "tlp",
        ),
        (
            Draft {
                hcode: Some("H9".into()),
                ..good()
            },
            ErrorCode::InvalidValue,
            "hcode",
        ),
        (
            Draft {
                links: link("Not A Word", "abcdef"),
                ..good()
            },
            ErrorCode::InvalidValue,
            "links",
        ),
        (
            Draft {
                links: link("source", "abcdef"),
                ..good()
            },
            ErrorCode::UnknownRecord,
            "",
        ),
        (
            Draft {
                title: texts(&[("fr", &"é".repeat(513))]),
                ..good()
            },
            ErrorCode::TooLarge,
            "title.fr",
        ),
    ];
    for (draft, code, field) in cases {
        let what = format!("{draft:?}");
        let answer = node.client.new_record(&new("own", draft)).await;
        assert_eq!(refusal(answer, "field"), (code, field.to_owned()), "{what}");
    }
    let nowhere = node.client.new_record(&new("cyber", good())).await;
    assert_eq!(
        refusal(nowhere, "name"),
        (ErrorCode::UnknownGroup, "cyber".to_owned())
    );
    let mut listed = new("own", good());
    listed.editors = Editors::Listed(vec!["zz".to_owned()]);
    let answer = node.client.new_record(&listed).await;
    assert_eq!(answer.unwrap_err().code, ErrorCode::UnknownAgency);
    assert_eq!(node.client.status().await.unwrap().entries, 0);
}

#[tokio::test]
async fn ids_are_found_by_their_beginning() {
    let node = Node::start("tn").await;
    let written = node.guideline("own", &[("fr", "Saisie")], &[]).await;
    let upper = written.record[..7].to_ascii_uppercase();
    assert_eq!(
        node.client.show(&upper, None).await.unwrap().record,
        written.record
    );
    for bad in [&written.record[..5], "xyzxyz", ""] {
        let answer = node.client.show(bad, None).await;
        let expected = if bad.is_empty() {
            ErrorCode::UnknownPath
        } else {
            ErrorCode::BadPrefix
        };
        assert_eq!(answer.unwrap_err().code, expected, "{bad}");
    }
    let other = format!(
        "{}{}",
        if written.record.starts_with('0') {
            '1'
        } else {
            '0'
        },
        &written.record[1..]
    );
    assert_eq!(
        node.client.show(&other, None).await.unwrap_err().code,
        ErrorCode::UnknownRecord
    );
}

#[tokio::test]
async fn edits_make_versions_that_can_be_shown() {
    let node = Node::start("tn").await;
    let id = node
        .guideline("own", &[("fr", "Saisie")], &[("fr", "Un.\n\nDeux.\n")])
        .await
        .record;
    let first = node.client.show(&id, None).await.unwrap();
    let second = node.client.edit(&id, &body("ar", "واحد")).await.unwrap();
    // Made on the first version: what the second one added stays.
    let on_first = EditRequest {
        base_version: Some(first.version.clone()),
        tlp: Some("CLEAR".to_owned()),
        ..body("fr", "Un.\n\nTrois.\n")
    };
    let third = node.client.edit(&id, &on_first).await.unwrap();
    let now = node.client.show(&id, None).await.unwrap();
    assert_eq!(
        now.body,
        texts(&[("ar", "واحد"), ("fr", "Un.\n\nTrois.\n")])
    );
    assert_eq!(
        (now.version.as_str(), now.tlp.as_str()),
        (third.version.as_str(), "CLEAR")
    );
    let stale: Vec<_> = now
        .translations
        .iter()
        .map(|t| (t.lang.as_str(), t.stale))
        .collect();
    assert_eq!(stale, [("ar", true), ("fr", false)]);

    let history = node.client.history(&id).await.unwrap();
    let versions: Vec<_> = history.versions.iter().map(|v| v.version.clone()).collect();
    assert_eq!(
        versions,
        [first.version.clone(), second.version.clone(), third.version]
    );
    assert_eq!(history.versions[0].changed, ["body.fr", "title.fr", "tlp"]);
    assert_eq!(history.versions[1].changed, ["body.ar"]);
    assert!(history.versions.iter().all(|v| v.agency == "tn"));

    let at_first = node.client.show(&id, Some(&first.version)).await.unwrap();
    assert_eq!((&at_first.body, &at_first.tlp), (&first.body, &first.tlp));
    assert_eq!(at_first.updated, first.updated);
    let at_second = node.client.show(&id, Some(&second.version)).await.unwrap();
    assert_eq!(at_second.body["fr"], "Un.\n\nDeux.\n");
    assert!(at_second.translations.iter().all(|t| !t.stale));

    let answer = node.client.show(&id, Some("9-00000000")).await;
    assert_eq!(
        refusal(answer, "version"),
        (ErrorCode::UnknownVersion, "9-00000000".to_owned())
    );
    let answer = node.client.show(&id, Some("latest")).await;
    assert_eq!(
        refusal(answer, "field"),
        (ErrorCode::InvalidValue, "at".to_owned())
    );
    let same = node.client.edit(&id, &body("ar", "واحد")).await;
    assert_eq!(same.unwrap_err().code, ErrorCode::NothingChanged);
    let untitled = EditRequest {
        title: texts(&[("fr", "")]),
        ..EditRequest::default()
    };
    let answer = node.client.edit(&id, &untitled).await;
    assert_eq!(
        refusal(answer, "field"),
        (ErrorCode::InvalidValue, "title".to_owned())
    );
}

#[tokio::test]
async fn comments_belong_to_their_record() {
    let node = Node::start("tn").await;
    let id = node.guideline("own", &[("fr", "Saisie")], &[]).await.record;
    let comment = Draft {
        body: texts(&[("fr", "Testé à Tunis.")]),
        ..Draft::default()
    };
    let first = node
        .client
        .annotate(&id[..8], "comment", &comment)
        .await
        .unwrap();
    let later = Draft {
        body: texts(&[("en", "Tested again.")]),
        ..Draft::default()
    };
    let second = node.client.annotate(&id, "comment", &later).await.unwrap();
    let record = node.client.show(&id, None).await.unwrap();
    let shown: Vec<_> = record
        .annotations
        .iter()
        .map(|a| a.record.clone())
        .collect();
    let mut expected = vec![first.record.clone(), second.record];
    if record.annotations[0].created == record.annotations[1].created {
        expected.sort();
    }
    assert_eq!(shown, expected);

    // Replacing a comment's links leaves it where it is.
    let unlinked = EditRequest {
        links: Some(Vec::new()),
        ..body("fr", "Testé à Sfax.")
    };
    node.client.edit(&first.record, &unlinked).await.unwrap();
    let comment = node.client.show(&first.record, None).await.unwrap();
    assert_eq!(
        comment.links,
        [RecordLink {
            rel: "about".into(),
            record: id.clone()
        }]
    );
    let listed = node.client.list(&ListQuery::default()).await.unwrap();
    assert_eq!(listed.records.len(), 1);
    let comments = ListQuery {
        kind: Some("comment".into()),
        ..ListQuery::default()
    };
    assert_eq!(node.client.list(&comments).await.unwrap().records.len(), 2);

    let answer = node.client.annotate(&id, "guideline", &later).await;
    assert_eq!(
        refusal(answer, "nearest"),
        (ErrorCode::UnknownName, "comment".to_owned())
    );
    let answer = node
        .client
        .annotate(&id, "comment", &Draft::default())
        .await;
    assert_eq!(
        refusal(answer, "field"),
        (ErrorCode::InvalidValue, "body".to_owned())
    );
}
