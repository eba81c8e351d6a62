//! The fields of the index and their version.

use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::TokenizerManager;

use super::analysis::{Language, Side, spelling};
use super::error::IndexError;

/// Version of everything that decides what the files mean: fields, analysis, keys. Raise it with
/// any change there; indexes of another version are emptied on opening and filled again.
pub(super) const SCHEMA_VERSION: u32 = 6;

/// Fields whose values are counted in answers.
pub(super) const FACETS: [&str; 6] = [KIND, THEME, TLP, LANG, GROUP, ORIGIN];

pub(super) const NUM: &str = "num";
pub(super) const UPDATED_MS: &str = "updated_ms";
const KIND: &str = "kind";
const THEME: &str = "theme";
const TAG: &str = "tag";
const TLP: &str = "tlp";
const LANG: &str = "lang";
const GROUP: &str = "group";
const ORIGIN: &str = "origin";
const STATE: &str = "state";
/// Name of the field of spellings, and of its analyser.
const SPELT: &str = "spelt";
/// Agencies that endorsed the record.
pub(super) const ENDORSED: &str = "endorsed";
/// The parts of a record that are searched.
const PARTS: [&str; 3] = ["title", "summary", "body"];
/// Ending of the fields of records about words.
const WORDS: &str = "words";

/// The state of a draft that was published.
pub const PUBLISHED: &str = "published";

/// Handles of all fields.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    pub(super) num: Field,
    pub(super) updated_ms: Field,
    pub(super) kind: Field,
    pub(super) theme: Field,
    pub(super) tag: Field,
    pub(super) tlp: Field,
    pub(super) lang: Field,
    pub(super) group: Field,
    pub(super) origin: Field,
    pub(super) state: Field,
    pub(super) endorsed: Field,
    /// The words of all texts as they are spelt.
    pub(super) spelt: Field,
    texts: Vec<(Language, TextFields)>,
    words: TextFields,
}

/// The text fields of one language.
#[derive(Debug, Clone, Copy)]
pub(super) struct TextFields {
    pub(super) title: Field,
    pub(super) summary: Field,
    pub(super) body: Field,
}

impl TextFields {
    /// All of them.
    pub(super) fn all(self) -> [Field; 3] {
        [self.title, self.summary, self.body]
    }
}

/// Builds the schema. Nothing is stored; what answers need of a record are its number and time
/// and the counted keywords, which are kept by column.
pub(super) fn build() -> Schema {
    let mut schema = Schema::builder();
    schema.add_u64_field(NUM, INDEXED | FAST);
    schema.add_u64_field(UPDATED_MS, FAST);
    for name in FACETS {
        schema.add_text_field(name, keyword().set_fast("raw"));
    }
    schema.add_text_field(TAG, keyword());
    schema.add_text_field(STATE, keyword());
    schema.add_u64_field(ENDORSED, FAST);
    let spelt = indexed(SPELT).set_fieldnorms(false);
    let spelt = spelt.set_index_option(IndexRecordOption::Basic);
    schema.add_text_field(SPELT, TextOptions::default().set_indexing_options(spelt));
    for language in Language::ALL {
        for part in PARTS {
            schema.add_text_field(&text_field(part, language), text(language));
        }
    }
    // Words about words stand apart: a thesaurus of thousands would else make common words rare.
    for part in PARTS {
        schema.add_text_field(&format!("{part}_{WORDS}"), text(Language::Other));
    }
    schema.build()
}

/// Makes the analysers known under the names that the schema uses.
pub(super) fn register_analysers(tokenizers: &TokenizerManager) {
    for language in Language::ALL {
        tokenizers.register(&analyser_name(language), language.analyser(Side::Record));
    }
    tokenizers.register(SPELT, spelling());
}

impl Fields {
    /// Finds the fields in the schema of an opened index.
    pub(super) fn of(schema: &Schema) -> Result<Self, IndexError> {
        let field = |name: &str| schema.get_field(name).map_err(IndexError::from);
        let mut texts = Vec::with_capacity(Language::ALL.len());
        for language in Language::ALL {
            let fields = TextFields {
                title: field(&text_field("title", language))?,
                summary: field(&text_field("summary", language))?,
                body: field(&text_field("body", language))?,
            };
            texts.push((language, fields));
        }
        Ok(Self {
            num: field(NUM)?,
            updated_ms: field(UPDATED_MS)?,
            kind: field(KIND)?,
            theme: field(THEME)?,
            tag: field(TAG)?,
            tlp: field(TLP)?,
            lang: field(LANG)?,
            group: field(GROUP)?,
            origin: field(ORIGIN)?,
            state: field(STATE)?,
            endorsed: field(ENDORSED)?,
            spelt: field(SPELT)?,
            texts,
            words: TextFields {
                title: field("title_words")?,
                summary: field("summary_words")?,
                body: field("body_words")?,
            },
        })
    }

    /// The text fields by language.
    pub(super) fn texts(&self) -> impl Iterator<Item = (Language, TextFields)> + '_ {
        self.texts.iter().copied()
    }

    /// Whether texts are in a field, of whatever language.
    pub(super) fn is_text(&self, field: Field) -> bool {
        let texts = self.texts().map(|(_, of_language)| of_language);
        let mut texts = texts.chain([self.words]);
        texts.any(|of_language| of_language.all().contains(&field))
    }

    /// The text fields of records about words, whatever their language.
    pub(super) fn words(&self) -> TextFields {
        self.words
    }

    /// Where words are looked for as they are spelt.
    pub(super) fn spelt(&self, of_words: bool) -> Option<Field> {
        (!of_words).then_some(self.spelt)
    }

    /// The fields that the words of a query are looked for in.
    pub(super) fn asked(&self, of_words: bool) -> Vec<(Language, TextFields)> {
        match of_words {
            true => vec![(Language::Other, self.words)],
            false => self.texts.clone(),
        }
    }

    /// The text fields of one language.
    pub(super) fn text(&self, language: Language) -> Option<TextFields> {
        self.texts()
            .find_map(|(of, fields)| (of == language).then_some(fields))
    }
}

fn keyword() -> TextOptions {
    TextOptions::default().set_indexing_options(
        TextFieldIndexing::default()
            .set_tokenizer("raw")
            .set_fieldnorms(false)
            .set_index_option(IndexRecordOption::Basic),
    )
}

fn text(language: Language) -> TextOptions {
    let indexed = indexed(&analyser_name(language));
    TextOptions::default()
        .set_indexing_options(indexed.set_index_option(IndexRecordOption::WithFreqsAndPositions))
}

fn indexed(analyser: &str) -> TextFieldIndexing {
    TextFieldIndexing::default().set_tokenizer(analyser)
}

fn text_field(part: &str, language: Language) -> String {
    format!("{part}_{}", language.code())
}

fn analyser_name(language: Language) -> String {
    format!("diwan_{}", language.code())
}
