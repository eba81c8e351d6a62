//! Translations: a text of a record in another language, and which version of the source it is of. The
//! origin writes it into its record; another agency as an annotation, which the origin may adopt.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use diwan_api::error::{ApiError, ErrorCode};
use diwan_api::types::{
    AnnotationInfo, Decision, Draft, Edited, Editors, FieldValue, FieldValues, GuardHit, Texts,
    TranslateRequest, Translated, TranslationState,
};
use diwan_core::id::{GroupId, RecordId};
use diwan_core::record::{
    Content, Edit, TEXT_FIELDS, TRANSLATION, Version, content_at, valid_lang,
};

use super::answer::{Answer, Json, Named, apart};
use super::drafts::{self, Target, normalised};
use super::gate::Officer;
use super::guarding::Door;
use super::view::{Seen, View};
use super::{Api, names, records, show};
use crate::engine::{Engine, EngineError, RecordDraft, Step};
use crate::store::StoreError;

/// The relation by which a record names the translations that it adopted.
pub(super) const ADOPTED: &str = "adopted";
/// What the field begins with that says which language and version a text of the record is of.
const REMEMBERS: &str = "translates-";

/// Versions of one record that a request reads to tell which translations are stale.
const VERSIONS: usize = 16;

/// What is to be written.
enum Writes {
    /// The origin's, into its record.
    Edit(RecordId, Edit),
    Annotation(RecordDraft),
}

/// `POST /v1/records/{record}/translations`.
pub(super) async fn translate(
    State(api): State<Api>,
    Named(record): Named<String>,
    officer: Officer,
    Json(request): Json<TranslateRequest>,
) -> Answer<Translated> {
    let (engine, door) = (api.engine.clone(), Door::of(&api, officer));
    let read = move || read(&engine, &door, &record, request);
    let (group, writes, guard) = apart(read).await?;
    let (record, seq, in_record) = match writes {
        Writes::Edit(record, edit) => {
            let edit = move |step: &mut Step<'_, '_>| step.edit_record(&record, None, &edit);
            (record, api.engine.submit(edit).await?.seq, true)
        }
        Writes::Annotation(draft) => {
            let create = move |step: &mut Step<'_, '_>| step.create_record(&group, draft);
            let (annotation, seq) = api.engine.submit(create).await?;
            (annotation, seq, false)
        }
    };
    Ok(Json(Translated {
        record: record.to_string(),
        group: group.to_string(),
        seq,
        in_record,
        guard,
    }))
}

fn read(
    engine: &Engine,
    door: &Door,
    text: &str,
    request: TranslateRequest,
) -> Result<(GroupId, Writes, Vec<GuardHit>), EngineError> {
    let view = View::open(engine)?;
    let seen = view.found(text)?;
    let version = request.version.as_deref();
    let version = version.map(|version| drafts::version("version", version));
    let version = version
        .transpose()?
        .unwrap_or_else(|| Version::from(seen.row.version));
    let source = show::content_at_version(&view, &seen, &version)?;
    let lang = tag("lang", &request.lang)?;
    let from = source_language(&source, &lang, request.from.as_deref())?;
    let texts = [request.title, request.summary, request.body];
    let texts = texts.map(|text| text.filter(|text| !text.trim().is_empty()));
    if texts.iter().all(Option::is_none) {
        return Err(ApiError::invalid("body", "", "a title, a summary or a body").into());
    }
    let mut group = names::group(view.replica(), &seen.row.group.to_string())?;
    let is_draft = door.opens(group).is_err();
    let reason = request.override_reason.as_deref();
    if seen.row.origin == view.replica().me().agency && !is_draft {
        let mut edit = into_record(&lang, &from, &version, texts)?;
        let now = view.content(&seen)?.unwrap_or_default();
        let guard = door.edit(group, &now, &mut edit, reason)?;
        return Ok((group.id(), Writes::Edit(seen.row.id, edit), guard));
    }
    if is_draft {
        // As of every annotation: a contact point publishes it.
        group = names::group(view.replica(), "own")?;
    }
    let target = Target {
        view: &view,
        group,
        kind: None,
        editors: &Editors::Origin,
    };
    let draft = annotation(&lang, &from, &version, texts);
    let mut draft = target.annotation(TRANSLATION, &seen.row.id, draft)?;
    let guard = door.new_record(group, &mut draft, reason)?;
    Ok((group.id(), Writes::Annotation(draft), guard))
}

/// A language's tag with its primary subtag in small letters.
fn tag(field: &str, text: &str) -> Result<String, ApiError> {
    let refused = || ApiError::invalid(field, text, "a language tag such as fr, en, ar or pt-BR");
    if !valid_lang(text) {
        return Err(refused());
    }
    let one = normalised(Texts::from([(text.to_owned(), String::new())]))?;
    one.into_keys().next().ok_or_else(refused)
}

/// The language that was translated: the one said, or the only other one that the record has and that is
/// not known to be a translation itself.
fn source_language(source: &Content, lang: &str, said: Option<&str>) -> Result<String, ApiError> {
    let languages = own_languages(source);
    let others: Vec<&String> = languages.iter().filter(|other| *other != lang).collect();
    let said = said.map(|said| tag("from", said)).transpose()?;
    let all = || {
        let all: Vec<&str> = others.iter().map(|other| other.as_str()).collect();
        format!("the language that was translated: {}", all.join(", "))
    };
    let is_original = |other: &&&String| source.value(&remembers(other)).is_none();
    let originals: Vec<&&String> = others.iter().filter(is_original).collect();
    match (said, &originals[..]) {
        (Some(said), _) if others.contains(&&said) => Ok(said),
        (Some(said), _) => Err(ApiError::invalid("from", said, &all())),
        (None, [only]) => Ok((**only).clone()),
        (None, _) => Err(ApiError::invalid("from", "", &all())),
    }
}

/// Languages of title, summary and body.
fn own_languages(content: &Content) -> BTreeSet<String> {
    let of_field = |field: &str| content.texts_of(field).into_keys();
    TEXT_FIELDS.into_iter().flat_map(of_field).collect()
}

fn into_record(
    lang: &str,
    from: &str,
    version: &Version,
    texts: [Option<String>; 3],
) -> Result<Edit, ApiError> {
    let mut edit = Edit::default();
    for (field, text) in TEXT_FIELDS.into_iter().zip(texts) {
        let Some(text) = text else { continue };
        for (lang, text) in normalised(Texts::from([(lang.to_owned(), text)]))? {
            edit.texts.insert(format!("{field}.{lang}"), Some(text));
        }
    }
    let value = format!("{from} {version}");
    edit.values.insert(remembers(lang), Some(value));
    Ok(edit)
}

/// The field that says what a language's texts are translated from.
fn remembers(lang: &str) -> String {
    format!("{REMEMBERS}{}", lang.to_ascii_lowercase())
}

fn annotation(lang: &str, from: &str, version: &Version, texts: [Option<String>; 3]) -> Draft {
    let line = |text: &str| FieldValue::Line(text.to_owned());
    let by_lang = |text: Option<String>| -> Texts {
        text.map(|text| (lang.to_owned(), text))
            .into_iter()
            .collect()
    };
    let [title, summary, body] = texts.map(by_lang);
    Draft {
        title,
        summary,
        body,
        fields: FieldValues::from([
            ("lang".to_owned(), line(lang)),
            ("from".to_owned(), line(from)),
            ("version".to_owned(), line(&version.to_string())),
        ]),
        ..Draft::default()
    }
}

/// `POST /v1/records/{annotation}/adopt`.
pub(super) async fn adopt(
    State(api): State<Api>,
    Named(annotation): Named<String>,
    officer: Officer,
    Json(request): Json<Decision>,
) -> Answer<Edited> {
    let (engine, door) = (api.engine.clone(), Door::of(&api, officer));
    let (record, edit, guard) = apart(move || {
        let reason = request.override_reason.as_deref();
        adoption(&engine, &door, &annotation, reason)
    })
    .await?;
    let edit_record = move |step: &mut Step<'_, '_>| step.edit_record(&record, None, &edit);
    let done = api.engine.submit(edit_record).await?;
    Ok(records::edited(&record, &done, guard))
}

/// The edit by which a record takes over the texts of a translation about it, and names it.
pub(super) fn adoption(
    engine: &Engine,
    door: &Door,
    text: &str,
    reason: Option<&str>,
) -> Result<(RecordId, Edit, Vec<GuardHit>), EngineError> {
    let view = View::open(engine)?;
    let (num, row) = view.find(text)?;
    let content = view.reading.content(num, &row)?.unwrap_or_default();
    let expected = "a translation, as `diwan show` lists it below its record";
    let refused = || ApiError::invalid("id", text, expected);
    let value = |field: &str| content.value(field).map(str::to_owned);
    let told = value("lang").zip(value("from")).zip(value("version"));
    let ((lang, from), version) = told
        .filter(|_| row.kind == TRANSLATION)
        .ok_or_else(refused)?;
    let version = drafts::version("version", &version)?;
    let about = content.about().ok_or_else(refused)?;
    let (about_num, about_row) = view.find(&about.to_string())?;
    let group = names::group(view.replica(), &about_row.group.to_string())?;
    let mine = names::group(view.replica(), &row.group.to_string())?;
    if about_row.group != row.group && !mine.is_own() {
        return Err(refused().into());
    }
    let replica = view.replica();
    if about_row.origin != replica.me().agency {
        return Err(ApiError::new(ErrorCode::NotEditor)
            .with("record", about.short())
            .with("origin", names::short(replica, &about_row.origin))
            .into());
    }
    let texts = TEXT_FIELDS.map(|field| content.texts_of(field).remove(&lang));
    let mut edit = into_record(&lang, &from, &version, texts)?;
    let now = view.reading.content(about_num, &about_row)?;
    let now = now.unwrap_or_default();
    if about_row.group == row.group {
        let mut after = Content {
            links: now.links.clone(),
            ..Content::default()
        };
        after.add_link(ADOPTED, &row.id);
        edit.links = Some(after.links);
    }
    let guard = door.edit(group, &now, &mut edit, reason)?;
    Ok((about, edit, guard))
}

/// Whether the texts that a record's language was translated from have changed since; none where it does
/// not say from which, or that version is not here.
pub(super) fn is_stale(
    versions: &mut Versions<'_>,
    content: &Content,
    lang: &str,
) -> Result<Option<bool>, StoreError> {
    let said = content.value(&remembers(lang));
    let said = said.and_then(|said| said.split_once(' '));
    match said {
        Some((from, version)) => has_changed(&mut *versions, content, from, version),
        None => Ok(None),
    }
}

/// The translations of a record that are annotations about it.
pub(super) fn in_annotations(
    view: &View,
    seen: &Seen,
    content: &Content,
    annotations: &[AnnotationInfo],
) -> Result<Vec<TranslationState>, StoreError> {
    let mut found = Vec::new();
    let versions = &mut Versions::of(view, seen);
    for annotation in annotations.iter().filter(|found| found.kind == TRANSLATION) {
        let line = |name: &str| match annotation.fields.get(name) {
            Some(FieldValue::Line(line)) => Some(line.as_str()),
            _ => None,
        };
        let (Some(lang), Some(from), Some(version)) = (line("lang"), line("from"), line("version"))
        else {
            continue;
        };
        let changed = has_changed(&mut *versions, content, from, version)?;
        found.push(TranslationState {
            lang: lang.to_owned(),
            stale: changed.unwrap_or(false),
            annotation: Some(annotation.record.clone()),
        });
    }
    Ok(found)
}

/// Whether title, summary or body in a language differ from what they were in a version.
fn has_changed(
    versions: &mut Versions<'_>,
    content: &Content,
    from: &str,
    version: &str,
) -> Result<Option<bool>, StoreError> {
    let Some(then) = versions.content(version)? else {
        return Ok(None);
    };
    let texts = |content: &Content| -> BTreeMap<&str, String> {
        let text = |field: &'static str| Some((field, content.texts_of(field).remove(from)?));
        TEXT_FIELDS.into_iter().filter_map(text).collect()
    };
    Ok(Some(texts(then) != texts(content)))
}

/// What a record said in the versions that were translated. Each costs a walk through its history, and
/// anybody may name any: so each is read once, and [`VERSIONS`] at most.
pub(super) struct Versions<'v> {
    view: &'v View,
    seen: &'v Seen,
    read: BTreeMap<String, Option<Content>>,
}

impl<'v> Versions<'v> {
    /// None read yet.
    pub(super) fn of(view: &'v View, seen: &'v Seen) -> Self {
        Self {
            view,
            seen,
            read: BTreeMap::new(),
        }
    }

    /// None where the version is not here, or too many others were read.
    pub(super) fn content(&mut self, text: &str) -> Result<Option<&Content>, StoreError> {
        if !self.read.contains_key(text) {
            let Ok(version) = text.parse::<Version>() else {
                return Ok(None);
            };
            if self.read.len() >= VERSIONS {
                return Ok(None);
            }
            let changes = self.view.changes(self.seen.num)?;
            let content = content_at(&self.seen.genesis, &self.seen.row.id, &changes, &version);
            self.read.insert(text.to_owned(), content);
        }
        Ok(self.read.get(text).and_then(Option::as_ref))
    }
}
