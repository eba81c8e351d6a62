//! Corrections, accepted answers, packages, records about persons.

use diwan_api::types::{
    Decision, Difference, FieldValue, GroupCreate, ListQuery, PublishRequest, RecordLink,
};

use super::federation::{SYNC, two};
use super::*;

fn draft(kind: &str, title: &str, fields: &[(&str, &str)]) -> Draft {
    Draft {
        kind: Some(kind.to_owned()),
        title: texts(&[("fr", title)]),
        fields: fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), FieldValue::Line((*value).to_owned())))
            .collect(),
        ..Draft::default()
    }
}

fn linked(mut draft: Draft, links: &[(&str, &str)]) -> Draft {
    let link = |(rel, record): &(&str, &str)| RecordLink {
        rel: (*rel).to_owned(),
        record: (*record).to_owned(),
    };
    draft.links = links.iter().map(link).collect();
    draft
}

fn says(lang: &str, text: &str) -> Draft {
    Draft {
        body: texts(&[(lang, text)]),
        ..Draft::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_is_proposed_accepted_beside_other_changes_and_credited() {
    let (tn, fr) = two().await;
    let written = fr
        .guideline(
            "Cyber",
            &[("fr", "Saisie")],
            &[("fr", "Ne pas éteindre. Isoler du raiseau.")],
        )
        .await;
    fr.client.sync(&SYNC).await.unwrap();
    let right = says("fr", "Ne pas éteindre. Isoler du réseau.");
    let proposal = tn
        .client
        .annotate(&written.record, "correction", &right)
        .await
        .unwrap();
    let wrong = says("fr", "Éteindre. Isoler du raiseau.");
    let other = tn
        .client
        .annotate(&written.record, "correction", &wrong)
        .await
        .unwrap();
    // Meanwhile the origin goes on.
    let more = body("fr", "Ne pas éteindre l'appareil. Isoler du raiseau.");
    fr.client.edit(&written.record, &more).await.unwrap();
    tn.client.sync(&SYNC).await.unwrap();

    let diff = fr.client.proposed(&proposal.record).await.unwrap();
    assert_eq!(diff.changes[0].field, "body.fr");
    let Difference::Text { pieces } = &diff.changes[0].difference else {
        panic!("{diff:?}");
    };
    assert!(
        pieces
            .iter()
            .any(|piece| piece.op == "inserted" && piece.text.contains('é'))
    );

    let decision = Decision::default();
    let refused = tn.client.accept(&proposal.record, &decision).await;
    assert_eq!(
        refusal(refused, "origin"),
        (ErrorCode::NotEditor, "fr".to_owned())
    );
    fr.client.accept(&proposal.record, &decision).await.unwrap();
    let declined = Decision {
        reason: "Jamais éteindre.".to_owned(),
        lang: Some("fr".to_owned()),
        ..Decision::default()
    };
    fr.client.decline(&other.record, &declined).await.unwrap();
    fr.client.sync(&SYNC).await.unwrap();
    for node in [&fr, &tn] {
        let shown = node.client.show(&written.record, None).await.unwrap();
        assert_eq!(
            shown.body["fr"],
            "Ne pas éteindre l'appareil. Isoler du réseau."
        );
        assert_eq!(shown.credits, ["tn"]);
        let states: Vec<_> = shown
            .annotations
            .iter()
            .map(|a| a.state.clone().unwrap())
            .collect();
        assert_eq!(states, ["accepted", "declined"]);
        let why = node.client.show(&other.record, None).await.unwrap();
        assert_eq!(why.annotations[0].body["fr"], "Jamais éteindre.");
    }
    let refused = fr.client.accept(&written.record, &decision).await;
    assert_eq!(refusal(refused, "field").0, ErrorCode::InvalidValue);
    let refused = fr.client.proposed(&written.record).await;
    assert_eq!(refusal(refused, "field").1, "from");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_asker_accepts_one_answer() {
    let (tn, fr) = two().await;
    let question = draft("question", "Quelle pochette ?", &[]);
    let question = fr.client.new_record(&new("Cyber", question)).await.unwrap();
    fr.client.sync(&SYNC).await.unwrap();
    let first = tn
        .client
        .annotate(&question.record, "answer", &says("fr", "Toutes."))
        .await
        .unwrap();
    let second = tn
        .client
        .annotate(&question.record, "answer", &says("fr", "Faraday."))
        .await
        .unwrap();
    tn.client.sync(&SYNC).await.unwrap();
    for answer in [&first, &second] {
        fr.client
            .accept(&answer.record, &Decision::default())
            .await
            .unwrap();
    }
    let shown = fr.client.show(&question.record, None).await.unwrap();
    let accepted: Vec<_> = shown
        .annotations
        .iter()
        .filter(|annotation| annotation.state.as_deref() == Some("accepted"))
        .map(|annotation| annotation.record.clone())
        .collect();
    assert_eq!(accepted, [second.record], "the last one alone");
}

#[tokio::test]
async fn a_package_keeps_its_order_also_when_it_is_published() {
    let node = Node::start("fr").await;
    let group = GroupCreate {
        name: "cyber".to_owned(),
        members: Vec::new(),
        threshold: None,
        tlp: None,
    };
    node.client.group_create(&group).await.unwrap();
    let mut parts = Vec::new();
    for (title, minutes) in [("Un", "90"), ("Deux", "45"), ("Trois", "15")] {
        let training = draft("training", title, &[("duration", minutes)]);
        let written = node.client.new_record(&new("own", training)).await.unwrap();
        parts.push(written.record);
    }
    let in_order = [
        ("part", &*parts[2]),
        ("part", &*parts[0]),
        ("part", &*parts[1]),
    ];
    let package = linked(draft("package", "Tout", &[]), &in_order);
    let package = node.client.new_record(&new("own", package)).await.unwrap();
    let titles = async |record: &str| {
        let shown = node.client.show(record, None).await.unwrap();
        let titles = shown.parts.iter().map(|part| part.title["fr"].clone());
        (titles.collect::<Vec<_>>().join(" "), shown.total_minutes)
    };
    assert_eq!(
        titles(&package.record).await,
        ("Trois Un Deux".to_owned(), Some(150))
    );

    let request = PublishRequest {
        group: Some("cyber".to_owned()),
        ..PublishRequest::default()
    };
    for part in &parts {
        node.client.publish(part, &request).await.unwrap();
    }
    let published = node
        .client
        .publish(&package.record, &request)
        .await
        .unwrap();
    assert_eq!(
        titles(&published.record).await,
        ("Trois Un Deux".to_owned(), Some(150))
    );
    let edit = EditRequest {
        links: Some(
            linked(
                Draft::default(),
                &[("part", &parts[1]), ("part", &parts[2])],
            )
            .links,
        ),
        ..EditRequest::default()
    };
    node.client.edit(&package.record, &edit).await.unwrap();
    assert_eq!(
        titles(&package.record).await,
        ("Deux Trois".to_owned(), Some(60))
    );
}

#[tokio::test]
async fn a_person_stays_in_the_own_group_and_comes_up_for_review() {
    let node = Node::start("fr").await;
    let group = GroupCreate {
        name: "cyber".to_owned(),
        members: Vec::new(),
        threshold: None,
        tlp: None,
    };
    node.client.group_create(&group).await.unwrap();
    let without = node
        .client
        .new_record(&new("own", draft("expert", "L. B.", &[])))
        .await;
    assert_eq!(
        refusal(without, "field"),
        (ErrorCode::InvalidValue, "review".to_owned())
    );
    let mut expert = draft(
        "expert",
        "L. B.",
        &[("review", "2027-06-01"), ("country", "tn")],
    );
    let languages = FieldValue::Lines(vec!["ar".to_owned(), "fr".to_owned()]);
    expert.fields.insert("languages".to_owned(), languages);
    let refused = node.client.new_record(&new("cyber", expert.clone())).await;
    assert_eq!(
        refusal(refused, "group"),
        (ErrorCode::PersonalRecord, "cyber".to_owned())
    );
    let written = node.client.new_record(&new("own", expert)).await.unwrap();
    let request = PublishRequest {
        group: Some("cyber".to_owned()),
        ..PublishRequest::default()
    };
    let refused = node.client.publish(&written.record, &request).await;
    assert_eq!(
        refusal(refused, "kind"),
        (ErrorCode::PersonalRecord, "expert".to_owned())
    );
    let mut forget = EditRequest::default();
    forget
        .fields
        .insert("review".to_owned(), FieldValue::Line(String::new()));
    let refused = node.client.edit(&written.record, &forget).await;
    assert_eq!(refusal(refused, "field").1, "review");
    let found = async |fields: &str| {
        let query = ListQuery {
            kind: Some("expert".to_owned()),
            fields: Some(fields.to_owned()),
            ..ListQuery::default()
        };
        node.client.list(&query).await.unwrap().records.len()
    };
    assert_eq!(found("languages=ar\ncountry=TN").await, 1);
    assert_eq!(found("languages=en").await, 0);
}
