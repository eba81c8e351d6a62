//! Records: plain first versions, later changes as Automerge changes on a derived base, and the
//! gate before Automerge. The only room that knows Automerge. `docs/protocol/record.md` gives the
//! bytes.

mod base;
mod content;
mod edit;
mod gate;
mod genesis;
mod kinds;
mod ledger;
mod replay;
mod says;
mod scan;
mod splice;
mod window;

pub use content::{Content, ContentError, Tlp, check_field, valid_lang};
pub use edit::{Edit, EditError, change_payloads};
pub use gate::{ChangeReason, GATE_VERSION, decides};
pub use genesis::{Editors, Genesis, GenesisError};
pub use kinds::{
    ABOUT, ACCEPTED, COMMON, CONCEPT, FIELD, Field, FieldType, Holds, Kind, LABEL_REVIEW,
    ORIGIN_RELATIONS, PART, Relation, SCHEME, SOURCE, TEXT_FIELDS, TRANSLATION, WITHDRAWN,
    is_reserved, kind, kinds,
};
pub use replay::{
    AuthoredChange, Gate, Materialised, Step, Version, content_at, document, history, materialise,
};
pub use splice::{Piece, pieces};

#[cfg(test)]
mod tests;
