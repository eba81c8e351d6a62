//! The chain that the network exists for: exchange, need, action, training, endorsement.

use diwan_api::types::{FieldValue, NeedsQuery, NeedsRow, Record, RecordLink};

use super::super::chain::follow;
use super::super::view::{Budget, View};
use super::*;

fn record(kind: &str, title: &str, links: &[(&str, &str)]) -> Draft {
    let link = |(rel, record): &(&str, &str)| RecordLink {
        rel: (*rel).to_owned(),
        record: (*record).to_owned(),
    };
    Draft {
        kind: Some(kind.to_owned()),
        title: texts(&[("fr", title)]),
        links: links.iter().map(link).collect(),
        ..Draft::default()
    }
}

fn with(mut draft: Draft, name: &str, value: &str) -> Draft {
    let value = FieldValue::Line(value.to_owned());
    draft.fields.insert(name.to_owned(), value);
    draft
}

impl Node {
    async fn put(&self, draft: Draft) -> String {
        let written = self.client.new_record(&new("own", draft)).await;
        written.unwrap().record
    }

    async fn needs(&self, theme: Option<&str>, country: Option<&str>) -> Vec<NeedsRow> {
        let query = NeedsQuery {
            theme: theme.map(str::to_owned),
            country: country.map(str::to_owned),
        };
        self.client.needs(&query).await.unwrap().rows
    }
}

/// A need of a country in themes.
fn need(title: &str, country: &str, themes: &[&str]) -> Draft {
    let themes = themes.iter().map(|theme| (*theme).to_owned());
    Draft {
        themes: themes.collect(),
        ..with(record("need", title, &[]), "country", country)
    }
}

fn row(country: &str, theme: &str, counts: [u64; 5]) -> NeedsRow {
    let [needs, open, actions, trainings, endorsements] = counts;
    NeedsRow {
        country: country.to_owned(),
        theme: theme.to_owned(),
        needs,
        open,
        actions,
        trainings,
        endorsements,
    }
}

#[tokio::test]
async fn a_need_is_followed_to_what_answers_it() {
    let node = Node::start("tn").await;
    assert_eq!(node.needs(None, None).await, []);
    let first = node
        .put(need("Saisie", "tn", &["cybercrime", "drugs"]))
        .await;
    let second = node.put(need("Analyse", "TN", &["cybercrime"])).await;
    node.put(need("Frontières", "MA", &[])).await;
    // Of two needs one action, of that one training, and another training for the need itself.
    let links = [("need", first.as_str()), ("need", second.as_str())];
    let action = node.put(record("action", "Stage", &links)).await;
    let training = record("training", "Cours", &[("action", &action)]);
    let training = node.put(training).await;
    node.put(record("training", "Fiche", &[("need", &second)]))
        .await;
    // What only mentions a need answers none.
    node.put(record("guideline", "Guide", &[("source", &first)]))
        .await;
    node.put(record("training", "Autre", &[("about", &first)]))
        .await;
    let endorsement = with(record("endorsement", "", &[]), "result", "helped");
    let endorsement = Draft {
        kind: None,
        title: Texts::new(),
        body: texts(&[("fr", "Appliqué à Tunis.")]),
        ..endorsement
    };
    let client = &node.client;
    let endorsed = client.annotate(&training, "endorsement", &endorsement);
    endorsed.await.unwrap();
    let rows = [
        row("MA", "", [1, 1, 0, 0, 0]),
        row("TN", "cybercrime", [2, 2, 1, 2, 1]),
        row("TN", "drugs", [1, 1, 1, 1, 1]),
    ];
    assert_eq!(node.needs(None, None).await, rows);
    assert_eq!(node.needs(Some("drugs"), None).await, rows[2..]);
    assert_eq!(node.needs(None, Some("ma")).await, rows[..1]);

    let closed = |state: &str| EditRequest {
        fields: [("state".to_owned(), FieldValue::Line(state.to_owned()))].into(),
        ..EditRequest::default()
    };
    client.edit(&first, &closed("closed")).await.unwrap();
    client.edit(&second, &closed("answered")).await.unwrap();
    let rows = node.needs(Some("cybercrime"), Some("TN")).await;
    assert_eq!(rows, [row("TN", "cybercrime", [2, 0, 1, 2, 1])]);
}

#[tokio::test]
async fn a_record_says_what_links_to_it() {
    let node = Node::start("tn").await;
    let need = node.put(need("Saisie", "TN", &["cybercrime"])).await;
    let action = record("action", "Stage", &[("need", &need)]);
    let action = node.put(action).await;
    let linked = |record: Record| {
        let each = record.linked.into_iter();
        each.map(|linked| (linked.rel, linked.kind, linked.record))
            .collect::<Vec<_>>()
    };
    let expected = ("need".to_owned(), "action".to_owned(), action.clone());
    let shown = node.client.show(&need, None).await.unwrap();
    assert_eq!(linked(shown), [expected]);
    assert!(!node.export().await.contains("\"linked\""));
    // A link that an edit adds is seen from the other side, one that it takes away is not.
    let training = node.put(record("training", "Cours", &[])).await;
    let links = |to: &[&str]| EditRequest {
        links: Some(
            to.iter()
                .map(|to| RecordLink {
                    rel: "action".to_owned(),
                    record: (*to).to_owned(),
                })
                .collect(),
        ),
        ..EditRequest::default()
    };
    node.client
        .edit(&training, &links(&[&action]))
        .await
        .unwrap();
    let shown = node.client.show(&action, None).await.unwrap();
    assert_eq!(linked(shown).len(), 1);
    node.client.edit(&training, &links(&[])).await.unwrap();
    let shown = node.client.show(&action, None).await.unwrap();
    assert_eq!(linked(shown), []);
}

#[tokio::test]
async fn all_that_came_from_an_event_is_gathered_behind_what_it_links_to() {
    let node = Node::start("fr").await;
    let exchange = with(record("exchange", "Paris", &[]), "start", "2026-03-09");
    let exchange = node.put(exchange).await;
    let from_it = |need: Draft| Draft {
        links: record("", "", &[("exchange", &exchange)]).links,
        ..need
    };
    let first = node.put(from_it(need("Saisie", "TN", &[]))).await;
    let second = node.put(from_it(need("Analyse", "MA", &[]))).await;
    // Linked to the need and to the event: it stands where it is met first.
    let links = [("need", first.as_str()), ("exchange", exchange.as_str())];
    let action = with(record("action", "Stage", &links), "state", "done");
    let action = node.put(action).await;
    let training = record("training", "Cours", &[("action", &action)]);
    let training = node.put(training).await;
    // Two that link to each other are no endless chain.
    let circle = EditRequest {
        links: Some(record("", "", &[("need", &second), ("action", &action)]).links),
        ..EditRequest::default()
    };
    node.client.edit(&training, &circle).await.unwrap();
    let endorsement = Draft {
        body: texts(&[("fr", "Utile.")]),
        ..with(Draft::default(), "result", "helped")
    };
    let client = &node.client;
    let endorsed = client.annotate(&training, "endorsement", &endorsement);
    let endorsed = endorsed.await.unwrap().record;
    let chain = client.chain(&exchange[..12]).await.unwrap();
    let steps: Vec<_> = chain
        .steps
        .iter()
        .map(|step| (step.depth, step.record.clone(), step.state.as_deref()))
        .collect();
    let expected = [
        (1, first, None),
        (2, action, Some("done")),
        (3, training, None),
        (4, endorsed, Some("helped")),
        (1, second, None),
    ];
    assert_eq!(steps, expected);
    assert_eq!((chain.kind.as_str(), chain.record), ("exchange", exchange));
}

#[tokio::test]
async fn a_link_that_leads_back_is_refused_by_name() {
    let node = Node::start("tn").await;
    let first = node.put(need("Saisie", "TN", &[])).await;
    let action = node
        .put(record("action", "Stage", &[("need", &first)]))
        .await;
    let training = record("training", "Cours", &[("action", &action)]);
    let training = node.put(training).await;
    let links = |rel: &str, to: &str| EditRequest {
        links: Some(record("", "", &[(rel, to)]).links),
        ..EditRequest::default()
    };
    for to in [&training, &first] {
        let refused = node.client.edit(&first, &links("exchange", to)).await;
        let (code, named) = refusal(refused, "record");
        assert_eq!(code, ErrorCode::CircularLink);
        assert!(to.starts_with(&named), "{named}");
    }
    // Each may name the other as its source.
    node.client
        .edit(&first, &links("source", &training))
        .await
        .unwrap();
    let other = node.put(need("Analyse", "TN", &[])).await;
    node.client
        .edit(&training, &links("need", &other))
        .await
        .unwrap();
}

#[tokio::test]
async fn what_follows_links_ends_where_its_budget_does_and_says_so() {
    let node = Node::start("tn").await;
    let need = node.put(need("Saisie", "TN", &[])).await;
    for _ in 0..4 {
        node.put(record("action", "Stage", &[("need", &need)]))
            .await;
    }
    let view = View::open(&node.api.engine).unwrap();
    let (_, row) = view.find(&need).unwrap();
    let counted = |rows, contents| {
        let mut budget = Budget::of(rows, contents);
        let found = follow(&view, &row.id, "need", &mut budget).unwrap();
        (found.len(), budget.is_short)
    };
    assert_eq!(counted(5, 4), (4, false));
    assert_eq!(counted(3, 9), (3, true));
    assert_eq!(counted(9, 2), (2, true));
}

#[tokio::test]
async fn a_need_without_a_country_is_its_origins() {
    let node = Node::start("tn").await;
    node.put(record("need", "Saisie", &[])).await;
    assert_eq!(
        node.needs(None, Some("TN")).await,
        [row("TN", "", [1, 1, 0, 0, 0])]
    );
}
