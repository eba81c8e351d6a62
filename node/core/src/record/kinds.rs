//! The kinds of records, as data: which fields each kind has, what they hold, and by which relations
//! it is tied to other kinds. Nothing else in the program names a kind's fields.
//!
//! A schema says what may be written here. What other nodes wrote is kept, synced and shown as it is,
//! whether this version knows its kind and its fields or not.

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// Text by language.
    Text,
    /// One value that is the same in every language.
    Line,
    /// A day, `2026-03-14` (RFC 3339, full-date).
    Date,
    /// Whole minutes.
    Minutes,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A country's two letters (ISO 3166-1, alpha-2).
    Country,
    /// A set of countries.
    Countries,
    /// A language's tag (BCP 47).
    Language,
    /// A set of languages.
    Languages,
}

/// Where a record's content keeps what a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Texts by language: they merge character by character.
    Texts,
    /// One value: of concurrent ones Automerge's order takes one, and the others stay in the history.
    Value,
    /// A set: concurrent additions unite.
    Set,
}

impl FieldType {
    /// The type that a record of the kind [`FIELD`] names.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Some(match word {
            "text" => FieldType::Text,
            "line" => FieldType::Line,
            "date" => FieldType::Date,
            "minutes" => FieldType::Minutes,
            "country" => FieldType::Country,
            "countries" => FieldType::Countries,
            "language" => FieldType::Language,
            "languages" => FieldType::Languages,
            _ => return None,
        })
    }

    /// Where the content keeps it.
    #[must_use]
    pub fn holds(self) -> Holds {
        match self {
            FieldType::Text => Holds::Texts,
            FieldType::Countries | FieldType::Languages => Holds::Set,
            FieldType::Line
            | FieldType::Date
            | FieldType::Minutes
            | FieldType::Word(_)
            | FieldType::Country
            | FieldType::Language => Holds::Value,
        }
    }
}

/// A field of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name in the API, in front matter and on the command line.
    pub name: &'static str,
    /// What it holds.
    pub of: FieldType,
}

/// A relation by which records of a kind point to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relation {
    /// Its name, as in `--link REL=ID`.
    pub name: &'static str,
    /// Kinds that it points to; any where there are none.
    pub to: &'static [&'static str],
}

/// A kind of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its word in the API and on the command line.
    pub name: &'static str,
    /// It says something about another record (link `about`), and only its origin edits it.
    pub annotation: bool,
    /// It is about words, not about police work: a concept scheme, a concept, a field. Lists and searches
    /// leave it out unless they ask for it.
    pub vocabulary: bool,
    /// Its own fields; [`COMMON`] are those of every kind.
    pub fields: &'static [Field],
    /// Fields without which it is not written here.
    pub required: &'static [&'static str],
    /// It is about a person: it stays in the own group and in those that the agency named for it.
    pub personal: bool,
    /// Its own relations. Others may be used too: they mean what the reader makes of them.
    pub relations: &'static [Relation],
}

impl Kind {
    /// Its fields and those of every kind.
    pub fn all_fields(&self) -> impl Iterator<Item = &'static Field> + use<> {
        self.fields.iter().chain(COMMON)
    }

    /// A field of this kind.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.all_fields().find(|field| field.name == name)
    }

    /// A relation of this kind.
    #[must_use]
    pub fn relation(&self, name: &str) -> Option<&'static Relation> {
        self.relations.iter().find(|relation| relation.name == name)
    }
}

const fn field(name: &'static str, of: FieldType) -> Field {
    Field { name, of }
}

const fn to(name: &'static str, to: &'static [&'static str]) -> Relation {
    Relation { name, to }
}

/// The field that says since when a record is withdrawn by its origin: it is shown where it is asked for,
/// and neither listed nor found nor counted.
pub const WITHDRAWN: &str = "withdrawn";

/// The field that says on which day the label is to be reviewed or lowered.
pub const LABEL_REVIEW: &str = "label-review";

/// The kind of a concept scheme (SKOS, section 4).
pub const SCHEME: &str = "scheme";
/// The kind of a concept (SKOS, section 3). Its title is the preferred label, `alt` holds alternative
/// labels and `hidden` hidden ones, one a line, `scope` the scope note; `vocabulary` and `parent` name by their notations the
/// vocabulary that it extends and the concept above it, where those are no records.
pub const CONCEPT: &str = "concept";
/// The kind of a record by which a group's owner adds a field to a kind.
pub const FIELD: &str = "field";

/// The relation by which a package names the trainings that it is made of; its field `order` says in which
/// order.
pub const PART: &str = "part";
/// The relation by which an annotation names the record that it is about.
pub const ABOUT: &str = "about";
/// The kind of an annotation that is a translation.
pub const TRANSLATION: &str = "translation";
/// The fields of a record that are texts by language.
pub const TEXT_FIELDS: [&str; 3] = ["title", "summary", "body"];
/// The relation by which a published record names the draft that it was made from.
pub const SOURCE: &str = "source";
/// The relation by which a question names the answer that its origin took.
pub const ACCEPTED: &str = "accepted";

/// Values that a record's origin alone writes: the gate refuses them from others.
pub(super) const ORIGIN_VALUES: [&str; 3] = [WITHDRAWN, "withdrawn-reason", "source-version"];
/// Relations by which a record's origin says what it made of proposals: the gate refuses them from others.
pub const ORIGIN_RELATIONS: [&str; 4] = ["adopted", ACCEPTED, "corrected", "declined"];

/// Names that a record has a place of its own for, or that verbs write: no field is added under them.
const RESERVED: [&str; 14] = [
    "title",
    "summary",
    "body",
    "themes",
    "tags",
    "tlp",
    "hcode",
    "import_key",
    "links",
    "kind",
    "group",
    "record",
    "lang",
    "override",
];

/// Whether no field may be added under a name.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    let all = RESERVED
        .iter()
        .chain(&ORIGIN_VALUES)
        .chain(&ORIGIN_RELATIONS);
    all.into_iter().any(|reserved| *reserved == name) || name.starts_with("translates-")
}

/// Fields of every kind, beside title, summary, body, themes, tags, labels and links.
pub const COMMON: &[Field] = &[
    field("review", FieldType::Date),
    field("expires", FieldType::Date),
    field(WITHDRAWN, FieldType::Date),
    field(LABEL_REVIEW, FieldType::Date),
    field("withdrawn-reason", FieldType::Line),
    field("override", FieldType::Line),
    field("source-version", FieldType::Line),
];

const LEVELS: FieldType = FieldType::Word(&["basic", "intermediate", "advanced"]);
const SEVERITIES: FieldType = FieldType::Word(&["low", "medium", "high", "critical"]);
const NEED_STATES: FieldType = FieldType::Word(&["open", "answered", "closed"]);
const ACTION_STATES: FieldType = FieldType::Word(&["planned", "running", "done", "cancelled"]);
const TYPES: FieldType = FieldType::Word(&[
    "text",
    "line",
    "date",
    "minutes",
    "country",
    "countries",
    "language",
    "languages",
]);
const RESULTS: FieldType = FieldType::Word(&["helped", "partly", "did-not-help"]);

/// What a kind has that says nothing else.
const PLAIN: Kind = Kind {
    name: "",
    annotation: false,
    vocabulary: false,
    fields: &[],
    required: &[],
    personal: false,
    relations: &[],
};

const KINDS: &[Kind] = &[
    Kind {
        name: "practice",
        fields: &[field("countries", FieldType::Countries)],
        relations: &[to("exchange", &["exchange"]), to("need", &["need"])],
        ..PLAIN
    },
    Kind {
        name: "experience",
        fields: &[
            field("countries", FieldType::Countries),
            field("date", FieldType::Date),
        ],
        relations: &[to("exchange", &["exchange"]), to("need", &["need"])],
        ..PLAIN
    },
    Kind {
        name: "guideline",
        fields: &[
            field("edition", FieldType::Line),
            field("countries", FieldType::Countries),
        ],
        relations: &[to("exchange", &["exchange"]), to("need", &["need"])],
        ..PLAIN
    },
    Kind {
        name: "training",
        fields: &[
            field("level", LEVELS),
            field("audience", FieldType::Text),
            field("duration", FieldType::Minutes),
            field("prerequisites", FieldType::Text),
        ],
        relations: &[
            to("action", &["action"]),
            to("need", &["need"]),
            to("exchange", &["exchange"]),
        ],
        ..PLAIN
    },
    Kind {
        name: "package",
        fields: &[
            field("level", LEVELS),
            field("audience", FieldType::Text),
            field("order", FieldType::Line),
        ],
        relations: &[
            to(PART, &["training"]),
            to("action", &["action"]),
            to("need", &["need"]),
        ],
        ..PLAIN
    },
    Kind {
        name: "exchange",
        fields: &[
            field("start", FieldType::Date),
            field("end", FieldType::Date),
            field("place", FieldType::Line),
            field("host", FieldType::Country),
            field("countries", FieldType::Countries),
            field("outcome", FieldType::Text),
        ],
        ..PLAIN
    },
    Kind {
        name: "need",
        fields: &[
            field("country", FieldType::Country),
            field("severity", SEVERITIES),
            field("state", NEED_STATES),
        ],
        relations: &[to("exchange", &["exchange"])],
        ..PLAIN
    },
    Kind {
        name: "action",
        fields: &[
            field("state", ACTION_STATES),
            field("start", FieldType::Date),
            field("end", FieldType::Date),
            field("countries", FieldType::Countries),
        ],
        relations: &[to("need", &["need"]), to("exchange", &["exchange"])],
        ..PLAIN
    },
    Kind {
        name: "assessment",
        fields: &[
            field("countries", FieldType::Countries),
            field("start", FieldType::Date),
            field("end", FieldType::Date),
        ],
        relations: &[to("exchange", &["exchange"]), to("need", &["need"])],
        ..PLAIN
    },
    Kind {
        name: "question",
        relations: &[to(ACCEPTED, &["answer"])],
        ..PLAIN
    },
    Kind {
        name: "expert",
        fields: &[
            field("country", FieldType::Country),
            field("languages", FieldType::Languages),
            field("organisation", FieldType::Line),
            field("contact", FieldType::Line),
        ],
        required: &["review"],
        personal: true,
        ..PLAIN
    },
    Kind {
        name: "comment",
        annotation: true,
        ..PLAIN
    },
    Kind {
        name: "endorsement",
        annotation: true,
        fields: &[
            field("result", RESULTS),
            field("country", FieldType::Country),
            field("date", FieldType::Date),
        ],
        ..PLAIN
    },
    Kind {
        name: TRANSLATION,
        annotation: true,
        fields: &[
            field("lang", FieldType::Language),
            field("from", FieldType::Language),
            field("version", FieldType::Line),
        ],
        ..PLAIN
    },
    Kind {
        name: "correction",
        annotation: true,
        fields: &[
            field("version", FieldType::Line),
            field("reason", FieldType::Text),
        ],
        ..PLAIN
    },
    Kind {
        name: "answer",
        annotation: true,
        ..PLAIN
    },
    Kind {
        name: SCHEME,
        vocabulary: true,
        fields: &[
            field("notation", FieldType::Line),
            field("uri", FieldType::Line),
        ],
        ..PLAIN
    },
    Kind {
        name: CONCEPT,
        vocabulary: true,
        fields: &[
            field("alt", FieldType::Text),
            field("hidden", FieldType::Text),
            field("scope", FieldType::Text),
            field("notation", FieldType::Line),
            field("uri", FieldType::Line),
            field("vocabulary", FieldType::Line),
            field("parent", FieldType::Line),
        ],
        relations: &[
            to("scheme", &[SCHEME]),
            to("broader", &[CONCEPT]),
            to("related", &[CONCEPT]),
        ],
        ..PLAIN
    },
    Kind {
        name: FIELD,
        vocabulary: true,
        fields: &[
            field("notation", FieldType::Line),
            field("of-kind", FieldType::Line),
            field("type", TYPES),
        ],
        required: &["notation", "of-kind", "type"],
        ..PLAIN
    },
];

/// Every kind that can be written here.
#[must_use]
pub fn kinds() -> &'static [Kind] {
    KINDS
}

/// The kind of a name.
#[must_use]
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::record::content::check_field;

    /// Fields that every record has a place of its own for.
    const OWN_PLACE: [&str; 8] = [
        "title",
        "summary",
        "body",
        "themes",
        "tags",
        "tlp",
        "hcode",
        "import_key",
    ];

    #[test]
    fn a_type_that_may_be_chosen_is_one() {
        let FieldType::Word(words) = TYPES else {
            panic!("{TYPES:?}");
        };
        for word in words {
            assert!(FieldType::of_word(word).is_some(), "{word}");
        }
    }

    #[test]
    fn the_schemas_hold_together() {
        let names: BTreeSet<_> = kinds().iter().map(|kind| kind.name).collect();
        assert_eq!(names.len(), kinds().len(), "each kind once");
        for kind in kinds() {
            let fields: Vec<_> = kind.all_fields().map(|field| field.name).collect();
            let each: BTreeSet<_> = fields.iter().collect();
            assert_eq!(each.len(), fields.len(), "each field of {} once", kind.name);
            for name in fields {
                assert!(check_field(name).is_ok(), "{name} of {}", kind.name);
                assert!(!OWN_PLACE.contains(&name), "{name} of {}", kind.name);
            }
            for name in kind.required {
                assert!(kind.field(name).is_some(), "{name} of {}", kind.name);
            }
            for relation in kind.relations {
                for to in relation.to {
                    assert!(names.contains(to), "{} of {}", relation.name, kind.name);
                }
            }
        }
    }

    /// A field of one name holds the same wherever it is: a filter or a reader need not know the kind.
    #[test]
    fn a_name_is_kept_in_one_place() {
        for one in kinds().iter().flat_map(Kind::all_fields) {
            for other in kinds().iter().flat_map(Kind::all_fields) {
                assert!(one.name != other.name || one.of.holds() == other.of.holds());
            }
        }
    }
}
