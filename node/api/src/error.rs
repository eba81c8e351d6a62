//! Failures of the API: a stable code, the values that its message needs, and no prose. The words
//! live in the message catalogue, so that every language says the same thing.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Exit codes of the two programs (`CLI.md`, "Common").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Failed.
    Failed = 1,
    /// The command line or a value on it is wrong.
    Usage = 2,
    /// The node does not answer.
    Unreachable = 3,
    /// Not permitted to this officer or this agency.
    NotPermitted = 4,
    /// No such record, group, agency or file.
    NotFound = 5,
    /// Stored or handed-over data is damaged or forged.
    Integrity = 6,
    /// Done in part: some peers did not answer, some items were skipped.
    Partly = 7,
    /// Interrupted by the user.
    Interrupted = 130,
}

macro_rules! error_codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $http:literal, $exit:ident;)+) => {
        /// What went wrong, as a stable name. Its message is `error-<name>` in the catalogue, its
        /// advice `error-<name>.hint`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum ErrorCode { $($(#[$doc])* #[serde(rename = $text)] $variant,)+ }

        impl ErrorCode {
            /// Every code, for tests that check the catalogue.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$variant,)+];

            /// The stable name, as in `{"error":{"code":…}}`.
            #[must_use]
            pub fn name(self) -> &'static str { match self { $(ErrorCode::$variant => $text,)+ } }

            /// The HTTP status that carries this code.
            #[must_use]
            pub fn http_status(self) -> u16 { match self { $(ErrorCode::$variant => $http,)+ } }

            /// The exit code of a command that ends with it.
            #[must_use]
            pub fn exit(self) -> Exit { match self { $(ErrorCode::$variant => Exit::$exit,)+ } }
        }
    };
}

error_codes! {
    /// A fault of the node itself. Args: `detail`.
    Internal = "internal", 500, Failed;
    /// The disk is full or cannot be written. Args: `detail`.
    StoreFailed = "store-failed", 507, Failed;
    /// A request or an argument has a wrong value. Args: `field`, `value`, `expected`.
    InvalidValue = "invalid-value", 400, Usage;
    /// A link by which a record would lead back to itself. Args: `rel`, `record`.
    CircularLink = "circular-link", 409, Usage;
    /// An address to listen on cannot be one. Args: `field`, `address`, `detail`.
    BadAddress = "bad-address", 400, Usage;
    /// A name that is not known, with the nearest right one. Args: `field`, `value`, `nearest`.
    UnknownName = "unknown-name", 400, Usage;
    /// A field or a record is larger than the limit. Args: `field`, `bytes`, `limit`.
    TooLarge = "too-large", 413, Usage;
    /// An id prefix fits several. Args: `prefix`, `matches`.
    AmbiguousPrefix = "ambiguous-prefix", 409, Usage;
    /// An id prefix has fewer than 6 characters or is not hexadecimal. Args: `prefix`.
    BadPrefix = "bad-prefix", 400, Usage;
    /// A short name fits several agencies. Args: `name`, `matches`.
    AmbiguousAgency = "ambiguous-agency", 409, Usage;
    /// Several groups have this name. Args: `name`, `matches`.
    AmbiguousGroup = "ambiguous-group", 409, Usage;
    /// The node's socket does not answer. Args: `socket`, `detail`.
    Unreachable = "unreachable", 503, Unreachable;
    /// The caller is no officer of this node. Args: `uid`.
    NotAnOfficer = "not-an-officer", 403, NotPermitted;
    /// The officer's role does not allow it. Args: `role`, `needed`.
    RoleNeeded = "role-needed", 403, NotPermitted;
    /// No officer has this uid. Args: `uid`.
    UnknownOfficer = "unknown-officer", 404, NotFound;
    /// No saved search of this officer has this name. Args: `name`.
    UnknownWatch = "unknown-watch", 404, NotFound;
    /// Nobody would be left who decides about officers. Args: `uid`.
    LastAdmin = "last-admin", 409, NotPermitted;
    /// The publication guard found what must not get out. Args: `hits`.
    GuardHit = "guard-hit", 422, NotPermitted;
    /// A record about a person in a group that was not named for it. Args: `kind`, `group`.
    PersonalRecord = "personal-record", 403, NotPermitted;
    /// Only a record's origin publishes or withdraws it. Args: `record`, `origin`.
    NotOrigin = "not-origin", 403, NotPermitted;
    /// This agency may not write in the group. Args: `group`, `role`.
    NotContributor = "not-contributor", 403, NotPermitted;
    /// This agency is not an editor of the record. Args: `record`, `origin`.
    NotEditor = "not-editor", 403, NotPermitted;
    /// Only a record's origin makes its label milder. Args: `record`, `origin`, `label`, `wanted`.
    LabelMilder = "label-milder", 403, NotPermitted;
    /// This agency is not an owner of the group. Args: `group`.
    NotOwner = "not-owner", 403, NotPermitted;
    /// The agency is not pinned. Args: `agency`, `state`.
    NotPinned = "not-pinned", 403, NotPermitted;
    /// The change needs signatures of more owners. Args: `threshold`.
    NeedsCosign = "needs-cosign", 403, NotPermitted;
    /// Neither is this agency the record's origin nor a curator of its group. Args: `record`, `group`.
    NotCurator = "not-curator", 403, NotPermitted;
    /// This node was revoked by its agency.
    NodeRevoked = "node-revoked", 403, NotPermitted;
    /// Another node of the agency governs. Args: `group`.
    NotGoverning = "not-governing", 403, NotPermitted;
    /// This node's log of the group was found to fork. Args: `group`.
    LogFrozen = "log-frozen", 409, Integrity;
    /// The group's chain was found to fork. Args: `group`.
    GroupFrozen = "group-frozen", 409, Integrity;
    /// This agency has left the group. Args: `group`.
    GroupLeft = "group-left", 403, NotPermitted;
    /// The record was purged. Args: `record`.
    Purged = "purged", 410, NotFound;
    /// No statement of the group waits for this agency's signature. Args: `group`.
    NothingToCosign = "nothing-to-cosign", 404, NotFound;
    /// Several statements wait, and none is named. Args: `group`.
    AmbiguousStatement = "ambiguous-statement", 409, Usage;
    /// This agency has signed another statement at the same height. Args: `group`.
    AlreadySigned = "already-signed", 409, NotPermitted;
    /// The root key is not in this home.
    RootKeyAway = "root-key-away", 409, Failed;
    /// The agency's chain does not allow the statement. Args: `detail`.
    ChainRefused = "chain-refused", 409, Failed;
    /// The agency has no such node. Args: `node`.
    UnknownNode = "unknown-node", 404, NotFound;
    /// The home's node is not certified by its agency. Args: `home`.
    NotEnrolled = "not-enrolled", 409, Integrity;
    /// A join request does not verify. Args: `detail`.
    DamagedRequest = "damaged-request", 422, Integrity;
    /// Args: `id`.
    UnknownRecord = "unknown-record", 404, NotFound;
    /// Args: `version`, `record`.
    UnknownVersion = "unknown-version", 404, NotFound;
    /// Args: `name`.
    UnknownGroup = "unknown-group", 404, NotFound;
    /// Args: `name`.
    UnknownAgency = "unknown-agency", 404, NotFound;
    /// Args: `path`.
    UnknownPath = "unknown-path", 404, NotFound;
    /// A card does not verify. Args: `detail`.
    DamagedCard = "damaged-card", 422, Integrity;
    /// The fingerprint given is not the card's. Args: `given`, `agency`.
    FingerprintMismatch = "fingerprint-mismatch", 422, Integrity;
    /// A group of the fingerprint has a wrong check digit. Args: `group`.
    FingerprintMistyped = "fingerprint-mistyped", 400, Usage;
    /// The agency is this node's own. Args: `agency`.
    OwnAgency = "own-agency", 400, Usage;
    /// The trust list has this agency already with a newer chain. Args: `agency`.
    OlderCard = "older-card", 409, Usage;
    /// The agency is already a member. Args: `agency`, `group`.
    AlreadyMember = "already-member", 409, Usage;
    /// The agency is not a member. Args: `agency`, `group`.
    NotAMember = "not-a-member", 409, Usage;
    /// The group would lose its last owner. Args: `group`.
    LastOwner = "last-owner", 409, Usage;
    /// The edit changes nothing. Args: `record`.
    NothingChanged = "nothing-changed", 409, Usage;
    /// The search query cannot be used. Args: `detail`.
    BadQuery = "bad-query", 400, Usage;
    /// A cursor is not one of ours or of another query. Args: none.
    BadCursor = "bad-cursor", 400, Usage;
    /// There is no home. Args: `home`.
    HomeMissing = "home-missing", 404, NotFound;
    /// The directory is no home, or its making was interrupted. Args: `home`.
    NotAHome = "not-a-home", 400, Usage;
    /// The directory is a home already. Args: `home`.
    AlreadyAHome = "already-a-home", 409, Usage;
    /// The directory for a new home has other files. Args: `home`.
    HomeNotEmpty = "home-not-empty", 409, Usage;
    /// The home was made by a newer program. Args: `found`.
    HomeNewer = "home-newer", 409, Failed;
    /// Another node runs on this home. Args: `home`, `pid`.
    HomeLocked = "home-locked", 409, Failed;
    /// A file or directory of the home cannot be read or written. Args: `path`, `detail`.
    HomeUnreadable = "home-unreadable", 403, NotPermitted;
    /// A key file is damaged. Args: `path`, `detail`.
    KeyDamaged = "key-damaged", 422, Integrity;
    /// A key file is missing or cannot be used. Args: `path`, `detail`.
    KeyUnusable = "key-unusable", 400, Failed;
    /// A key file is open to other users. Args: `path`, `detail`.
    KeyTooOpen = "key-too-open", 403, NotPermitted;
    /// The passphrase does not open the key file. Args: `path`.
    WrongPassphrase = "wrong-passphrase", 403, NotPermitted;
    /// A passphrase is needed and there is none. Args: `path`.
    NeedsPassphrase = "needs-passphrase", 400, Usage;
    /// A passphrase cannot be used. Args: `detail`.
    BadPassphrase = "bad-passphrase", 400, Usage;
    /// The configuration has problems. Args: `path`, `problems`.
    BadConfig = "bad-config", 400, Usage;
    /// The database file is damaged. Args: `path`, `detail`.
    StoreDamaged = "store-damaged", 422, Integrity;
    /// The database was written by a newer program. Args: `detail`.
    StoreNewer = "store-newer", 409, Failed;
    /// An address is in use. Args: `address`.
    PortInUse = "port-in-use", 409, Failed;
    /// The network cannot start. Args: `detail`.
    NetFailed = "net-failed", 500, Failed;
    /// The demo did not reach what it was to show. Args: `step`, `detail`.
    DemoFailed = "demo-failed", 500, Failed;
    /// Some peers did not answer in time. Args: `peers`.
    PeersSilent = "peers-silent", 504, Partly;
}

/// A failure, as it travels in `{"error":…}` from the node to its clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiError {
    /// What went wrong.
    pub code: ErrorCode,
    /// Values for the message, by the names that its catalogue entry uses.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, String>,
}

impl ApiError {
    /// An error without values yet; add them with [`ApiError::with`].
    #[must_use]
    pub fn new(code: ErrorCode) -> Self {
        Self {
            code,
            args: BTreeMap::new(),
        }
    }

    /// Adds one value of the message.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.args.insert(name.to_owned(), value.to_string());
        self
    }

    /// Shorthand for the most frequent refusal.
    #[must_use]
    pub fn invalid(field: &str, value: impl fmt::Display, expected: &str) -> Self {
        Self::new(ErrorCode::InvalidValue)
            .with("field", field)
            .with("value", value)
            .with("expected", expected)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code.name())?;
        for (name, value) in &self.args {
            write!(f, " {name}={value:?}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ApiError {}

/// The body of every failed response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The failure.
    pub error: ApiError,
}
