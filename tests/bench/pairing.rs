//! Two agencies that get to know each other, as their admins would do it: cards, fingerprints, a
//! group. The one that writes lets the other in at once; the other connects when it is told to.

use anyhow::Result;
use diwan_api::client::{Client, TrustStep};
use diwan_api::types::{GroupCreate, GroupMembers, MemberRole, TrustAdd, TrustVerify};
use serde::{Deserialize, Serialize};

/// The group that holds the workload.
pub(crate) const GROUP: &str = "bench";

/// What an admin hands over: the card, and by phone the fingerprint.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Acquaintance {
    pub(crate) card: String,
    pub(crate) short: String,
    pub(crate) fingerprint: String,
}

/// What this node's agency hands over.
pub(crate) async fn introduce(node: &Client) -> Result<Acquaintance> {
    let card = node.card().await?;
    Ok(Acquaintance {
        card: card.text,
        short: card.info.short,
        fingerprint: card.info.fingerprint,
    })
}

/// Makes the group where there is none yet.
pub(crate) async fn ensure_group(node: &Client) -> Result<()> {
    let list = node.group_list().await?;
    if list.groups.iter().all(|group| group.name != GROUP) {
        let request = GroupCreate {
            name: GROUP.to_owned(),
            members: Vec::new(),
            threshold: None,
            tlp: None,
        };
        node.group_create(&request).await?;
    }
    Ok(())
}

/// Pins an agency and makes it a member of the group.
pub(crate) async fn admit(node: &Client, agency: &Acquaintance) -> Result<()> {
    let pin = TrustAdd {
        card: agency.card.clone(),
        fingerprint: Some(agency.fingerprint.clone()),
    };
    node.trust_add(&pin).await?;
    ensure_group(node).await?;
    let member = MemberRole {
        agency: agency.short.clone(),
        role: None,
    };
    let request = GroupMembers {
        members: vec![member],
    };
    node.group_add(GROUP, &request).await?;
    Ok(())
}

/// Takes an agency's card without pinning it: the node neither dials it nor lets it in.
pub(crate) async fn note(node: &Client, agency: &Acquaintance) -> Result<()> {
    let request = TrustAdd {
        card: agency.card.clone(),
        fingerprint: None,
    };
    node.trust_add(&request).await?;
    Ok(())
}

/// The first lets the second in, and the second notes the first. Returns what the first handed over.
pub(crate) async fn acquaint(first: &Client, second: &Client) -> Result<Acquaintance> {
    let handed_over = introduce(first).await?;
    admit(first, &introduce(second).await?).await?;
    note(second, &handed_over).await?;
    Ok(handed_over)
}

/// Pins a noted agency, or takes its suspension back: the node dials it at once.
pub(crate) async fn connect(node: &Client, agency: &Acquaintance, is_new: bool) -> Result<()> {
    if is_new {
        let request = TrustVerify {
            fingerprint: agency.fingerprint.clone(),
        };
        node.trust_verify(&agency.short, &request).await?;
    } else {
        node.trust_step(&agency.short, TrustStep::Resume).await?;
    }
    Ok(())
}

/// Ends the connection, so that the node stays apart when it starts again.
pub(crate) async fn part(node: &Client, agency: &Acquaintance) -> Result<()> {
    node.trust_step(&agency.short, TrustStep::Suspend).await?;
    Ok(())
}
