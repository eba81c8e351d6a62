//! The kinds of records, as data.

/// A kind of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its word in the API and on the command line.
    pub name: &'static str,
    /// It says something about another record (link `about`), and only its origin edits it.
    pub annotation: bool,
}

const KINDS: &[Kind] = &[
    Kind {
        name: "practice",
        annotation: false,
    },
    Kind {
        name: "experience",
        annotation: false,
    },
    Kind {
        name: "guideline",
        annotation: false,
    },
    Kind {
        name: "training",
        annotation: false,
    },
    Kind {
        name: "question",
        annotation: false,
    },
    Kind {
        name: "exchange",
        annotation: false,
    },
    Kind {
        name: "need",
        annotation: false,
    },
    Kind {
        name: "comment",
        annotation: true,
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
