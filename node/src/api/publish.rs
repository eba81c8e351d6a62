//! `publish`, `withdraw`: from the agency's own group, or a narrower one, to other agencies, and back.
//!
//! A record's audience is its group, so publishing writes a new record in the wider group, with a link
//! `source` to the one that it was made from; the history of the draft does not travel.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use diwan_api::error::{ApiError, ErrorCode};
use diwan_api::types::{GuardHit, PublishRequest, Published, RecordLink, WithdrawRequest};
use diwan_core::group::{GroupChain, Role};
use diwan_core::id::{GroupId, RecordId};
use diwan_core::record::{Content, Edit, Editors, SOURCE, Version, WITHDRAWN};

use super::answer::{Answer, Json, Named, apart};
use super::drafts::{ORDER, ORDER_DIGITS, in_nfc};
use super::gate::Officer;
use super::guarding::{Door, OVERRIDE};
use super::rebase::{rebased_set, rebased_text};
use super::view::{Seen, View};
use super::{Api, drafts, history, names, show, time};
use crate::engine::{Engine, EngineError, RecordDraft, Step};

/// The field that says which version of that was published last.
const SOURCE_VERSION: &str = "source-version";
const WITHDRAWN_REASON: &str = "withdrawn-reason";
/// Values that are the published record's own.
const OF_THE_COPY: [&str; 4] = [SOURCE_VERSION, WITHDRAWN, WITHDRAWN_REASON, OVERRIDE];
/// Records that link to a draft and are looked at for what was published of it.
const COPIES_LOOKED_AT: usize = 10_000;
/// Bytes of a reason.
const REASON_MAX: usize = 1_000;

/// What is to be written.
enum Writes {
    New(GroupId, RecordDraft),
    Again(RecordId, Edit),
    Nothing,
}

/// `POST /v1/records/{record}/publish`.
pub(super) async fn publish(
    State(api): State<Api>,
    Named(record): Named<String>,
    officer: Officer,
    Json(request): Json<PublishRequest>,
) -> Answer<Published> {
    let (engine, door) = (api.engine.clone(), Door::of(&api, officer));
    let dry_run = request.dry_run;
    // What was published of a draft is looked for before it is written: one at a time.
    let _alone = api.publishing.lock().await;
    let (mut plan, writes) = apart(move || plan(&engine, &door, &record, &request)).await?;
    if dry_run {
        return Ok(Json(plan));
    }
    match writes {
        Writes::New(group, draft) => {
            let create = move |step: &mut Step<'_, '_>| step.create_record(&group, draft);
            plan.record = api.engine.submit(create).await?.0.to_string();
        }
        Writes::Again(record, edit) => {
            let edit = move |step: &mut Step<'_, '_>| step.edit_record(&record, None, &edit);
            api.engine.submit(edit).await?;
        }
        Writes::Nothing => {}
    }
    plan.done = true;
    Ok(Json(plan))
}

fn plan(
    engine: &Engine,
    door: &Door,
    record: &str,
    request: &PublishRequest,
) -> Result<(Published, Writes), EngineError> {
    let view = View::open(engine)?;
    let seen = view.found(record)?;
    own(&view, &seen)?;
    let mut content = view.content(&seen)?.unwrap_or_default();
    let group = target(&view, &seen, &content, request.group.as_deref())?;
    door.opens(group)?;
    may_write(&view, group)?;
    for own in ["import_key", SOURCE_VERSION, WITHDRAWN, WITHDRAWN_REASON] {
        content.values.remove(own);
    }
    if let Some(label) = &request.tlp {
        let label = names::tlp(label)?.name();
        content.values.insert("tlp".to_owned(), label.to_owned());
    }
    only_ours(&view, &seen)?;
    let left_out = move_links(&view, &seen, group, &mut content)?;
    content.add_link(SOURCE, &seen.row.id);
    let version = Version::from(seen.row.version).to_string();
    content.values.insert(SOURCE_VERSION.to_owned(), version);
    let mut plan = Published {
        record: seen.row.id.to_string(),
        source: seen.row.id.to_string(),
        group: group.name().to_owned(),
        tlp: content.tlp().name().to_owned(),
        recipients: recipients(&view, group),
        left_out,
        guard: Vec::new(),
        done: false,
        again: false,
    };
    let reason = request.override_reason.as_deref();
    let before = copy_in(&view, &seen.row.id, group)?;
    let Some((id, now)) = before else {
        let mut draft = RecordDraft {
            kind: seen.row.kind.clone(),
            content,
            editors: editors_in(group, &seen.genesis.editors),
            record: None,
            file_name: None,
        };
        plan.guard = door.new_record(group, &mut draft, reason)?;
        return Ok((plan, Writes::New(group.id(), draft)));
    };
    if now.value(WITHDRAWN).is_some() {
        let expected = "a record that is not withdrawn: `diwan withdraw ID --undo` first";
        return Err(ApiError::invalid("record", id.short(), expected).into());
    }
    let mut edit = since_published(&view, &seen, group, &now, &content)?;
    if request.tlp.is_some() {
        let label = content.value("tlp").map(str::to_owned);
        edit.values.insert("tlp".to_owned(), label);
    }
    let guard = door.edit(group, &now, &mut edit, reason)?;
    let plan = Published {
        record: id.to_string(),
        tlp: edit.on(&now).tlp().name().to_owned(),
        guard,
        again: true,
        ..plan
    };
    let writes = match edit.on(&now) == now {
        true => Writes::Nothing,
        false => Writes::Again(id, edit),
    };
    Ok((plan, writes))
}

/// What changed in a draft since it was published last, on what the published record says now: what others
/// wrote there stays.
fn since_published(
    view: &View,
    seen: &Seen,
    group: &GroupChain,
    now: &Content,
    draft: &Content,
) -> Result<Edit, EngineError> {
    let version = now.value(SOURCE_VERSION).unwrap_or_default();
    let then = drafts::version("version", version).map_err(EngineError::from);
    let then = then.and_then(|version| show::content_at_version(view, seen, &version));
    // A version that is none is no reason to undo anything.
    let mut then = then.unwrap_or_else(|_| now.clone());
    move_links(view, seen, group, &mut then)?;
    let mut edit = Edit::default();
    for key in then.texts.keys().chain(draft.texts.keys()) {
        let (old, new) = (then.texts.get(key), draft.texts.get(key));
        let text = match (old, new, now.texts.get(key)) {
            (old, new, _) if old == new => continue,
            // Both wrote a text that neither had: theirs stands, and no two are glued together.
            (None, Some(_), Some(_)) => continue,
            (Some(old), None, Some(theirs)) if old != theirs => continue,
            (Some(old), Some(new), Some(theirs)) => Some(rebased_text(old, new, theirs)),
            (_, new, _) => new.cloned(),
        };
        edit.texts.insert(key.clone(), text);
    }
    for key in then.values.keys().chain(draft.values.keys()) {
        let (old, new) = (then.values.get(key), draft.values.get(key));
        if old != new && !OF_THE_COPY.contains(&key.as_str()) {
            edit.values.insert(key.clone(), new.cloned());
        }
    }
    let version = draft.value(SOURCE_VERSION).map(str::to_owned);
    edit.values.insert(SOURCE_VERSION.to_owned(), version);
    let items = then.sets.iter().chain(&draft.sets);
    let fields: BTreeSet<&str> = items.filter_map(|item| item.split('.').next()).collect();
    for field in fields {
        let of =
            |content: &Content| -> BTreeSet<String> { content.set_of(field).into_iter().collect() };
        let after = rebased_set(&of(&then), &of(draft), &of(now));
        edit.sets.insert(field.to_owned(), after);
    }
    edit.links = Some(rebased_set(&then.links, &draft.links, &now.links));
    Ok(edit)
}

/// Another agency's words go no further than that agency sent them.
fn only_ours(view: &View, seen: &Seen) -> Result<(), EngineError> {
    let me = names::short(view.replica(), &view.replica().me().agency);
    let versions = history::versions(view, seen)?;
    match versions.iter().find(|version| version.agency != me) {
        None => Ok(()),
        Some(other) => {
            let said = format!("a record in which {} has not written", other.agency);
            Err(ApiError::invalid("record", seen.row.id.short(), &said).into())
        }
    }
}

/// The editors who are members of the group: of others it is not told.
fn editors_in(group: &GroupChain, editors: &Editors) -> Editors {
    match editors {
        Editors::Group => Editors::Group,
        Editors::Listed(listed) => {
            let members = listed.iter().filter(|agency| group.role(agency).is_some());
            Editors::Listed(members.copied().collect())
        }
    }
}

/// Only a record's origin decides who else may have it.
fn own(view: &View, seen: &Seen) -> Result<(), ApiError> {
    let replica = view.replica();
    match seen.row.origin == replica.me().agency {
        true => Ok(()),
        false => Err(ApiError::new(ErrorCode::NotOrigin)
            .with("record", seen.row.id.short())
            .with("origin", names::short(replica, &seen.row.origin))),
    }
}

/// The group that was named; for an annotation that of the record which it is about.
fn target<'v>(
    view: &'v View,
    seen: &Seen,
    content: &Content,
    said: Option<&str>,
) -> Result<&'v GroupChain, EngineError> {
    let group = match (said, content.about()) {
        (Some(said), _) => names::group(view.replica(), said)?,
        (None, Some(about)) => {
            let (_, row) = view.find(&about.to_string())?;
            names::group(view.replica(), &row.group.to_string())?
        }
        (None, None) => {
            let expected = "the group whose agencies are to receive it: --group G";
            return Err(ApiError::invalid("group", "", expected).into());
        }
    };
    if group.is_own() || group.id() == seen.row.group {
        let expected = "a group of other agencies that does not have this record yet";
        return Err(ApiError::invalid("group", group.name(), expected).into());
    }
    Ok(group)
}

fn may_write(view: &View, group: &GroupChain) -> Result<(), ApiError> {
    let role = group.role(&view.replica().me().agency);
    match role >= Some(Role::Contributor) {
        true => Ok(()),
        false => Err(ApiError::new(ErrorCode::NotContributor)
            .with("group", group.name())
            .with("role", role.map_or("none", Role::name))),
    }
}

/// Links as the group can follow them: to records that it has, or to what was published there of those
/// that it has not. The ids of the others stay behind.
fn move_links(
    view: &View,
    seen: &Seen,
    group: &GroupChain,
    content: &mut Content,
) -> Result<Vec<RecordLink>, EngineError> {
    let links: Vec<(String, RecordId)> = content
        .link_pairs()
        .map(|(rel, record)| (rel.to_owned(), record))
        .collect();
    content.links.clear();
    let mut left_out = Vec::new();
    let mut moved = BTreeMap::new();
    for (rel, record) in links {
        let num = view.reading.record_num(&record)?;
        let row = num.map(|num| view.row(num)).transpose()?.flatten();
        let there = match row {
            Some(row) if row.group == group.id() => Some(record),
            // Nobody here has it either: an id that a document or a newer record named.
            None if num.is_none() && seen.row.group == group.id() => Some(record),
            _ => copy_in(view, &record, group)?.map(|(copy, _)| copy),
        };
        match there {
            Some(there) => {
                moved.insert(beginning(&record), beginning(&there));
                content.add_link(&rel, &there);
            }
            None => left_out.push(RecordLink {
                rel,
                record: record.to_string(),
            }),
        }
    }
    if let Some(order) = content.values.remove(ORDER) {
        let known = order.split(' ').filter_map(|part| moved.get(part));
        let order = known.cloned().collect::<Vec<_>>().join(" ");
        if !order.is_empty() {
            content.values.insert(ORDER.to_owned(), order);
        }
    }
    Ok(left_out)
}

/// How the order of a package names a part.
fn beginning(record: &RecordId) -> String {
    record.to_string().chars().take(ORDER_DIGITS).collect()
}

/// What this agency published of a record in a group.
fn copy_in(
    view: &View,
    record: &RecordId,
    group: &GroupChain,
) -> Result<Option<(RecordId, Content)>, EngineError> {
    let me = view.replica().me().agency;
    for num in view.reading.linking(record, COPIES_LOOKED_AT)? {
        let row = view.row(num)?;
        let Some(row) = row.filter(|row| row.group == group.id() && row.origin == me) else {
            continue;
        };
        let Some(copy) = view.seen(num, row)? else {
            continue;
        };
        // What its first version says: others may edit what comes behind it.
        let first = &copy.genesis.content;
        let is_source = |(rel, to): (&str, RecordId)| rel == SOURCE && to == *record;
        if first.value(SOURCE_VERSION).is_some() && first.link_pairs().any(is_source) {
            let now = view.content(&copy)?.unwrap_or_default();
            return Ok(Some((copy.row.id, now)));
        }
    }
    Ok(None)
}

/// The agencies of a group, this one left out.
fn recipients(view: &View, group: &GroupChain) -> Vec<String> {
    let replica = view.replica();
    let others = group.members().map(|(agency, _)| agency);
    let others = others.filter(|agency| **agency != replica.me().agency);
    let mut shorts: Vec<String> = others.map(|agency| names::short(replica, agency)).collect();
    shorts.sort();
    shorts
}

/// `POST /v1/records/{record}/withdraw`.
pub(super) async fn withdraw(
    State(api): State<Api>,
    Named(record): Named<String>,
    officer: Officer,
    Json(request): Json<WithdrawRequest>,
) -> Answer<Published> {
    let (engine, door) = (api.engine.clone(), Door::of(&api, officer));
    let dry_run = request.dry_run;
    let planned = move || withdrawal(&engine, &door, &record, &request);
    let (mut plan, record, edit) = apart(planned).await?;
    if !dry_run {
        let edit = move |step: &mut Step<'_, '_>| step.edit_record(&record, None, &edit);
        api.engine.submit(edit).await?;
        plan.done = true;
    }
    Ok(Json(plan))
}

fn withdrawal(
    engine: &Engine,
    door: &Door,
    record: &str,
    request: &WithdrawRequest,
) -> Result<(Published, RecordId, Edit), EngineError> {
    let view = View::open(engine)?;
    let seen = view.found(record)?;
    own(&view, &seen)?;
    let now = view.content(&seen)?.unwrap_or_default();
    let group = names::group(view.replica(), &seen.row.group.to_string())?;
    let reason = in_nfc(request.reason.trim().to_owned());
    if reason.len() > REASON_MAX {
        let expected = format!("{REASON_MAX} bytes at most");
        return Err(ApiError::invalid("reason", reason.len(), &expected).into());
    }
    let day = time::day("withdrawn", "today", engine.now_ms())?;
    let mut edit = Edit::default();
    let said = |value: String| (!request.undo && !value.is_empty()).then_some(value);
    edit.values.insert(WITHDRAWN.to_owned(), said(day));
    edit.values
        .insert(WITHDRAWN_REASON.to_owned(), said(reason));
    let guard: Vec<GuardHit> = door.edit(group, &now, &mut edit, None)?;
    let plan = Published {
        record: seen.row.id.to_string(),
        source: seen.row.id.to_string(),
        group: group.name().to_owned(),
        tlp: now.tlp().name().to_owned(),
        recipients: recipients(&view, group),
        left_out: Vec::new(),
        guard,
        done: false,
        again: false,
    };
    Ok((plan, seen.row.id, edit))
}
