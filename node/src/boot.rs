//! From a home on disk to a running node's parts: making one, and reading one back.

mod enroll;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use diwan_api::error::{ApiError, ErrorCode};
use diwan_core::id::{GroupId, Incarnation, Me, Writer};
use diwan_core::identity::{AgencyBody, AgencyStatement, Capabilities, Fingerprint, Genesis};
use diwan_core::log::LogHead;
use diwan_core::replica::{LogState, Replica};
use diwan_core::verify::{self, AgencyStep, Verified};
use diwan_core::wire::{Signed, Signing};
use zeroize::Zeroizing;

use crate::config::{Config, ConfigError};
use crate::engine::{Committer, OwnKeys, State, ThisMachine};
use crate::guard::{Guard, GuardError};
use crate::home::{Home, HomeError, create_private_file};
use crate::keystore::{
    self, KeyPurpose, KeystoreError, Passphrase, Protection, Secret32, read_key, write_key,
};
use crate::net;
use crate::store::{OfficerRole, OfficerRow, PLACE, Reading, Store, StoreError, place_of};

pub use enroll::{Enrolled, enroll, rotate_root};

/// What an agency says of itself when its node is made.
#[derive(Clone, Debug)]
pub struct NewAgency {
    /// Full name.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Short name.
    pub short: String,
}

/// A home that was just made.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Made {
    /// Agency id, hexadecimal.
    pub agency: String,
    /// Short name.
    pub short: String,
    /// PeerId of the node.
    pub peer_id: String,
    /// What two admins compare by phone.
    pub fingerprint: String,
    /// Where it is.
    pub home: String,
}

/// A home that is open and locked by nobody yet: keys, store and state.
pub struct Opened {
    /// The store.
    pub store: Store,
    /// Its state, verified again from its statements.
    pub state: State,
    /// What signs.
    pub keys: OwnKeys,
    /// The node key's seed, for the transport's own certificate.
    pub node_seed: Zeroizing<[u8; 32]>,
}

impl Opened {
    /// The writing side of the engine, on this machine.
    #[must_use]
    pub fn into_committer(self) -> Committer {
        Committer::new(self.store, self.state, self.keys, Arc::new(ThisMachine))
    }
}

/// Makes a home: keys, agency chain, store, configuration. An interrupted making leaves a directory
/// that is no home.
///
/// # Errors
/// [`ApiError`] where the directory, the names or the passphrase do not allow it.
pub fn make(
    dir: &Path,
    agency: NewAgency,
    config: &Config,
    protection: Protection<'_>,
    admin_uid: u32,
) -> Result<Made, ApiError> {
    let mut nonce = [0; 16];
    keystore::fill_random(&mut nonce).map_err(|error| key_error(dir, &error))?;
    let keys = |error| key_error(dir, &error);
    let (root_seed, node_seed) = (
        Secret32::random().map_err(keys)?,
        Secret32::random().map_err(keys)?,
    );
    let (root, node) = (signing(&root_seed), signing(&node_seed));
    // The names are judged before anything is written.
    let founding = Founding::of(agency, (&root, &node), nonce)?;

    let made = Home::create(dir).map_err(|error| home_error(dir, &error))?;
    let home = made.home();
    let key_failed = |error| key_error(&home.keys_root(), &error);
    write_key(&home.keys_root(), KeyPurpose::Root, &root_seed, protection).map_err(key_failed)?;
    write_key(&home.keys_node(), KeyPurpose::Node, &node_seed, protection).map_err(key_failed)?;
    let text = config.render_commented();
    create_private_file(&home.config(), text.as_bytes()).map_err(|error| {
        ApiError::new(ErrorCode::HomeUnreadable)
            .with("path", home.config().display())
            .with("detail", error)
    })?;
    let store_failed = |error: StoreError| store_error(&home.store(), error);
    let store = Store::open(&home.store(), true).map_err(store_failed)?;
    let incarnation = new_incarnation().map_err(|detail| store_failed(StoreError::Io(detail)))?;
    founding
        .write(&store, incarnation, admin_uid)
        .map_err(store_failed)?;
    settle_in(&store, &home.store()).map_err(store_failed)?;
    store.mark_clean(true).map_err(store_failed)?;
    drop(store);
    let home = made.finish().map_err(|error| home_error(dir, &error))?;
    Ok(Made {
        agency: founding.first.chain.id().to_string(),
        short: founding.first.chain.genesis().short.clone(),
        peer_id: net::peer_text(&node.public().0),
        fingerprint: Fingerprint::of(&founding.first.chain.id()).to_string(),
        home: home.dir().display().to_string(),
    })
}

/// The first two statements of an agency's chain: who it is, and its first node.
#[derive(Debug)]
pub struct Founding {
    first: Verified<AgencyStep>,
    certify: Verified<AgencyStep>,
}

impl Founding {
    /// Signs them.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidValue`] where a name is not allowed.
    pub fn of(
        agency: NewAgency,
        (root, node): (&Signing, &Signing),
        nonce: [u8; 16],
    ) -> Result<Self, ApiError> {
        let said = agency.clone();
        let genesis = Genesis {
            root: root.public(),
            name: agency.name,
            country: agency.country,
            short: agency.short,
            nonce,
        };
        let first = AgencyStatement::genesis(genesis).sign(root);
        let first =
            verify::agency_statement(None, &first).map_err(|error| bad_name(&error, &said))?;
        let certify = AgencyBody::CertifyNode(node.public(), Capabilities::ALL);
        let certify = first.chain.next(certify).sign(root);
        let certify = verify::agency_statement(Some(&first.chain), &certify).map_err(internal)?;
        Ok(Self { first, certify })
    }

    /// Writes them into a new store, with the node's first incarnation and its first admin.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn write(&self, store: &Store, incarnation: u64, admin_uid: u32) -> Result<(), StoreError> {
        store.write(|tables| {
            tables.put_agency_step(&self.first)?;
            tables.put_agency_step(&self.certify)?;
            tables.set_meta_u64("incarnation", incarnation);
            tables.set_meta_u64("admin_uid", u64::from(admin_uid));
            Ok::<_, StoreError>(())
        })
    }
}

/// Notes in which file a new store lies.
fn settle_in(store: &Store, path: &Path) -> Result<(), StoreError> {
    let place = place_of(path)?;
    store.write(|tables| {
        tables.set_meta_u64(PLACE, place);
        Ok(())
    })
}

fn new_incarnation() -> Result<u64, String> {
    let mut bytes = [0; 8];
    keystore::fill_random(&mut bytes).map_err(|error| error.to_string())?;
    Ok(u64::from_be_bytes(bytes))
}

fn signing(seed: &Secret32) -> Signing {
    Signing::from_seed(&Zeroizing::new(*seed.as_bytes()))
}

/// Opens a home's keys and store.
///
/// # Errors
/// [`ApiError`] names the file that is missing, damaged or sealed.
pub fn open(home: &Home, passphrase: Option<&Passphrase>) -> Result<Opened, ApiError> {
    let node_path = home.keys_node();
    let node_seed = read_key(&node_path, KeyPurpose::Node, passphrase)
        .map_err(|error| key_error(&node_path, &error))?;
    let root_path = home.keys_root();
    let root = match read_key(&root_path, KeyPurpose::Root, passphrase) {
        Ok(seed) => Some(signing(&seed)),
        // The root key may live offline: the node then cannot change the agency's own chain.
        Err(KeystoreError::Missing { .. }) => None,
        Err(error) => return Err(key_error(&root_path, &error)),
    };
    let path = home.store();
    let failed = |error: StoreError| store_error(&path, error);
    let store = Store::open(&path, false).map_err(failed)?;
    let reading = store.read().map_err(failed)?;
    let node = signing(&node_seed);
    let state = read_state(&path, &reading, &node)?;
    drop(reading);
    let node_seed = Zeroizing::new(*node_seed.as_bytes());
    Ok(Opened {
        store,
        state,
        keys: OwnKeys { node, root },
        node_seed,
    })
}

/// Reads the state back and verifies every statement again: what is on the disk counts no more than
/// what came from a peer.
///
/// # Errors
/// [`ErrorCode::StoreDamaged`] says which statement does not hold.
pub fn read_state(path: &Path, reading: &Reading, node: &Signing) -> Result<State, ApiError> {
    let failed = |error: StoreError| store_error(path, error);
    let damaged = |detail: String| damaged(path, &detail);
    let mut own = None;
    let mut others = Vec::new();
    for statements in reading.agency_chains().map_err(failed)? {
        let chain = verify::agency_chain(&statements)
            .map_err(|(height, error)| damaged(format!("agency statement {height}: {error}")))?;
        match chain.certificate(&node.public()) {
            Some(_) => own = Some(chain),
            None => others.push(chain),
        }
    }
    let own =
        own.ok_or_else(|| ApiError::new(ErrorCode::NotEnrolled).with("home", path.display()))?;
    let incarnation = reading.meta_u64("incarnation").map_err(failed)?;
    let incarnation = incarnation.ok_or_else(|| damaged("it has no incarnation".to_owned()))?;
    let me = Me {
        agency: own.id(),
        node: node.public(),
        incarnation: Incarnation(incarnation),
    };
    let mut replica = Replica::new(me, &own);
    for chain in &others {
        replica
            .take_agency(chain)
            .map_err(|error| damaged(error.to_string()))?;
    }
    for (agency, entry) in reading.trust().map_err(failed)? {
        replica.trust_mut().set(agency, entry);
    }
    for statements in reading.group_chains().map_err(failed)? {
        read_group(&mut replica, &statements).map_err(damaged)?;
    }
    let mut logs = BTreeMap::new();
    for (num, row) in reading.logs().map_err(failed)? {
        logs.insert((row.group, row.writer), num);
        let head = LogHead {
            seq: row.seq,
            hash: row.head,
        };
        replica.advance(
            &row.group,
            row.writer,
            LogState {
                head,
                height: row.height,
            },
        );
    }
    read_governing(&mut replica, reading, &logs).map_err(failed)?;
    for bytes in reading.receipts().map_err(failed)? {
        let signed = verify::receipt(&bytes).map_err(|error| damaged(error.to_string()))?;
        replica.take_receipt(&signed);
    }
    let officers = read_officers(reading).map_err(failed)?;
    let store_seq = reading.store_seq().map_err(failed)?;
    let due = reading.due().map_err(failed)?;
    Ok(State {
        replica,
        logs,
        officers,
        store_seq,
        due,
        in_vain: BTreeMap::new(),
    })
}

/// The officers; where none was ever added, whoever made the home.
fn read_officers(reading: &Reading) -> Result<BTreeMap<u32, OfficerRow>, StoreError> {
    let mut officers: BTreeMap<_, _> = reading.officers()?.into_iter().collect();
    if officers.is_empty() {
        let uid = reading.meta_u64("admin_uid")?;
        let uid = uid.and_then(|uid| u32::try_from(uid).ok()).unwrap_or(0);
        officers.insert(
            uid,
            OfficerRow {
                role: Some(OfficerRole::Admin),
                name: String::new(),
                since_ms: 0,
                by_uid: uid,
            },
        );
    }
    Ok(officers)
}

/// Proofs, statements that wait, groups that were left, payloads that are missing.
fn read_governing(
    replica: &mut Replica,
    reading: &Reading,
    logs: &BTreeMap<(GroupId, Writer), u32>,
) -> Result<(), StoreError> {
    for bytes in reading.proofs()? {
        // One that a later one made superfluous need not verify any more.
        if let Ok(proof) = verify::proof(replica, &bytes) {
            replica.take_proof(&proof);
        }
    }
    for (group, bytes) in reading.pending()? {
        if let Ok(signed) = Signed::read(&bytes) {
            replica.take_pending(&group, &signed);
        }
    }
    for group in reading.left()? {
        replica.set_left(&group, true);
    }
    let names: BTreeMap<u32, (GroupId, Writer)> =
        logs.iter().map(|(log, num)| (*num, *log)).collect();
    for (log, seq) in reading.missing()? {
        if let Some((group, writer)) = names.get(&log) {
            replica.set_missing(group, (*writer, seq), true);
        }
    }
    Ok(())
}

fn read_group(replica: &mut Replica, statements: &[Vec<u8>]) -> Result<(), String> {
    let mut last: Option<Verified<verify::GroupStep>> = None;
    for bytes in statements {
        let step = match &last {
            None => verify::group_genesis(replica.agencies(), bytes),
            Some(step) => verify::group_statement(&step.chain, replica.agencies(), bytes),
        };
        last = Some(step.map_err(|error| format!("a group's chain: {error}"))?);
    }
    match last {
        Some(step) => replica
            .take_group_step(&step)
            .map_err(|error| error.to_string()),
        None => Ok(()),
    }
}

/// Loads a home's configuration.
///
/// # Errors
/// [`ErrorCode::BadConfig`] with every problem and its line.
pub fn load_config(path: &Path) -> Result<Config, ApiError> {
    Config::load(path).map_err(|error| config_error(path, &error))
}

/// Loads the publication guard: the program's rules, and the agency's own where a home has any.
///
/// # Errors
/// [`ErrorCode::BadConfig`] names the line or the rule.
pub fn load_guard(path: &Path) -> Result<Guard, ApiError> {
    let bad = |error: GuardError| {
        ApiError::new(ErrorCode::BadConfig)
            .with("path", path.display())
            .with("problems", format!("\n  {error}"))
    };
    match std::fs::read_to_string(path) {
        Ok(text) => Guard::with_own(&text).map_err(bad),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Guard::built_in().map_err(bad)
        }
        Err(error) => Err(ApiError::new(ErrorCode::HomeUnreadable)
            .with("path", path.display())
            .with("detail", error)),
    }
}

/// A configuration's problems, one a line, as an error.
#[must_use]
pub fn config_error(path: &Path, error: &ConfigError) -> ApiError {
    let about = |code, detail: String| match code {
        ErrorCode::BadConfig => ApiError::new(code).with("problems", detail),
        _ => ApiError::new(code).with("detail", detail),
    };
    let error = match error {
        ConfigError::Problems { problems, .. } => {
            let lines = problems.iter().map(|p| format!("\n  {p}"));
            about(ErrorCode::BadConfig, lines.collect())
        }
        ConfigError::Missing { .. } => {
            return ApiError::new(ErrorCode::UnknownPath).with("path", path.display());
        }
        ConfigError::Unreadable { .. } => about(ErrorCode::HomeUnreadable, error.to_string()),
        other => about(ErrorCode::BadConfig, format!("\n  {other}")),
    };
    error.with("path", path.display())
}

/// A home's error, for people.
#[must_use]
pub fn home_error(dir: &Path, error: &HomeError) -> ApiError {
    let code = match error {
        HomeError::Missing { .. } => ErrorCode::HomeMissing,
        HomeError::NotAHome { .. } => ErrorCode::NotAHome,
        HomeError::AlreadyAHome { .. } => ErrorCode::AlreadyAHome,
        HomeError::NotEmpty { .. } => ErrorCode::HomeNotEmpty,
        HomeError::UnsupportedVersion { found, .. } => {
            return ApiError::new(ErrorCode::HomeNewer).with("found", found);
        }
        HomeError::Locked { pid, .. } => {
            let pid = pid.map_or_else(|| "?".to_owned(), |pid| pid.to_string());
            return ApiError::new(ErrorCode::HomeLocked)
                .with("home", dir.display())
                .with("pid", pid);
        }
        HomeError::Unreadable { path, source } => {
            return ApiError::new(ErrorCode::HomeUnreadable)
                .with("path", path.display())
                .with("detail", source);
        }
    };
    ApiError::new(code).with("home", dir.display())
}

/// A key file's error, for people.
#[must_use]
pub fn key_error(path: &Path, error: &KeystoreError) -> ApiError {
    let code = match error {
        KeystoreError::Damaged { .. } | KeystoreError::TooLarge { .. } => ErrorCode::KeyDamaged,
        KeystoreError::WrongPassphrase { .. } => ErrorCode::WrongPassphrase,
        KeystoreError::NeedsPassphrase { .. } | KeystoreError::NoTerminal { .. } => {
            ErrorCode::NeedsPassphrase
        }
        KeystoreError::TooOpen { .. } => ErrorCode::KeyTooOpen,
        KeystoreError::EmptyPassphrase
        | KeystoreError::PassphraseTooLong { .. }
        | KeystoreError::PassphraseNotText
        | KeystoreError::PassphrasesDiffer => ErrorCode::BadPassphrase,
        _ => ErrorCode::KeyUnusable,
    };
    ApiError::new(code)
        .with("path", path.display())
        .with("detail", error)
}

/// A store's error, for people.
#[must_use]
pub fn store_error(path: &Path, error: StoreError) -> ApiError {
    match error {
        StoreError::Damaged { detail, .. } => damaged(path, &detail),
        StoreError::Newer { .. } => ApiError::new(ErrorCode::StoreNewer).with("detail", error),
        StoreError::Busy(_) => ApiError::new(ErrorCode::HomeLocked)
            .with("home", path.display())
            .with("pid", "?"),
        StoreError::Io(detail) => ApiError::new(ErrorCode::HomeUnreadable)
            .with("path", path.display())
            .with("detail", detail),
    }
}

fn damaged(path: &Path, detail: &str) -> ApiError {
    ApiError::new(ErrorCode::StoreDamaged)
        .with("path", path.display())
        .with("detail", detail)
}

fn internal(error: impl std::fmt::Display) -> ApiError {
    ApiError::new(ErrorCode::Internal).with("detail", error)
}

fn bad_name(error: &diwan_core::identity::ChainError, said: &NewAgency) -> ApiError {
    use diwan_core::identity::ChainError;
    let expected = match error {
        ChainError::Field("country") => "two capital letters of ISO 3166-1, such as TN",
        ChainError::Field("short name") => {
            "2 to 16 small letters, digits or hyphens, beginning with a letter, not `own`"
        }
        ChainError::Field(_) => "1 to 200 bytes of text without control characters",
        other => return internal(other),
    };
    let (field, value) = match error {
        ChainError::Field("country") => ("country", &said.country),
        ChainError::Field("short name") => ("short name", &said.short),
        _ => ("name", &said.name),
    };
    let shown: String = value.chars().take(80).collect();
    ApiError::invalid(field, shown, expected)
}
