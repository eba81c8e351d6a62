//! Groups and their members.

use diwan_api::types::{GroupCreate, GroupMembers, GroupRemove, MemberRole};

use super::*;

fn member(agency: &str, role: Option<&str>) -> MemberRole {
    MemberRole {
        agency: agency.to_owned(),
        role: role.map(str::to_owned),
    }
}

fn group(name: &str, members: Vec<MemberRole>) -> GroupCreate {
    GroupCreate {
        name: name.to_owned(),
        members,
        threshold: None,
        tlp: None,
    }
}

#[tokio::test]
async fn a_group_is_created_and_its_members_change() {
    let (tn, fr, ma) = (
        Node::start("tn").await,
        Node::start("fr").await,
        Node::start("ma").await,
    );
    tn.trust(&fr).await;
    tn.trust(&ma).await;
    let created = tn
        .client
        .group_create(&group("Cyber", vec![member("fr", None)]))
        .await
        .unwrap();
    let info = &created.groups[0];
    assert_eq!(
        (info.owners, info.threshold, info.height, info.tlp.as_str()),
        (1, 1, 0, "GREEN")
    );
    let roles = |info: &diwan_api::types::GroupInfo| {
        let roles = info
            .members
            .iter()
            .map(|m| format!("{}:{}", m.short, m.role));
        roles.collect::<Vec<_>>()
    };
    assert_eq!(roles(info), ["fr:contributor", "tn:owner"]);
    let listed = tn.client.group_list().await.unwrap();
    let names: Vec<_> = listed.groups.iter().map(|g| g.name.as_str()).collect();
    assert_eq!(names, ["own", "Cyber"]);

    let both = GroupMembers {
        members: vec![member("ma", Some("reader"))],
    };
    let added = tn.client.group_add("Cyber", &both).await.unwrap();
    assert_eq!(
        roles(&added.groups[0]),
        ["fr:contributor", "ma:reader", "tn:owner"]
    );
    let again = tn.client.group_add("Cyber", &both).await;
    assert_eq!(
        refusal(again, "agency"),
        (ErrorCode::AlreadyMember, "ma".to_owned())
    );
    let curator = GroupMembers {
        members: vec![member("ma", Some("curator"))],
    };
    let changed = tn
        .client
        .group_set_role(&info.group[..8], &curator)
        .await
        .unwrap();
    assert_eq!(roles(&changed.groups[0])[1], "ma:curator");

    let mut leaving = GroupRemove {
        agencies: vec!["fr".into(), "ma".into()],
        dry_run: true,
    };
    let plan = tn.client.group_remove("Cyber", &leaving).await.unwrap();
    assert_eq!(
        (plan.done, plan.removed.len(), plan.group.members.len()),
        (false, 2, 3)
    );
    leaving.dry_run = false;
    let done = tn.client.group_remove("Cyber", &leaving).await.unwrap();
    assert_eq!(
        (done.done, roles(&done.group)),
        (true, vec!["tn:owner".to_owned()])
    );
    assert_eq!(done.group.height, 4);
}

#[tokio::test]
async fn a_request_with_one_bad_member_changes_nothing() {
    let (tn, fr) = (Node::start("tn").await, Node::start("fr").await);
    tn.trust(&fr).await;
    tn.client
        .group_create(&group("Cyber", vec![]))
        .await
        .unwrap();
    for (bad, code) in [
        (member("zz", None), ErrorCode::UnknownAgency),
        (member("tn", None), ErrorCode::AlreadyMember),
        (member("fr", None), ErrorCode::AlreadyMember),
    ] {
        let request = GroupMembers {
            members: vec![member("fr", None), bad],
        };
        let answer = tn.client.group_add("Cyber", &request).await;
        assert_eq!(answer.unwrap_err().code, code);
    }
    let request = GroupRemove {
        agencies: vec!["tn".into()],
        dry_run: false,
    };
    let answer = tn.client.group_remove("Cyber", &request).await;
    assert_eq!(answer.unwrap_err().code, ErrorCode::LastOwner);
    let request = GroupRemove {
        agencies: vec!["fr".into()],
        dry_run: false,
    };
    let answer = tn.client.group_remove("Cyber", &request).await;
    assert_eq!(answer.unwrap_err().code, ErrorCode::NotAMember);
    let info = tn
        .client
        .group_show("Cyber")
        .await
        .unwrap()
        .groups
        .remove(0);
    assert_eq!((info.height, info.members.len()), (0, 1));
}

#[tokio::test]
async fn groups_that_cannot_be_are_refused() {
    let (tn, fr) = (Node::start("tn").await, Node::start("fr").await);
    let card = fr.client.card().await.unwrap().text;
    let add = TrustAdd {
        card,
        fingerprint: None,
    };
    tn.client.trust_add(&add).await.unwrap();
    tn.client
        .group_create(&group("Drogues", vec![]))
        .await
        .unwrap();
    let threshold = GroupCreate {
        threshold: Some(2),
        ..group("Cyber", vec![])
    };
    let pink = GroupCreate {
        tlp: Some("PINK".into()),
        ..group("Cyber", vec![])
    };
    for (request, code) in [
        (
            group("Cyber", vec![member("fr", None)]),
            ErrorCode::NotPinned,
        ),
        (
            group("Cyber", vec![member("tn", None)]),
            ErrorCode::OwnAgency,
        ),
        (
            group("Cyber", vec![member("xx", None)]),
            ErrorCode::UnknownAgency,
        ),
        (group(" Drogues ", vec![]), ErrorCode::InvalidValue),
        (group("own", vec![]), ErrorCode::InvalidValue),
        (group("", vec![]), ErrorCode::InvalidValue),
        (threshold, ErrorCode::InvalidValue),
        (pink, ErrorCode::InvalidValue),
    ] {
        let answer = tn.client.group_create(&request).await;
        assert_eq!(answer.unwrap_err().code, code, "{request:?}");
    }
    let request = GroupMembers { members: vec![] };
    let answer = tn.client.group_add("own", &request).await;
    assert_eq!(answer.unwrap_err().code, ErrorCode::NotOwner);
    assert_eq!(
        tn.client.group_show("Cyber").await.unwrap_err().code,
        ErrorCode::UnknownGroup
    );
    assert_eq!(tn.client.group_list().await.unwrap().groups.len(), 2);
}
