//! What others propose about a record, and what its origin makes of it: corrections, answers to questions,
//! translations.
//!
//! A correction is an annotation that holds the texts as they should be and names the version that they are
//! a change of. Accepting it makes that change to the record, beside what was changed since, and a link
//! `corrected` credits the proposer; declining leaves a link `declined`.

use std::collections::BTreeSet;

use axum::extract::State;
use diwan_api::error::{ApiError, ErrorCode};
use diwan_api::types::{
    AnnotationInfo, Decision, Diff, Draft, Edited, Editors, FieldValue, GuardHit, Texts,
};
use diwan_core::id::RecordId;
use diwan_core::record::{ACCEPTED, Content, Edit, TEXT_FIELDS, TRANSLATION, Version};

use super::answer::{Answer, Json, Named, apart};
use super::drafts::{self, Target};
use super::gate::Officer;
use super::guarding::Door;
use super::view::{Seen, View};
use super::{Api, diff, names, records, show, translations};
use crate::engine::{Engine, EngineError, RecordDraft, Step};

/// The kind of an annotation that proposes other texts.
pub(super) const CORRECTION: &str = "correction";
const ANSWER: &str = "answer";
/// The relation by which a record names the corrections that it took.
pub(super) const CORRECTED: &str = "corrected";
/// The relation by which a record names the corrections that its origin did not take.
pub(super) const DECLINED: &str = "declined";

/// A proposal and the record that it is about, both to be seen.
struct Proposal {
    seen: Seen,
    content: Content,
    about: Seen,
    now: Content,
}

impl Proposal {
    fn find(view: &View, text: &str) -> Result<Self, EngineError> {
        let seen = view.found(text)?;
        let content = view.content(&seen)?.unwrap_or_default();
        let expected = "an answer, a correction or a translation, as `diwan show` lists it";
        let refused = || ApiError::invalid("id", text, expected);
        let about = content.about().ok_or_else(refused)?;
        let about = view.found(&about.to_string())?;
        let own = names::group(view.replica(), &seen.row.group.to_string())?;
        if seen.row.group != about.row.group && !own.is_own() {
            return Err(refused().into());
        }
        let now = view.content(&about)?.unwrap_or_default();
        Ok(Self {
            seen,
            content,
            about,
            now,
        })
    }

    /// Only the origin of the record decides.
    fn is_ours(&self, view: &View) -> Result<(), ApiError> {
        let replica = view.replica();
        match self.about.row.origin == replica.me().agency {
            true => Ok(()),
            false => Err(ApiError::new(ErrorCode::NotEditor)
                .with("record", self.about.row.id.short())
                .with("origin", names::short(replica, &self.about.row.origin))),
        }
    }

    /// The version that a correction is a change of.
    fn base(&self) -> Result<Version, ApiError> {
        drafts::version("version", self.content.value("version").unwrap_or_default())
    }

    /// The texts that a correction would put in place of others.
    fn texts(&self) -> Edit {
        let texts = self.content.texts.iter();
        let of_record = |(key, _): &(&String, &String)| {
            let field = key.split('.').next().unwrap_or_default();
            TEXT_FIELDS.contains(&field)
        };
        Edit {
            texts: texts
                .filter(of_record)
                .map(|(key, text)| (key.clone(), Some(text.clone())))
                .collect(),
            ..Edit::default()
        }
    }

    /// The record's links with one more, instead of others of a relation where there may be one only.
    /// None where the proposal is a draft of this agency: the others have none of it.
    fn links_with(&self, rel: &str, only_one: bool) -> Option<BTreeSet<String>> {
        if self.seen.row.group != self.about.row.group {
            return None;
        }
        let mut after = Content {
            links: self.now.links.clone(),
            ..Content::default()
        };
        if only_one {
            after.links.retain(|key| key.split('.').next() != Some(rel));
        }
        after.add_link(rel, &self.seen.row.id);
        Some(after.links)
    }
}

/// What is to be written.
type Decided = (RecordId, Option<Version>, Edit, Option<RecordDraft>);

/// `POST /v1/records/{annotation}/accept`.
pub(super) async fn accept(
    State(api): State<Api>,
    Named(annotation): Named<String>,
    officer: Officer,
    Json(request): Json<Decision>,
) -> Answer<Edited> {
    let (engine, door) = (api.engine.clone(), Door::of(&api, officer));
    let reason = request.override_reason.clone();
    let decide = move || acceptance(&engine, &door, &annotation, reason.as_deref());
    let decided = apart(decide).await?;
    written(&api, decided).await
}

fn acceptance(
    engine: &Engine,
    door: &Door,
    text: &str,
    reason: Option<&str>,
) -> Result<(Decided, Vec<GuardHit>), EngineError> {
    let view = View::open(engine)?;
    let proposal = Proposal::find(&view, text)?;
    if proposal.seen.row.kind == TRANSLATION {
        let (record, edit, guard) = translations::adoption(engine, door, text, reason)?;
        return Ok(((record, None, edit, None), guard));
    }
    proposal.is_ours(&view)?;
    let (base, mut edit) = match proposal.seen.row.kind.as_str() {
        CORRECTION => {
            let mut edit = proposal.texts();
            edit.links = proposal.links_with(CORRECTED, false);
            (Some(proposal.base()?), edit)
        }
        ANSWER => {
            let edit = Edit {
                links: proposal.links_with(ACCEPTED, true),
                ..Edit::default()
            };
            (None, edit)
        }
        other => {
            let expected = "an answer, a correction or a translation";
            return Err(ApiError::invalid("id", other, expected).into());
        }
    };
    let group = names::group(view.replica(), &proposal.about.row.group.to_string())?;
    let guard = door.edit(group, &proposal.now, &mut edit, reason)?;
    Ok(((proposal.about.row.id, base, edit, None), guard))
}

/// `POST /v1/records/{annotation}/decline`.
pub(super) async fn decline(
    State(api): State<Api>,
    Named(annotation): Named<String>,
    officer: Officer,
    Json(request): Json<Decision>,
) -> Answer<Edited> {
    let (engine, door) = (api.engine.clone(), Door::of(&api, officer));
    let decided = apart(move || refusal(&engine, &door, &annotation, &request)).await?;
    written(&api, decided).await
}

fn refusal(
    engine: &Engine,
    door: &Door,
    text: &str,
    request: &Decision,
) -> Result<(Decided, Vec<GuardHit>), EngineError> {
    let view = View::open(engine)?;
    let proposal = Proposal::find(&view, text)?;
    if proposal.seen.row.kind != CORRECTION {
        return Err(ApiError::invalid("id", text, "a correction").into());
    }
    proposal.is_ours(&view)?;
    let group = names::group(view.replica(), &proposal.about.row.group.to_string())?;
    let mut edit = Edit {
        links: proposal.links_with(DECLINED, false),
        ..Edit::default()
    };
    let override_reason = request.override_reason.as_deref();
    let mut guard = door.edit(group, &proposal.now, &mut edit, override_reason)?;
    let mut comment = None;
    if !request.reason.trim().is_empty() {
        let lang = request.lang.clone().unwrap_or_else(|| "en".to_owned());
        let target = Target {
            view: &view,
            group,
            kind: None,
            editors: &Editors::Origin,
        };
        let draft = Draft {
            body: Texts::from([(lang, request.reason.clone())]),
            ..Draft::default()
        };
        let mut draft = target.annotation("comment", &proposal.seen.row.id, draft)?;
        guard.extend(door.new_record(group, &mut draft, override_reason)?);
        comment = Some(draft);
    }
    Ok(((proposal.about.row.id, None, edit, comment), guard))
}

async fn written(
    api: &Api,
    ((record, base, edit, comment), guard): (Decided, Vec<GuardHit>),
) -> Answer<Edited> {
    let write = move |step: &mut Step<'_, '_>| {
        let done = step.edit_record(&record, base.as_ref(), &edit)?;
        if let Some(comment) = comment {
            let group = step.group_of(&record)?;
            step.create_record(&group, comment)?;
        }
        Ok(done)
    };
    let done = api.engine.submit(write).await?;
    Ok(records::edited(&record, &done, guard))
}

/// Fills in what a correction is a change of, where its author did not say it.
pub(super) fn complete(kind: &str, about: &Version, draft: &mut Draft) {
    if kind == CORRECTION {
        let version = FieldValue::Line(about.to_string());
        draft.fields.entry("version".to_owned()).or_insert(version);
    }
}

/// Says of each correction and answer what became of it, and which agencies corrected the record.
pub(super) fn judge(content: &Content, annotations: &mut [AnnotationInfo]) -> Vec<String> {
    let named = |rel: &str, id: &str| {
        let mut links = content.link_pairs();
        links.any(|(own, to)| own == rel && to.to_string() == id)
    };
    let mut credits = Vec::new();
    for annotation in annotations {
        let id = &annotation.record;
        let state = match annotation.kind.as_str() {
            CORRECTION if named(CORRECTED, id) => {
                credits.push(annotation.origin.clone());
                Some("accepted")
            }
            CORRECTION if named(DECLINED, id) => Some("declined"),
            CORRECTION => Some("open"),
            ANSWER if named(ACCEPTED, id) => Some("accepted"),
            _ => None,
        };
        annotation.state = state.map(str::to_owned);
    }
    credits.sort();
    credits.dedup();
    credits
}

/// What a correction would change in the version that it was made of.
pub(super) fn proposed(view: &View, seen: &Seen) -> Result<Diff, EngineError> {
    let id = seen.row.id.to_string();
    if seen.row.kind != CORRECTION {
        let expected =
            "a version as `history` prints it; only a correction has a difference of its own";
        return Err(ApiError::invalid("from", "", expected).into());
    }
    let proposal = Proposal::find(view, &id)?;
    let base = proposal.base()?;
    let before = show::content_at_version(view, &proposal.about, &base)?;
    let after = proposal.texts().on(&before);
    Ok(Diff {
        record: proposal.about.row.id.to_string(),
        from: base.to_string(),
        to: id,
        versions: Vec::new(),
        changes: diff::differences(&before, &after),
    })
}
