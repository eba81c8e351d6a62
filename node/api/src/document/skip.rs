//! Why something was not imported, or imported otherwise than it says: stable codes with values.
//! The words live in the message catalogue as `skip-<code>` and `warn-<code>`; the English here
//! serves logs and tests.

use std::collections::BTreeMap;

/// A file, or a line of one, that is not imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The file's path as the user named it; `path:line` for a line of JSON Lines.
    pub source: String,
    /// Why.
    pub reason: SkipReason,
}

/// Something about an imported file that its author should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warned {
    /// The file's path as the user named it; `path:line` for a line of JSON Lines.
    pub source: String,
    /// What.
    pub warning: Warning,
}

/// Values of a message, by the names that its catalogue entry uses.
pub type Args = BTreeMap<String, String>;

macro_rules! coded {
    ($(#[$outer:meta])* $name:ident {
        $($(#[$doc:meta])* $variant:ident $({ $($(#[$fdoc:meta])* $field:ident: $ty:ty),+ })?
            = $code:literal, $english:literal;)+
    }) => {
        $(#[$outer])*
        #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
        pub enum $name {
            $($(#[$doc])* #[error($english)] $variant $({ $($(#[$fdoc])* $field: $ty),+ })?,)+
        }

        impl $name {
            /// Every code with the names of its values, for tests that check the catalogue.
            pub const CODES: &'static [(&'static str, &'static [&'static str])] =
                &[$(($code, &[$($(stringify!($field)),+)?]),)+];

            /// The stable name.
            #[must_use]
            pub fn code(&self) -> &'static str {
                match self { $(Self::$variant { .. } => $code,)+ }
            }

            /// The values of the message.
            #[must_use]
            pub fn args(&self) -> Args {
                match self {
                    $(Self::$variant $({ $($field),+ })? => {
                        Args::from([$($((stringify!($field).to_owned(), $field.to_string())),+)?])
                    })+
                }
            }
        }
    };
}

coded! {
    /// Why a file or a line is not imported. Its message is `skip-<code>`.
    SkipReason {
        /// Not text at all.
        Binary = "binary", "not text";
        /// Text in an encoding that cannot be told.
        UnknownEncoding = "unknown-encoding",
            "neither UTF-8 nor another encoding that can be told with certainty";
        /// A file or a line beyond its limit.
        TooLarge {
            /// Its size in bytes.
            bytes: u64,
            /// The limit in bytes.
            limit: u64
        } = "too-large", "{bytes} bytes; at most {limit} can be imported";
        /// This language no longer fits into its record.
        RecordTooLarge {
            /// Size of all languages together in bytes.
            bytes: u64,
            /// The limit in bytes.
            limit: u64
        } = "record-too-large",
            "the record would have {bytes} bytes of text in all its languages; at most {limit} fit";
        /// One language more than a record may have.
        TooManyLanguages {
            /// The limit.
            limit: usize
        } = "too-many-languages", "a record has at most {limit} languages";
        /// Nothing but white space.
        Empty = "empty", "empty";
        /// A file of another type.
        NotADocument = "not-a-document", "neither Markdown nor JSON Lines";
        /// A symbolic link; they are not followed.
        Symlink = "symlink", "a symbolic link";
        /// A folder deeper than the walk goes.
        TooDeep {
            /// The limit.
            limit: usize
        } = "too-deep", "more than {limit} folders deep";
        /// The operating system refuses it.
        Unreadable {
            /// What it said.
            detail: String
        } = "unreadable", "cannot be read: {detail}";
        /// A line is not JSON, or not JSON of a record.
        BadJson {
            /// Line number, from 1.
            line: u64,
            /// What is wrong with it.
            detail: String
        } = "bad-json", "line {line} is not a record in JSON: {detail}";
        /// No bundle of objects, or an object of one that cannot be read.
        BadObject {
            /// Where, such as `objects[17].name`.
            path: String,
            /// What is wrong there.
            detail: String
        } = "bad-object", "{path}: {detail}";
        /// A vocabulary that is no RDF.
        BadRdf {
            /// Line number, from 1.
            line: u64,
            /// What is wrong with it.
            detail: String
        } = "bad-rdf", "line {line} is no RDF: {detail}";
        /// Evidence of a case, which is kept as a file beside a record and not as records.
        Evidence {
            /// What it is written in.
            format: String
        } = "evidence", "{format} is evidence of a case: no record is made of it";
        /// What is never stored, whatever it is wrapped in.
        Refused {
            /// Where, such as `Event.Attribute[3]`.
            path: String,
            /// Its type.
            kind: String,
            /// Its name.
            name: String
        } = "refused", "{path}: {kind} {name:?} is never stored";
        /// Objects of a bundle that are no knowledge.
        NoKnowledge {
            /// Their type.
            kind: String,
            /// How many they are.
            count: u64
        } = "no-knowledge", "{count} of the type {kind} are no knowledge";
        /// Relationships of a bundle that lead from or to what was not imported.
        LooseLinks {
            /// How many they are.
            count: u64
        } = "loose-links", "{count} relationships lead to what was not imported";
        /// A handling label that we do not know: the document might be more sensitive than its
        /// group allows, so it stays out.
        BadLabel {
            /// The label as written.
            value: String
        } = "bad-label", "unknown handling label {value:?}";
        /// Another file of the document has a text in this language already.
        SameLanguage {
            /// BCP 47 tag.
            lang: String,
            /// The file that is imported.
            other: String
        } = "same-language", "is in {lang}, as {other} of the same document is";
        /// A file of the document belongs to another record than its first file.
        OtherRecord {
            /// Id of the other record.
            record: String
        } = "other-record", "belongs to another record ({record}) than its translations";
        /// The file says that it still has to be translated.
        Untranslated = "untranslated", "marked as not translated yet";
    }
}

coded! {
    /// What is odd about an imported file. Its message is `warn-<code>`.
    Warning {
        /// The front matter does not parse; single lines of it were understood.
        FrontMatter {
            /// Line number in the file, from 1.
            line: u64,
            /// What is wrong.
            detail: String
        } = "front-matter", "front matter, line {line}: {detail}";
        /// The text is in another language than the file claims; the detected one is used.
        ClaimedLanguage {
            /// BCP 47 tag that the path or the front matter says.
            claimed: String,
            /// BCP 47 tag of the text.
            detected: String
        } = "claimed-language", "claims to be {claimed}, is {detected}";
        /// A language that is no BCP 47 tag of a language we know.
        UnknownLanguage {
            /// As written.
            value: String
        } = "unknown-language", "unknown language {value:?}";
        /// The encoding was guessed.
        GuessedEncoding {
            /// Its name.
            encoding: String
        } = "guessed-encoding", "no UTF-8; read as {encoding}";
        /// The file has nothing below its front matter, but much text in it; that is taken as body.
        TextInFrontMatter = "text-in-front-matter", "all of its text stands in the front matter";
        /// The publication guard warned of something in it.
        Guard {
            /// The rule.
            rule: String,
            /// The field, such as `body.fr`.
            field: String,
            /// Line in the field, from 1.
            line: u64,
            /// What was found.
            text: String
        } = "guard", "{rule} in {field}, line {line}: {text}";
        /// A field was longer than its limit and is cut.
        Cut {
            /// Field name.
            field: String,
            /// The limit in bytes.
            limit: usize
        } = "cut", "{field} cut to {limit} bytes";
    }
}
