//! Records of a newer schema on a node that does not know it.

use diwan_core::log::Payload;
use diwan_core::record::Genesis;
use diwan_core::verify::{OwnEntry, OwnKind};

use super::*;

/// A record of a kind and with fields that no schema here has, as a newer node would sign it.
fn from_a_newer_node(node: &mut Bench, group: &GroupId) -> (RecordId, Content) {
    let mut content = Content::default();
    content.texts.insert("title.fr".into(), "Douille".into());
    content.texts.insert("body.fr".into(), "Un.\n".into());
    content
        .texts
        .insert("method.fr".into(), "Comparaison.\n".into());
    content.values.insert("tlp".into(), "AMBER".into());
    content.values.insert("calibre".into(), "9 mm".into());
    content.set_set("laboratories", &["Tunis".to_owned(), "Lyon".to_owned()]);
    content.add_link("matches", &RecordId([9; 32]));
    let genesis = Genesis {
        group: *group,
        origin: node.agency(),
        kind: "ballistic-trace".into(),
        editors: Editors::Group,
        content: content.clone(),
    };
    let payload = Payload::new([0; 16], genesis.to_bytes());
    let record = RecordId(payload.hash());
    let entry = OwnEntry {
        kind: OwnKind::Genesis,
        payload,
    };
    node.step(|step| step.write_own(group, vec![entry]))
        .unwrap();
    (record, content)
}

#[test]
fn a_record_of_a_newer_schema_passes_through_an_older_node_unharmed() {
    let (mut nodes, group) = federation(&[Role::Contributor, Role::Contributor]);
    let (record, content) = from_a_newer_node(&mut nodes[0], &group);
    // The node in the middle does not know the kind, edits what it knows, and hands all of it on.
    assert!(sync(&mut nodes, 0, 1));
    assert_eq!(nodes[1].content(&record), Some(content.clone()));
    nodes[1].edit(&record, "Un.\n\nDeux.\n").unwrap();
    assert!(sync(&mut nodes, 1, 2) && sync(&mut nodes, 1, 0));
    let mut edited = content;
    edited
        .texts
        .insert("body.fr".into(), "Un.\n\nDeux.\n".into());
    for node in &nodes {
        assert_eq!(node.content(&record), Some(edited.clone()));
        let reading = node.read();
        let num = reading.record_num(&record).unwrap().unwrap();
        let row = reading.record(num).unwrap().unwrap();
        assert_eq!(row.kind, "ballistic-trace");
    }
    // And so it is when the older node starts again.
    nodes[1].close();
    nodes[1].open();
    assert_eq!(nodes[1].content(&record), Some(edited));
}
