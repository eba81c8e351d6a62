//! The first steps: three agencies start their nodes and come to know each other.

use diwan_api::types::{SyncRequest, TrustAdd};

use super::fault::DemoError;
use super::node::{AGENCIES, Deaths, Node, Trio, init_words};
use super::place::Place;
use super::tell::Teller;
use super::wait::until_so;

/// Makes and runs the three nodes.
pub(super) async fn start<'n>(
    teller: &mut Teller<'_>,
    place: &Place,
    nodes: &'n mut Vec<Node>,
    deaths: &Deaths,
) -> Result<Trio<'n>, DemoError> {
    teller.step("demo-step-start");
    teller.say("demo-start-what", &[]);
    for agency in AGENCIES {
        let node = Node::start(agency, place, deaths).await?;
        teller.say(
            "demo-started",
            &[
                ("node", agency.short.into()),
                ("name", agency.name.into()),
                ("listen", node.listen().join(" ").into()),
            ],
        );
        nodes.push(node);
    }
    let trio = Trio::of(nodes).ok_or(DemoError::Untrue {
        short: "fr",
        law: "demo-law-three",
    })?;
    teller.say("demo-start-how", &[]);
    let home = trio.fr.home().display().to_string();
    let init = init_words(trio.fr.agency(), &home);
    teller.command(&[&["diwan-node"], init.as_slice()].concat());
    teller.command(&["diwan-node", "run", "--home", &home]);
    Ok(trio)
}

/// Hands every agency's card to the two others, who compare its fingerprint, and waits until all are
/// connected.
pub(super) async fn exchange_cards(
    teller: &mut Teller<'_>,
    place: &Place,
    trio: Trio<'_>,
) -> Result<(), DemoError> {
    teller.step("demo-step-cards");
    teller.say("demo-cards-what", &[]);
    for node in trio.all() {
        teller.say(
            "demo-card",
            &[
                ("node", node.short().into()),
                ("fingerprint", node.fingerprint().into()),
            ],
        );
    }
    for from in trio.all() {
        let card = from.client().card().await;
        let text = card.map_err(DemoError::of(from.short()))?.text;
        let path = card_path(place, from)?;
        std::fs::write(&path, &text).map_err(DemoError::file(&path))?;
        for to in trio.all() {
            if to.short() != from.short() {
                trust(to, from, &text).await?;
            }
        }
    }
    teller.say("demo-cards-how", &[]);
    let path = card_path(place, trio.tn)?.display().to_string();
    teller.diwan(trio.tn, &["card", "export", &path]);
    let fingerprint = trio.tn.fingerprint();
    teller.diwan(
        trio.fr,
        &["trust", "add", &path, "--fingerprint", fingerprint],
    );
    for node in trio.all() {
        connected(node, trio).await?;
    }
    teller.say("demo-connected", &[]);
    Ok(())
}

fn card_path(place: &Place, node: &Node) -> Result<std::path::PathBuf, DemoError> {
    let below = format!("cards/{}.card", node.short());
    place.file(&below).map_err(DemoError::file(place.dir()))
}

/// What an admin does with a card: look at it, compare the fingerprint heard by phone (which is what
/// the other agency's own `init` said), and add it.
async fn trust(to: &Node, from: &Node, card: &str) -> Result<(), DemoError> {
    let failed = DemoError::of(to.short());
    let untrue = |law| DemoError::Untrue {
        short: to.short(),
        law,
    };
    let info = to.client().inspect_card(card.to_owned()).await;
    let info = info.map_err(&failed)?;
    if info.fingerprint != from.fingerprint() {
        return Err(untrue("demo-law-fingerprint"));
    }
    let request = TrustAdd {
        card: card.to_owned(),
        fingerprint: Some(from.fingerprint().to_owned()),
    };
    let added = to.client().trust_add(&request).await.map_err(&failed)?;
    let pinned = added
        .agencies
        .iter()
        .any(|agency| agency.agency == info.agency && agency.verified && agency.state == "pinned");
    pinned
        .then_some(())
        .ok_or_else(|| untrue("demo-law-pinned"))
}

/// Waits until a node is connected to both others.
pub(super) async fn connected(node: &Node, trio: Trio<'_>) -> Result<(), DemoError> {
    until_so("demo-awaited-connection", async || {
        // Asking for a sync dials whoever is not connected.
        let asked = node.client().sync(&SyncRequest::default()).await;
        asked.map_err(DemoError::of(node.short()))?;
        let mut missing = false;
        for other in trio.all() {
            missing |= other.short() != node.short() && !is_connected(node, other).await?;
        }
        Ok(!missing)
    })
    .await
}

/// Whether a node has a connection to another one now.
pub(super) async fn is_connected(node: &Node, other: &Node) -> Result<bool, DemoError> {
    let status = node.client().status().await;
    let status = status.map_err(DemoError::of(node.short()))?;
    Ok(status
        .peers
        .iter()
        .any(|peer| peer.peer_id == other.peer_id() && peer.state == "connected"))
}
