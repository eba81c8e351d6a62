//! `diff`: what changed between two versions of a record, by field, and who changed it.

use axum::extract::State;
use diwan_api::types::{Diff, Difference, FieldDiff, TextPiece, VersionInfo};
use diwan_core::record::{Content, Piece, Version, pieces};
use serde::Deserialize;

use super::answer::{Answer, Asked, Json, Named, apart};
use super::view::View;
use super::{Api, drafts, history, proposals, show};
use crate::engine::{Engine, EngineError};

/// Query of `GET /v1/records/{record}/diff`.
#[derive(Debug, Deserialize)]
pub(super) struct Between {
    from: Option<String>,
    to: Option<String>,
}

/// `GET /v1/records/{record}/diff`.
pub(super) async fn diff(
    State(api): State<Api>,
    Named(record): Named<String>,
    Asked(between): Asked<Between>,
) -> Answer<Diff> {
    apart(move || read(&api.engine, &record, &between))
        .await
        .map(Json)
}

fn read(engine: &Engine, text: &str, between: &Between) -> Result<Diff, EngineError> {
    let view = View::open(engine)?;
    let seen = view.found(text)?;
    let Some(from) = &between.from else {
        return proposals::proposed(&view, &seen);
    };
    let from = drafts::version("from", from)?;
    let to = between.to.as_deref();
    let to = to.map(|to| drafts::version("to", to)).transpose()?;
    let to = to.unwrap_or_else(|| Version::from(seen.row.version));
    let before = show::content_at_version(&view, &seen, &from)?;
    let after = show::content_at_version(&view, &seen, &to)?;
    Ok(Diff {
        record: seen.row.id.to_string(),
        from: from.to_string(),
        to: to.to_string(),
        versions: steps_between(history::versions(&view, &seen)?, &from, &to),
        changes: differences(&before, &after),
    })
}

/// The versions behind the first, up to the second. One that only a reader saw, where two sides had just
/// met, is none of those that were written: then all are told.
fn steps_between(mut versions: Vec<VersionInfo>, from: &Version, to: &Version) -> Vec<VersionInfo> {
    let place = |version: &Version| {
        let text = version.to_string();
        versions.iter().position(|info| info.version == text)
    };
    let end = place(to).map_or(versions.len(), |at| at + 1);
    let begin = place(from).map_or(0, |at| at + 1);
    versions.truncate(end);
    versions.split_off(begin.min(end))
}

/// What differs in each field, wherever a content keeps it: a name may be used in several places.
pub(super) fn differences(before: &Content, after: &Content) -> Vec<FieldDiff> {
    let mut found = Vec::new();
    for field in before.changed_keys(after) {
        let differences = [
            text(before, after, &field),
            value(before, after, &field),
            set(before, after, &field),
        ];
        let each = differences.into_iter().flatten();
        found.extend(each.map(|difference| FieldDiff {
            field: field.clone(),
            difference,
        }));
    }
    found
}

fn text(before: &Content, after: &Content, key: &str) -> Option<Difference> {
    let (old, new) = (before.texts.get(key), after.texts.get(key));
    (old != new).then(|| {
        let text = |text: Option<&String>| text.cloned().unwrap_or_default();
        let pieces = pieces(&text(old), &text(new)).into_iter();
        Difference::Text {
            pieces: pieces.map(told).collect(),
        }
    })
}

fn value(before: &Content, after: &Content, field: &str) -> Option<Difference> {
    let (old, new) = (before.value(field), after.value(field));
    (old != new).then(|| Difference::Value {
        before: old.map(str::to_owned),
        after: new.map(str::to_owned),
    })
}

fn set(before: &Content, after: &Content, field: &str) -> Option<Difference> {
    let items = |content: &Content| -> Vec<String> {
        let links = content.links.iter().filter(|_| field == "links");
        links.cloned().chain(content.set_of(field)).collect()
    };
    let (old, new) = (items(before), items(after));
    let without = |one: &[String], other: &[String]| {
        let only = one.iter().filter(|item| !other.contains(item));
        only.cloned().collect()
    };
    (old != new).then(|| Difference::Set {
        added: without(&new, &old),
        removed: without(&old, &new),
    })
}

fn told(piece: Piece) -> TextPiece {
    let (op, text) = match piece {
        Piece::Kept(text) => ("kept", text),
        Piece::Deleted(text) => ("deleted", text),
        Piece::Inserted(text) => ("inserted", text),
    };
    TextPiece {
        op: op.to_owned(),
        text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_several_places_hides_no_difference() {
        let mut before = Content::default();
        before.values.insert("links".to_owned(), "x".to_owned());
        before.values.insert("themes".to_owned(), "x".to_owned());
        let mut after = before.clone();
        after.links.insert("need.aa".to_owned());
        after.set_set("themes", &["drugs".to_owned()]);
        let added = |item: &str| Difference::Set {
            added: vec![item.to_owned()],
            removed: Vec::new(),
        };
        let found = differences(&before, &after);
        let found: Vec<_> = found
            .into_iter()
            .map(|found| (found.field, found.difference))
            .collect();
        assert_eq!(
            found,
            [
                ("links".to_owned(), added("need.aa")),
                ("themes".to_owned(), added("drugs"))
            ]
        );
    }
}
