//! Chains of agencies and groups, cards: as they come, and with true signatures below arbitrary
//! statements, because what is signed by a hostile member reaches further.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use diwan_core::group::{self, GroupStatement, Member, Role};
use diwan_core::id::AgencyId;
use diwan_core::identity::{self, AgencyBody, AgencyChain, AgencyStatement, Capabilities, Card};
use diwan_core::sync::Message;
use diwan_core::verify;
use diwan_core::wire::{self, Domain, Signed, Signing};
use zeroize::Zeroizing;

fn key(n: u8) -> Signing {
    Signing::from_seed(&Zeroizing::new([n; 32]))
}

fn agencies() -> &'static BTreeMap<AgencyId, AgencyChain> {
    static AGENCIES: OnceLock<BTreeMap<AgencyId, AgencyChain>> = OnceLock::new();
    AGENCIES.get_or_init(|| {
        let chain = verify::agency_chain(&agency_statements())
            .unwrap()
            .into_inner();
        BTreeMap::from([(chain.id(), chain)])
    })
}

fn agency_statements() -> Vec<Vec<u8>> {
    let genesis = AgencyStatement::genesis(identity::Genesis {
        root: key(1).public(),
        name: "Police nationale".into(),
        country: "FR".into(),
        short: "pn".into(),
        nonce: [3; 16],
    });
    let mut statements = vec![genesis.sign(&key(1))];
    let chain = verify::agency_chain(&statements).unwrap().into_inner();
    let certify = AgencyBody::CertifyNode(key(2).public(), Capabilities::ALL);
    statements.push(chain.next(certify).sign(&key(1)));
    statements
}

fn group_genesis() -> GroupStatement {
    let agency = *agencies().keys().next().unwrap();
    let member = Member {
        agency,
        role: Role::Owner,
    };
    GroupStatement::genesis(group::Genesis {
        name: "Échanges".into(),
        tlp: "GREEN".into(),
        threshold: 1,
        members: vec![member],
        nonce: [9; 16],
    })
}

/// Statements of an agency's and of a group's chain. Bit 0 of the first byte: sign them truly.
pub fn chains(bytes: &[u8]) {
    let Some((first, bytes)) = bytes.split_first() else {
        return;
    };
    let is_signed = first & 1 == 1;
    let pieces = pieces(bytes);
    let signed = |n: u8, domain: Domain, body: &[u8]| match is_signed {
        true => wire::encode(&Signed::by(&key(n), domain, body.to_vec())),
        false => body.to_vec(),
    };
    let agency = |body: &&[u8]| signed(1, Domain::AgencyStatement, body);
    let statements: Vec<_> = pieces.iter().map(agency).collect();
    let _ = verify::agency_chain(&statements);
    let known = agencies().values().next().unwrap();
    for statement in &statements {
        let _ = verify::agency_statement(Some(known), statement);
    }
    let start = group_genesis().sign(&key(2));
    let step = verify::group_genesis(agencies(), &start).unwrap();
    let mut chain = step.into_inner().chain;
    for body in &pieces {
        let statement = signed(2, Domain::GroupStatement, body);
        let _ = verify::group_genesis(agencies(), &statement);
        if let Ok(step) = verify::group_statement(&chain, agencies(), &statement) {
            chain = step.into_inner().chain;
        }
        let _ = verify::receipt(&statement);
    }
}

/// Pieces of two bytes of length each, and what is left.
fn pieces(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (piece, rest) = rest.split_at(length);
        pieces.push(piece);
        bytes = rest;
        if pieces.len() == 8 {
            break;
        }
    }
    pieces
}

/// A card: what is read is written as a card that is read again.
pub fn cards(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(card) = verify::card(text) {
        let again = card.into_inner().render();
        assert!(verify::card(&again).is_ok(), "our own card is refused");
    }
}

/// Honest statements, a card and a frame to begin with: by target.
pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let statements = agency_statements();
    let chain = verify::agency_chain(&statements).unwrap().into_inner();
    let group = group_genesis();
    let framed = |flag: u8, pieces: &[Vec<u8>]| {
        let mut out = vec![flag];
        for piece in pieces {
            out.extend(u16::try_from(piece.len()).unwrap().to_be_bytes());
            out.extend(piece);
        }
        out
    };
    let bodies = |bytes: &Vec<u8>| Signed::read(bytes).unwrap().body;
    let unsigned: Vec<_> = statements.iter().map(bodies).collect();
    let start = group.sign(&key(2));
    let step = verify::group_genesis(agencies(), &start)
        .unwrap()
        .into_inner();
    let rename = step.chain.next(group::GroupBody::SetThreshold(1));
    vec![
        ("chains", framed(0, &statements)),
        ("chains", framed(1, &unsigned)),
        ("chains", framed(1, &[wire::encode(&group)])),
        ("chains", framed(1, &[wire::encode(&rename)])),
        ("cards", Card { chain }.render().into_bytes()),
        ("frames", Message::Ping.to_frame().unwrap()),
    ]
}
