//! A second node of an agency, and another root key: what an admin does while no node runs.

use std::path::Path;
use std::sync::Arc;

use diwan_api::error::{ApiError, ErrorCode};
use diwan_core::identity::{Card, JoinRequest};
use diwan_core::verify::{self, Verified};
use diwan_core::wire::Signing;

use super::{
    Opened, home_error, internal, key_error, new_incarnation, open, settle_in, signing, store_error,
};
use crate::config::Config;
use crate::engine::{Committer, ThisMachine};
use crate::home::{Home, create_private_file};
use crate::keystore::{
    KeyPurpose, Passphrase, Protection, Secret32, read_key, replace_key, write_key,
};
use crate::net;
use crate::store::{Store, StoreError};

/// What an enrolment came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enrolled {
    /// The home is made; the agency's governing node is to certify this request.
    Asks {
        /// PeerId of the new node.
        peer_id: String,
        /// The join request, as text.
        request: String,
    },
    /// The node is certified and can run.
    Done {
        /// PeerId of the new node.
        peer_id: String,
    },
}

/// Makes a home for another node of a card's agency and writes its join request; or, where the home
/// is made already and the card has the node in it, completes it.
///
/// # Errors
/// [`ApiError`] where the card does not verify, is another agency's, or the directory is in use.
pub fn enroll(
    dir: &Path,
    card: &str,
    config: &Config,
    protection: Protection<'_>,
    admin_uid: u32,
) -> Result<Enrolled, ApiError> {
    let card = verify::card(card)
        .map_err(|error| ApiError::new(ErrorCode::DamagedCard).with("detail", error))?;
    match Home::open(dir) {
        Ok(home) => complete(&home, &card, config, protection),
        Err(_) => begin(dir, &card, config, protection, admin_uid),
    }
}

fn begin(
    dir: &Path,
    card: &Verified<Card>,
    config: &Config,
    protection: Protection<'_>,
    admin_uid: u32,
) -> Result<Enrolled, ApiError> {
    let made = Home::create(dir).map_err(|error| home_error(dir, &error))?;
    let home = made.home();
    let failed = |error| key_error(&home.keys_node(), &error);
    let seed = Secret32::random().map_err(failed)?;
    write_key(&home.keys_node(), KeyPurpose::Node, &seed, protection).map_err(failed)?;
    let text = config.render_commented();
    create_private_file(&home.config(), text.as_bytes()).map_err(|error| {
        ApiError::new(ErrorCode::HomeUnreadable)
            .with("path", home.config().display())
            .with("detail", error)
    })?;
    let store_failed = |error: StoreError| store_error(&home.store(), error);
    let store = Store::open(&home.store(), true).map_err(store_failed)?;
    let incarnation = new_incarnation().map_err(|detail| store_failed(StoreError::Io(detail)))?;
    let steps = statements_behind(card, None)?;
    store
        .write(|tables| -> Result<(), StoreError> {
            steps
                .iter()
                .try_for_each(|step| tables.put_agency_step(step))?;
            tables.set_meta_u64("incarnation", incarnation);
            tables.set_meta_u64("admin_uid", u64::from(admin_uid));
            Ok::<_, StoreError>(())
        })
        .map_err(store_failed)?;
    settle_in(&store, &home.store()).map_err(store_failed)?;
    store.mark_clean(true).map_err(store_failed)?;
    drop(store);
    made.finish().map_err(|error| home_error(dir, &error))?;
    Ok(asks(card, &signing(&seed), config))
}

fn asks(card: &Card, node: &Signing, config: &Config) -> Enrolled {
    let announced = config.announce.iter().chain(&config.listen);
    let fixed = announced.map(|address| address.as_str().to_owned());
    // A port that the system picks, and "every address", tell nobody where to dial.
    let addresses = fixed.filter(|a| !a.contains("/0.0.0.0/") && !a.contains("/::/"));
    let addresses = addresses
        .filter(|a| !a.ends_with("/0") && !a.contains("/0/"))
        .collect();
    Enrolled::Asks {
        peer_id: net::peer_text(&node.public().0),
        request: JoinRequest::render(card.chain.id(), node, addresses),
    }
}

fn complete(
    home: &Home,
    card: &Verified<Card>,
    config: &Config,
    protection: Protection<'_>,
) -> Result<Enrolled, ApiError> {
    let passphrase = match protection {
        Protection::Passphrase(passphrase) => Some(passphrase),
        Protection::None => None,
    };
    let path = home.keys_node();
    let seed = read_key(&path, KeyPurpose::Node, passphrase).map_err(|e| key_error(&path, &e))?;
    let node = signing(&seed);
    if card.chain.certificate(&node.public()).is_none() {
        return Ok(asks(card, &node, config));
    }
    let store_failed = |error: StoreError| store_error(&home.store(), error);
    let store = Store::open(&home.store(), false).map_err(store_failed)?;
    let chains = store.read().and_then(|reading| reading.agency_chains());
    let mut known = None;
    for statements in chains.map_err(store_failed)? {
        let chain = verify::agency_chain(&statements).map_err(|(_, error)| internal(error))?;
        if chain.id() == card.chain.id() {
            known = Some(chain.into_inner());
        }
    }
    let known = known.ok_or_else(|| {
        ApiError::new(ErrorCode::DamagedCard).with("detail", "it is another agency's card")
    })?;
    let steps = statements_behind(card, Some(known))?;
    store
        .write(|tables| {
            steps
                .iter()
                .try_for_each(|step| tables.put_agency_step(step))
        })
        .map_err(store_failed)?;
    store.mark_clean(true).map_err(store_failed)?;
    Ok(Enrolled::Done {
        peer_id: net::peer_text(&node.public().0),
    })
}

/// The card's statements behind a chain, each verified on the one before.
fn statements_behind(
    card: &Card,
    mut chain: Option<diwan_core::identity::AgencyChain>,
) -> Result<Vec<Verified<verify::AgencyStep>>, ApiError> {
    let from = chain
        .as_ref()
        .map_or(0, |chain| chain.height().saturating_add(1));
    let mut steps = Vec::new();
    for bytes in card.chain.statements_from(from) {
        let step = verify::agency_statement(chain.as_ref(), bytes)
            .map_err(|error| ApiError::new(ErrorCode::DamagedCard).with("detail", error))?;
        chain = Some(step.chain.clone());
        steps.push(step);
    }
    Ok(steps)
}

/// Hands a stopped node's agency over to a new root key, which takes the old one's place in the home.
/// The old key file is kept beside it as `root.key.old`.
///
/// # Errors
/// [`ApiError`] where the home or its keys cannot be used, or the root key is not there.
pub fn rotate_root(home: &Home, passphrase: Option<&Passphrase>) -> Result<String, ApiError> {
    let protection = passphrase.map_or(Protection::None, Protection::Passphrase);
    let path = home.keys_root();
    let failed = |error| key_error(&path, &error);
    let opened: Opened = open(home, passphrase)?;
    let seed = Secret32::random().map_err(failed)?;
    let new = signing(&seed);
    let mut committer = Committer::new(
        opened.store,
        opened.state,
        opened.keys,
        Arc::new(ThisMachine),
    );
    // The new key is on the disk before anything depends on it.
    let fresh = path.with_extension("key.new");
    write_key(&fresh, KeyPurpose::Root, &seed, protection).map_err(failed)?;
    committer.run(|step| step.rotate_root(&new))?;
    committer
        .close()
        .map_err(|error| store_error(&home.store(), error))?;
    replace_key(&path, &fresh).map_err(failed)?;
    Ok(new.public().to_string())
}
