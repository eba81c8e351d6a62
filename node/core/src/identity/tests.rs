use super::*;
use crate::id::StatementHash;
use crate::limits;
use crate::testing::{Agency, key, stranger};
use crate::verify::{agency_chain, agency_statement, card};
use crate::wire::Signing;
use proptest::prelude::*;

fn agency() -> Agency {
    let mut agency = Agency::new(1);
    let node = agency.node(0).public();
    let addresses = vec![
        "/ip4/192.0.2.7/tcp/4001".to_owned(),
        "/dns/diwan.example/udp/4001/quic-v1".to_owned(),
    ];
    agency.say(AgencyBody::Addresses(node, addresses));
    agency
}

fn card_of(agency: &Agency) -> Card {
    Card {
        chain: agency.chain.clone(),
    }
}

fn genesis() -> Genesis {
    agency().chain.genesis().clone()
}

/// What the next statement of the agency is refused for.
fn refused(agency: &Agency, body: AgencyBody) -> ChainError {
    let bytes = agency.chain.next(body).sign(&agency.root);
    agency_statement(Some(&agency.chain), &bytes).unwrap_err()
}

#[test]
fn a_card_reads_back() {
    for agency in [Agency::bare(2), agency()] {
        let text = card_of(&agency).render();
        assert_eq!(card(&text).unwrap().chain, agency.chain);
        assert_eq!(card_of(&agency).render(), text);
    }
}

#[test]
fn a_card_survives_windows_line_ends_and_blank_surroundings() {
    let text = card_of(&agency()).render();
    let windows = text.replace('\n', "\r\n");
    assert_eq!(card(&windows).unwrap().chain, agency().chain);
    let mailed = format!("\n\n  {text}\n\r\n ");
    assert_eq!(card(&mailed).unwrap().chain, agency().chain);
}

#[test]
fn every_changed_byte_of_a_card_is_noticed() {
    let text = card_of(&agency()).render();
    let bytes = text.trim_end().as_bytes();
    for at in 0..bytes.len() {
        for by in [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x07] {
            let mut changed = bytes.to_vec();
            changed[at] ^= by;
            let Ok(changed) = String::from_utf8(changed) else {
                continue;
            };
            assert!(card(&changed).is_err(), "byte {at} by {by:#x}");
        }
        let mut shorter = bytes.to_vec();
        shorter.remove(at);
        if let Ok(shorter) = String::from_utf8(shorter) {
            assert!(card(&shorter).is_err(), "without byte {at}");
        }
    }
}

#[test]
fn what_is_wrong_with_a_card_is_said() {
    let text = card_of(&agency()).render();
    let error = |text: &str| card(text).unwrap_err();
    assert_eq!(error(""), CardError::Frame);
    assert_eq!(error(&text[..text.len() / 2]), CardError::Frame);
    assert_eq!(
        error(&text.replace("Agence", "Agençe")),
        CardError::Altered { line: 2 }
    );
    assert_eq!(
        error(&text.replace("FR", "IT")),
        CardError::Altered { line: 3 }
    );
    let address = text.replace("192.0.2.7", "192.0.2.8");
    assert_eq!(error(&address), CardError::Altered { line: 6 });
    let two = format!("{text}{text}");
    assert!(matches!(
        error(&two),
        CardError::Frame | CardError::Block(_)
    ));
    let long = " ".repeat(limits::CARD_BYTES + 1);
    assert_eq!(error(&long), CardError::TooLong(long.len()));
}

#[test]
fn a_chain_grows_by_its_roots_statements_only() {
    let agency = agency();
    let verified = agency_chain(&agency.statements()).unwrap();
    assert_eq!(*verified, agency.chain);
    assert_eq!(verified.height(), 2);
    assert_eq!(verified.addresses().len(), 2);
    let next = agency
        .chain
        .next(AgencyBody::CertifyNode(stranger(), Capabilities::SYNC));
    let other = Agency::bare(2);
    for thief in [&agency.node(0), &other.root, &key(77)] as [&Signing; 3] {
        let refused = agency_statement(Some(&agency.chain), &next.sign(thief));
        assert_eq!(refused.unwrap_err(), ChainError::Signature);
    }
    let genesis = AgencyStatement::genesis(genesis());
    let refused = agency_statement(None, &genesis.sign(&other.root));
    assert_eq!(refused.unwrap_err(), ChainError::Signature);
}

/// Case 2.
#[test]
fn forks_gaps_and_other_chains_are_refused() {
    let agency = agency();
    let body = || AgencyBody::CertifyNode(stranger(), Capabilities::SYNC);
    let error = |statement: &AgencyStatement| {
        let bytes = statement.sign(&agency.root);
        agency_statement(Some(&agency.chain), &bytes).unwrap_err()
    };
    let height = |found| ChainError::Height { found, expected: 3 };
    let mut statement = agency.chain.next(body());
    statement.height = 4;
    assert_eq!(error(&statement), height(4));
    statement.height = 2;
    assert_eq!(error(&statement), height(2));
    statement.height = 3;
    statement.previous = Some(StatementHash([7; 32]));
    assert_eq!(error(&statement), ChainError::Fork(3));
    statement.previous = None;
    assert_eq!(error(&statement), ChainError::Fork(3));
    let other = Agency::bare(2).chain.next(body());
    assert_eq!(error(&other), ChainError::OtherChain);
    let mut statements = agency.statements();
    statements.remove(1);
    let gap = ChainError::Height {
        found: 2,
        expected: 1,
    };
    assert_eq!(agency_chain(&statements).unwrap_err(), (1, gap));
    assert_eq!(agency_chain(&[]).unwrap_err(), (0, ChainError::Genesis));
    let second = agency.statements().swap_remove(1);
    assert_eq!(
        agency_chain(&[second]).unwrap_err(),
        (0, ChainError::Genesis)
    );
    let again = AgencyBody::Genesis(genesis());
    assert_eq!(refused(&agency, again), ChainError::Genesis);
}

#[test]
fn a_genesis_with_bad_fields_is_refused() {
    let error = |change: &dyn Fn(&mut Genesis)| {
        let mut genesis = genesis();
        change(&mut genesis);
        let bytes = AgencyStatement::genesis(genesis).sign(&agency().root);
        agency_statement(None, &bytes).unwrap_err()
    };
    for name in ["", "  ", "a\u{202e}b", "a\nb", "a\u{7}"] {
        assert_eq!(error(&|g| g.name = name.into()), ChainError::Field("name"));
    }
    let long = "n".repeat(limits::NAME_BYTES + 1);
    assert_eq!(
        error(&|g| g.name.clone_from(&long)),
        ChainError::Field("name")
    );
    for country in ["", "F", "fr", "FRA", "É", "F1"] {
        let field = ChainError::Field("country");
        assert_eq!(error(&|g| g.country = country.into()), field);
    }
    for short in [
        "",
        "a",
        "own",
        "Abc",
        "1ab",
        "-ab",
        "a b",
        "abcdefghijklmnopq",
        "été",
    ] {
        let field = ChainError::Field("short name");
        assert_eq!(error(&|g| g.short = short.into()), field, "{short}");
    }
}

#[test]
fn addresses_belong_to_certified_nodes_and_have_bounds() {
    let agency = agency();
    let node = agency.node(0).public();
    let error =
        |node, addresses: Vec<String>| refused(&agency, AgencyBody::Addresses(node, addresses));
    let good = "/ip4/192.0.2.1/tcp/1".to_owned();
    assert_eq!(
        error(stranger(), vec![good.clone()]),
        ChainError::UnknownNode
    );
    let many = vec![good; limits::ADDRESSES + 1];
    assert_eq!(error(node, many), ChainError::TooMany("addresses"));
    for bad in ["", "ip4/1", "/ip4 /1", "/ip4/1\n", "/\u{202e}", "/é"] {
        assert_eq!(error(node, vec![bad.into()]), ChainError::Field("address"));
    }
    let long = format!("/{}", "a".repeat(limits::ADDRESS_BYTES));
    assert_eq!(error(node, vec![long]), ChainError::Field("address"));
}

#[test]
fn an_agency_has_a_bounded_number_of_nodes() {
    let mut agency = Agency::bare(1);
    for i in 0..limits::NODES_PER_AGENCY {
        agency.certify(u16::try_from(i).unwrap(), Capabilities::SYNC);
    }
    let one_more = AgencyBody::CertifyNode(stranger(), Capabilities::SYNC);
    assert_eq!(refused(&agency, one_more), ChainError::TooMany("nodes"));
    // One that is there already may change.
    agency.certify(3, Capabilities::ALL);
    let node = agency.node(3).public();
    let certificate = agency.chain.certificate(&node).unwrap();
    assert_eq!(certificate.capabilities, Capabilities::ALL);
}

#[test]
fn a_new_certificate_keeps_the_nodes_addresses() {
    let mut agency = agency();
    let before = agency.chain.addresses();
    agency.certify(0, Capabilities::ALL);
    assert_eq!(agency.chain.addresses(), before);
}

#[test]
fn rights_are_taken_away_by_revoking_only_and_one_node_governs() {
    let mut agency = Agency::new(1);
    let first = agency.node(0).public();
    let refused_with = |agency: &Agency, body| refused(agency, body);
    let narrower = AgencyBody::CertifyNode(first, Capabilities::SYNC);
    assert_eq!(refused_with(&agency, narrower), ChainError::Narrowed);
    let second = AgencyBody::CertifyNode(agency.node(1).public(), Capabilities::ALL);
    assert_eq!(refused_with(&agency, second), ChainError::Governs);
    agency.certify(1, Capabilities(3));
    agency.say(AgencyBody::RevokeNode(first, Vec::new()));
    let certificate = agency.chain.certificate(&first).unwrap();
    assert!(!certificate.may(Capabilities::SYNC), "it acts no more");
    assert!(
        certificate.capabilities.include(Capabilities::ALL),
        "what it was stays known"
    );
    let again = AgencyBody::CertifyNode(first, Capabilities::ALL);
    assert_eq!(refused_with(&agency, again), ChainError::Revoked);
    let moved = AgencyBody::Addresses(first, Vec::new());
    assert_eq!(refused_with(&agency, moved), ChainError::Revoked);
    // The right to govern is free again.
    agency.certify(1, Capabilities::ALL);
    let extend = AgencyBody::ExtendCuts(agency.node(1).public(), Vec::new());
    assert_eq!(refused_with(&agency, extend), ChainError::UnknownNode);
}

#[test]
fn a_root_is_rotated_by_both_keys_and_then_only_the_new_one_signs() {
    let agency = Agency::new(1);
    let (old, new) = (&agency.root, key(9_000));
    let rotate = || agency.chain.next(AgencyBody::RotateRoot(new.public()));
    for alone in [rotate().sign(old), rotate().sign(&new)] {
        let refused = agency_statement(Some(&agency.chain), &alone).unwrap_err();
        assert_eq!(refused, ChainError::Signature);
    }
    let turned = agency_statement(Some(&agency.chain), &rotate().sign_rotation(&new, old));
    assert_eq!(
        turned.unwrap_err(),
        ChainError::Signature,
        "the old key signs first"
    );
    let rotated = agency_statement(Some(&agency.chain), &rotate().sign_rotation(old, &new));
    let chain = rotated.unwrap().into_inner().chain;
    assert_eq!(chain.id(), agency.chain.id(), "the agency stays itself");
    let next = || chain.next(AgencyBody::CertifyNode(stranger(), Capabilities::SYNC));
    let by_old = agency_statement(Some(&chain), &next().sign(old));
    assert_eq!(by_old.unwrap_err(), ChainError::Signature);
    assert!(agency_statement(Some(&chain), &next().sign(&new)).is_ok());
    // And whoever reads the whole chain agrees.
    let all: Vec<_> = chain.statements_from(0).cloned().collect();
    assert_eq!(*agency_chain(&all).unwrap(), chain);
}

proptest! {
    #[test]
    fn any_text_is_judged_without_panic(inner in "\\PC{0,200}") {
        let framed = format!(
            "-----BEGIN DIWAN CARD-----\n{inner}\n\n{inner}\n-----END DIWAN CARD-----\n"
        );
        prop_assert!(card(&framed).is_err());
    }

    #[test]
    fn a_statement_with_a_changed_byte_is_refused(
        which in 0..3usize, at in any::<prop::sample::Index>(), by in 1..=255u8,
    ) {
        let mut statements = agency().statements();
        let at = at.index(statements[which].len());
        statements[which][at] ^= by;
        prop_assert!(agency_chain(&statements).is_err());
    }
}
