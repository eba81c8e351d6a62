//! Publication: officers, the guard, what reaches other agencies.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Draft, RecordLink};

/// Answer of `officer list` and of every change of an officer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficerList {
    /// By uid.
    pub officers: Vec<OfficerInfo>,
}

/// A local user with a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficerInfo {
    /// The user's number at the node's system.
    pub uid: u32,
    /// Name, as the admin wrote it; it never leaves the node.
    pub name: String,
    /// `reader`, `auditor`, `contributor`, `contact-point`, `admin`; `revoked`.
    pub role: String,
    /// When the role was given; RFC 3339, none for the officer of the first day.
    pub since: Option<String>,
    /// Uid of the admin who gave it.
    pub by: u32,
}

/// `POST /v1/officers`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficerAdd {
    /// The user's number.
    pub uid: u32,
    /// Name.
    #[serde(default)]
    pub name: String,
    /// Role.
    pub role: String,
}

/// `POST /v1/officers/{uid}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficerRoleChange {
    /// The new role.
    pub role: String,
}

/// What a rule of the publication guard found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardHit {
    /// The rule.
    pub rule: String,
    /// `block` or `warn`.
    pub level: String,
    /// The field, such as `body.fr`.
    pub field: String,
    /// Line in the field, from 1.
    pub line: u64,
    /// Character in the line, from 1.
    pub column: u64,
    /// What was found.
    pub text: String,
}

/// `POST /v1/guard`: looks at a text, a draft or a record, and changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GuardCheck {
    /// A draft.
    pub draft: Option<Draft>,
    /// A record: its id, or the beginning of one.
    pub record: Option<String>,
    /// The label by which rules are chosen; the draft's or the record's where none is said, else GREEN.
    pub tlp: Option<String>,
}

/// Answer of `guard check`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardAnswer {
    /// The label by which rules were chosen.
    pub tlp: String,
    /// Something was found that blocks.
    pub blocked: bool,
    /// What was found.
    pub hits: Vec<GuardHit>,
}

/// Answer of `guard rules`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardRules {
    /// The rules in force.
    pub rules: Vec<GuardRule>,
}

/// A rule of the guard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardRule {
    /// Its name.
    pub rule: String,
    /// TLP label to `block`, `warn` or `off`.
    pub levels: BTreeMap<String, String>,
}

/// `POST /v1/records/{id}/publish`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PublishRequest {
    /// Group name or id; for an annotation, where none is said, the group of the record that it is about.
    pub group: Option<String>,
    /// The label under which others get it; the record's own where none is said.
    pub tlp: Option<String>,
    /// Say who would receive it, write nothing.
    pub dry_run: bool,
    /// Why what the guard found may go out.
    #[serde(rename = "override")]
    pub override_reason: Option<String>,
}

/// `POST /v1/records/{id}/withdraw`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WithdrawRequest {
    /// Why; the other agencies read it.
    pub reason: String,
    /// Take a withdrawal back.
    pub undo: bool,
    /// Say who is concerned, write nothing.
    pub dry_run: bool,
}

/// Answer of `publish` and `withdraw`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// The record in the shared group; the draft's id where nothing was written yet.
    pub record: String,
    /// The record that was published.
    pub source: String,
    /// Name of the group.
    pub group: String,
    /// Label.
    pub tlp: String,
    /// Short names of the agencies that receive it, this one left out.
    pub recipients: Vec<String>,
    /// Links to records that the group does not have, which stay behind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<RecordLink>,
    /// What the guard warned of, and what was overridden.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guard: Vec<GuardHit>,
    /// It is written.
    pub done: bool,
    /// It was published before, and is brought up to date.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
}

/// What the guard warned of in one draft of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftWarning {
    /// Place of the draft in the batch, from 0.
    pub draft: usize,
    /// What was found.
    pub hits: Vec<GuardHit>,
}

/// `POST /v1/records/{id}/accept`, `/decline` and `/adopt`, of a proposal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Decision {
    /// Why it is declined: becomes a comment on the proposal.
    pub reason: String,
    /// The language of that.
    pub lang: Option<String>,
    /// Why what the publication guard found may go out; kept with the record.
    #[serde(rename = "override", skip_serializing_if = "Option::is_none")]
    pub override_reason: Option<String>,
}
