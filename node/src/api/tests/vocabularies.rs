//! Vocabularies: what is shipped, and what records of the groups add to it.

use diwan_api::types::{
    ConceptInfo, FieldValue, ImportBatch, ImportOutcome, ListQuery, NeedsQuery, Record, RecordLink,
};

use super::federation::{SYNC, two};
use super::*;
use crate::vocabulary::Vocabularies;

fn line(text: &str) -> FieldValue {
    FieldValue::Line(text.to_owned())
}

/// A record of a vocabulary.
fn word(kind: &str, titles: &[(&str, &str)], fields: &[(&str, &str)]) -> Draft {
    let fields = fields.iter();
    Draft {
        kind: Some(kind.to_owned()),
        title: texts(titles),
        fields: fields
            .map(|(name, value)| ((*name).to_owned(), line(value)))
            .collect(),
        ..Draft::default()
    }
}

fn guideline(title: &str, themes: &[&str], tags: &[&str]) -> Draft {
    let owned = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect();
    Draft {
        kind: Some("guideline".to_owned()),
        title: texts(&[("fr", title)]),
        themes: owned(themes),
        tags: owned(tags),
        ..Draft::default()
    }
}

impl Node {
    async fn writes(&self, group: &str, draft: Draft) -> Result<String, ApiError> {
        let written = self.client.new_record(&new(group, draft)).await;
        written.map(|written| written.record)
    }

    async fn shown(&self, record: &str) -> Record {
        self.client.show(record, None).await.unwrap()
    }

    async fn titles(&self, query: ListQuery) -> Vec<String> {
        let list = self.client.list(&query).await.unwrap();
        list.records
            .into_iter()
            .map(|one| one.title["fr"].clone())
            .collect()
    }
}

fn of_theme(theme: &str) -> ListQuery {
    ListQuery {
        theme: Some(theme.to_owned()),
        ..ListQuery::default()
    }
}

#[tokio::test]
async fn a_theme_is_known_by_its_labels_in_any_language() {
    let node = Node::start("tn").await;
    let draft = Draft {
        fields: [(
            "countries".to_owned(),
            FieldValue::Lines(vec!["TN".to_owned()]),
        )]
        .into(),
        ..guideline("Saisie", &["cybercrime", "unheard-of"], &[])
    };
    let id = node.writes("own", draft).await.unwrap();
    let labels = node.shown(&id).await.labels;
    assert_eq!(labels["themes"]["cybercrime"]["ar"], "الجرائم الإلكترونية");
    assert_eq!(labels["countries"]["TN"]["fr"], "Tunisie");
    assert!(!labels["themes"].contains_key("unheard-of"));
    for asked in [
        "cybercrime",
        "Cybercriminalite",
        "CYBERCRIME",
        "الجرائم الالكترونية",
    ] {
        assert_eq!(node.titles(of_theme(asked)).await, ["Saisie"], "{asked}");
    }
    assert!(node.titles(of_theme("Stupéfiants")).await.is_empty());
    let found = node.search(SearchQuery {
        theme: Some("criminalité informatique".to_owned()),
        ..words("saisie")
    });
    assert_eq!(found.await.total, 1);
    let mut need = guideline("Besoin", &["cybercrime"], &[]);
    need.kind = Some("need".to_owned());
    node.writes("own", need).await.unwrap();
    let query = NeedsQuery {
        theme: Some("Cybercriminalité".to_owned()),
        country: Some("Tunisie".to_owned()),
    };
    let needs = node.client.needs(&query).await.unwrap();
    assert_eq!(
        (needs.rows.len(), needs.rows[0].theme.as_str()),
        (1, "cybercrime")
    );
    assert_eq!(needs.labels["countries"]["TN"]["ar"], "تونس");
    assert_eq!(needs.labels["themes"]["cybercrime"]["en"], "Cybercrime");
}

#[tokio::test]
async fn records_of_vocabularies_add_themes_and_give_tags_their_labels() {
    let node = Node::start("fr").await;
    let theme = word(
        "concept",
        &[("fr", "Hypertrucages"), ("ar", "التزييف العميق")],
        &[
            ("notation", "deepfakes"),
            ("vocabulary", "themes"),
            ("parent", "cybercrime"),
        ],
    );
    let theme = node.writes("own", theme).await.unwrap();
    let scheme = word(
        "scheme",
        &[("en", "Events")],
        &[("notation", "europol-event")],
    );
    let scheme = node.writes("own", scheme).await.unwrap();
    let mut concept = word(
        "concept",
        &[("en", "Spreading of a worm")],
        &[("notation", "europol-event:worm-spreading")],
    );
    concept.links.push(RecordLink {
        rel: "scheme".to_owned(),
        record: scheme.clone(),
    });
    node.writes("own", concept).await.unwrap();
    let draft = guideline(
        "Reconnaître",
        &["deepfakes"],
        &["europol-event:worm-spreading"],
    );
    let id = node.writes("own", draft).await.unwrap();
    let labels = node.shown(&id).await.labels;
    assert_eq!(labels["themes"]["deepfakes"]["fr"], "Hypertrucages");
    assert_eq!(
        labels["tags"]["europol-event:worm-spreading"]["en"],
        "Spreading of a worm"
    );
    assert_eq!(
        node.titles(of_theme("التزييف العميق")).await,
        ["Reconnaître"]
    );
    // Lists and searches are of police work, unless they ask for words.
    assert_eq!(node.titles(ListQuery::default()).await, ["Reconnaître"]);
    // By its theme the guideline is found, once that is known.
    let as_it_is = SearchQuery {
        no_expand: Some(true),
        ..words("Hypertrucages")
    };
    assert_eq!(node.search(as_it_is).await.total, 0);
    let asked = SearchQuery {
        kind: Some("concept".to_owned()),
        ..words("Hypertrucages")
    };
    assert_eq!(node.search(asked).await.total, 1);
    let list = node.client.vocabularies().await.unwrap().vocabularies;
    let names: Vec<_> = list
        .iter()
        .map(|one| (one.name.as_str(), one.concepts))
        .collect();
    assert!(names.contains(&("europol-event", 1)), "{names:?}");
    let themes = node.client.vocabulary("themes").await.unwrap();
    let added = themes
        .concepts
        .iter()
        .find(|one| one.record.as_ref() == Some(&theme));
    assert_eq!(added.unwrap().broader, ["cybercrime"]);
    assert_eq!(themes.vocabulary.concepts, themes.concepts.len() as u64);
    let by_id = node.client.vocabulary(&scheme[..8]).await.unwrap();
    assert_eq!(by_id.concepts.len(), 1);
    let refused = refusal(node.client.vocabulary("theems").await, "nearest");
    assert_eq!(refused, (ErrorCode::UnknownName, "themes".to_owned()));
    // A concept that is taken back labels nothing more.
    node.client
        .edit(
            &theme,
            &EditRequest {
                fields: [("notation".to_owned(), line("deep-fakes"))].into(),
                ..EditRequest::default()
            },
        )
        .await
        .unwrap();
    assert!(node.titles(of_theme("Hypertrucages")).await.is_empty());
}

#[tokio::test]
async fn an_owner_adds_a_field_to_a_kind() {
    let node = Node::start("fr").await;
    let with_field = || {
        let mut draft = guideline("Manuel", &[], &[]);
        draft
            .fields
            .insert("accredited".to_owned(), line("2026-05-01"));
        draft
    };
    let refused = refusal(node.writes("own", with_field()).await, "value");
    assert_eq!(refused, (ErrorCode::UnknownName, "accredited".to_owned()));
    let added = word(
        "field",
        &[("fr", "Agréé le"), ("ar", "تاريخ الاعتماد")],
        &[
            ("notation", "accredited"),
            ("of-kind", "guideline"),
            ("type", "date"),
        ],
    );
    node.writes("own", added).await.unwrap();
    let id = node.writes("own", with_field()).await.unwrap();
    let shown = node.shown(&id).await;
    assert_eq!(shown.fields["accredited"], line("2026-05-01"));
    assert_eq!(shown.labels["fields"]["accredited"]["fr"], "Agréé le");
    let mut wrong = with_field();
    wrong.fields.insert("accredited".to_owned(), line("in May"));
    let refused = refusal(node.writes("own", wrong).await, "field");
    assert_eq!(refused, (ErrorCode::InvalidValue, "accredited".to_owned()));
    let missing = word(
        "field",
        &[("fr", "Sans type")],
        &[("notation", "x"), ("of-kind", "training")],
    );
    assert_eq!(
        refusal(node.writes("own", missing).await, "field").1,
        "type"
    );
    // No field of the kind's own changes its type, and none takes a place that is another's.
    let taken = word(
        "field",
        &[("fr", "Édition")],
        &[
            ("notation", "edition"),
            ("of-kind", "guideline"),
            ("type", "date"),
        ],
    );
    let refused = refusal(node.writes("own", taken).await, "field");
    assert_eq!(refused, (ErrorCode::InvalidValue, "notation".to_owned()));
    for name in ["tlp", "import_key", "withdrawn", "accepted", "Agréé"] {
        let fields = [
            ("notation", name),
            ("of-kind", "guideline"),
            ("type", "line"),
        ];
        let draft = word("field", &[("fr", "Champ")], &fields);
        let refused = refusal(node.writes("own", draft).await, "field");
        assert_eq!(refused.1, "notation", "{name}");
    }
}

/// Of what a member that is no owner says, tags may be called, and neither themes nor fields change.
#[tokio::test(flavor = "multi_thread")]
async fn only_an_owner_extends_what_is_shipped() {
    // `tn` owns the group.
    let (tn, fr) = two().await;
    let group = "Cyber";
    let theme = word(
        "concept",
        &[("fr", "Autre chose")],
        &[("notation", "x-theme"), ("vocabulary", "themes")],
    );
    fr.writes(group, theme.clone()).await.unwrap();
    let field = word(
        "field",
        &[("fr", "Champ")],
        &[
            ("notation", "x-field"),
            ("of-kind", "guideline"),
            ("type", "line"),
        ],
    );
    fr.writes(group, field).await.unwrap();
    let id = fr
        .writes(group, guideline("Essai", &["x-theme"], &["x-theme"]))
        .await
        .unwrap();
    let labels = fr.shown(&id).await.labels;
    assert!(labels.is_empty(), "{labels:?}");
    let themes = fr.client.vocabulary("themes").await.unwrap();
    let is_it = |one: &ConceptInfo| one.notation.as_deref() == Some("x-theme");
    assert!(!themes.concepts.iter().any(is_it));
    let mut draft = guideline("Essai", &[], &[]);
    draft.fields.insert("x-field".to_owned(), line("a"));
    let refused = refusal(fr.writes(group, draft).await, "value");
    assert_eq!(refused, (ErrorCode::UnknownName, "x-field".to_owned()));
    tn.writes(group, theme).await.unwrap();
    assert!(tn.client.sync(&SYNC).await.unwrap().equal);
    let labels = fr.shown(&id).await.labels;
    assert_eq!(labels["themes"]["x-theme"]["fr"], "Autre chose");
}

/// Whoever begins behind the index's commit knows the same as whoever read every record.
#[tokio::test]
async fn a_node_that_starts_again_knows_its_vocabularies() {
    let node = Node::start("fr").await;
    let theme = word(
        "concept",
        &[("fr", "Hypertrucages")],
        &[("notation", "deepfakes"), ("vocabulary", "themes")],
    );
    node.writes("own", theme).await.unwrap();
    node.search(words("x")).await;
    let index = node.api.indexer.index();
    let nums = index.all_of_kind("concept").unwrap();
    assert_eq!(nums.len(), 1);
    let begun = Vocabularies::default();
    let reading = node.api.engine.read().unwrap();
    begun
        .begin(&reading, index.committed_seq(), nums.into_iter())
        .unwrap();
    let from_all = Vocabularies::default();
    for vocabularies in [begun, from_all] {
        let known = vocabularies.at(&reading).unwrap();
        let labels = known.labels("themes", "deepfakes", &|_| true);
        assert_eq!(labels["fr"], "Hypertrucages");
        assert_eq!(known.seq(), reading.store_seq().unwrap());
    }
}

#[tokio::test]
async fn a_theme_that_is_written_by_its_label_is_the_theme() {
    let node = Node::start("fr").await;
    let draft = guideline("Saisie", &["Cybercriminalité", "mot libre"], &[]);
    let id = node.writes("own", draft).await.unwrap();
    assert_eq!(node.shown(&id).await.themes, ["cybercrime", "mot libre"]);
    assert_eq!(node.titles(of_theme("mot libre")).await, ["Saisie"]);
    let change = EditRequest {
        themes: Some(vec!["المخدرات".to_owned()]),
        ..EditRequest::default()
    };
    node.client.edit(&id, &change).await.unwrap();
    assert_eq!(node.shown(&id).await.themes, ["drugs"]);
    let unknown = NeedsQuery {
        theme: None,
        country: Some("Atlantide".to_owned()),
    };
    let refused = refusal(node.client.needs(&unknown).await, "field");
    assert_eq!(refused, (ErrorCode::UnknownName, "country".to_owned()));
    let no_vocabulary = word("concept", &[("fr", "A")], &[("vocabulary", "theme")]);
    let refused = refusal(node.writes("own", no_vocabulary).await, "nearest");
    assert_eq!(refused.1, "themes");
}

/// Letters of countries and labels of TLP are no tags, whoever says what they mean.
#[tokio::test]
async fn tags_are_called_what_records_of_concepts_say_and_labels_never() {
    let node = Node::start("fr").await;
    let forged = word(
        "concept",
        &[("fr", "TLP:CLEAR")],
        &[("notation", "tlp:red")],
    );
    node.writes("own", forged).await.unwrap();
    let draft = guideline("Note", &[], &["AI", "tlp:red", "theft"]);
    let id = node.writes("own", draft).await.unwrap();
    let labels = node.shown(&id).await.labels;
    let tags: Vec<_> = labels["tags"].keys().map(String::as_str).collect();
    assert_eq!(tags, ["theft"], "a type of crime");
}

/// What others may edit is no owner's word.
#[tokio::test(flavor = "multi_thread")]
async fn a_theme_that_contributors_may_edit_does_not_count() {
    let (tn, fr) = two().await;
    let fields = [("notation", "x-theme"), ("vocabulary", "themes")];
    let theme = word("concept", &[("fr", "Autre chose")], &fields);
    let open = NewRecord {
        editors: Editors::Listed(vec!["fr".to_owned()]),
        ..new("Cyber", theme)
    };
    tn.client.new_record(&open).await.unwrap();
    let id = tn
        .writes("Cyber", guideline("Essai", &["x-theme"], &[]))
        .await
        .unwrap();
    assert!(tn.shown(&id).await.labels.is_empty());
    drop(fr);
}

/// A file that says it is a vocabulary makes no concept of a guideline.
#[tokio::test]
async fn a_vocabulary_that_names_a_record_of_another_kind_is_refused() {
    let node = Node::start("fr").await;
    let id = node
        .writes("own", guideline("Manuel", &[], &[]))
        .await
        .unwrap();
    let draft = Draft {
        record: Some(id.clone()),
        ..word("concept", &[("fr", "Titre hostile")], &[])
    };
    let batch = ImportBatch {
        group: "own".to_owned(),
        kind: None,
        drafts: vec![draft],
        dry_run: false,
        editors: Editors::Group,
        override_reason: None,
    };
    let answer = node.client.import_batch(&batch).await.unwrap();
    assert!(matches!(
        answer.outcomes.as_slice(),
        [ImportOutcome::Skipped { .. }]
    ));
    assert_eq!(node.shown(&id).await.title["fr"], "Manuel");
}
