//! Two nodes: what one writes is what the other shows.

use diwan_api::client::TrustStep;
use diwan_api::types::{
    AnnotationInfo, FieldValue, GroupCreate, ImportBatch, ListQuery, MemberRole, RecordLink,
    Stored, SyncRequest, WithdrawRequest,
};

use diwan_core::id::EntryHash;
use diwan_core::log::{Frontier, LogHead};
use diwan_core::verify::Receipt;

use super::super::holders::Proven;
use super::super::view::View;
use super::*;

pub(super) const SYNC: SyncRequest = SyncRequest {
    peer: None,
    wait: true,
    timeout_s: Some(30),
};

/// Two nodes that trust each other and share the group `Cyber`, which the first one owns.
pub(super) async fn two() -> (Node, Node) {
    let (tn, fr) = (Node::start("tn").await, Node::start("fr").await);
    tn.trust(&fr).await;
    fr.trust(&tn).await;
    let fr_joins = MemberRole {
        agency: "fr".to_owned(),
        role: None,
    };
    let request = GroupCreate {
        name: "Cyber".to_owned(),
        members: vec![fr_joins],
        threshold: None,
        tlp: None,
    };
    tn.client.group_create(&request).await.unwrap();
    assert!(tn.client.sync(&SYNC).await.unwrap().equal);
    (tn, fr)
}

#[tokio::test(flavor = "multi_thread")]
async fn both_show_the_same_and_export_the_same_bytes() {
    let (tn, fr) = two().await;
    let id = tn
        .guideline("Cyber", &[("fr", "Saisie")], &[("fr", "Un.\n\nDeux.\n")])
        .await
        .record;
    let synced = tn.client.sync(&SYNC).await.unwrap();
    assert!(synced.equal, "{synced:?}");
    let peer = &synced.peers[0];
    assert_eq!(
        (peer.short.as_str(), peer.stored_by_peer, peer.of),
        ("fr", 1, 1)
    );
    assert!(peer.took_ms.is_some() && peer.bytes_sent > 0 && peer.refused.is_empty());

    let record = fr.client.show(&id, None).await.unwrap();
    assert_eq!(
        (record.origin.as_str(), record.tlp.as_str()),
        ("tn", "GREEN")
    );
    assert_eq!(record.editors, ["tn", "fr"]);
    assert!(record.proof.unwrap().verified);
    fr.client
        .edit(&id, &body("fr", "Un.\n\nTrois.\n"))
        .await
        .unwrap();
    fr.guideline("Cyber", &[("ar", "ضبط")], &[]).await;
    assert!(fr.client.sync(&SYNC).await.unwrap().equal);
    assert_eq!(
        tn.client.show(&id, None).await.unwrap().body["fr"],
        "Un.\n\nTrois.\n"
    );
    let authors = tn.client.history(&id).await.unwrap().versions;
    let authors: Vec<_> = authors.iter().map(|v| v.agency.as_str()).collect();
    assert_eq!(authors, ["tn", "fr"]);
    let exported = tn.export().await;
    assert_eq!(exported.lines().count(), 2);
    assert_eq!(exported, fr.export().await);

    let milder = EditRequest {
        tlp: Some("CLEAR".to_owned()),
        ..EditRequest::default()
    };
    let answer = fr.client.edit(&id, &milder).await;
    assert_eq!(
        refusal(answer, "origin"),
        (ErrorCode::LabelMilder, "tn".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_agencys_records_are_hidden_and_come_back() {
    let (tn, fr) = two().await;
    let id = tn.guideline("Cyber", &[("fr", "Saisie")], &[]).await.record;
    fr.guideline("Cyber", &[("fr", "Saisie douanière")], &[])
        .await;
    assert!(tn.client.sync(&SYNC).await.unwrap().equal);
    assert_eq!(fr.search(words("saisie")).await.total, 2);

    fr.client.trust_step("tn", TrustStep::Block).await.unwrap();
    assert_eq!(
        fr.client.show(&id, None).await.unwrap_err().code,
        ErrorCode::UnknownRecord
    );
    let listed = fr.client.list(&ListQuery::default()).await.unwrap();
    assert_eq!(listed.records.len(), 1);
    let found = fr.search(words("saisie")).await;
    assert_eq!((found.total, found.hits.len()), (1, 1));
    assert_eq!(fr.export().await.lines().count(), 1);
    let answer = fr
        .client
        .sync(&SyncRequest {
            peer: Some("tn".into()),
            ..SYNC
        })
        .await;
    assert_eq!(
        refusal(answer, "state"),
        (ErrorCode::NotPinned, "blocked".to_owned())
    );
    let nobody = fr.client.sync(&SYNC).await.unwrap();
    assert_eq!((nobody.equal, nobody.peers.len()), (false, 0));

    fr.client.trust_step("tn", TrustStep::Resume).await.unwrap();
    assert_eq!(fr.client.show(&id, None).await.unwrap().record, id);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_absent_peer_stored_is_still_told() {
    let (tn, fr) = two().await;
    tn.guideline("Cyber", &[("fr", "Saisie")], &[]).await;
    assert!(tn.client.sync(&SYNC).await.unwrap().equal);
    fr.api.peers.shutdown().await;
    tn.guideline("Cyber", &[("fr", "Frontière")], &[]).await;
    let soon = SyncRequest {
        timeout_s: Some(1),
        ..SYNC
    };
    let answer = tn.client.sync(&soon).await.unwrap();
    let peer = &answer.peers[0];
    assert!(!answer.equal && peer.took_ms.is_none());
    assert_eq!(
        (peer.state.as_str(), peer.stored_by_peer, peer.of),
        ("offline", 1, 2)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_holds_a_record_is_who_has_signed_for_it() {
    let (tn, fr) = two().await;
    let id = tn.guideline("Cyber", &[("fr", "Saisie")], &[("fr", "Un.")]);
    let id = id.await.record;
    assert!(tn.client.sync(&SYNC).await.unwrap().equal);
    let first = tn.client.show(&id, None).await.unwrap();
    assert_eq!(first.stored, Some(Stored { by: 2, of: 2 }));
    tn.client
        .trust_step("fr", TrustStep::Suspend)
        .await
        .unwrap();
    tn.client.edit(&id, &body("fr", "Deux.")).await.unwrap();
    let holders = tn.client.holders(&id).await.unwrap();
    let now = tn.client.show(&id, None).await.unwrap();
    let told: Vec<_> = holders
        .holders
        .iter()
        .map(|holder| (holder.short.as_str(), holder.stored, holder.version.clone()))
        .collect();
    let (before, after) = (Some(first.version), Some(now.version));
    assert_eq!(told, [("fr", false, before), ("tn", true, after.clone())]);
    assert_eq!(now.stored, Some(Stored { by: 1, of: 2 }));
    let unsynced = tn.guideline("Cyber", &[("fr", "Autre")], &[("fr", "Un.")]);
    let unsynced = tn.client.holders(&unsynced.await.record).await.unwrap();
    assert_eq!(unsynced.holders[0].version, None);
    tn.client.trust_step("fr", TrustStep::Resume).await.unwrap();
    assert!(tn.client.sync(&SYNC).await.unwrap().equal);
    for node in [&tn, &fr] {
        let holders = node.client.holders(&id).await.unwrap();
        assert_eq!((holders.of, holders.holders.len()), (2, 2));
        assert!(
            holders
                .holders
                .iter()
                .all(|holder| holder.stored && holder.version == after)
        );
    }
    let export = tn.export().await;
    assert!(
        !export.contains("\"stored\""),
        "who holds it is no part of a record"
    );
}

#[tokio::test]
async fn a_receipt_for_what_may_be_another_log_proves_nothing() {
    let node = Node::start("tn").await;
    let id = node.guideline("own", &[("fr", "Saisie")], &[("fr", "Un.")]);
    let id = id.await.record;
    let view = View::open(&node.api.engine).unwrap();
    let (num, row) = view.find(&id).unwrap();
    let group = row.group;
    let seen = view.seen(num, row).unwrap().unwrap();
    let (writer, seq, hash) = (seen.header.writer, seen.header.seq, seen.header.hash());
    let proves = |seq, hash| {
        let receipt = Receipt {
            group,
            node: writer.node,
            wall_ms: 0,
            frontier: Frontier([(writer, LogHead { seq, hash })].into()),
        };
        let proven = Proven::by(&view, group, &receipt, &seen, &[]).unwrap();
        proven.reaches(&(writer, seen.header.seq))
    };
    assert!(proves(seq, hash));
    assert!(!proves(seq, EntryHash([7; 32])), "another entry");
    assert!(!proves(seq + 1, EntryHash([7; 32])), "not known here");
    assert!(!proves(seq - 1, hash));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_agencys_many_annotations_do_not_hide_anothers() {
    let (tn, fr) = two().await;
    let id = tn.guideline("Cyber", &[("fr", "Saisie")], &[("fr", "Un.")]);
    let id = id.await.record;
    assert!(tn.client.sync(&SYNC).await.unwrap().equal);
    let comment = |at: usize| Draft {
        body: texts(&[("fr", &format!("Commentaire {at}"))]),
        links: vec![RecordLink {
            rel: "about".to_owned(),
            record: id.clone(),
        }],
        ..Draft::default()
    };
    for part in 0..3 {
        let batch = ImportBatch {
            group: "Cyber".to_owned(),
            kind: Some("comment".to_owned()),
            editors: Editors::Origin,
            dry_run: false,
            drafts: (part * 400..(part + 1) * 400).map(comment).collect(),
            override_reason: None,
        };
        fr.client.import_batch(&batch).await.unwrap();
    }
    assert!(fr.client.sync(&SYNC).await.unwrap().equal);
    let last = Draft {
        body: texts(&[("fr", "Le dernier.")]),
        ..Draft::default()
    };
    tn.client.annotate(&id, "comment", &last).await.unwrap();
    let shown = tn.client.show(&id, None).await.unwrap();
    let count = |origin: &str| {
        let of_origin = |annotation: &&AnnotationInfo| annotation.origin == origin;
        shown.annotations.iter().filter(of_origin).count()
    };
    assert_eq!((count("fr"), count("tn")), (1_000, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_say_helped_them_ranks_higher() {
    let (tn, fr) = two().await;
    let id = tn.guideline("Cyber", &[("fr", "Saisie")], &[]).await.record;
    let endorsed = async |node: &Node| {
        let query = SearchQuery {
            explain: Some(true),
            kind: Some("guideline".into()),
            ..words("saisie")
        };
        let found = node.search(query).await;
        let mut why = found.hits[0].why.iter();
        why.any(|why| why.part == "endorsements" && why.score > 0.0)
    };
    let says = |result: &str| Draft {
        body: texts(&[("fr", "Appliqué ici.")]),
        fields: [("result".to_owned(), FieldValue::Line(result.to_owned()))].into(),
        ..Draft::default()
    };
    tn.client
        .annotate(&id, "endorsement", &says("helped"))
        .await
        .unwrap();
    assert!(!endorsed(&tn).await, "its own");
    assert!(fr.client.sync(&SYNC).await.unwrap().equal);
    fr.client
        .annotate(&id, "endorsement", &says("did-not-help"))
        .await
        .unwrap();
    assert!(!endorsed(&fr).await, "it did not help");
    let helped = fr
        .client
        .annotate(&id, "endorsement", &says("helped"))
        .await
        .unwrap();
    assert!(endorsed(&fr).await);
    assert!(fr.client.sync(&SYNC).await.unwrap().equal);
    assert!(endorsed(&tn).await);
    tn.client.trust_step("fr", TrustStep::Block).await.unwrap();
    let retitled = EditRequest {
        title: texts(&[("fr", "Saisie d'un serveur")]),
        ..EditRequest::default()
    };
    tn.client.edit(&id, &retitled).await.unwrap();
    assert!(!endorsed(&tn).await, "of a blocked agency");
    let withdrawn = WithdrawRequest::default();
    fr.client
        .withdraw(&helped.record, &withdrawn)
        .await
        .unwrap();
    assert!(!endorsed(&fr).await, "it was taken back");
}
