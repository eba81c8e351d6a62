//! Fields that the owners of groups added to kinds.

use std::collections::BTreeMap;

use diwan_core::id::{AgencyId, GroupId};
use diwan_core::record::{Content, FieldType, check_field, kind};

use crate::store::RecordRow;

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
    /// The group that has it.
    pub group: GroupId,
    /// The agency that says so: it counts where it owns the group.
    pub origin: AgencyId,
}

impl AddedField {
    /// None where it names no type, or a field that there is.
    pub(super) fn read(row: &RecordRow, content: &Content) -> Option<Self> {
        let name = content.value("notation")?;
        let of_kind = content.value("of-kind")?;
        let of = FieldType::of_word(content.value("type")?)?;
        let is_taken = kind(of_kind).is_none_or(|kind| kind.field(name).is_some());
        (!is_taken && check_field(name).is_ok()).then(|| Self {
            name: name.to_owned(),
            of_kind: of_kind.to_owned(),
            of,
            title: content.texts_of("title"),
            group: row.group,
            origin: row.origin,
        })
    }
}
