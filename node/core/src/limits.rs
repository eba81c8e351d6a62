//! Every bound on what strangers, peers and officers may send, in one place: name, unit, reason.
//! Each is checked before memory for it is allocated.

/// Bytes of one statement of an agency or group chain. The largest honest one is a removal with a
/// cut for each of an agency's logs.
pub const STATEMENT_BYTES: usize = 64 * 1024;
/// Statements of one agency chain. A node that moves address every day fills it in 27 years.
pub const AGENCY_STATEMENTS: usize = 10_000;
/// Statements of one group chain.
pub const GROUP_STATEMENTS: usize = 10_000;
/// Bytes of a card file: a whole agency chain of an ordinary age, as text.
pub const CARD_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of a name of an agency or a group.
pub const NAME_BYTES: usize = 200;
/// Bytes of an agency's short name: what one types in commands.
pub const SHORT_NAME_BYTES: usize = 16;
/// Addresses of one node.
pub const ADDRESSES: usize = 16;
/// Bytes of one address.
pub const ADDRESS_BYTES: usize = 256;
/// Nodes that one agency may certify.
pub const NODES_PER_AGENCY: usize = 64;
/// Sealed cuts of one statement of an agency chain: what [`STATEMENT_BYTES`] holds. A node with more
/// logs is cut off by several statements.
pub const SEALED_CUTS: usize = 640;
/// Incarnations that one node may have in one group: one at init and one a restore.
pub const INCARNATIONS_PER_NODE: usize = 64;
/// Members of one group: every agency of the Mediterranean and the Union several times over.
pub const MEMBERS: usize = 256;
/// Signatures on one statement.
pub const SIGNATURES: usize = MEMBERS;
/// Statements of one group that wait for more owners' signatures.
pub const PENDING_STATEMENTS: usize = 16;
/// Groups that one node follows.
pub const GROUPS: usize = 1_024;
/// Agencies known to one node.
pub const AGENCIES: usize = 4_096;

/// Bytes of an entry's payload. A record's first version with its texts in a dozen languages.
pub const PAYLOAD_BYTES: usize = 1_200 * 1024;
/// Bytes of one Automerge change, after PITFALLS: larger edits travel as several changes.
pub const CHANGE_BYTES: usize = 256 * 1024;
/// Operations of one Automerge change. Memory and time grow with operations, not bytes: 450 bytes
/// each, and 113 bytes may stand for five million of them. Also how many predecessors they name.
pub const CHANGE_OPS: usize = 10_000;
/// Changes that one change depends on: heads of as many writers, and the bases of its texts.
pub const CHANGE_DEPS: usize = 1_024;
/// Other writers whose operations one change refers to.
pub const CHANGE_ACTORS: usize = 1_024;
/// Changes of one writer to one record that are looked at though they do not count. An honest writer
/// has none that is refused and a handful that wait for another log; each may cost 5 ms.
pub const UNCOUNTED_CHANGES: usize = 64;
/// The same over all incarnations of a node: each change may be of [`CHANGE_BYTES`] and
/// [`CHANGE_OPS`], in memory while it is looked at.
pub const UNCOUNTED_CHANGES_PER_NODE: usize = 2 * UNCOUNTED_CHANGES;
/// Operations of one record's document in all: Automerge counts them in 32 bits and panics beyond.
pub const DOCUMENT_OPS: u64 = 1 << 31;
/// Characters that one local change deletes and inserts at most, so that it stays below
/// [`CHANGE_OPS`] and [`CHANGE_BYTES`].
pub const EDIT_CHARS: usize = 8_000;

/// Texts of one record (fields × languages).
pub const TEXTS: usize = 512;
/// Bytes of one title.
pub const TITLE_BYTES: usize = 1_024;
/// Bytes of one summary.
pub const SUMMARY_BYTES: usize = 16 * 1024;
/// Bytes of any other text.
pub const TEXT_BYTES: usize = 1024 * 1024;
/// Single values of one record.
pub const VALUES: usize = 64;
/// Bytes of a single value, of a set's item, of a relation.
pub const VALUE_BYTES: usize = 1_024;
/// Items over all sets of one record.
pub const SET_ITEMS: usize = 512;
/// Links of one record.
pub const LINKS: usize = 512;
/// Editors listed by one record.
pub const EDITORS: usize = MEMBERS;
/// Bytes of a field's name.
pub const FIELD_NAME_BYTES: usize = 64;
/// Bytes of a BCP 47 tag (RFC 5646 section 4.4.1 advises room for 35).
pub const LANG_BYTES: usize = 35;

/// Bytes of one frame of the sync protocol, its length prefix not counted.
pub const FRAME_BYTES: usize = 2 * 1024 * 1024;
/// Bytes of a decompressed batch of entries.
pub const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// Entries of one batch.
pub const BATCH_ENTRIES: usize = 4_096;
/// Payload bytes after which a sender closes a batch, well below [`BATCH_BYTES`].
pub const BATCH_TARGET_BYTES: usize = 512 * 1024;
/// Proofs of one group: one a log, one a chain.
pub const PROOFS: usize = LOGS_PER_GROUP + MEMBERS + 1;
/// Places of a log that are compared at once to find where it forks.
pub const FORK_POINTS: usize = 96;
/// Payloads asked for at once.
pub const WANTS: usize = 256;
/// Logs that one session compares to find where they fork: each costs reads of the store.
pub const FORK_QUESTIONS: usize = 64;
/// Logs of one group: nodes × incarnations of its members.
pub const LOGS_PER_GROUP: usize = 16_384;
