//! The door to shared groups: an officer's role, and the publication guard. Every way by which an officer's
//! words reach other agencies goes through [`Door`].

use std::sync::Arc;

use axum::extract::State;
use diwan_api::error::{ApiError, ErrorCode};
use diwan_api::types::{GuardAnswer, GuardCheck, GuardHit, GuardRule, GuardRules};
use diwan_core::group::GroupChain;
use diwan_core::record::{Content, Edit, Tlp, kind};

use super::answer::{Answer, Json, apart};
use super::drafts::Target;
use super::gate::Officer;
use super::view::View;
use super::{Api, names};
use crate::engine::{RecordDraft, edit_towards};
use crate::guard::{Guard, Hit, Level};
use crate::store::OfficerRole;

/// The field that says why what the guard found went out.
pub(super) const OVERRIDE: &str = "override";
/// Values that this program writes by itself.
const OWN_VALUES: [&str; 3] = ["tlp", "hcode", "import_key"];
/// Hits that a refusal lists.
const LISTED: usize = 10;

/// Who wants to write where others read, and what looks at it.
#[derive(Clone)]
pub(super) struct Door {
    officer: Officer,
    guard: Arc<Guard>,
}

/// What the guard said to something that may be written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Passed {
    /// What it warned of, and what was overridden.
    pub(super) hits: Vec<GuardHit>,
    /// What is to be kept with the record, where something was overridden.
    pub(super) kept: Option<String>,
}

impl Door {
    pub(super) fn of(api: &Api, officer: Officer) -> Self {
        Self {
            officer,
            guard: api.guard.clone(),
        }
    }

    /// Whether the officer may write in a group: what only the own agency's nodes hold is a draft.
    pub(super) fn opens(&self, group: &GroupChain) -> Result<(), ApiError> {
        match group.is_own() {
            true => self.officer.may(OfficerRole::Contributor),
            false => self.officer.may(OfficerRole::ContactPoint),
        }
    }

    /// Whether a new record may be written in a group.
    pub(super) fn new_record(
        &self,
        group: &GroupChain,
        draft: &mut RecordDraft,
        reason: Option<&str>,
    ) -> Result<Vec<GuardHit>, ApiError> {
        self.opens(group)?;
        self.imported(group, None, draft, reason)
    }

    /// Whether a record in a group may come to say something else.
    pub(super) fn edit(
        &self,
        group: &GroupChain,
        now: &Content,
        edit: &mut Edit,
        reason: Option<&str>,
    ) -> Result<Vec<GuardHit>, ApiError> {
        self.opens(group)?;
        let passed = self.passes(group, Some(now), &edit.on(now), reason)?;
        if let Some(kept) = passed.kept {
            let kept = match now.value(OVERRIDE) {
                Some(before) => format!("{before}; {kept}"),
                None => kept,
            };
            edit.values.insert(OVERRIDE.to_owned(), Some(kept));
        }
        Ok(passed.hits)
    }

    /// Whether an imported document may become a record of a group, or its newer state.
    pub(super) fn imported(
        &self,
        group: &GroupChain,
        known: Option<&Content>,
        draft: &mut RecordDraft,
        reason: Option<&str>,
    ) -> Result<Vec<GuardHit>, ApiError> {
        let is_personal = kind(&draft.kind).is_some_and(|kind| kind.personal);
        if is_personal && !group.is_own() && !self.guard.takes_persons(group.name()) {
            return Err(ApiError::new(ErrorCode::PersonalRecord)
                .with("kind", &draft.kind)
                .with("group", group.name()));
        }
        let draft = &mut draft.content;
        let passed = match known {
            None => self.passes(group, None, draft, reason)?,
            Some(now) => {
                let after = edit_towards(now, draft).on(now);
                self.passes(group, Some(now), &after, reason)?
            }
        };
        let kept = passed.kept.map(|kept| (OVERRIDE.to_owned(), kept));
        draft.values.extend(kept);
        Ok(passed.hits)
    }

    /// What the guard says to a content that is to be in a group. What the record says already is not
    /// held against an edit, unless its label changes.
    pub(super) fn passes(
        &self,
        group: &GroupChain,
        now: Option<&Content>,
        after: &Content,
        reason: Option<&str>,
    ) -> Result<Passed, ApiError> {
        if group.is_own() {
            return Ok(Passed::default());
        }
        let label = label_of(after).unwrap_or_else(|| group.tlp());
        let mut hits = look(&self.guard, label, after);
        if let Some(now) = now.filter(|now| now.tlp() == label) {
            let known = look(&self.guard, label, now);
            let is_known = |hit: &Hit| {
                let same = |old: &Hit| (&old.rule, &old.text) == (&hit.rule, &hit.text);
                known.iter().any(same)
            };
            hits.retain(|hit| !is_known(hit));
        }
        let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
        let blocking: Vec<&Hit> = hits
            .iter()
            .filter(|hit| hit.level == Level::Block)
            .collect();
        let kept = match (blocking.is_empty(), reason) {
            (true, _) => None,
            (false, None) => return Err(refused(&blocking)),
            (false, Some(reason)) => {
                // It goes out as well.
                let said = self.guard.look(label, [(OVERRIDE, reason)]);
                let said: Vec<&Hit> = said
                    .iter()
                    .filter(|hit| hit.level == Level::Block)
                    .collect();
                if !said.is_empty() {
                    return Err(refused(&said));
                }
                let mut rules: Vec<&str> = blocking.iter().map(|hit| hit.rule.as_str()).collect();
                rules.sort_unstable();
                rules.dedup();
                Some(format!("{}: {reason}", rules.join(", ")))
            }
        };
        Ok(Passed {
            hits: hits.into_iter().map(shown).collect(),
            kept,
        })
    }
}

fn label_of(content: &Content) -> Option<Tlp> {
    content.value("tlp").and_then(Tlp::from_name)
}

/// Everything that an officer may have written.
fn look(guard: &Guard, label: Tlp, content: &Content) -> Vec<Hit> {
    let texts = content.texts.iter();
    let values = content.values.iter();
    let values = values.filter(|(field, _)| !OWN_VALUES.contains(&field.as_str()));
    let pairs = texts.chain(values).map(|(field, text)| (&**field, &**text));
    let items = content.sets.iter().filter_map(|item| item.split_once('.'));
    guard.look(label, pairs.chain(items))
}

fn refused(hits: &[&Hit]) -> ApiError {
    let told = hits.iter().take(LISTED).map(|hit| {
        let Hit {
            rule,
            field,
            line,
            column,
            text,
            ..
        } = hit;
        format!("{field}, line {line}, character {column}: {rule} ({text})")
    });
    let mut told = told.collect::<Vec<_>>().join("; ");
    if hits.len() > LISTED {
        told.push_str("; …");
    }
    ApiError::new(ErrorCode::GuardHit).with("hits", told)
}

fn shown(hit: Hit) -> GuardHit {
    GuardHit {
        rule: hit.rule,
        level: hit.level.name().to_owned(),
        field: hit.field,
        line: hit.line,
        column: hit.column,
        text: hit.text,
    }
}

/// `GET /v1/guard`.
pub(super) async fn rules(State(api): State<Api>) -> Answer<GuardRules> {
    let levels = |rule: &crate::guard::Rule| {
        let level = |label: &Tlp| {
            (
                label.name().to_owned(),
                rule.level(*label).name().to_owned(),
            )
        };
        Tlp::ALL.iter().map(level).collect()
    };
    let rules = api.guard.rules().iter().map(|rule| GuardRule {
        rule: rule.id.clone(),
        levels: levels(rule),
    });
    Ok(Json(GuardRules {
        rules: rules.collect(),
    }))
}

/// `POST /v1/guard`.
pub(super) async fn check(
    State(api): State<Api>,
    Json(request): Json<GuardCheck>,
) -> Answer<GuardAnswer> {
    let (engine, guard) = (api.engine.clone(), api.guard.clone());
    let answer = move || {
        let view = View::open(&engine)?;
        let content = match (request.draft, request.record) {
            (Some(draft), None) => {
                let target = Target {
                    view: &view,
                    group: names::group(view.replica(), "own")?,
                    kind: None,
                    editors: &diwan_api::types::Editors::Group,
                };
                target.looked_at(draft)?
            }
            (None, Some(record)) => {
                let (num, row) = view.find(&record)?;
                view.reading.content(num, &row)?.unwrap_or_default()
            }
            _ => {
                let expected = "a draft, or a record";
                return Err(ApiError::invalid("draft", "", expected).into());
            }
        };
        let said = request.tlp.as_deref().map(names::tlp).transpose()?;
        let label = said.or_else(|| label_of(&content)).unwrap_or(Tlp::Green);
        let hits = look(&guard, label, &content);
        Ok(GuardAnswer {
            tlp: label.name().to_owned(),
            blocked: hits.iter().any(|hit| hit.level == Level::Block),
            hits: hits.into_iter().map(shown).collect(),
        })
    };
    Ok(Json(apart(answer).await?))
}
