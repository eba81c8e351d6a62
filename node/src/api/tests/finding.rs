//! Lists and searches: pages and filters.

use diwan_api::types::ListQuery;

use super::*;

#[tokio::test]
async fn pages_meet_without_gap_or_overlap() {
    let node = Node::start("tn").await;
    let mut written = Vec::new();
    for n in 0..5 {
        written.push(
            node.guideline("own", &[("fr", &format!("Fiche {n}"))], &[])
                .await
                .record,
        );
    }
    written.reverse();
    let mut query = ListQuery {
        limit: Some(2),
        ..ListQuery::default()
    };
    let mut seen = Vec::new();
    loop {
        let page = node.client.list(&query).await.unwrap();
        assert!(page.records.len() <= 2);
        seen.extend(page.records.into_iter().map(|record| record.record));
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    assert_eq!(seen, written);

    let mut found = Vec::new();
    let mut query = SearchQuery {
        limit: Some(2),
        ..words("fiche")
    };
    loop {
        let page = node.search(query.clone()).await;
        assert_eq!(page.total, 5);
        found.extend(page.hits.into_iter().map(|hit| hit.record));
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    found.sort();
    written.sort();
    assert_eq!(found, written);
}

#[tokio::test]
async fn filters_and_questions_that_mean_nothing_are_refused() {
    let node = Node::start("tn").await;
    node.guideline("own", &[("fr-CA", "Saisie")], &[]).await;
    let list = |change: fn(&mut ListQuery)| {
        let mut query = ListQuery::default();
        change(&mut query);
        query
    };
    for (query, code) in [
        (list(|q| q.kind = Some("x".into())), ErrorCode::UnknownName),
        (
            list(|q| q.origin = Some("x".into())),
            ErrorCode::UnknownAgency,
        ),
        (
            list(|q| q.group = Some("x".into())),
            ErrorCode::UnknownGroup,
        ),
        (list(|q| q.tlp = Some("x".into())), ErrorCode::InvalidValue),
        (list(|q| q.after = Some("x".into())), ErrorCode::BadCursor),
    ] {
        let answer = node.client.list(&query).await;
        assert_eq!(answer.unwrap_err().code, code, "{query:?}");
    }
    for (query, count) in [
        (list(|q| q.lang = Some("FR".into())), 1),
        (list(|q| q.lang = Some("ar".into())), 0),
        (list(|q| q.origin = Some("TN".into())), 1),
        (list(|q| q.tlp = Some("amber+strict".into())), 1),
        (list(|q| q.theme = Some("drugs".into())), 0),
    ] {
        let page = node.client.list(&query).await.unwrap();
        assert_eq!(page.records.len(), count, "{query:?}");
    }
    let ask = |change: fn(&mut SearchQuery)| {
        let mut query = words("saisie");
        change(&mut query);
        query
    };
    for (query, code) in [
        (
            ask(|q| q.sort = Some("size".into())),
            ErrorCode::UnknownName,
        ),
        (
            ask(|q| q.since = Some("2026-02-30".into())),
            ErrorCode::InvalidValue,
        ),
        (
            ask(|q| q.country = Some("Tunisia".into())),
            ErrorCode::InvalidValue,
        ),
        (ask(|q| q.after = Some("x".into())), ErrorCode::BadCursor),
        (ask(|q| q.q = "a ".repeat(5_000)), ErrorCode::BadQuery),
    ] {
        let answer = node.client.search(&query).await;
        assert_eq!(answer.unwrap_err().code, code);
    }
    for (query, total) in [
        (ask(|q| q.country = Some("tn".into())), 1),
        (ask(|q| q.country = Some("FR".into())), 0),
        (ask(|q| q.since = Some("2020-01-01".into())), 1),
        (ask(|q| q.since = Some("9999-01-01".into())), 0),
    ] {
        assert_eq!(node.search(query.clone()).await.total, total, "{query:?}");
    }
}
