//! Concepts and the schemes that they are of.

use std::collections::{BTreeMap, BTreeSet};

use diwan_core::id::{AgencyId, GroupId, RecordId};
use diwan_core::record::{Content, Editors, Genesis};

use super::Sees;
use crate::store::{Reading, RecordRow, StoreError};

/// A concept (SKOS, section 3).
#[derive(Clone, Debug, Default)]
pub struct Concept {
    /// The record that says it; none for one that is shipped.
    pub record: Option<Source>,
    /// What records name it by.
    pub notation: Option<String>,
    /// Its preferred label by language.
    pub title: BTreeMap<String, String>,
    /// Alternative labels by language, one a line.
    pub alternative: BTreeMap<String, String>,
    /// Labels that are searched and not shown, by language, one a line.
    pub hidden: BTreeMap<String, String>,
    /// What it means, by language; of a record this is read where it is shown.
    pub definition: BTreeMap<String, String>,
    /// Notation of the vocabulary that it is of, where that is no record.
    pub vocabulary: Option<String>,
    /// The records of its schemes.
    pub schemes: BTreeSet<RecordId>,
    /// Notation of the concept above it, where that is no record.
    pub parent: Option<String>,
    /// The records of the concepts above it.
    pub broader: BTreeSet<RecordId>,
}

/// A record of a vocabulary.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its id.
    pub id: RecordId,
    /// Its group.
    pub group: GroupId,
    /// The agency that it comes from.
    pub origin: AgencyId,
    /// Who else may edit it; none where every contributor of the group may.
    pub editors: Option<Vec<AgencyId>>,
    /// The store's number of it.
    pub num: u64,
}

impl Source {
    /// None where the first version is not there.
    pub(super) fn of(
        reading: &Reading,
        num: u64,
        row: &RecordRow,
    ) -> Result<Option<Self>, StoreError> {
        let entry = reading.entry(row.log, row.seq)?;
        let payload = entry.and_then(|entry| entry.payload);
        let genesis = payload.and_then(|payload| Genesis::from_bytes(&payload.bytes).ok());
        Ok(genesis.map(|genesis| Self {
            id: row.id,
            group: row.group,
            origin: row.origin,
            editors: match genesis.editors {
                Editors::Group => None,
                Editors::Listed(listed) => Some(listed),
            },
            num,
        }))
    }
}

impl Concept {
    /// What the record of a concept says.
    pub(super) fn read(source: Source, content: &Content) -> Self {
        let value = |name: &str| content.value(name).map(str::to_owned);
        let mut schemes = BTreeSet::new();
        let mut broader = BTreeSet::new();
        for (relation, to) in content.link_pairs() {
            match relation {
                "scheme" => {
                    schemes.insert(to);
                }
                "broader" => {
                    broader.insert(to);
                }
                _ => {}
            }
        }
        Self {
            record: Some(source),
            notation: value("notation"),
            title: content.texts_of("title"),
            alternative: content.texts_of("alt"),
            hidden: content.texts_of("hidden"),
            definition: BTreeMap::new(),
            vocabulary: value("vocabulary"),
            schemes,
            parent: value("parent"),
            broader,
        }
    }

    /// Every label with its language: preferred ones first, hidden ones last.
    pub fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        [&self.title, &self.alternative, &self.hidden]
            .into_iter()
            .flatten()
            .flat_map(|(lang, labels)| labels.lines().map(move |label| (lang.as_str(), label)))
    }

    pub(super) fn is_seen(&self, sees: Sees<'_>) -> bool {
        self.record.as_ref().is_none_or(sees)
    }
}

/// A concept scheme (SKOS, section 4).
#[derive(Clone, Debug, Default)]
pub struct Scheme {
    /// The record that says it; none for one that is shipped.
    pub record: Option<Source>,
    /// By what it is named.
    pub notation: Option<String>,
    /// Its title by language.
    pub title: BTreeMap<String, String>,
}

impl Scheme {
    pub(super) fn read(source: Source, content: &Content) -> Self {
        Self {
            record: Some(source),
            notation: content.value("notation").map(str::to_owned),
            title: content.texts_of("title"),
        }
    }

    pub(super) fn is_seen(&self, sees: Sees<'_>) -> bool {
        self.record.as_ref().is_none_or(sees)
    }
}
