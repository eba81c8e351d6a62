//! Fields that the owners of groups added to kinds.

use std::collections::BTreeMap;

use diwan_core::record::{Content, FieldType, check_field, is_reserved, kind};

use super::concept::Source;

/// A field that a record of the kind `field` adds to a kind.
#[derive(Clone, Debug)]
pub struct AddedField {
    /// Its name.
    pub name: String,
    /// The kind that has it.
    pub of_kind: String,
    /// What it holds.
    pub of: FieldType,
    /// Its label by language.
    pub title: BTreeMap<String, String>,
    /// The record that says so.
    pub record: Source,
}

impl AddedField {
    /// None where it names no type, or a field that there is, or a name that is reserved.
    pub(super) fn read(source: Source, content: &Content) -> Option<Self> {
        let name = content.value("notation")?;
        let of_kind = content.value("of-kind")?;
        let of = FieldType::of_word(content.value("type")?)?;
        let is_taken = kind(of_kind).is_none_or(|kind| kind.field(name).is_some());
        let is_free = !is_taken && !is_reserved(name) && check_field(name).is_ok();
        is_free.then(|| Self {
            name: name.to_owned(),
            of_kind: of_kind.to_owned(),
            of,
            title: content.texts_of("title"),
            record: source,
        })
    }
}
