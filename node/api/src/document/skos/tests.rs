use std::collections::BTreeMap;

use super::{SkosExport, SkosForm};
use crate::document::{Bundle, BundleForm, SkipReason, read_bundle};
use crate::types::{Draft, FieldValue, Record, RecordLink};

const TURTLE: &str = r#"
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix : <http://example.org/> .

:crimes a skos:ConceptScheme ; dct:title "Crimes"@en, "Infractions"@FR ; skos:hasTopConcept :fraud .
:fraud a skos:Concept ;
  skos:prefLabel "Fraud"@en, "Escroquerie"@fr, "احتيال"@ar ;
  skos:altLabel "swindle"@en, "scam"@en ; skos:hiddenLabel "frawd"@en ;
  skos:scopeNote "scope"@en, "portée"@fr ; skos:definition "By deceit."@en ;
  skos:notation "F1" ; skos:narrower :phishing ; skos:exactMatch <http://other.example/1> .
:phishing a skos:Concept ; skos:prefLabel "Phishing" ; skos:inScheme :crimes ; skos:related :fraud, :gone .
:nameless a skos:Concept .
:group a skos:Collection ; skos:prefLabel "Group"@en ; skos:member :fraud .
"#;

fn turtle(text: &str) -> Result<Bundle, SkipReason> {
    read_bundle(text.as_bytes(), BundleForm::Turtle)
}

fn links(bundle: &Bundle) -> Vec<String> {
    let short = |iri: &str| iri.replace("http://example.org/", "");
    let links = bundle
        .links
        .iter()
        .map(|(from, rel, to)| format!("{} {rel} {}", short(from), short(to)));
    let mut links: Vec<_> = links.collect();
    links.sort();
    links
}

/// Records as the node would make them of drafts: ids by number, links by the bundle's.
fn records(bundle: &Bundle) -> Vec<Record> {
    let id = |iri: &str| {
        let at = bundle.objects.iter().position(|item| item.id == iri);
        format!("{:064x}", at.unwrap())
    };
    let record = |draft: &Draft, iri: &str| {
        let mut record: Record = serde_json::from_value(serde_json::json!({
            "record": id(iri), "group": "", "kind": draft.kind, "origin": "fr", "origin_agency": "",
            "editors": [], "tlp": "GREEN", "hcode": null, "title": draft.title,
            "summary": draft.summary, "body": {}, "themes": [], "tags": [], "links": [],
            "attachments": [], "translations": [], "annotations": [], "version": "1",
            "created": "", "updated": "",
        }))
        .unwrap();
        record.fields = draft.fields.clone();
        let own = bundle.links.iter().filter(|(from, ..)| from == iri);
        record.links = own
            .map(|(_, rel, to)| RecordLink {
                rel: rel.clone(),
                record: id(to),
            })
            .collect();
        record
    };
    let items = bundle.objects.iter();
    items.map(|item| record(&item.draft, &item.id)).collect()
}

#[test]
fn schemes_and_concepts_become_drafts_with_their_labels_and_links() {
    let bundle = turtle(TURTLE).unwrap();
    let of: BTreeMap<_, _> = bundle
        .objects
        .iter()
        .map(|item| (item.id.rsplit('/').next().unwrap(), &item.draft))
        .collect();
    assert_eq!(
        of.keys().copied().collect::<Vec<_>>(),
        ["crimes", "fraud", "phishing"]
    );
    let scheme = of["crimes"];
    assert_eq!(scheme.kind.as_deref(), Some("scheme"));
    assert_eq!(scheme.title["fr"], "Infractions");
    let fraud = of["fraud"];
    assert_eq!(fraud.kind.as_deref(), Some("concept"));
    assert_eq!(fraud.title["ar"], "احتيال");
    assert_eq!(
        (fraud.summary.len(), fraud.summary["en"].as_str()),
        (1, "By deceit.")
    );
    let FieldValue::Texts(scope) = &fraud.fields["scope"] else {
        panic!("{:?}", fraud.fields);
    };
    assert_eq!(scope["fr"], "portée");
    let FieldValue::Texts(alt) = &fraud.fields["alt"] else {
        panic!("{:?}", fraud.fields);
    };
    assert_eq!(alt["en"], "swindle\nscam");
    assert_eq!(fraud.fields["notation"], FieldValue::Line("F1".to_owned()));
    assert_eq!(of["phishing"].title["und"], "Phishing");
    assert_eq!(
        links(&bundle),
        [
            "fraud scheme crimes",
            "phishing broader fraud",
            "phishing related fraud",
            "phishing scheme crimes",
        ]
    );
    assert_eq!(bundle.passed_over["Collection"], 1);
    assert!(
        matches!(bundle.bad.as_slice(), [SkipReason::BadObject { path, .. }] if path.ends_with("nameless"))
    );
}

#[test]
fn an_export_says_the_same_in_turtle_and_in_xml_below_its_label() {
    let bundle = turtle(TURTLE).unwrap();
    for (form, as_read, first) in [
        (SkosForm::Turtle, BundleForm::Turtle, "# TLP:GREEN"),
        (SkosForm::Xml, BundleForm::RdfXml, "<!-- TLP:GREEN -->"),
    ] {
        let mut export = SkosExport::default();
        for record in records(&bundle) {
            export.take(record);
        }
        let (document, count) = export.finish(form).unwrap();
        assert_eq!(count, 3);
        assert_eq!(document.lines().next(), Some(first));
        assert_eq!(document.lines().last(), Some(first));
        let again = read_bundle(document.as_bytes(), as_read).unwrap();
        let drafts = |bundle: &Bundle| -> BTreeMap<String, Draft> {
            let items = bundle.objects.iter();
            items
                .map(|item| (item.id.clone(), item.draft.clone()))
                .collect()
        };
        assert_eq!(drafts(&again), drafts(&bundle));
        assert_eq!(links(&again), links(&bundle));
    }
}

#[test]
fn a_record_without_an_iri_comes_back_to_itself() {
    let bundle = turtle(TURTLE).unwrap();
    let mut record = records(&bundle).remove(1);
    record.fields.remove("uri");
    let id = record.record.clone();
    let mut export = SkosExport::default();
    export.take(record);
    let (document, _) = export.finish(SkosForm::Turtle).unwrap();
    let again = turtle(&document).unwrap();
    assert_eq!(again.objects[0].draft.record, Some(id));
    assert_eq!(again.objects[0].draft.import_key, None);
}

#[test]
fn what_is_no_rdf_is_refused_with_its_line() {
    let bad = turtle("@prefix a: <http://a.example/> .\n\na:b a:c .\n").unwrap_err();
    assert!(matches!(bad, SkipReason::BadRdf { line: 3, .. }), "{bad:?}");
    let xml = "<?xml version=\"1.0\"?>\n<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n<a>";
    let bad = read_bundle(xml.as_bytes(), BundleForm::RdfXml).unwrap_err();
    assert!(
        matches!(bad, SkipReason::BadRdf { line, .. } if line >= 2),
        "{bad:?}"
    );
    let bomb = "<?xml version=\"1.0\"?>\n<!DOCTYPE a [\n<!ENTITY a \"aaaa\">\n<!ENTITY b \"&a;&a;\">]>\n<a/>";
    let bad = read_bundle(bomb.as_bytes(), BundleForm::RdfXml).unwrap_err();
    assert!(
        matches!(&bad, SkipReason::BadRdf { line: 3, detail } if detail.contains("entities")),
        "{bad:?}"
    );
}

#[test]
fn concepts_in_json_are_the_same_concepts() {
    let json = r#"{
        "schemes": { "7": { "prefLabel": { "en": "12 law", "fr": "12 droit" } } },
        "concepts": { "100": { "inScheme": [7], "prefLabel": { "en": "conflict" },
            "altLabel": { "en": ["strife", "clash"] }, "broader": [458], "notation": [100] },
          "458": { "prefLabel": { "en": "discrimination" } } } }"#;
    let bundle = read_bundle(json.as_bytes(), BundleForm::Json).unwrap();
    assert_eq!(bundle.objects.len(), 3);
    let links = links(&bundle);
    let eurovoc = |number: u32| format!("http://eurovoc.europa.eu/{number}");
    assert_eq!(
        links,
        [
            format!("{} broader {}", eurovoc(100), eurovoc(458)),
            format!("{} scheme {}", eurovoc(100), eurovoc(7)),
        ]
    );
    let concept = bundle
        .objects
        .iter()
        .find(|item| item.id == eurovoc(100))
        .unwrap();
    assert_eq!(
        concept.draft.fields["notation"],
        FieldValue::Line("100".to_owned())
    );
}

#[test]
fn a_taxonomy_of_misp_is_a_vocabulary_whose_notations_are_its_tags() {
    let json = r#"{ "namespace": "fr-classif", "version": 6,
        "description": "Cette liste donne les mentions que portent les documents de l'administration française et les règles que doivent suivre les services de l'État qui les reçoivent, les gardent ou les transmettent à d'autres.",
        "predicates": [{ "value": "classifiees", "expanded": "Informations classifiées" }, { "value": "" }],
        "values": [{ "predicate": "classifiees", "entry": [{ "value": "SECRET", "expanded": "Secret" }] }] }"#;
    let bundle = read_bundle(json.as_bytes(), BundleForm::Json).unwrap();
    let notations: Vec<_> = bundle
        .objects
        .iter()
        .map(|item| &item.draft.fields["notation"])
        .collect();
    let expected = [
        "fr-classif",
        "fr-classif:classifiees",
        "fr-classif:classifiees=\"SECRET\"",
    ];
    let expected = expected.map(|text| FieldValue::Line(text.to_owned()));
    assert_eq!(notations, expected.iter().collect::<Vec<_>>());
    assert_eq!(bundle.objects[2].draft.title["fr"], "Secret");
    let rels: Vec<_> = bundle
        .links
        .iter()
        .map(|(_, rel, _)| rel.as_str())
        .collect();
    assert_eq!(rels, ["scheme", "scheme", "broader"]);
    assert!(
        matches!(bundle.bad.as_slice(), [SkipReason::BadObject { path, .. }] if path == "predicates[1].value")
    );
}

#[test]
fn evidence_of_a_case_is_named_and_left() {
    let json = r#"{ "@context": { "uco": "https://ontology.unifiedcyberontology.org/uco/core/" }, "@graph": [] }"#;
    let refused = read_bundle(json.as_bytes(), BundleForm::Json).unwrap_err();
    assert!(
        matches!(refused, SkipReason::Evidence { .. }),
        "{refused:?}"
    );
}

#[test]
fn what_is_shipped_is_named_and_not_linked() {
    let text = format!(
        "{TURTLE}\n:deepfakes a skos:Concept ; skos:prefLabel \"Deepfakes\"@en ;
        skos:inScheme <urn:diwan:vocabulary:themes> ;
        skos:broader <urn:diwan:vocabulary:themes:cybercrime> ."
    );
    let bundle = turtle(&text).unwrap();
    let theme = bundle.objects.last().unwrap().draft.clone();
    let line = |name: &str| theme.fields[name].clone();
    assert_eq!(line("vocabulary"), FieldValue::Line("themes".to_owned()));
    assert_eq!(line("parent"), FieldValue::Line("cybercrime".to_owned()));
    let mut export = SkosExport::default();
    for record in records(&bundle) {
        export.take(record);
    }
    let (document, _) = export.finish(SkosForm::Turtle).unwrap();
    let again = turtle(&document).unwrap();
    let found = again
        .objects
        .iter()
        .find(|item| item.id.ends_with("deepfakes"));
    assert_eq!(found.unwrap().draft, theme);
}

#[test]
fn two_records_of_one_concept_are_both_written_and_no_label_breaks_the_document() {
    let bundle = turtle(TURTLE).unwrap();
    let mut export = SkosExport::default();
    for at in 0..2 {
        let mut record = records(&bundle).remove(1);
        record.record = format!("{at:064x}");
        record
            .title
            .insert("fr".to_owned(), "avec \u{1} signe".to_owned());
        export.take(record);
    }
    let (document, count) = export.finish(SkosForm::Xml).unwrap();
    assert_eq!(count, 2);
    let again = read_bundle(document.as_bytes(), BundleForm::RdfXml).unwrap();
    let titles: Vec<_> = again
        .objects
        .iter()
        .map(|item| item.draft.title["fr"].as_str())
        .collect();
    assert_eq!(titles, ["avec signe", "avec signe"]);
}

#[test]
fn what_costs_more_than_it_is_long_is_refused() {
    let deep = "<a>".repeat(300);
    let wide = format!("<a {}/>", "x='1' ".repeat(20_000));
    for xml in [deep, wide] {
        let refused = read_bundle(xml.as_bytes(), BundleForm::RdfXml).unwrap_err();
        assert!(
            matches!(refused, SkipReason::BadRdf { line: 1, .. }),
            "{refused:?}"
        );
    }
    // Signs in values, and comments, open nothing.
    let many = "<a b='1>2' c=\"it's\"/><!-- don't -->".repeat(300);
    let xml = format!(
        "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">{many}</rdf:RDF>"
    );
    let refused = read_bundle(xml.as_bytes(), BundleForm::RdfXml);
    let said = format!("{refused:?}");
    assert!(!said.contains("within each other"), "{said}");
    let many: String = (0..200_000)
        .map(|at| format!("\"label {at}\"@en, "))
        .collect();
    let text = format!(
        "{TURTLE}\n:a a skos:Concept ; skos:altLabel {many} \"z\"@en ; skos:prefLabel \"a\"@en ."
    );
    let bundle = turtle(&text).unwrap();
    let FieldValue::Texts(alt) = &bundle.objects.last().unwrap().draft.fields["alt"] else {
        panic!("no labels");
    };
    assert!(alt["en"].len() < 33_000);
}
