//! The requests that there are, one method each, by the order of the API's paths.

use serde::Serialize;

use super::path::{path, with_query};
use super::{Client, Lines};
use crate::error::ApiError;
use crate::types::{
    Card, CardInfo, CardText, Chain, Decision, Diff, Draft, EditRequest, Edited, ExportQuery,
    GroupCosign, GroupCreate, GroupExtend, GroupList, GroupMembers, GroupRemove, GuardAnswer,
    GuardCheck, GuardRules, History, Holders, ImportAnswer, ImportBatch, ListQuery, NeedsAnswer,
    NeedsQuery, NewRecord, NodeCertified, NodeCertify, NodeList, OfficerAdd, OfficerList,
    OfficerRoleChange, PublishRequest, Published, PurgePlan, PurgeRequest, Quarantine, Record,
    RecordList, Reissue, RemovalPlan, SearchAnswer, SearchQuery, SimilarQuery, Status, SyncAnswer,
    SyncRequest, TranslateRequest, Translated, TrustAdd, TrustList, TrustVerify, VocabularyAnswer,
    VocabularyList, WatchAdd, WatchAnswer, WatchList, WatchQuery, WatchSeen, WithdrawRequest,
    Written,
};

/// What an admin does with an agency of the trust list, besides verifying it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustStep {
    /// Ends its connections until it is resumed.
    Suspend,
    /// Takes a suspension or a block back.
    Resume,
    /// Ends its connections and hides its content.
    Block,
    /// Forgets the agency.
    Remove,
}

impl TrustStep {
    fn name(self) -> &'static str {
        match self {
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Block => "block",
            Self::Remove => "remove",
        }
    }
}

/// Query of `GET /v1/records/{id}`.
#[derive(Serialize)]
struct AtVersion<'a> {
    at: Option<&'a str>,
}

/// Query of `GET /v1/records/{id}/diff`.
#[derive(Serialize)]
struct Between<'a> {
    from: &'a str,
    to: Option<&'a str>,
}

/// Each method fails with what the node answered, or with `unreachable` where it does not answer.
#[allow(clippy::missing_errors_doc, reason = "said once, above")]
impl Client {
    /// The node's state.
    pub async fn status(&self) -> Result<Status, ApiError> {
        self.get("/v1/status").await
    }

    /// This agency's card.
    pub async fn card(&self) -> Result<Card, ApiError> {
        self.get("/v1/card").await
    }

    /// What a card says, without trusting it.
    pub async fn inspect_card(&self, text: String) -> Result<CardInfo, ApiError> {
        self.post("/v1/card/inspect", &CardText { text }).await
    }

    /// The trust list.
    pub async fn trust_list(&self) -> Result<TrustList, ApiError> {
        self.get("/v1/trust").await
    }

    /// Adds an agency.
    pub async fn trust_add(&self, request: &TrustAdd) -> Result<TrustList, ApiError> {
        self.post("/v1/trust", request).await
    }

    /// One agency of the trust list.
    pub async fn trust_show(&self, agency: &str) -> Result<TrustList, ApiError> {
        self.get(&path(&["trust", agency])).await
    }

    /// Says that the admin compared an agency's fingerprint.
    pub async fn trust_verify(
        &self,
        agency: &str,
        request: &TrustVerify,
    ) -> Result<TrustList, ApiError> {
        self.post(&path(&["trust", agency, "verify"]), request)
            .await
    }

    /// Changes an agency's place on the trust list.
    pub async fn trust_step(&self, agency: &str, step: TrustStep) -> Result<TrustList, ApiError> {
        let path = path(&["trust", agency, step.name()]);
        self.post(&path, &serde_json::json!({})).await
    }

    /// The groups that this node follows.
    pub async fn group_list(&self) -> Result<GroupList, ApiError> {
        self.get("/v1/groups").await
    }

    /// Creates a group.
    pub async fn group_create(&self, request: &GroupCreate) -> Result<GroupList, ApiError> {
        self.post("/v1/groups", request).await
    }

    /// One group.
    pub async fn group_show(&self, group: &str) -> Result<GroupList, ApiError> {
        self.get(&path(&["groups", group])).await
    }

    /// Adds members.
    pub async fn group_add(
        &self,
        group: &str,
        request: &GroupMembers,
    ) -> Result<GroupList, ApiError> {
        self.post(&path(&["groups", group, "add"]), request).await
    }

    /// Gives members other roles.
    pub async fn group_set_role(
        &self,
        group: &str,
        request: &GroupMembers,
    ) -> Result<GroupList, ApiError> {
        self.post(&path(&["groups", group, "set-role"]), request)
            .await
    }

    /// Removes members, or plans it.
    pub async fn group_remove(
        &self,
        group: &str,
        request: &GroupRemove,
    ) -> Result<RemovalPlan, ApiError> {
        self.post(&path(&["groups", group, "remove"]), request)
            .await
    }

    /// Signs a statement that waits for more owners.
    pub async fn group_cosign(
        &self,
        group: &str,
        request: &GroupCosign,
    ) -> Result<GroupList, ApiError> {
        self.post(&path(&["groups", group, "cosign"]), request)
            .await
    }

    /// Takes more of what a former member wrote as valid: all that this node holds.
    pub async fn group_extend(
        &self,
        group: &str,
        request: &GroupExtend,
    ) -> Result<GroupList, ApiError> {
        self.post(&path(&["groups", group, "extend-cuts"]), request)
            .await
    }

    /// Leaves a group, or takes that back.
    pub async fn group_leave(&self, group: &str, leave: bool) -> Result<GroupList, ApiError> {
        let verb = if leave { "leave" } else { "join" };
        self.post(&path(&["groups", group, verb]), &serde_json::json!({}))
            .await
    }

    /// Entries that have no effect.
    pub async fn quarantine(&self) -> Result<Quarantine, ApiError> {
        self.get("/v1/quarantine").await
    }

    /// Purges a record, or plans it.
    pub async fn purge(&self, record: &str, request: &PurgeRequest) -> Result<PurgePlan, ApiError> {
        self.post(&path(&["records", record, "purge"]), request)
            .await
    }

    /// Goes on under a new incarnation, and issues again what was cut off.
    pub async fn reissue(&self) -> Result<Reissue, ApiError> {
        self.post("/v1/reissue", &serde_json::json!({})).await
    }

    /// This agency's nodes.
    pub async fn nodes(&self) -> Result<NodeList, ApiError> {
        self.get("/v1/nodes").await
    }

    /// Certifies a node that asks to join.
    pub async fn node_certify(&self, request: String) -> Result<NodeCertified, ApiError> {
        self.post("/v1/nodes", &NodeCertify { request }).await
    }

    /// Revokes a node, or takes more of what it wrote as valid.
    pub async fn node_revoke(&self, node: &str) -> Result<NodeList, ApiError> {
        self.post(&path(&["nodes", node, "revoke"]), &serde_json::json!({}))
            .await
    }

    /// Writes a record.
    pub async fn new_record(&self, request: &NewRecord) -> Result<Written, ApiError> {
        self.post("/v1/records", request).await
    }

    /// One page of records.
    pub async fn list(&self, query: &ListQuery) -> Result<RecordList, ApiError> {
        self.get(&with_query("/v1/records", query)).await
    }

    /// A record, now or at a version.
    pub async fn show(&self, record: &str, at: Option<&str>) -> Result<Record, ApiError> {
        self.get(&with_query(&path(&["records", record]), &AtVersion { at }))
            .await
    }

    /// Changes a record.
    pub async fn edit(&self, record: &str, request: &EditRequest) -> Result<Edited, ApiError> {
        self.patch(&path(&["records", record]), request).await
    }

    /// The versions of a record.
    pub async fn history(&self, record: &str) -> Result<History, ApiError> {
        self.get(&path(&["records", record, "history"])).await
    }

    /// What changed between two versions of a record; up to the newest where no second one is said.
    pub async fn diff(&self, record: &str, from: &str, to: Option<&str>) -> Result<Diff, ApiError> {
        let between = Between { from, to };
        self.get(&with_query(&path(&["records", record, "diff"]), &between))
            .await
    }

    /// What a record led to.
    pub async fn chain(&self, record: &str) -> Result<Chain, ApiError> {
        self.get(&path(&["records", record, "chain"])).await
    }

    /// Capacity gaps by country and theme.
    pub async fn needs(&self, query: &NeedsQuery) -> Result<NeedsAnswer, ApiError> {
        self.get(&with_query("/v1/needs", query)).await
    }

    /// Writes a translation: into the record where this agency is its origin, else as an annotation.
    pub async fn translate(
        &self,
        record: &str,
        request: &TranslateRequest,
    ) -> Result<Translated, ApiError> {
        self.post(&path(&["records", record, "translations"]), request)
            .await
    }

    /// Takes another agency's translation into the record that it is about.
    pub async fn adopt(&self, annotation: &str, request: &Decision) -> Result<Edited, ApiError> {
        self.post(&path(&["records", annotation, "adopt"]), request)
            .await
    }

    /// Takes an answer, a correction or a translation.
    pub async fn accept(&self, annotation: &str, decision: &Decision) -> Result<Edited, ApiError> {
        self.post(&path(&["records", annotation, "accept"]), decision)
            .await
    }

    /// Does not take a correction.
    pub async fn decline(&self, annotation: &str, decision: &Decision) -> Result<Edited, ApiError> {
        self.post(&path(&["records", annotation, "decline"]), decision)
            .await
    }

    /// What a correction would change.
    pub async fn proposed(&self, correction: &str) -> Result<Diff, ApiError> {
        self.get(&path(&["records", correction, "diff"])).await
    }

    /// Writes a record into a shared group, or says who would receive it.
    pub async fn publish(
        &self,
        record: &str,
        request: &PublishRequest,
    ) -> Result<Published, ApiError> {
        self.post(&path(&["records", record, "publish"]), request)
            .await
    }

    /// Takes a record out of lists and searches of its group, or puts it back.
    pub async fn withdraw(
        &self,
        record: &str,
        request: &WithdrawRequest,
    ) -> Result<Published, ApiError> {
        self.post(&path(&["records", record, "withdraw"]), request)
            .await
    }

    /// The publication guard's rules.
    pub async fn guard_rules(&self) -> Result<GuardRules, ApiError> {
        self.get("/v1/guard").await
    }

    /// What the publication guard finds.
    pub async fn guard_check(&self, request: &GuardCheck) -> Result<GuardAnswer, ApiError> {
        self.post("/v1/guard", request).await
    }

    /// The officers of this node.
    pub async fn officers(&self) -> Result<OfficerList, ApiError> {
        self.get("/v1/officers").await
    }

    /// Gives a local user a role.
    pub async fn officer_add(&self, request: &OfficerAdd) -> Result<OfficerList, ApiError> {
        self.post("/v1/officers", request).await
    }

    /// Gives an officer another role.
    pub async fn officer_set_role(
        &self,
        uid: &str,
        request: &OfficerRoleChange,
    ) -> Result<OfficerList, ApiError> {
        self.post(&path(&["officers", uid]), request).await
    }

    /// Takes an officer's role away.
    pub async fn officer_revoke(&self, uid: &str) -> Result<OfficerList, ApiError> {
        self.post(&path(&["officers", uid, "revoke"]), &serde_json::json!({}))
            .await
    }

    /// Which agencies have a record.
    pub async fn holders(&self, record: &str) -> Result<Holders, ApiError> {
        self.get(&path(&["records", record, "holders"])).await
    }

    /// Writes an annotation of a kind (`comment`, …) about a record.
    pub async fn annotate(
        &self,
        record: &str,
        kind: &str,
        draft: &Draft,
    ) -> Result<Written, ApiError> {
        self.post(&path(&["records", record, "annotations", kind]), draft)
            .await
    }

    /// Imports one batch; [`super::import::import`] makes batches of documents.
    pub async fn import_batch<D: Serialize + Sync>(
        &self,
        batch: &ImportBatch<D>,
    ) -> Result<ImportAnswer, ApiError> {
        self.post("/v1/import", batch).await
    }

    /// The canonical export: one [`Record`] a line.
    pub async fn export(&self, query: &ExportQuery) -> Result<Lines, ApiError> {
        self.lines(&with_query("/v1/export", query)).await
    }

    /// The vocabularies.
    pub async fn vocabularies(&self) -> Result<VocabularyList, ApiError> {
        self.get("/v1/vocabularies").await
    }

    /// A vocabulary with its concepts, by its notation or its record's id.
    pub async fn vocabulary(&self, name: &str) -> Result<VocabularyAnswer, ApiError> {
        self.get(&path(&["vocabularies", name])).await
    }

    /// Searches.
    pub async fn search(&self, query: &SearchQuery) -> Result<SearchAnswer, ApiError> {
        self.get(&with_query("/v1/search", query)).await
    }

    /// Records that are like one.
    pub async fn similar(
        &self,
        record: &str,
        query: &SimilarQuery,
    ) -> Result<SearchAnswer, ApiError> {
        let path = path(&["records", record, "similar"]);
        self.get(&with_query(&path, query)).await
    }

    /// The caller's saved searches.
    pub async fn watches(&self) -> Result<WatchList, ApiError> {
        self.get("/v1/watches").await
    }

    /// Saves a search.
    pub async fn watch_add(&self, request: &WatchAdd) -> Result<WatchList, ApiError> {
        self.post("/v1/watches", request).await
    }

    /// What is new of a saved search.
    pub async fn watch(&self, name: &str, query: &WatchQuery) -> Result<WatchAnswer, ApiError> {
        self.get(&with_query(&path(&["watches", name]), query))
            .await
    }

    /// Notes that the matches of a saved search were seen.
    pub async fn watch_seen(&self, name: &str, seen: WatchSeen) -> Result<WatchList, ApiError> {
        self.post(&path(&["watches", name, "seen"]), &seen).await
    }

    /// Forgets a saved search.
    pub async fn watch_remove(&self, name: &str) -> Result<WatchList, ApiError> {
        self.post(&path(&["watches", name, "remove"]), &()).await
    }

    /// Syncs now; with `wait` the answer takes as long as the request allows.
    pub async fn sync(&self, request: &SyncRequest) -> Result<SyncAnswer, ApiError> {
        self.post("/v1/sync", request).await
    }
}
