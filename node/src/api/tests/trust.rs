//! Cards and the trust list.

use diwan_api::client::TrustStep;
use diwan_api::types::TrustVerify;

use super::*;

#[tokio::test]
async fn only_the_right_fingerprint_pins() {
    let (tn, fr) = (Node::start("tn").await, Node::start("fr").await);
    let card = fr.client.card().await.unwrap();
    assert_eq!(
        tn.client.inspect_card(card.text.clone()).await.unwrap(),
        card.info
    );
    assert_eq!(tn.client.trust_list().await.unwrap().agencies, []);

    let add = |fingerprint: Option<&str>| TrustAdd {
        card: card.text.clone(),
        fingerprint: fingerprint.map(str::to_owned),
    };
    let listed = tn.client.trust_add(&add(None)).await.unwrap();
    assert_eq!(
        (
            listed.agencies[0].state.as_str(),
            listed.agencies[0].verified
        ),
        ("unverified", false)
    );
    let own = tn.client.card().await.unwrap().info.fingerprint;
    let answer = tn.client.trust_add(&add(Some(&own))).await;
    assert_eq!(
        refusal(answer, "agency"),
        (ErrorCode::FingerprintMismatch, "fr".to_owned())
    );
    let answer = tn.client.trust_add(&add(Some("12345"))).await;
    assert_eq!(
        refusal(answer, "field"),
        (ErrorCode::InvalidValue, "fingerprint".to_owned())
    );
    assert_eq!(
        tn.client.trust_show("fr").await.unwrap().agencies[0].state,
        "unverified"
    );

    let wrong = TrustVerify { fingerprint: own };
    assert_eq!(
        tn.client.trust_verify("fr", &wrong).await.unwrap_err().code,
        ErrorCode::FingerprintMismatch
    );
    let right = TrustVerify {
        fingerprint: card.info.fingerprint.clone(),
    };
    let verified = tn.client.trust_verify("FR", &right).await.unwrap();
    let uid = rustix::process::getuid().as_raw().to_string();
    assert_eq!(verified.agencies[0].state, "pinned");
    assert_eq!(verified.agencies[0].verified_by, Some(uid));
    // Adding it once more without a fingerprint takes nothing back.
    assert_eq!(tn.client.trust_add(&add(None)).await.unwrap(), verified);
}

#[tokio::test]
async fn a_mismatch_leaves_a_new_agency_unverified() {
    let (tn, fr) = (Node::start("tn").await, Node::start("fr").await);
    let request = TrustAdd {
        card: fr.client.card().await.unwrap().text,
        fingerprint: Some(tn.client.card().await.unwrap().info.fingerprint),
    };
    let answer = tn.client.trust_add(&request).await;
    assert_eq!(answer.unwrap_err().code, ErrorCode::FingerprintMismatch);
    assert_eq!(
        tn.client.trust_list().await.unwrap().agencies[0].state,
        "unverified"
    );
}

#[tokio::test]
async fn a_changed_card_and_the_own_one_are_refused() {
    let (tn, fr) = (Node::start("tn").await, Node::start("fr").await);
    let card = fr.client.card().await.unwrap().text;
    let add = |card: String| TrustAdd {
        card,
        fingerprint: None,
    };
    let forged = card.replace("Police fr", "Police fx");
    let answer = tn.client.trust_add(&add(forged)).await;
    assert_eq!(answer.unwrap_err().code, ErrorCode::DamagedCard);
    let own = tn.client.card().await.unwrap().text;
    assert_eq!(
        tn.client.trust_add(&add(own)).await.unwrap_err().code,
        ErrorCode::OwnAgency
    );
    assert_eq!(tn.client.trust_list().await.unwrap().agencies, []);
    assert_eq!(
        tn.client.trust_show("fr").await.unwrap_err().code,
        ErrorCode::UnknownAgency
    );
}

#[tokio::test]
async fn suspending_blocking_and_removing_are_told() {
    let (tn, fr) = (Node::start("tn").await, Node::start("fr").await);
    tn.trust(&fr).await;
    let state = async |step| {
        tn.client.trust_step("fr", step).await.unwrap().agencies[0]
            .state
            .clone()
    };
    assert_eq!(state(TrustStep::Suspend).await, "suspended");
    let peers = tn.client.status().await.unwrap().peers;
    assert_eq!((peers.len(), peers[0].state.as_str()), (1, "suspended"));
    assert_eq!(state(TrustStep::Block).await, "blocked");
    let answer = tn.client.trust_step("fr", TrustStep::Suspend).await;
    assert_eq!(answer.unwrap_err().code, ErrorCode::InvalidValue);
    assert_eq!(state(TrustStep::Resume).await, "pinned");
    assert_eq!(state(TrustStep::Remove).await, "pinned");
    assert_eq!(tn.client.trust_list().await.unwrap().agencies, []);
    assert_eq!(tn.client.status().await.unwrap().peers, []);
    let answer = tn.client.trust_step("tn", TrustStep::Block).await;
    assert_eq!(answer.unwrap_err().code, ErrorCode::OwnAgency);
}
