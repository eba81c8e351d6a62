//! Lists and searches: pages and filters.

use diwan_api::types::{
    ListQuery, SimilarQuery, WatchAdd, WatchInfo, WatchQuery, WatchSeen, WithdrawRequest,
};

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
#[tokio::test]
async fn the_query_language_narrows_and_names_mistakes() {
    let node = Node::start("tn").await;
    let draft = |kind: &str, title: &str, theme: &str, tag: &str| Draft {
        kind: Some(kind.to_owned()),
        title: texts(&[("fr", title)]),
        themes: vec![theme.to_owned()],
        tags: vec![tag.to_owned()],
        ..Draft::default()
    };
    for draft in [
        draft(
            "training",
            "Saisie d'un téléphone",
            "digital-evidence",
            "mobile",
        ),
        draft("guideline", "Saisie d'un serveur", "cybercrime", "serveur"),
        draft("practice", "Cyberpatrouille", "money-laundering", "osint"),
    ] {
        node.client.new_record(&new("own", draft)).await.unwrap();
    }
    for (query, total) in [
        ("saisie", 2),
        ("saisie kind:training", 1),
        ("saisie -kind:training", 1),
        ("saisie -theme:Cybercriminalité", 1),
        ("theme:\"Blanchiment d'argent\"", 1),
        ("tag:mobile", 1),
        ("lang:fr", 3),
        ("lang:ar", 0),
        ("origin:tn saisie", 2),
        ("until:2020-01-01", 0),
        ("since:2020-01-01 until:9999-01-01 saisie", 2),
        ("cyber*", 1),
        ("cyberp*", 1),
        ("saisie -serv*", 1),
        ("saisie has:attachment", 0),
        ("saisie -has:attachment", 2),
        ("téléphone OR serveur", 2),
        ("\"un téléphone\" OR Cyberpatrouille", 2),
        ("saisie téléphone OR serveur", 2),
        // A slip of one letter, where nothing is spelt so.
        ("telephnoe", 1),
        ("servuer", 1),
    ] {
        assert_eq!(node.search(words(query)).await.total, total, "{query}");
    }
    for (query, said) in [
        ("saisie \"un", "character 8"),
        ("kindd:training", "“kind:”"),
        ("saisie *", "cyber*"),
    ] {
        let refused = refusal(node.client.search(&words(query)).await, "detail");
        assert_eq!(refused.0, ErrorCode::BadQuery, "{query}");
        assert!(refused.1.contains(said), "{query}: {}", refused.1);
    }
    let unknown = node.client.search(&words("kind:trainin")).await;
    assert_eq!(refusal(unknown, "nearest").1, "training");
    let unknown = node.client.search(&words("-has:pictures")).await;
    assert_eq!(refusal(unknown, "expected").1, "attachment");
}

/// Pages come from the state of the index that the first one saw.
#[tokio::test]
async fn what_was_taken_back_between_two_pages_is_on_none() {
    let node = Node::start("tn").await;
    let mut written = Vec::new();
    for title in ["Fiche une", "Fiche deux", "Fiche trois"] {
        let fiche = node.guideline("own", &[("fr", title)], &[]).await;
        written.push(fiche.record);
    }
    let page = |after| SearchQuery {
        limit: Some(1),
        after,
        ..words("fiche")
    };
    let first = node.search(page(None)).await;
    let shown = first.hits[0].record.clone();
    let back = written.iter().find(|record| **record != shown);
    let back = back.unwrap().clone();
    let request = WithdrawRequest {
        reason: "double".to_owned(),
        ..WithdrawRequest::default()
    };
    node.client.withdraw(&back, &request).await.unwrap();
    let mut seen = vec![shown];
    let mut next = first.next;
    while let Some(after) = next {
        let found = node.search(page(Some(after))).await;
        seen.extend(found.hits.into_iter().map(|hit| hit.record));
        next = found.next;
    }
    written.retain(|record| *record != back);
    seen.sort();
    written.sort();
    assert_eq!(seen, written);
}

/// A saved search, and what is new of it.
async fn look(node: &Node, name: &str) -> (Vec<String>, u64) {
    let answer = node.client.watch(name, &WatchQuery::default()).await;
    let answer = answer.unwrap();
    let hits = answer.found.hits.into_iter();
    (hits.map(|hit| hit.record).collect(), answer.seq)
}

#[tokio::test]
async fn a_saved_search_tells_what_came_and_what_changed() {
    let node = Node::start("tn").await;
    let guideline = async |title: &str| {
        let title = [("fr", title)];
        node.guideline("own", &title, &[]).await.record
    };
    let before = guideline("Saisie d'un serveur").await;
    let add = |name: &str, query: &str| WatchAdd {
        name: name.into(),
        query: query.into(),
    };
    let request = add("saisies", "saisie kind:guideline");
    let saved = node.client.watch_add(&request).await.unwrap().watches;
    let named = |watches: &[WatchInfo]| -> Vec<String> {
        watches.iter().map(|watch| watch.name.clone()).collect()
    };
    assert_eq!(named(&saved), ["saisies"]);
    assert_eq!(look(&node, "saisies").await.0, Vec::<String>::new());

    let came = guideline("Saisie d'un téléphone").await;
    guideline("Formation").await;
    let (new, seq) = look(&node, "saisies").await;
    assert_eq!(new, [came.as_str()]);
    // Looking is not having seen.
    assert_eq!(look(&node, "saisies").await.0, [came.as_str()]);
    node.client
        .watch_seen("saisies", WatchSeen { seq })
        .await
        .unwrap();
    assert_eq!(look(&node, "saisies").await.0, Vec::<String>::new());

    let retitled = EditRequest {
        title: texts(&[("fr", "Saisie de deux serveurs")]),
        ..EditRequest::default()
    };
    node.client.edit(&before, &retitled).await.unwrap();
    let (new, seq) = look(&node, "saisies").await;
    assert_eq!(new, [before.as_str()]);
    let far = WatchSeen { seq: seq + 1_000 };
    node.client.watch_seen("saisies", far).await.unwrap();
    let next = guideline("Saisie d'un disque").await;
    assert_eq!(
        look(&node, "saisies").await.0,
        [next.as_str()],
        "not from the future"
    );

    for (name, query, code) in [
        ("", "saisie", ErrorCode::InvalidValue),
        ("a", "kindd:x", ErrorCode::BadQuery),
        ("a", "saisie *", ErrorCode::BadQuery),
        ("a", "kind:x", ErrorCode::UnknownName),
    ] {
        let refused = node.client.watch_add(&add(name, query)).await.unwrap_err();
        assert_eq!(refused.code, code, "{name} {query}");
    }
    let unknown = node.client.watch("a", &WatchQuery::default()).await;
    assert_eq!(unknown.unwrap_err().code, ErrorCode::UnknownWatch);
    let left = node.client.watch_remove("saisies").await.unwrap();
    assert!(left.watches.is_empty());
}

#[tokio::test]
async fn alike_records_and_reasons() {
    let node = Node::start("tn").await;
    let phone = node
        .guideline("own", &[("fr", "Sac de Faraday pour téléphones")], &[])
        .await
        .record;
    let other = node
        .guideline("own", &[("fr", "Choisir un sac de Faraday")], &[])
        .await
        .record;
    node.guideline("own", &[("fr", "Réunions")], &[]).await;
    let alike = node.client.similar(&phone, &SimilarQuery::default()).await;
    let alike: Vec<_> = alike
        .unwrap()
        .hits
        .into_iter()
        .map(|hit| hit.record)
        .collect();
    assert_eq!(alike, [other.as_str()]);
    let unknown = node
        .client
        .similar("0123456789", &SimilarQuery::default())
        .await;
    assert_eq!(unknown.unwrap_err().code, ErrorCode::UnknownRecord);

    let query = SearchQuery {
        explain: Some(true),
        facets: Some(true),
        ..words("sac faraday")
    };
    let found = node.search(query).await;
    let parts: Vec<_> = found.hits[0]
        .why
        .iter()
        .map(|why| why.part.as_str())
        .collect();
    assert_eq!(
        parts,
        [
            "sac", "faraday", "+", "+title", "=sac", "=faraday", "recency"
        ]
    );
    assert_eq!(found.facets["country"]["TN"], 2);
    assert_eq!(found.facets["year"].values().sum::<u64>(), 2);
}

#[tokio::test]
async fn saved_searches_have_a_limit_and_stay_gone_once_removed() {
    let node = Node::start("tn").await;
    let add = async |at: usize| {
        let request = WatchAdd {
            name: format!("w{at}"),
            query: "saisie".into(),
        };
        node.client.watch_add(&request).await
    };
    for at in 0..100 {
        add(at).await.unwrap();
    }
    assert_eq!(add(100).await.unwrap_err().code, ErrorCode::InvalidValue);
    assert_eq!(
        add(7).await.unwrap().watches.len(),
        100,
        "in place of itself"
    );
    // A saved search finds no more than the search: nothing has an attachment.
    let request = WatchAdd {
        name: "w7".into(),
        query: "has:attachment".into(),
    };
    node.client.watch_add(&request).await.unwrap();
    node.guideline("own", &[("fr", "Saisie")], &[]).await;
    for (name, total) in [("w7", 0), ("w8", 1)] {
        let stored = node.api.engine.state().store_seq;
        assert!(node.api.indexer.wait_for(stored).await);
        let new = node.client.watch(name, &WatchQuery::default()).await;
        assert_eq!(new.unwrap().found.total, total, "{name}");
    }
    node.client.watch_remove("w7").await.unwrap();
    let gone = node.client.watch_seen("w7", WatchSeen { seq: 1 }).await;
    assert_eq!(gone.unwrap_err().code, ErrorCode::UnknownWatch);
    assert_eq!(node.client.watches().await.unwrap().watches.len(), 99);
}
