//! From what officers send to what the engine writes: texts normalised, names resolved, labels
//! checked. What bounds a record's size is the core's business.

use std::collections::{BTreeMap, BTreeSet};

use diwan_api::error::{ApiError, ErrorCode};
use diwan_api::types::{self, Draft, EditRequest, RecordLink, Texts};
use diwan_core::group::GroupChain;
use diwan_core::id::{AgencyId, GroupId, RecordId};
use diwan_core::record::{
    ABOUT, Content, Edit, Editors, Kind, ORIGIN_RELATIONS, PART, SOURCE, TEXT_FIELDS, Version,
    kind, kinds, valid_lang,
};
use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::fields::{Schema, Unknown};
use super::names;
use super::translations::ADOPTED;
use super::view::View;
use crate::engine::{EngineError, RecordDraft};
use crate::store::{RecordRow, StoreError};

/// Relations that two records may have to each other.
const MUTUAL: [&str; 3] = [ABOUT, ADOPTED, "source"];
/// The field that says in which order the parts of a package come.
pub(super) const ORDER: &str = "order";
/// Hexadecimal digits by which a part is named there.
pub(super) const ORDER_DIGITS: usize = 16;
/// Parts of one package.
const PARTS_MAX: usize = 60;
/// Records that are looked at to see whether a link leads back.
const LINKS_FOLLOWED: usize = 1_000;
/// Hexadecimal digits of an import key.
const IMPORT_KEY_DIGITS: usize = 32;

/// What a new record needs besides its draft.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) view: &'a View,
    pub(super) group: &'a GroupChain,
    /// Kind of a draft that names none; without it, a draft must name one.
    pub(super) kind: Option<&'a str>,
    pub(super) editors: &'a types::Editors,
}

impl Target<'_> {
    /// The draft of a record that stands for itself.
    pub(super) fn record(&self, draft: Draft) -> Result<RecordDraft, EngineError> {
        let kind = self.kind_of(&draft)?;
        if kind.annotation {
            let expected = "a kind that stands for itself; annotations have verbs of their own";
            return Err(ApiError::invalid("kind", kind.name, expected).into());
        }
        self.written(kind, draft, Unknown::Refused)
    }

    /// The draft of an annotation of a kind about a record. Only its origin edits it.
    pub(super) fn annotation(
        &self,
        name: &str,
        about: &RecordId,
        mut draft: Draft,
    ) -> Result<RecordDraft, EngineError> {
        let annotations = || kinds().iter().filter(|kind| kind.annotation);
        let kind = annotations().find(|kind| kind.name == name);
        let unknown = || names::unknown_name("kind", name, annotations().map(|kind| kind.name));
        let kind = kind.ok_or_else(unknown)?;
        draft.links.push(RecordLink {
            rel: ABOUT.to_owned(),
            record: about.to_string(),
        });
        self.written(kind, draft, Unknown::Refused)
    }

    /// The draft of an imported document, which may be an exported annotation too, and may be a newer
    /// state of a record that is here; what that says now comes with it.
    pub(super) fn imported(
        &self,
        draft: Draft,
    ) -> Result<(RecordDraft, Option<Content>), EngineError> {
        let kind = self.kind_of(&draft)?;
        let draft = self.written(kind, draft, Unknown::Kept)?;
        if kind.annotation && draft.content.about().is_none() {
            let expected = "a link `about` to the record that it annotates";
            return Err(ApiError::invalid("links", "", expected).into());
        }
        let known = self.check_known(&draft)?;
        Ok((draft, known))
    }

    /// What a draft says, whatever it is to become.
    pub(super) fn looked_at(&self, draft: Draft) -> Result<Content, EngineError> {
        let text = kinds().iter().find(|kind| kind.annotation);
        let text = text.ok_or_else(|| ApiError::invalid("kind", "", "a kind"))?;
        Ok(self.written(text, draft, Unknown::Kept)?.content)
    }

    /// A record of another agency keeps its label at least. Returns what a record of this group says that
    /// the draft is a newer state of.
    fn check_known(&self, draft: &RecordDraft) -> Result<Option<Content>, EngineError> {
        let reading = &self.view.reading;
        let Some(num) = draft.record.map(|id| reading.record_num(&id)).transpose()? else {
            return Ok(None);
        };
        let Some(num) = num else { return Ok(None) };
        let Some(row) = self.view.row(num)? else {
            return Ok(None);
        };
        let Some(now) = reading.content(num, &row)? else {
            return Ok(None);
        };
        let after = draft.content.value("tlp");
        check_label(self.view, &row, &now, after)?;
        // A vocabulary names concepts, and no file of one makes something else of a record.
        let is_word = |name: &str| kind(name).is_some_and(|kind| kind.vocabulary);
        if row.kind != draft.kind && (is_word(&row.kind) || is_word(&draft.kind)) {
            let expected = format!("{}, the kind of that record", row.kind);
            return Err(ApiError::invalid("kind", &draft.kind, &expected).into());
        }
        Ok((row.group == self.group.id()).then_some(now))
    }

    fn kind_of(&self, draft: &Draft) -> Result<&'static Kind, ApiError> {
        let name = draft.kind.as_deref().or(self.kind);
        let all = || kinds().iter().map(|kind| kind.name);
        let missing = || {
            let expected = all().collect::<Vec<_>>().join(", ");
            ApiError::invalid("kind", "", &expected)
        };
        let name = name.ok_or_else(missing)?;
        kind(name).ok_or_else(|| names::unknown_name("kind", name, all()))
    }

    fn written(
        &self,
        kind: &Kind,
        draft: Draft,
        unknown: Unknown,
    ) -> Result<RecordDraft, EngineError> {
        let mut content = Content::default();
        let fields = [draft.title, draft.summary, draft.body];
        for (field, texts) in TEXT_FIELDS.into_iter().zip(fields) {
            let mut texts = normalised(texts)?;
            texts.retain(|_, text| !text.trim().is_empty());
            content.set_texts(field, &texts);
        }
        check_title(kind, &content)?;
        if content.texts.is_empty() {
            return Err(ApiError::invalid("body", "", "a text that is not empty").into());
        }
        let group = self.group.id();
        content.set_set("themes", &themes(self.view, &draft.themes, &group)?);
        content.set_set("tags", &items(&draft.tags));
        content.links = links(self.view, &draft.links)?;
        let values = [
            ("tlp", draft.tlp.as_deref().map(label).transpose()?),
            ("hcode", draft.hcode.as_deref().map(handling).transpose()?),
            (
                "import_key",
                draft.import_key.as_deref().map(key).transpose()?,
            ),
        ];
        let given = values.into_iter();
        content.values = given
            .filter_map(|(field, value)| Some((field.to_owned(), value?)))
            .collect();
        if !draft.fields.is_empty() {
            let mut edit = Edit::default();
            let added = self.view.words()?.fields(kind.name, &group);
            let schema = Schema::new(Some(kind), &added);
            schema.change(draft.fields, unknown, &mut edit)?;
            content = edit.on(&content);
        }
        if content.value(ORDER).is_none() {
            let order = order(self.view, kind, &draft.links)?;
            content
                .values
                .extend(order.map(|order| (ORDER.to_owned(), order)));
        }
        check_required(kind, &content)?;
        if unknown == Unknown::Refused && kind.vocabulary {
            self.view.words()?.check(kind.name, &content)?;
        }
        let editors = match (kind.annotation, kind.vocabulary, self.editors()?) {
            // What others may edit does not count as an owner's word.
            (true, ..) | (_, true, Editors::Group) => Editors::Listed(Vec::new()),
            (.., editors) => editors,
        };
        Ok(RecordDraft {
            kind: kind.name.to_owned(),
            content,
            editors,
            record: draft.record.as_deref().map(record_id).transpose()?,
            file_name: draft.file_name,
        })
    }

    fn editors(&self) -> Result<Editors, ApiError> {
        let listed = match self.editors {
            types::Editors::Group => return Ok(Editors::Group),
            types::Editors::Origin => return Ok(Editors::Listed(Vec::new())),
            types::Editors::Listed(listed) => listed,
        };
        let editor = |name: &String| {
            let agency = names::agency(self.view.replica(), name)?;
            match self.group.role(&agency) {
                Some(_) => Ok(agency),
                None => Err(ApiError::new(ErrorCode::NotAMember)
                    .with("agency", name)
                    .with("group", self.group.name())),
            }
        };
        let editors: BTreeSet<AgencyId> = listed.iter().map(editor).collect::<Result<_, _>>()?;
        Ok(Editors::Listed(editors.into_iter().collect()))
    }
}

/// Themes as they are written: by their notations, whatever labels were typed.
fn themes(view: &View, given: &[String], group: &GroupId) -> Result<Vec<String>, StoreError> {
    let given = items(given);
    if given.is_empty() {
        return Ok(given);
    }
    let words = view.words()?;
    let written = given.into_iter().map(|one| words.theme_written(one, group));
    Ok(written.collect())
}

/// The edit that a request means for a record that says `now`.
pub(super) fn edit(
    view: &View,
    row: &RecordRow,
    now: &Content,
    request: EditRequest,
) -> Result<(Option<Version>, Edit), EngineError> {
    let mut edit = Edit::default();
    let fields = [request.title, request.summary, request.body];
    for (field, texts) in TEXT_FIELDS.into_iter().zip(fields) {
        for (lang, text) in normalised(texts)? {
            let text = (!text.trim().is_empty()).then_some(text);
            edit.texts.insert(format!("{field}.{lang}"), text);
        }
    }
    let given = request.themes.as_deref();
    let themes = given.map(|given| themes(view, given, &row.group));
    let sets = [("themes", themes.transpose()?), ("tags", request.tags)];
    for (field, set) in sets {
        let set = set.map(|set| items(&set).into_iter().collect());
        edit.sets.extend(set.map(|set| (field.to_owned(), set)));
    }
    if let Some(name) = &request.tlp {
        let label = label(name)?;
        check_label(view, row, now, Some(&label))?;
        edit.values.insert("tlp".to_owned(), Some(label));
    }
    if let Some(code) = &request.hcode {
        let code = (!code.trim().is_empty()).then(|| handling(code));
        edit.values.insert("hcode".to_owned(), code.transpose()?);
    }
    let kind = kind(&row.kind);
    if let Some(given) = &request.links {
        let mut links = links(view, given)?;
        if kind.is_some_and(|kind| kind.annotation) {
            // What an annotation is about is not its author's to change.
            let about = |key: &&String| key.split('.').next() == Some(ABOUT);
            links.extend(now.links.iter().filter(about).cloned());
        }
        keep_decided(view, row, now, &mut links);
        check_circle(view, row, now, &links)?;
        edit.links = Some(links);
        if let Some(kind) = kind {
            let order = order(view, kind, given)?;
            edit.values
                .extend(order.map(|order| (ORDER.to_owned(), Some(order))));
        }
    }
    if !request.fields.is_empty() {
        let added = view.words()?.fields(&row.kind, &row.group);
        Schema::new(kind, &added).change(request.fields, Unknown::Refused, &mut edit)?;
    }
    if let Some(kind) = kind {
        let after = edit.on(now);
        check_title(kind, &after)?;
        check_required(kind, &after)?;
    }
    let base = request.base_version.as_deref();
    let base = base.map(|text| version("base_version", text)).transpose()?;
    Ok((base, edit))
}

/// What a record was made from, and what its origin decided about proposals, no list of links changes by
/// leaving it out; and nobody but the origin decides.
fn keep_decided(view: &View, row: &RecordRow, now: &Content, links: &mut BTreeSet<String>) {
    let of = |key: &&String, relations: &[&str]| {
        key.split('.')
            .next()
            .is_some_and(|rel| relations.contains(&rel))
    };
    if row.origin != view.replica().me().agency {
        links.retain(|key| !of(&key, &ORIGIN_RELATIONS));
    }
    let kept = now
        .links
        .iter()
        .filter(|key| of(key, &ORIGIN_RELATIONS) || of(key, &[SOURCE]));
    links.extend(kept.cloned());
}

/// Links that an edit adds do not lead back to the record. What two sides link at the same time may, and
/// whoever follows links looks at each record once.
fn check_circle(
    view: &View,
    row: &RecordRow,
    now: &Content,
    links: &BTreeSet<String>,
) -> Result<(), EngineError> {
    let added = Content {
        links: links.difference(&now.links).cloned().collect(),
        ..Content::default()
    };
    let added = added.link_pairs().filter(|(rel, _)| !MUTUAL.contains(rel));
    for (rel, first) in added {
        let (mut seen, mut next) = (BTreeSet::new(), vec![first]);
        while let Some(record) = next.pop() {
            if record == row.id {
                return Err(ApiError::new(ErrorCode::CircularLink)
                    .with("rel", rel)
                    .with("record", first.short())
                    .into());
            }
            if seen.len() < LINKS_FOLLOWED && seen.insert(record) {
                next.extend(linked_by(view, &record)?);
            }
        }
    }
    Ok(())
}

/// What a record links to, where it is here and to be seen, by relations that go one way.
fn linked_by(view: &View, record: &RecordId) -> Result<Vec<RecordId>, EngineError> {
    let Some(num) = view.reading.record_num(record)? else {
        return Ok(Vec::new());
    };
    let Some(row) = view.row(num)? else {
        return Ok(Vec::new());
    };
    let content = view.reading.content(num, &row)?.unwrap_or_default();
    let links = content
        .link_pairs()
        .filter(|(rel, _)| !MUTUAL.contains(rel));
    Ok(links.map(|(_, to)| to).collect())
}

/// A version as `show` prints it.
pub(super) fn version(field: &str, text: &str) -> Result<Version, ApiError> {
    let expected = "a version as `history` prints it, such as 2-1a2b3c4d";
    let version = text.trim().parse();
    version.map_err(|()| ApiError::invalid(field, text, expected))
}

/// Only the agency that a record comes from may make its label milder.
fn check_label(
    view: &View,
    row: &RecordRow,
    now: &Content,
    after: Option<&str>,
) -> Result<(), ApiError> {
    let replica = view.replica();
    let after = after.map(names::tlp).transpose()?;
    match after.filter(|after| *after < now.tlp()) {
        Some(after) if row.origin != replica.me().agency => {
            Err(ApiError::new(ErrorCode::LabelMilder)
                .with("record", row.id.short())
                .with("origin", names::short(replica, &row.origin))
                .with("label", now.tlp().name())
                .with("wanted", after.name()))
        }
        _ => Ok(()),
    }
}

/// A record that stands for itself has a title; an annotation is known by what it is about.
fn check_title(kind: &Kind, content: &Content) -> Result<(), ApiError> {
    match kind.annotation || !content.texts_of("title").is_empty() {
        true => Ok(()),
        false => Err(ApiError::invalid(
            "title",
            "",
            "a title in one language at least",
        )),
    }
}

/// What is not written without.
fn check_required(kind: &Kind, content: &Content) -> Result<(), ApiError> {
    let mut required = kind.required.iter();
    match required.find(|name| content.value(name).is_none()) {
        None => Ok(()),
        Some(name) => {
            let expected = format!("{name}, which a record of the kind {} has", kind.name);
            Err(ApiError::invalid(name, "", &expected))
        }
    }
}

/// The parts of a package in the order in which they were named, as the beginnings of their ids.
fn order(view: &View, kind: &Kind, given: &[RecordLink]) -> Result<Option<String>, EngineError> {
    let parts = given.iter().filter(|link| link.rel.trim() == PART);
    if kind.relation(PART).is_none() {
        return Ok(None);
    }
    let mut order = Vec::new();
    for part in parts {
        for key in links(view, std::slice::from_ref(part))? {
            let id = key.split('.').nth(1).unwrap_or_default();
            order.push(id.chars().take(ORDER_DIGITS).collect::<String>());
        }
    }
    if order.len() > PARTS_MAX {
        let expected = format!("{PARTS_MAX} parts at most");
        return Err(ApiError::invalid("links", order.len(), &expected).into());
    }
    Ok((!order.is_empty()).then(|| order.join(" ")))
}

/// Texts in Unicode's normal form C, so that what looks the same is the same, by language tags
/// whose primary subtag is in small letters (RFC 5646, section 2.1.1).
pub(super) fn normalised(texts: Texts) -> Result<Texts, ApiError> {
    let mut normal = BTreeMap::new();
    for (tag, text) in texts {
        if !valid_lang(&tag) {
            let expected = "a language tag such as fr, en, ar or pt-BR";
            return Err(ApiError::invalid("lang", tag, expected));
        }
        let tag = match tag.split_once('-') {
            Some((primary, rest)) => format!("{}-{rest}", primary.to_ascii_lowercase()),
            None => tag.to_ascii_lowercase(),
        };
        normal.insert(tag, in_nfc(text));
    }
    Ok(normal)
}

pub(super) fn items(set: &[String]) -> Vec<String> {
    let normal = set.iter().map(|item| in_nfc(item.trim().to_owned()));
    normal.filter(|item| !item.is_empty()).collect()
}

/// A text in normalisation form C. Nearly all come in it, and to see that is cheaper than to make it.
pub(super) fn in_nfc(text: String) -> String {
    match is_nfc(&text) {
        true => text,
        false => text.nfc().collect(),
    }
}

/// Links as the core keeps them. An id in full may name a record that is not here (yet).
fn links(view: &View, links: &[RecordLink]) -> Result<BTreeSet<String>, EngineError> {
    let mut content = Content::default();
    for link in links {
        let rel = link.rel.trim();
        let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b);
        if rel.is_empty() || !rel.bytes().all(good) {
            let expected = "a relation such as exchange, need, training, replaces or source";
            return Err(ApiError::invalid("links", rel, expected).into());
        }
        let record = match link.record.trim().parse() {
            Ok(id) => id,
            Err(_) => view.find(&link.record)?.1.id,
        };
        content.add_link(rel, &record);
    }
    Ok(content.links)
}

fn label(name: &str) -> Result<String, ApiError> {
    Ok(names::tlp(name)?.name().to_owned())
}

fn handling(code: &str) -> Result<String, ApiError> {
    let known = ["H0", "H1", "H2", "H3"];
    let found = known
        .into_iter()
        .find(|h| h.eq_ignore_ascii_case(code.trim()));
    found
        .map(str::to_owned)
        .ok_or_else(|| ApiError::invalid("hcode", code, "H0, H1, H2 or H3"))
}

fn key(text: &str) -> Result<String, ApiError> {
    let good = text.len() == IMPORT_KEY_DIGITS && text.bytes().all(|b| b.is_ascii_hexdigit());
    match good {
        true => Ok(text.to_ascii_lowercase()),
        false => Err(ApiError::invalid(
            "import_key",
            text,
            "32 hexadecimal digits",
        )),
    }
}

fn record_id(text: &str) -> Result<RecordId, ApiError> {
    let id = text.trim().parse();
    id.map_err(|_| ApiError::invalid("record", text, "an id of 64 hexadecimal digits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_the_same_becomes_the_same() {
        let texts = Texts::from([("FR-ca".to_owned(), "e\u{301}te\u{301}".to_owned())]);
        let normal = normalised(texts).unwrap();
        assert_eq!(normal["fr-ca"], "été");
        assert_eq!(items(&[" a ".into(), String::new()]), ["a"]);
    }

    #[test]
    fn values_that_are_none_are_refused_with_their_field() {
        assert_eq!(handling(" h2 ").unwrap(), "H2");
        assert_eq!(handling("H4").unwrap_err().args["field"], "hcode");
        assert_eq!(label("tlp:amber+strict").unwrap(), "AMBER+STRICT");
        assert_eq!(label("PINK").unwrap_err().args["field"], "tlp");
        assert_eq!(key(&"AB".repeat(16)).unwrap(), "ab".repeat(16));
        assert_eq!(key("ab").unwrap_err().args["field"], "import_key");
        assert_eq!(version("at", "2").unwrap_err().args["field"], "at");
        let texts = Texts::from([("français".to_owned(), String::new())]);
        assert_eq!(normalised(texts).unwrap_err().args["field"], "lang");
    }
}
