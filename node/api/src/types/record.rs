//! Records: writing, reading, listing, importing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{GuardHit, Labels, Texts, TranslationState};

/// A typed link to another record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordLink {
    /// Relation: `exchange`, `need`, `action`, `training`, `about`, `replaces`, `source`, …
    pub rel: String,
    /// Record id (or, in requests, a unique prefix).
    pub record: String,
}

/// What a field of a kind holds. Which fields a kind has is a matter of its schema
/// (`docs/reference/kinds.md`); those that a newer node wrote are shown as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "neither a text, a list of texts nor a map of languages to texts"
)]
pub enum FieldValue {
    /// One value, the same in every language. In an edit an empty one removes the field.
    Line(String),
    /// A set, sorted. In an edit it is the whole new set.
    Lines(Vec<String>),
    /// Text by language. In an edit an empty text removes the language.
    Texts(Texts),
}

/// Fields of a record's kind, by name.
pub type FieldValues = BTreeMap<String, FieldValue>;

/// Who may edit a record besides its origin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Editors {
    /// Every agency of the group with the role contributor or above.
    #[default]
    Group,
    /// The origin alone.
    Origin,
    /// The origin and these agencies (short names or ids).
    Listed(Vec<String>),
}

/// Plain content of a record that is to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Draft {
    /// Record kind; the request's default where none is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Title by language.
    pub title: Texts,
    /// Summary by language.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub summary: Texts,
    /// Body by language, Markdown.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub body: Texts,
    /// Theme slugs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub themes: Vec<String>,
    /// Free tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// TLP 2.0 label; the group's default where none is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tlp: Option<String>,
    /// Europol handling code, `H0` to `H3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hcode: Option<String>,
    /// Fields of the kind.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: FieldValues,
    /// Links.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<RecordLink>,
    /// The record that this draft is a newer state of (from an export), hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// What identifies the document at its source: 32 hexadecimal digits. Importing a draft with
    /// the key of a record of this agency in this group updates that record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub import_key: Option<String>,
    /// The document's name without its folders. One of the same name and the same texts that was
    /// imported from elsewhere is the same document. It is not kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// Why what the publication guard found may go out; kept with the record.
    #[serde(rename = "override", skip_serializing_if = "Option::is_none")]
    pub override_reason: Option<String>,
}

/// `POST /v1/records`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewRecord {
    /// Group name or id; `own` for drafts.
    pub group: String,
    /// The content; `kind` is required.
    pub draft: Draft,
    /// Who may edit it.
    #[serde(default)]
    pub editors: Editors,
}

/// A record was written. Answer of `new` and of the annotation verbs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Record id.
    pub record: String,
    /// Group id.
    pub group: String,
    /// The store's sequence that holds it.
    pub seq: u64,
    /// What the publication guard warned of, and what was overridden.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guard: Vec<GuardHit>,
}

/// `PATCH /v1/records/{id}`: only what is to change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EditRequest {
    /// New titles; an empty text removes the language.
    pub title: Texts,
    /// New summaries; an empty text removes the language.
    pub summary: Texts,
    /// New bodies; an empty text removes the language.
    pub body: Texts,
    /// New body texts are a change of this version (`show`'s `version`), not of the newest one:
    /// what others changed since then stays.
    pub base_version: Option<String>,
    /// The whole new set of themes.
    pub themes: Option<Vec<String>>,
    /// The whole new set of tags.
    pub tags: Option<Vec<String>>,
    /// New TLP label.
    pub tlp: Option<String>,
    /// New handling code; an empty text removes it.
    pub hcode: Option<String>,
    /// New values of fields of the kind.
    pub fields: FieldValues,
    /// The whole new set of links.
    pub links: Option<Vec<RecordLink>>,
    /// Why what the publication guard found may go out; kept with the record.
    #[serde(rename = "override", skip_serializing_if = "Option::is_none")]
    pub override_reason: Option<String>,
}

/// Answer of an edit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edited {
    /// Record id.
    pub record: String,
    /// Version after the edit.
    pub version: String,
    /// The store's sequence that holds it.
    pub seq: u64,
    /// What the publication guard warned of, and what was overridden.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guard: Vec<GuardHit>,
}

/// An annotation as `show` lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnnotationInfo {
    /// Record id of the annotation.
    pub record: String,
    /// `comment`, …
    pub kind: String,
    /// Short name of its origin.
    pub origin: String,
    /// Title, if it has one.
    pub title: Texts,
    /// Its text.
    pub body: Texts,
    /// Fields of its kind.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: FieldValues,
    /// What the record's origin made of it: `accepted`, `declined`, `open`; for corrections, and for answers
    /// where one was accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// RFC 3339.
    pub created: String,
}

/// A part of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Record id.
    pub record: String,
    /// Title by language; empty where the record is not here.
    pub title: Texts,
    /// Its minutes, if it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<u64>,
}

/// A record that links to the one shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkedRecord {
    /// By which relation.
    pub rel: String,
    /// Record id.
    pub record: String,
    /// Kind.
    pub kind: String,
    /// Short name of its origin.
    pub origin: String,
    /// Title by language.
    pub title: Texts,
}

/// An attachment of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachmentInfo {
    /// File name.
    pub name: String,
    /// Size in bytes.
    pub bytes: u64,
    /// BLAKE3, hexadecimal.
    pub hash: String,
    /// Media type.
    pub media_type: String,
    /// Whether this node holds the file.
    pub local: bool,
}

/// A record. `GET /v1/records/{id}`, and one line each of the canonical export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Record id.
    pub record: String,
    /// Group id.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Short name of the origin agency.
    pub origin: String,
    /// Id of the origin agency.
    pub origin_agency: String,
    /// Short names of the agencies that may edit it, the origin first.
    pub editors: Vec<String>,
    /// TLP label.
    pub tlp: String,
    /// Handling code, or none.
    pub hcode: Option<String>,
    /// Title by language.
    pub title: Texts,
    /// Summary by language.
    pub summary: Texts,
    /// Body by language.
    pub body: Texts,
    /// Themes, sorted.
    pub themes: Vec<String>,
    /// Tags, sorted.
    pub tags: Vec<String>,
    /// Fields of the kind, and whatever else a newer node may have written.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: FieldValues,
    /// Links, sorted.
    pub links: Vec<RecordLink>,
    /// Attachments.
    pub attachments: Vec<AttachmentInfo>,
    /// Languages present, and whether each is stale.
    pub translations: Vec<TranslationState>,
    /// Annotations, oldest first.
    pub annotations: Vec<AnnotationInfo>,
    /// Records that link to it, oldest first; not part of the canonical export.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub linked: Vec<LinkedRecord>,
    /// Of a package, its parts in their order; not part of the canonical export.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// Of a package, the minutes of its parts together; not part of the canonical export.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_minutes: Option<u64>,
    /// Agencies whose corrections were accepted, by short name; not part of the canonical export.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credits: Vec<String>,
    /// Current version.
    pub version: String,
    /// RFC 3339.
    pub created: String,
    /// RFC 3339.
    pub updated: String,
    /// What identifies the document at its source, if it was imported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import_key: Option<String>,
    /// What its themes, tags, countries and fields are called by language; not part of the canonical export.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: Labels,
    /// Name of the group; not part of the canonical export.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_name: Option<String>,
    /// How many agencies have it; not part of the canonical export.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<Stored>,
    /// Who signed the first version; not part of the canonical export.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
}

/// How many agencies of its group have stored a record's newest version, by their nodes' signed receipts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// Agencies that have, this one included.
    pub by: u64,
    /// Agencies of the group.
    pub of: u64,
}

/// `GET /v1/records/{id}/holders`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holders {
    /// Record id.
    pub record: String,
    /// Every agency of the record's group, by short name.
    pub holders: Vec<Holder>,
    /// How many they are.
    pub of: u64,
}

/// What an agency has signed to have of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Agency id.
    pub agency: String,
    /// Short name.
    pub short: String,
    /// One of its nodes has signed that it has stored the version that is the newest here.
    pub stored: bool,
    /// The version that it has signed to have; none where it has signed for none.
    pub version: Option<String>,
    /// When that was signed, by its own clock; RFC 3339.
    pub receipt_time: Option<String>,
    /// It has signed for entries that are not here yet, so that what it has is not known now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ahead: bool,
}

/// The proof of who wrote a record: the signed entry of its first version, as this node verified it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Full name of the origin agency.
    pub agency_name: String,
    /// Fingerprint of the origin agency.
    pub fingerprint: String,
    /// Node key that signed, as a PeerId.
    pub node: String,
    /// Sequence of the entry in that node's log.
    pub seq: u64,
    /// Hash of the entry, hexadecimal.
    pub entry: String,
    /// Whether the local admin compared the agency's fingerprint (own agency: always).
    pub verified: bool,
}

/// A record in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordSummary {
    /// Record id.
    pub record: String,
    /// Group id.
    pub group: String,
    /// Group name.
    pub group_name: String,
    /// Kind.
    pub kind: String,
    /// Short name of the origin agency.
    pub origin: String,
    /// TLP label.
    pub tlp: String,
    /// Title by language.
    pub title: Texts,
    /// Languages present.
    pub languages: Vec<String>,
    /// Of these, translations that are older than their source; told where `stale` was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stale: Vec<String>,
    /// Themes.
    pub themes: Vec<String>,
    /// Day on which it is to be reviewed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<String>,
    /// Day on which it expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// Day on which its label is to be reviewed or lowered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_review: Option<String>,
    /// Version.
    pub version: String,
    /// RFC 3339.
    pub updated: String,
}

/// `GET /v1/records`: filters as query parameters.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    /// Group name or id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Short name or id of the origin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Theme slug.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theme: Option<String>,
    /// Tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// TLP label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tlp: Option<String>,
    /// Only records that have a text in this language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
    /// Only records whose review or expiry has come by this day, `YYYY-MM-DD` or `today`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// Only records whose text in this language is a translation that is older than its source. A page
    /// may have fewer records than asked for, and a next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale: Option<String>,
    /// Only records whose fields hold these values: `NAME=VALUE`, one a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<String>,
    /// Withdrawn records instead of the others.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub withdrawn: bool,
    /// At most so many; 50 where none is said, 1,000 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// Answer of `list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordList {
    /// One page, newest first.
    pub records: Vec<RecordSummary>,
    /// Cursor of the next page.
    pub next: Option<String>,
}

/// `GET /v1/export`: answers JSON Lines, one [`Record`] a line, sorted by id, canonical: two nodes
/// with the same entries answer the same bytes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ExportQuery {
    /// Group name or id; all groups where none is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Only what this search finds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
}
