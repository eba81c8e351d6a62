//! Bounds of what an import reads. Each is checked before memory is taken for it.

/// Largest Markdown file in bytes. The largest manual in real trees has some 70 KB; ten times that
/// leaves room, and what is larger is rather a dump or an archive under a wrong name.
pub const MARKDOWN_FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Longest line of a JSON Lines file in bytes: a record of [`RECORD_TEXT_BYTES_MAX`] with its
/// escapes and its other fields.
pub const JSON_LINE_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Most text of one record in bytes, titles, summaries and bodies of all languages together: what
/// one request and one entry can carry with room to spare.
pub const RECORD_TEXT_BYTES_MAX: usize = 1024 * 1024;

/// Most languages of one record.
pub const LANGUAGES_MAX: usize = 64;

/// Largest front matter in bytes, so that a parser of nested formats never meets more.
pub const FRONT_MATTER_BYTES_MAX: usize = 64 * 1024;

/// Front matter of at least so many bytes above an empty body is taken as the body: some formats
/// write their chapters as fields.
pub const FRONT_MATTER_TEXT_MIN: usize = 1024;

/// Most opening brackets in front matter: the time of the YAML scanner grows with their depth times
/// the length.
pub const FRONT_MATTER_BRACKETS_MAX: usize = 1000;

/// Longest title in bytes; a longer one is cut at a character.
pub const TITLE_BYTES_MAX: usize = 512;

/// Longest summary in bytes; a longer one is cut at a character.
pub const SUMMARY_BYTES_MAX: usize = 8 * 1024;

/// Most themes, and most tags, of one record; those that sort last are left out.
pub const TAGS_MAX: usize = 64;

/// Longest theme, tag, kind or relation in bytes; a longer one is left out.
pub const TAG_BYTES_MAX: usize = 128;

/// Most links of one record; those that sort last are left out.
pub const LINKS_MAX: usize = 256;

/// How far into a body a first heading is looked for, in bytes.
pub const HEADING_SEARCH_BYTES: usize = 64 * 1024;

/// How much of a body is parsed to tell its language, in bytes; prose shows itself early.
pub const LANGUAGE_SAMPLE_BYTES: usize = 16 * 1024;

/// Deepest folder below the one given; deeper ones are listed as skipped.
pub const TREE_DEPTH_MAX: usize = 64;

/// Most files of one import; the plan of so many takes some hundred megabytes.
pub const TREE_FILES_MAX: usize = 1_000_000;

/// Longest file name that an export writes, in bytes; file systems commonly allow 255.
pub const FILE_NAME_BYTES_MAX: usize = 80;

/// An `id` of a JSON line with at least so many characters (a UUID, a ULID) is taken as unique
/// everywhere; a shorter one only within its file.
pub const GLOBAL_ID_CHARS_MIN: usize = 16;
