//! What this node's officers may see of the last commit, and records as the API shows them.

use std::collections::BTreeMap;
use std::sync::Arc;

use diwan_api::error::{ApiError, ErrorCode};
use diwan_api::types::{Labels, Record, RecordLink, TranslationState};
use diwan_core::group::Role;
use diwan_core::id::{AgencyId, GroupId, RecordId, Writer};
use diwan_core::log::Header;
use diwan_core::record::{
    AuthoredChange, Content, Editors, Genesis, Materialised, Step, Version, WITHDRAWN, history,
};
use diwan_core::replica::Replica;

use super::words::Words;
use super::{fields, names, time, translations};
use crate::engine::{Engine, EngineError, State, was_published};
use crate::store::{Reading, RecordRow, RecordState, StoreError};
use crate::vocabulary::Vocabularies;

/// Ids that are compared when the beginning of one is looked for.
const PREFIX_MATCHES: usize = 64;
/// Records of one agency that link to a record and are shown with it: nobody's many hide the others'.
const LINKING_OF_ORIGIN: usize = 1_000;
/// Rows that one request looks at to follow links.
const ROWS_FOLLOWED: usize = 200_000;
/// Records that one request reads to follow links.
const CONTENTS_FOLLOWED: usize = 20_000;
/// Ids that a refusal lists.
const LISTED_MATCHES: usize = 5;

/// A consistent view of the records, and the state that says what of them is to be seen.
pub(super) struct View {
    pub(super) reading: Reading,
    state: Arc<State>,
    vocabularies: Vocabularies,
}

/// A record with its first version, as far as it is to be seen.
pub(super) struct Seen {
    pub(super) num: u64,
    pub(super) row: RecordRow,
    pub(super) genesis: Genesis,
    /// The signed header of the first version.
    pub(super) header: Header,
}

/// What a request may still look at while it follows links: a member can link as much as it likes, and
/// nobody's question is to take a node's time or memory.
#[derive(Debug)]
pub(super) struct Budget {
    rows: usize,
    contents: usize,
    /// There was more than was looked at.
    pub(super) is_short: bool,
}

impl Budget {
    /// A smaller one.
    #[cfg(test)]
    pub(super) fn of(rows: usize, contents: usize) -> Self {
        Self {
            rows,
            contents,
            is_short: false,
        }
    }

    /// For one request.
    pub(super) fn new() -> Self {
        Self {
            rows: ROWS_FOLLOWED,
            contents: CONTENTS_FOLLOWED,
            is_short: false,
        }
    }
}

impl View {
    pub(super) fn open(engine: &Engine) -> Result<Self, EngineError> {
        Ok(Self {
            reading: engine.read()?,
            state: engine.state(),
            vocabularies: engine.vocabularies().clone(),
        })
    }

    /// The vocabularies as of this view.
    pub(super) fn words(&self) -> Result<Words<'_>, StoreError> {
        let vocabulary = self.vocabularies.at(&self.reading)?;
        Ok(Words::new(vocabulary, self.replica()))
    }

    pub(super) fn replica(&self) -> &Replica {
        &self.state.replica
    }

    /// The small number of a log.
    pub(super) fn log(&self, group: GroupId, writer: Writer) -> Option<u32> {
        self.state.logs.get(&(group, writer)).copied()
    }

    /// Whether officers see a record: its first version is valid, this agency is in its group, and
    /// its origin is not blocked.
    pub(super) fn shows(&self, row: &RecordRow) -> bool {
        let replica = self.replica();
        let member = replica
            .group(&row.group)
            .is_some_and(|group| group.chain.role(&replica.me().agency).is_some());
        member && row.state != RecordState::Hidden && !replica.trust().is_blocked(&row.origin)
    }

    /// A record's row by its number, if it is to be seen.
    pub(super) fn row(&self, num: u64) -> Result<Option<RecordRow>, StoreError> {
        Ok(self.reading.record(num)?.filter(|row| self.shows(row)))
    }

    /// The record that an id or the beginning of one means.
    pub(super) fn find(&self, text: &str) -> Result<(u64, RecordRow), EngineError> {
        let text = text.trim();
        let prefix = names::id_prefix(text)
            .ok_or_else(|| ApiError::new(ErrorCode::BadPrefix).with("prefix", text))?;
        let mut found = Vec::new();
        for id in self.reading.records_by_prefix(&prefix, PREFIX_MATCHES)? {
            if let Some(num) = self.reading.record_num(&id)?
                && let Some(row) = self.row(num)?
            {
                found.push((num, row));
            }
        }
        if found.len() > 1 {
            let ids = found.iter().take(LISTED_MATCHES).map(|(_, row)| row.id);
            return Err(names::ambiguous_prefix(text, ids).into());
        }
        let unknown = || ApiError::new(ErrorCode::UnknownRecord).with("id", text);
        Ok(found.pop().ok_or_else(unknown)?)
    }

    /// Looks at the records that link to a record and are to be seen, oldest first: first at the row of
    /// each, and where that is wanted at what the record says.
    pub(super) fn linking(
        &self,
        record: &RecordId,
        budget: &mut Budget,
        wanted: impl Fn(&RecordRow) -> bool,
        mut look: impl FnMut(RecordRow, &Content),
    ) -> Result<(), StoreError> {
        let mut of_origin = BTreeMap::<AgencyId, usize>::new();
        for num in self.reading.linking(record, budget.rows)? {
            budget.rows = budget.rows.saturating_sub(1);
            let Some(row) = self.row(num)?.filter(&wanted) else {
                continue;
            };
            let count = of_origin.entry(row.origin).or_default();
            if *count >= LINKING_OF_ORIGIN || budget.contents == 0 {
                budget.is_short = true;
                continue;
            }
            budget.contents = budget.contents.saturating_sub(1);
            let Some(content) = self.reading.content(num, &row)? else {
                continue;
            };
            // One that linked to it in an earlier version only does not count, nor one that was withdrawn.
            if content.value(WITHDRAWN).is_none()
                && content.link_pairs().any(|(_, to)| to == *record)
                && !self.was_published(&row, budget)?
            {
                *count += 1;
                look(row, &content);
            }
        }
        budget.is_short |= budget.rows == 0;
        Ok(())
    }

    /// Whether a record is a draft of this agency that was published: where both would be told of, the
    /// published one stands for both.
    pub(super) fn was_published(
        &self,
        row: &RecordRow,
        budget: &mut Budget,
    ) -> Result<bool, StoreError> {
        let looked_at = LINKING_OF_ORIGIN.min(budget.rows);
        let (published, rows) = was_published(&self.reading, self.replica(), row, looked_at)?;
        budget.rows = budget.rows.saturating_sub(rows);
        Ok(published)
    }

    /// The record that an id or the beginning of one means, with its first version.
    pub(super) fn found(&self, text: &str) -> Result<Seen, EngineError> {
        let (num, row) = self.find(text)?;
        let unknown = || ApiError::new(ErrorCode::UnknownRecord).with("id", text);
        Ok(self.seen(num, row)?.ok_or_else(unknown)?)
    }

    /// A record with its first version; none where its text was erased.
    pub(super) fn seen(&self, num: u64, row: RecordRow) -> Result<Option<Seen>, StoreError> {
        let Some(entry) = self.reading.entry(row.log, row.seq)? else {
            return Ok(None);
        };
        let Some(payload) = entry.payload else {
            return Ok(None);
        };
        Ok(Genesis::from_bytes(&payload.bytes)
            .ok()
            .map(|genesis| Seen {
                num,
                row,
                genesis,
                header: entry.header,
            }))
    }

    /// What a record says now.
    pub(super) fn content(&self, seen: &Seen) -> Result<Option<Content>, StoreError> {
        match seen.row.state {
            RecordState::Plain => Ok(Some(seen.genesis.content.clone())),
            _ => self.reading.content(seen.num, &seen.row),
        }
    }

    /// The changes that make a record what it is.
    pub(super) fn changes(&self, num: u64) -> Result<Vec<AuthoredChange>, StoreError> {
        let mut changes = Vec::new();
        for (log, seq) in self.reading.changes(num)? {
            if self.reading.quarantine_reason(log, seq)?.is_none() {
                let entry = self.reading.entry(log, seq)?;
                changes.extend(entry.and_then(AuthoredChange::of));
            }
        }
        Ok(changes)
    }

    /// Every version of a record.
    pub(super) fn history(&self, seen: &Seen) -> Result<Materialised, StoreError> {
        let changes = self.changes(seen.num)?;
        Ok(history(&seen.genesis, &seen.row.id, &changes))
    }

    /// A record in its canonical form: nothing but what its entries and the chains say, so that
    /// every node that holds the same ones writes the same bytes.
    pub(super) fn canonical(&self, seen: &Seen, content: &Content) -> Result<Record, StoreError> {
        let Seen { row, genesis, .. } = seen;
        let mut links: Vec<RecordLink> = content
            .link_pairs()
            .map(|(rel, record)| RecordLink {
                rel: rel.to_owned(),
                record: record.to_string(),
            })
            .collect();
        links.sort();
        Ok(Record {
            record: row.id.to_string(),
            group: row.group.to_string(),
            kind: row.kind.clone(),
            origin: names::short(self.replica(), &row.origin),
            origin_agency: row.origin.to_string(),
            editors: self.editors(genesis),
            tlp: content.tlp().name().to_owned(),
            hcode: content.value("hcode").map(str::to_owned),
            title: content.texts_of("title"),
            summary: content.texts_of("summary"),
            body: content.texts_of("body"),
            themes: content.set_of("themes"),
            tags: content.set_of("tags"),
            fields: fields::of(content),
            links,
            attachments: Vec::new(),
            translations: self.translations(seen, content, None)?,
            annotations: Vec::new(),
            linked: Vec::new(),
            parts: Vec::new(),
            total_minutes: None,
            credits: Vec::new(),
            version: Version::from(row.version).to_string(),
            created: time::rfc3339(row.created_ms),
            updated: time::rfc3339(row.updated_ms),
            import_key: content.value("import_key").map(str::to_owned),
            labels: Labels::new(),
            group_name: None,
            stored: None,
            proof: None,
        })
    }

    /// The short names of those who may edit a record: its origin, then the others, sorted.
    fn editors(&self, genesis: &Genesis) -> Vec<String> {
        let replica = self.replica();
        let mut others: Vec<AgencyId> = match &genesis.editors {
            Editors::Listed(listed) => listed.clone(),
            Editors::Group => replica
                .group(&genesis.group)
                .into_iter()
                .flat_map(|group| group.chain.members())
                .filter(|(_, role)| *role >= Role::Contributor)
                .map(|(agency, _)| *agency)
                .collect(),
        };
        others.retain(|agency| *agency != genesis.origin);
        let mut others: Vec<String> = others.iter().map(|a| names::short(replica, a)).collect();
        others.sort();
        others.insert(0, names::short(replica, &genesis.origin));
        others
    }

    /// The languages of a record, and which of them lag behind its source. `steps` are the changes
    /// that made this content; all of them where none are given.
    ///
    /// A translator says which language and version was translated. Where none did, the source is known
    /// if the first version has one language only: the others are translations of it, each stale once
    /// the source changed after it. Elsewhere nothing says which text came from which, so nothing is
    /// called stale.
    pub(super) fn translations(
        &self,
        seen: &Seen,
        content: &Content,
        steps: Option<&[Step]>,
    ) -> Result<Vec<TranslationState>, StoreError> {
        let languages = content.languages();
        let first = seen.genesis.content.languages();
        let source = first.first().filter(|_| first.len() == 1);
        let mut last = BTreeMap::new();
        if source.is_some_and(|source| languages.contains(source)) && languages.len() > 1 {
            last = match steps {
                Some(steps) => last_changes(steps),
                None => last_changes(&self.history(seen)?.steps),
            };
        }
        let source_changed = source.and_then(|source| last.get(source)).copied();
        let mut states = Vec::new();
        let mut versions = translations::Versions::of(self, seen);
        for lang in languages {
            // What the translator said counts; what can be guessed, where nobody did.
            let guessed = || Some(&lang) != source && last.get(&lang).copied() < source_changed;
            let stale = translations::is_stale(&mut versions, content, &lang)?;
            states.push(TranslationState {
                stale: stale.unwrap_or_else(guessed),
                annotation: None,
                lang,
            });
        }
        Ok(states)
    }
}

/// By language, the step that changed a text of it last; languages of the first version alone have
/// none.
fn last_changes(steps: &[Step]) -> BTreeMap<String, usize> {
    let mut last = BTreeMap::new();
    for (at, step) in steps.iter().enumerate() {
        let languages = step.changed.iter().filter_map(|key| key.split_once('.'));
        for (_, lang) in languages {
            last.insert(lang.to_owned(), at);
        }
    }
    last
}
