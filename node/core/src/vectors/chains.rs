//! Statements of agencies and groups.

use super::*;
use crate::group::{Cut, GroupBody, GroupStatement, Role};
use crate::id::{EntryHash, StatementHash};
use crate::identity::{AgencyBody, AgencyStatement, Capabilities};
use crate::testing::{envelope, group_genesis, key, member, signed_by, writer};
use crate::wire::{self, Domain, Signing};

fn agency_signed(statement: &AgencyStatement, keys: &[&Signing]) -> Vec<u8> {
    envelope(Domain::AgencyStatement, wire::encode(statement), keys)
}

#[test]
fn agency_statements() {
    let mut agency = Agency::new(1);
    agency.certify(1, Capabilities::SYNC);
    let chain = ("chain", statements(agency.statements()));
    let with = |statement: Vec<u8>| vec![chain.clone(), ("statement", hex(statement))];
    let third = agency.node(2).public();
    let certify = agency
        .chain
        .next(AgencyBody::CertifyNode(third, Capabilities::SYNC));
    let good = certify.sign(&agency.root);
    let addresses = |text: &str| {
        let node = agency.node(0).public();
        let body = AgencyBody::Addresses(node, vec![text.to_owned()]);
        agency.chain.next(body).sign(&agency.root)
    };
    let (new_root, other) = (key(777), Agency::new(2));
    let rotate = agency.chain.next(AgencyBody::RotateRoot(new_root.public()));
    let mut altered = good.clone();
    let at = altered.len() / 2;
    altered[at] ^= 1;
    let mut longer = good.clone();
    longer.push(0);
    let of_height = |height| {
        let mut statement = certify.clone();
        statement.height = height;
        statement.sign(&agency.root)
    };
    let mut fork = certify.clone();
    fork.previous = Some(StatementHash([7; 32]));
    let mut elsewhere = certify.clone();
    elsewhere.agency = Some(other.id());
    let narrowed = agency.chain.next(AgencyBody::CertifyNode(
        agency.node(0).public(),
        Capabilities::SYNC,
    ));
    let governs = agency
        .chain
        .next(AgencyBody::CertifyNode(third, Capabilities::ALL));
    let unknown = agency.chain.next(AgencyBody::RevokeNode(third, Vec::new()));
    let not_signed = "not signed by the agency's root key";
    let vectors = [
        accepted("a node is certified", with(good.clone())),
        accepted(
            "a node says where it listens",
            with(addresses("/ip4/192.0.2.1/tcp/4001")),
        ),
        accepted(
            "the root key changes, signed by both",
            with(agency_signed(&rotate, &[&agency.root, &new_root])),
        ),
        refused(
            "signed by a node of the agency",
            21,
            with(agency_signed(&certify, &[&agency.node(0)])),
            not_signed,
        ),
        refused(
            "signed by another agency's root",
            21,
            with(certify.sign(&other.root)),
            not_signed,
        ),
        refused(
            "not signed",
            0,
            with(agency_signed(&certify, &[])),
            not_signed,
        ),
        refused(
            "signed twice by the root",
            0,
            with(agency_signed(&certify, &[&agency.root, &agency.root])),
            not_signed,
        ),
        refused(
            "the root key changes, signed by the old one only",
            0,
            with(rotate.sign(&agency.root)),
            not_signed,
        ),
        refused(
            "the root key changes, signed by the new one only",
            0,
            with(rotate.sign(&new_root)),
            not_signed,
        ),
        refused(
            "the same statement again",
            2,
            with(agency.statements()[2].clone()),
            "height 2 where 3 follows",
        ),
        refused(
            "a height is left out",
            0,
            with(of_height(4)),
            "height 4 where 3 follows",
        ),
        refused(
            "another statement came before",
            0,
            with(fork.sign(&agency.root)),
            "the statement before height 3 is another one: the chain forks",
        ),
        refused(
            "another agency's chain",
            0,
            with(elsewhere.sign(&agency.root)),
            "the statement belongs to another chain",
        ),
        refused(
            "a second genesis",
            0,
            with(agency.statements()[0].clone()),
            "the statement belongs to another chain",
        ),
        refused(
            "a certificate loses capabilities",
            0,
            with(narrowed.sign(&agency.root)),
            "a certificate never loses capabilities: revoke the node",
        ),
        refused(
            "two nodes govern",
            0,
            with(governs.sign(&agency.root)),
            "another node governs for the agency already",
        ),
        refused(
            "an unknown node is revoked",
            0,
            with(unknown.sign(&agency.root)),
            "the node is not certified",
        ),
        refused(
            "an address with an escape sequence",
            36,
            with(addresses("/ip4/192.0.2.1/tcp/4001\u{1b}[2J")),
            "address is empty, too long or has characters it may not have",
        ),
        refused("one bit is another", 0, with(altered), ""),
        refused("a byte follows the end", 34, with(longer), ""),
    ];
    committed(
        "agency-statements.json",
        "A statement that is offered as the next of an agency's chain.",
        &vectors,
    );
}

#[test]
fn group_statements() {
    let (one, two, scribe, outsider) = (
        Agency::new(1),
        Agency::new(2),
        Agency::new(3),
        Agency::new(4),
    );
    let members = [
        member(&one, Role::Owner),
        member(&two, Role::Owner),
        member(&scribe, Role::Contributor),
    ];
    let genesis = group_genesis("Échanges cyber", 2, &members).sign(&one.node(0));
    let known = crate::testing::chains(&[&one, &two, &scribe, &outsider]);
    let group = crate::verify::group_genesis(&known, &genesis)
        .unwrap()
        .into_inner()
        .chain;
    let add = group.next(GroupBody::Add(member(&outsider, Role::Reader)));
    let (a, b) = (one.node(0), two.node(0));
    let good = signed_by(&add, &[&a, &b]);
    let group = {
        let step = crate::verify::group_statement(&group, &known, &good).unwrap();
        step.into_inner().chain
    };
    let context = [
        agencies(&[&one, &two, &scribe, &outsider]),
        ("chain", statements(group.statements_from(0).cloned())),
    ];
    let with =
        |statement: Vec<u8>| [context.to_vec(), vec![("statement", hex(statement))]].concat();
    let both = |statement: &GroupStatement| with(signed_by(statement, &[&a, &b]));
    let role = group.next(GroupBody::SetRole(
        member(&outsider, Role::Contributor),
        Vec::new(),
    ));
    let cut = Cut {
        writer: writer(&scribe, 0),
        seq: 3,
        head: EntryHash([5; 32]),
    };
    let remove = group.next(GroupBody::Remove(scribe.id(), vec![cut]));
    let mut fork = role.clone();
    fork.previous = Some(StatementHash([7; 32]));
    let of_height = |height| {
        let mut statement = role.clone();
        statement.height = height;
        statement
    };
    let mut longer = signed_by(&role, &[&a, &b]);
    longer.push(0xf6);
    let threshold = group.next(GroupBody::SetThreshold(1));
    let again = group.next(GroupBody::Add(member(&scribe, Role::Owner)));
    let last_owner = group.next(GroupBody::SetRole(member(&one, Role::Reader), Vec::new()));
    let nobody = group.next(GroupBody::Remove(Agency::new(9).id(), Vec::new()));
    let one_of_two = "signed by 1 owners where 2 must sign";
    let none_of_two = "signed by 0 owners where 2 must sign";
    let vectors = [
        accepted("a role changes, signed by both owners", both(&role)),
        accepted("a member is removed with a cut", both(&remove)),
        refused(
            "one of two owners signed",
            0,
            with(signed_by(&role, &[&a])),
            one_of_two,
        ),
        refused(
            "one owner signed twice",
            0,
            with(signed_by(&role, &[&a, &a])),
            one_of_two,
        ),
        refused(
            "an owner and a contributor signed",
            0,
            with(signed_by(&role, &[&a, &scribe.node(0)])),
            one_of_two,
        ),
        refused(
            "a contributor signed",
            0,
            with(signed_by(&role, &[&scribe.node(0)])),
            none_of_two,
        ),
        refused(
            "owners' root keys signed",
            0,
            with(signed_by(&role, &[&one.root, &two.root])),
            none_of_two,
        ),
        refused("nobody signed", 0, with(signed_by(&role, &[])), none_of_two),
        refused(
            "the same statement again",
            2,
            with(good),
            "height 1 where 2 follows",
        ),
        refused(
            "a height is left out",
            0,
            both(&of_height(3)),
            "height 3 where 2 follows",
        ),
        refused(
            "another statement came before",
            20,
            both(&fork),
            "the statement before height 2 is another one: the chain forks",
        ),
        refused(
            "a second genesis",
            2,
            with(genesis),
            "the statement belongs to another group",
        ),
        refused(
            "the threshold is no majority",
            0,
            both(&threshold),
            "the threshold 1 is not a majority of 2 owners",
        ),
        refused(
            "a member is added again",
            0,
            both(&again),
            "the agency is a member already",
        ),
        refused(
            "who is no member is removed",
            0,
            both(&nobody),
            "the agency is not a member",
        ),
        accepted(
            "an owner steps down, and what is left is a majority",
            both(&last_owner),
        ),
        refused("a value follows the end", 34, with(longer), ""),
    ];
    committed(
        "group-statements.json",
        "A statement that is offered as the next of a group's chain.",
        &vectors,
    );
}
