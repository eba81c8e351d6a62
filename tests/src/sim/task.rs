//! One job of an officer or an admin, as the engine's step does it.

use diwan_core::group::Member;
use diwan_core::id::{AgencyId, GroupId, RecordId};
use diwan_core::record::{Edit, Tlp, Version};
use diwan_core::trust::{TrustEntry, TrustState, Verification};
use diwan_node::engine::{DraftOutcome, EngineError, MemberChange, RecordDraft, Step};

/// One job.
#[derive(Clone, Debug)]
pub enum Task {
    /// A new record.
    New(GroupId, Box<RecordDraft>, char),
    /// An edit of a version that the officer looked at.
    Edit(RecordId, Option<Version>, Box<Edit>, Option<char>),
    /// A batch of documents, each with its mark.
    Import(GroupId, Vec<(RecordDraft, char)>),
    /// A new group: name, others.
    Found(String, Vec<Member>),
    /// A change of a member.
    Member(GroupId, MemberChange),
    /// A decision of the local admin.
    Trust(AgencyId, TrustState),
    /// Addresses of this node.
    Announce(Vec<String>),
}

/// What was done.
#[derive(Debug)]
pub enum Done {
    /// Records that hold these marks.
    Marked(Vec<(RecordId, char)>),
    /// Something else.
    Other,
}

impl Task {
    /// Does it.
    ///
    /// # Errors
    /// What the engine answered.
    pub fn perform(&self, step: &mut Step<'_, '_>) -> Result<Done, EngineError> {
        match self {
            Task::New(group, draft, mark) => {
                let (record, _) = step.create_record(group, (**draft).clone())?;
                Ok(Done::Marked(vec![(record, *mark)]))
            }
            Task::Edit(record, base, edit, mark) => {
                step.edit_record(record, base.as_ref(), edit)?;
                Ok(Done::Marked(mark.iter().map(|m| (*record, *m)).collect()))
            }
            Task::Import(group, drafts) => {
                let batch = drafts.iter().map(|(draft, _)| Ok(draft.clone()));
                let outcomes = step.import(group, batch.collect(), false)?;
                let marked = outcomes
                    .iter()
                    .zip(drafts)
                    .filter_map(|(outcome, (_, mark))| match outcome {
                        DraftOutcome::Created(record) => Some((*record, *mark)),
                        _ => None,
                    });
                Ok(Done::Marked(marked.collect()))
            }
            Task::Found(name, members) => {
                step.create_group(name, members, 1, Tlp::Green)?;
                Ok(Done::Other)
            }
            Task::Member(group, change) => {
                step.change_member(group, *change)?;
                Ok(Done::Other)
            }
            Task::Trust(agency, state) => {
                step.set_trust(*agency, Some(entry(*state)))?;
                Ok(Done::Other)
            }
            Task::Announce(addresses) => {
                step.announce(addresses.clone())?;
                Ok(Done::Other)
            }
        }
    }

    /// Its word in the trace.
    #[must_use]
    pub fn word(&self) -> String {
        match self {
            Task::New(group, _, mark) => format!("new {mark} in {}", group.short()),
            Task::Edit(record, base, _, mark) => {
                let base = base.map_or_else(|| "now".to_owned(), |base| base.to_string());
                format!("edit {} of {base}, mark {mark:?}", record.short())
            }
            Task::Import(group, drafts) => format!("import {} in {}", drafts.len(), group.short()),
            Task::Found(name, members) => format!("found {name} with {}", members.len()),
            Task::Member(group, change) => format!("{change:?} in {}", group.short()),
            Task::Trust(agency, state) => format!("trust {} {}", agency.short(), state.name()),
            Task::Announce(addresses) => format!("announce {addresses:?}"),
        }
    }
}

/// What an admin's decision puts on the list.
pub(super) fn entry(state: TrustState) -> TrustEntry {
    let verification = Verification {
        at_ms: 1,
        by_uid: 0,
    };
    TrustEntry::pinned(verification).with_state(state)
}
