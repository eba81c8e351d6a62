//! The real vocabularies: imported, exported in both forms, judged by an RDF parser that is not ours, and
//! imported once more; and the tags of real events known by the taxonomies of MISP.

use std::collections::BTreeMap;
use std::process::Command;

use diwan_tests::kit::{Listen, TestNode, shared_data, validator};
use serde_json::Value;

/// What rdflib reads: labels by language of the concepts of each file, and how many triples two files do not
/// share.
const JUDGE: &str = r#"
import collections, json, rdflib, sys
from rdflib.namespace import RDF, SKOS
source, turtle, xml = (rdflib.Graph().parse(path) for path in sys.argv[1:4])
def labels(graph):
    counts = collections.Counter()
    for concept in graph.subjects(RDF.type, SKOS.Concept):
        for name, predicate in (("pref", SKOS.prefLabel), ("alt", SKOS.altLabel)):
            for label in graph.objects(concept, predicate):
                counts[f"{name}.{label.language}"] += 1
    counts["broader"] = len(set(graph.subject_objects(SKOS.broader)))
    return counts
print(json.dumps({
    "source": labels(source), "turtle": labels(turtle), "xml": labels(xml),
    "apart": len(turtle ^ xml),
}))
"#;

fn import(node: &TestNode, path: &str, format: &str) -> Value {
    node.diwan(&["import", path, "--format", format, "--group", "own"])
}

/// The report of an import of which nothing was taken.
fn refused(node: &TestNode, path: &str) -> Value {
    let output = node.try_diwan(&["import", path, "--group", "own"]);
    output.refusal(1, "nothing-imported");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn counts(value: &Value) -> BTreeMap<String, u64> {
    serde_json::from_value(value.clone()).unwrap()
}

#[test]
fn a_real_thesaurus_goes_out_in_both_forms_and_comes_back_unchanged() {
    let Some(skos) = shared_data("skos") else {
        return;
    };
    let node = TestNode::running("TN", Listen::AnyTcp);
    let thesaurus = skos.join("unesco-thesaurus-2024-10.ttl");
    let thesaurus = thesaurus.to_str().unwrap();
    let report = import(&node, thesaurus, "skos");
    assert_eq!(report["created"], 4_486, "{report}");
    assert_eq!(report["skipped"][0]["reason"], "no-knowledge");
    let list = node.diwan(&["vocabulary", "list"]);
    let of_node = list["vocabularies"].as_array().unwrap().iter();
    let imported: Vec<_> = of_node.filter(|one| one["origin"].is_string()).collect();
    assert_eq!(imported.len(), 1);
    assert_eq!(imported[0]["concepts"], 4_485);
    let (turtle, xml) = (node.scratch("out.ttl"), node.scratch("out.rdf"));
    let paths = [turtle.to_str().unwrap(), xml.to_str().unwrap()];
    for path in paths {
        let written = node.diwan(&["export", path, "--format", "skos", "--group", "own"]);
        assert_eq!(written["written"], 4_486);
    }
    for path in paths {
        let again = import(&node, path, "skos");
        assert_eq!(
            (&again["created"], &again["updated"]),
            (&0.into(), &0.into()),
            "{path}"
        );
    }
    let Some(python) = validator("python") else {
        return;
    };
    let judged = Command::new(python)
        .args(["-c", JUDGE, thesaurus, paths[0], paths[1]])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&judged.stderr);
    assert!(judged.status.success(), "{said}");
    let judged: Value = serde_json::from_slice(&judged.stdout).unwrap();
    assert_eq!(judged["apart"], 0);
    let (source, ours) = (counts(&judged["source"]), counts(&judged["turtle"]));
    assert_eq!(ours["broader"], source["broader"]);
    for lang in ["en", "fr", "ar"] {
        let preferred = format!("pref.{lang}");
        assert_eq!(ours[&preferred], source[&preferred], "{lang}");
        // Labels that differ by white space or invisible signs alone are one.
        let other = format!("alt.{lang}");
        let lost = source[&other] - ours[&other];
        assert!(lost < 10, "{lost} of {other}");
    }
}

#[test]
fn tags_of_real_events_are_concepts_of_the_taxonomies() {
    let Some(misp) = shared_data("misp") else {
        return;
    };
    let node = TestNode::running("FR", Listen::AnyTcp);
    let folder = |name: &str| misp.join(name).to_str().unwrap().to_owned();
    import(&node, &folder("events"), "misp");
    let tag = "circl:incident-classification=\"malware\"";
    let tagged = || {
        let list = node.diwan(&["list", "--tag", tag]);
        node.show(list["records"][0]["record"].as_str().unwrap())
    };
    assert!(tagged()["labels"]["tags"][tag].is_null());
    let report = import(&node, &folder("taxonomies"), "misp");
    assert!(report["created"].as_u64().unwrap() > 1_200, "{report}");
    assert_eq!(report["skipped"], serde_json::json!([]));
    assert_eq!(tagged()["labels"]["tags"][tag]["en"], "Malware");
    let estimates = "vocabulaire-des-probabilites-estimatives";
    let estimates = node.diwan(&["vocabulary", "show", estimates]);
    let concepts = estimates["concepts"].as_array().unwrap();
    assert!(concepts.len() > 4 && concepts.iter().all(|one| one["title"]["fr"].is_string()));
    // Out as SKOS and back in: the same concepts.
    let path = node.scratch("tags.ttl");
    let path = path.to_str().unwrap();
    node.diwan(&["export", path, "--format", "skos", "--group", "own"]);
    let again = import(&node, path, "skos");
    assert_eq!(
        (&again["created"], &again["updated"]),
        (&0.into(), &0.into()),
        "{again}"
    );
}

#[test]
fn what_is_no_vocabulary_is_named_with_its_place() {
    let node = TestNode::running("FR", Listen::AnyTcp);
    let file = node.file("bad.ttl", "@prefix a: <http://a.example/> .\n\na:b a:c .\n");
    let report = refused(&node, file.to_str().unwrap());
    let skipped = &report["skipped"][0];
    assert_eq!(skipped["reason"], "bad-rdf");
    assert!(
        skipped["message"].as_str().unwrap().contains("line 3"),
        "{report}"
    );
    let case = r#"{ "@context": { "a": "https://ontology.unifiedcyberontology.org/uco/core/" }, "@graph": [] }"#;
    let file = node.file("case.json", case);
    let report = refused(&node, file.to_str().unwrap());
    assert_eq!(report["skipped"][0]["reason"], "evidence");
}
