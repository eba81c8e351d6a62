//! Drafts, publication, officers' roles, the guard: as officers meet them.

use diwan_api::types::{
    GroupCreate, GuardCheck, ImportBatch, ImportOutcome, ListQuery, OfficerAdd, OfficerRoleChange,
    PublishRequest, RecordLink, TranslateRequest, WithdrawRequest,
};

use super::federation::{SYNC, two};
use super::*;

fn draft(kind: &str, title: &str, body: &str) -> Draft {
    Draft {
        kind: Some(kind.to_owned()),
        title: Texts::from([("fr".to_owned(), title.to_owned())]),
        body: Texts::from([("fr".to_owned(), body.to_owned())]),
        ..Draft::default()
    }
}

impl Node {
    async fn write(&self, group: &str, draft: Draft) -> Result<Written, ApiError> {
        self.client.new_record(&new(group, draft)).await
    }

    /// A group of this agency alone: others may join it.
    async fn make_group(&self, name: &str) {
        let group = GroupCreate {
            name: name.to_owned(),
            members: Vec::new(),
            threshold: None,
            tlp: None,
        };
        self.client.group_create(&group).await.unwrap();
    }

    /// The role of whoever runs the test, from now on.
    async fn act_as(&self, role: &str) {
        let uid = rustix::process::getuid().as_raw();
        let row = crate::store::OfficerRow {
            role: crate::store::OfficerRole::ALL
                .into_iter()
                .find(|known| known.name() == role),
            name: String::new(),
            since_ms: 1,
            by_uid: 0,
        };
        let set = move |step: &mut crate::engine::Step<'_, '_>| {
            let other = crate::store::OfficerRow {
                role: Some(crate::store::OfficerRole::Admin),
                ..row.clone()
            };
            step.set_officer(uid + 1, other)?;
            step.set_officer(uid, row)
        };
        self.api.engine.submit(set).await.unwrap();
    }
}

fn into_group(group: &str) -> PublishRequest {
    PublishRequest {
        group: Some(group.to_owned()),
        ..PublishRequest::default()
    }
}

fn code<T: std::fmt::Debug>(answer: Result<T, ApiError>) -> ErrorCode {
    answer.unwrap_err().code
}

#[tokio::test]
async fn a_draft_goes_out_with_its_links_and_without_its_history() {
    let node = Node::start("fr").await;
    node.make_group("cyber").await;
    let need = node
        .write("own", draft("need", "Saisie", "texte"))
        .await
        .unwrap();
    let mut action = draft("action", "Formation", "texte");
    action.links = vec![RecordLink {
        rel: "need".to_owned(),
        record: need.record.clone(),
    }];
    let action = node.write("own", action).await.unwrap();
    let plan = PublishRequest {
        dry_run: true,
        ..into_group("cyber")
    };
    let told = node.client.publish(&action.record, &plan).await.unwrap();
    assert!(!told.done);
    assert_eq!(told.left_out[0].record, need.record);
    let all = ListQuery {
        group: Some("cyber".to_owned()),
        ..ListQuery::default()
    };
    assert_eq!(
        node.client.list(&all).await.unwrap().records.len(),
        0,
        "a plan writes nothing"
    );

    let published = node
        .client
        .publish(&need.record, &into_group("cyber"))
        .await
        .unwrap();
    assert!(published.done && published.record != need.record);
    let action = node
        .client
        .publish(&action.record, &into_group("cyber"))
        .await
        .unwrap();
    assert_eq!(action.left_out, []);
    let shown = node.client.show(&action.record, None).await.unwrap();
    let to = |rel: &str| {
        shown
            .links
            .iter()
            .find(|link| link.rel == rel)
            .unwrap()
            .record
            .clone()
    };
    assert_eq!(
        to("need"),
        published.record,
        "the link leads to what the group has"
    );
    assert_eq!(to("source"), action.source);

    // The draft goes on, and is published once more: the same record says it.
    let edit = EditRequest {
        title: Texts::from([("fr".to_owned(), "Saisie de preuves".to_owned())]),
        ..EditRequest::default()
    };
    node.client.edit(&need.record, &edit).await.unwrap();
    let again = node
        .client
        .publish(&need.record, &into_group("cyber"))
        .await
        .unwrap();
    assert!(again.again);
    assert_eq!(again.record, published.record);
    let shown = node.client.show(&again.record, None).await.unwrap();
    assert_eq!(shown.title["fr"], "Saisie de preuves");
    assert_eq!(shown.tlp, "AMBER+STRICT", "as the draft");
    let milder = PublishRequest {
        tlp: Some("green".to_owned()),
        ..into_group("cyber")
    };
    node.client.publish(&need.record, &milder).await.unwrap();
    let shown = node.client.show(&again.record, None).await.unwrap();
    assert_eq!(shown.tlp, "GREEN", "as was said");
    // Draft and published need are one need.
    let rows = node.client.needs(&Default::default()).await.unwrap().rows;
    assert_eq!((rows[0].needs, rows[0].actions), (1, 1));
}

#[tokio::test]
async fn the_guard_stands_before_every_way_into_a_shared_group() {
    let node = Node::start("fr").await;
    node.make_group("cyber").await;
    let phone = "Appeler le +216 71 234 567.";
    let written = node
        .write("own", draft("practice", "Contact", phone))
        .await
        .unwrap();
    assert_eq!(written.guard, []);
    let refused = node
        .client
        .publish(&written.record, &into_group("cyber"))
        .await
        .unwrap_err();
    assert_eq!(refused.code, ErrorCode::GuardHit);
    assert!(
        refused.args["hits"].contains("body.fr, line 1, character 12: phone (+216 71 234 567)"),
        "{refused:?}"
    );
    assert_eq!(
        code(
            node.write("cyber", draft("practice", "Contact", phone))
                .await
        ),
        ErrorCode::GuardHit
    );

    let clean = node
        .write("cyber", draft("practice", "Contact", "rien"))
        .await
        .unwrap();
    let body = |text: &str, reason: Option<&str>| EditRequest {
        body: Texts::from([("fr".to_owned(), text.to_owned())]),
        override_reason: reason.map(str::to_owned),
        ..EditRequest::default()
    };
    let edited = node.client.edit(&clean.record, &body(phone, None)).await;
    assert_eq!(code(edited), ErrorCode::GuardHit);
    let comment = node
        .client
        .annotate(&clean.record, "comment", &draft("comment", "", phone))
        .await;
    assert_eq!(code(comment), ErrorCode::GuardHit);
    let translation = TranslateRequest {
        lang: "ar".to_owned(),
        body: Some("هاتف: ٧١٢٣٤٥٦٧".to_owned()),
        ..TranslateRequest::default()
    };
    let translated = node.client.translate(&clean.record, &translation).await;
    assert_eq!(code(translated), ErrorCode::GuardHit);
    let field = EditRequest {
        fields: [(
            "edition".to_owned(),
            diwan_api::types::FieldValue::Line("leila.ben@y.tn".to_owned()),
        )]
        .into(),
        ..EditRequest::default()
    };
    let guide = node
        .write("cyber", draft("guideline", "Guide", "rien"))
        .await
        .unwrap();
    assert_eq!(
        code(node.client.edit(&guide.record, &field).await),
        ErrorCode::GuardHit
    );
    let batch = ImportBatch {
        group: "cyber".to_owned(),
        kind: None,
        drafts: vec![
            draft("practice", "A", "véhicule AB-123-CD"),
            draft("practice", "B", phone),
            draft("practice", "C", "rien"),
        ],
        dry_run: false,
        editors: Editors::Group,
        override_reason: None,
    };
    let answer = node.client.import_batch(&batch).await.unwrap();
    let skipped = |outcome: &ImportOutcome| matches!(outcome, ImportOutcome::Skipped { error } if error.code == ErrorCode::GuardHit);
    assert_eq!(
        answer.outcomes.iter().map(skipped).collect::<Vec<_>>(),
        [false, true, false]
    );
    assert_eq!(answer.warnings.len(), 1);
    assert_eq!(
        (
            answer.warnings[0].draft,
            answer.warnings[0].hits[0].rule.as_str()
        ),
        (0, "plate")
    );

    // The reason goes out too.
    let talkative = Some("voir +33 1 44 55 66 77");
    let edited = node
        .client
        .edit(&clean.record, &body(phone, talkative))
        .await;
    assert_eq!(code(edited), ErrorCode::GuardHit);
    // With a reason it goes out, and the reason with it; afterwards the same number is no news.
    let done = node
        .client
        .edit(&clean.record, &body(phone, Some("standard public")))
        .await
        .unwrap();
    assert_eq!(done.guard[0].rule, "phone");
    let shown = node.client.show(&clean.record, None).await.unwrap();
    let kept = diwan_api::types::FieldValue::Line("phone: standard public".to_owned());
    assert_eq!(shown.fields["override"], kept);
    let more = format!("{phone} Sans délai.");
    node.client
        .edit(&clean.record, &body(&more, None))
        .await
        .unwrap();
    let other = format!("{phone} Ou +212 661 234 567.");
    assert_eq!(
        code(node.client.edit(&clean.record, &body(&other, None)).await),
        ErrorCode::GuardHit
    );

    let look = GuardCheck {
        record: Some(written.record.clone()),
        ..GuardCheck::default()
    };
    let answer = node.client.guard_check(&look).await.unwrap();
    assert!(answer.blocked && answer.hits.len() == 1);
}

#[tokio::test]
async fn a_role_opens_what_is_the_roles_and_nothing_else() {
    let node = Node::start("fr").await;
    node.make_group("cyber").await;
    let shared = node
        .write("cyber", draft("practice", "A", "x"))
        .await
        .unwrap();
    let client = &node.client;
    let edit = EditRequest {
        tags: Some(vec!["t".to_owned()]),
        ..EditRequest::default()
    };
    let add = OfficerAdd {
        uid: 4_000_001,
        name: "Leïla".to_owned(),
        role: "reader".to_owned(),
    };

    node.act_as("reader").await;
    client.show(&shared.record, None).await.unwrap();
    assert_eq!(
        code(node.write("own", draft("practice", "B", "x")).await),
        ErrorCode::RoleNeeded
    );
    assert_eq!(code(client.officers().await), ErrorCode::RoleNeeded);

    node.act_as("auditor").await;
    assert_eq!(client.officers().await.unwrap().officers.len(), 2);
    assert_eq!(code(client.officer_add(&add).await), ErrorCode::RoleNeeded);

    node.act_as("contributor").await;
    let own = node
        .write("own", draft("practice", "B", "x"))
        .await
        .unwrap();
    assert_eq!(
        code(node.write("cyber", draft("practice", "B", "x")).await),
        ErrorCode::RoleNeeded
    );
    assert_eq!(
        code(client.edit(&shared.record, &edit).await),
        ErrorCode::RoleNeeded
    );
    assert_eq!(
        code(client.publish(&own.record, &into_group("cyber")).await),
        ErrorCode::RoleNeeded
    );
    assert_eq!(
        code(
            client
                .withdraw(&shared.record, &WithdrawRequest::default())
                .await
        ),
        ErrorCode::RoleNeeded
    );
    assert_eq!(
        code(
            client
                .trust_list()
                .await
                .and(client.group_leave("cyber", true).await)
        ),
        ErrorCode::RoleNeeded
    );
    // Its word about a shared record waits in the own group.
    let comment = client
        .annotate(&shared.record, "comment", &draft("comment", "", "bien"))
        .await
        .unwrap();
    assert_ne!(comment.group, shared.group);

    node.act_as("contact-point").await;
    client.edit(&shared.record, &edit).await.unwrap();
    assert_eq!(code(client.officer_add(&add).await), ErrorCode::RoleNeeded);
    let published = client
        .publish(&comment.record, &PublishRequest::default())
        .await
        .unwrap();
    assert_eq!(published.group, "cyber");
    let shown = client.show(&shared.record, None).await.unwrap();
    let ids: Vec<_> = shown.annotations.iter().map(|a| a.record.clone()).collect();
    assert_eq!(ids, [published.record], "once");

    node.act_as("admin").await;
    client.officer_add(&add).await.unwrap();
    let role = OfficerRoleChange {
        role: "contact-point".to_owned(),
    };
    let changed = client.officer_set_role("4000001", &role).await.unwrap();
    assert_eq!(
        (
            changed.officers[0].role.as_str(),
            changed.officers[0].name.as_str()
        ),
        ("contact-point", "Leïla")
    );
    let revoked = client.officer_revoke("4000001").await.unwrap();
    assert_eq!(revoked.officers[0].role, "revoked");
    assert_eq!(
        code(client.officer_revoke("4000009").await),
        ErrorCode::UnknownOfficer
    );
    let unknown = OfficerRoleChange {
        role: "boss".to_owned(),
    };
    assert_eq!(
        code(client.officer_set_role("4000001", &unknown).await),
        ErrorCode::UnknownName
    );
}

#[tokio::test]
async fn the_last_admin_stays_and_a_revoked_officer_is_out() {
    let node = Node::start("fr").await;
    let uid = rustix::process::getuid().as_raw();
    let client = &node.client;
    assert_eq!(
        code(client.officer_revoke(&uid.to_string()).await),
        ErrorCode::LastAdmin
    );
    let other = OfficerAdd {
        uid: uid + 1,
        name: String::new(),
        role: "admin".to_owned(),
    };
    client.officer_add(&other).await.unwrap();
    client.officer_revoke(&uid.to_string()).await.unwrap();
    assert_eq!(code(client.status().await), ErrorCode::NotAnOfficer);
}

#[tokio::test]
async fn what_is_withdrawn_is_neither_listed_nor_found() {
    let node = Node::start("fr").await;
    node.make_group("cyber").await;
    let written = node
        .write("cyber", draft("practice", "Saisie", "faraday"))
        .await
        .unwrap();
    let about = words("faraday");
    assert_eq!(node.search(about.clone()).await.total, 1);
    let because = WithdrawRequest {
        reason: "remplacé".to_owned(),
        ..WithdrawRequest::default()
    };
    assert!(
        node.client
            .withdraw(&written.record, &because)
            .await
            .unwrap()
            .done
    );
    assert_eq!(node.search(about.clone()).await.total, 0);
    let list = |withdrawn| ListQuery {
        withdrawn,
        ..ListQuery::default()
    };
    assert_eq!(
        node.client.list(&list(false)).await.unwrap().records.len(),
        0
    );
    assert_eq!(
        node.client.list(&list(true)).await.unwrap().records.len(),
        1
    );
    let shown = node.client.show(&written.record, None).await.unwrap();
    assert_eq!(
        shown.fields["withdrawn-reason"],
        diwan_api::types::FieldValue::Line("remplacé".to_owned())
    );
    let undo = WithdrawRequest {
        undo: true,
        ..WithdrawRequest::default()
    };
    node.client.withdraw(&written.record, &undo).await.unwrap();
    assert_eq!(node.search(about.clone()).await.total, 1);
}

#[tokio::test]
async fn only_the_origin_publishes_and_only_where_it_is_a_member() {
    let node = Node::start("fr").await;
    let written = node
        .write("own", draft("practice", "A", "x"))
        .await
        .unwrap();
    let refused = node
        .client
        .publish(&written.record, &into_group("nowhere"))
        .await;
    assert_eq!(code(refused), ErrorCode::UnknownGroup);
    let refused = node
        .client
        .publish(&written.record, &into_group("own"))
        .await;
    assert_eq!(code(refused), ErrorCode::InvalidValue);
    let refused = node
        .client
        .publish(&written.record, &PublishRequest::default())
        .await;
    assert_eq!(code(refused), ErrorCode::InvalidValue);
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_again_keeps_what_others_wrote_meanwhile() {
    let (tn, fr) = two().await;
    let written = tn
        .write("own", draft("guideline", "Saisie", "Un.\n\nDeux.\n"))
        .await
        .unwrap();
    let published = tn
        .client
        .publish(&written.record, &into_group("Cyber"))
        .await
        .unwrap();
    assert!(tn.client.sync(&SYNC).await.unwrap().equal);
    let theirs = EditRequest {
        tags: Some(vec!["faraday".to_owned()]),
        ..super::body("fr", "Un.\n\nDeux.\n\nTrois, de France.\n")
    };
    fr.client.edit(&published.record, &theirs).await.unwrap();
    assert!(fr.client.sync(&SYNC).await.unwrap().equal);
    let mine = super::body("fr", "Un, revu.\n\nDeux.\n");
    tn.client.edit(&written.record, &mine).await.unwrap();
    let again = tn
        .client
        .publish(&written.record, &into_group("Cyber"))
        .await
        .unwrap();
    assert_eq!(again.record, published.record);
    let shown = tn.client.show(&again.record, None).await.unwrap();
    assert_eq!(
        shown.body["fr"],
        "Un, revu.\n\nDeux.\n\nTrois, de France.\n"
    );
    assert_eq!(shown.tags, ["faraday"]);
    // What is taken out of the draft goes out of the record, and nobody else's hand names the verbs' fields.
    let drop_it = EditRequest {
        summary: texts(&[("fr", "à retirer")]),
        ..EditRequest::default()
    };
    tn.client.edit(&written.record, &drop_it).await.unwrap();
    let request = into_group("Cyber");
    tn.client.publish(&written.record, &request).await.unwrap();
    let gone = EditRequest {
        summary: texts(&[("fr", "")]),
        ..EditRequest::default()
    };
    tn.client.edit(&written.record, &gone).await.unwrap();
    tn.client.publish(&written.record, &request).await.unwrap();
    let shown = tn.client.show(&again.record, None).await.unwrap();
    assert_eq!(shown.summary.len(), 0);
    assert_eq!(shown.tags, ["faraday"]);
    assert!(tn.client.sync(&SYNC).await.unwrap().equal);
    for field in [
        "withdrawn",
        "withdrawn-reason",
        "override",
        "source-version",
    ] {
        let value = diwan_api::types::FieldValue::Line("2026-11-28".to_owned());
        let forged = EditRequest {
            fields: [(field.to_owned(), value)].into(),
            ..EditRequest::default()
        };
        let refused = fr.client.edit(&again.record, &forged).await;
        assert_eq!(code(refused), ErrorCode::InvalidValue, "{field}");
    }
    // Nothing new in the draft: nothing is written.
    let version = shown.version;
    tn.client
        .publish(&written.record, &into_group("Cyber"))
        .await
        .unwrap();
    let shown = tn.client.show(&again.record, None).await.unwrap();
    assert_eq!(shown.version, version);
}

/// A draft and what was published of it are found once, unless somebody asks for drafts.
#[tokio::test]
async fn a_published_draft_is_found_once() {
    let node = Node::start("fr").await;
    node.make_group("med").await;
    let draft = draft("practice", "Saisie d'un téléphone", "Mode avion.");
    let draft = node.write("own", draft).await.unwrap().record;
    node.search(words("saisie")).await;
    let published = node.client.publish(&draft, &into_group("med")).await;
    let published = published.unwrap().record;
    let found = async |group: Option<&str>| {
        let query = SearchQuery {
            group: group.map(str::to_owned),
            ..words("saisie")
        };
        let hits = node.search(query).await.hits.into_iter();
        let list = ListQuery {
            group: group.map(str::to_owned),
            ..ListQuery::default()
        };
        let list = node.client.list(&list).await.unwrap().records.into_iter();
        let hits: Vec<String> = hits.map(|hit| hit.record).collect();
        let list: Vec<String> = list.map(|one| one.record).collect();
        assert_eq!(hits, list);
        hits
    };
    assert_eq!(found(None).await, std::slice::from_ref(&published));
    assert_eq!(found(Some("own")).await, std::slice::from_ref(&draft));
    let withdraw = WithdrawRequest::default();
    node.client.withdraw(&published, &withdraw).await.unwrap();
    assert_eq!(found(None).await, [draft]);
}
