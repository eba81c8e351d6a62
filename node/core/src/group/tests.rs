use super::*;
use crate::id::{AgencyId, EntryHash};
use crate::identity::Capabilities;
use crate::limits;
use crate::log::LogHead;
use crate::testing::{
    Agency, Pen, chains, cut, group_genesis, group_of, key, member, signed_by, then, writer,
};
use crate::verify::{group_genesis as verify_genesis, group_statement as verify_next};

fn agencies<const N: usize>() -> [Agency; N] {
    std::array::from_fn(|i| Agency::new(u16::try_from(i).unwrap() + 1))
}

/// What the next statement with this body is refused for, signed by `by`.
fn refused(chain: &GroupChain, body: GroupBody, all: &[&Agency], by: &[&Agency]) -> GroupError {
    let nodes: Vec<_> = by.iter().map(|agency| agency.node(0)).collect();
    let bytes = signed_by(&chain.next(body), &nodes.iter().collect::<Vec<_>>());
    verify_next(chain, &chains(all), &bytes).unwrap_err()
}

fn entry(seq: u64) -> LogHead {
    LogHead {
        seq,
        hash: EntryHash([u8::try_from(seq).unwrap(); 32]),
    }
}

#[test]
fn a_genesis_needs_an_owners_governing_node() {
    let [a, b] = agencies();
    let members = [member(&a, Role::Owner), member(&b, Role::Curator)];
    let genesis = group_genesis("Réseau", 1, &members);
    let known = chains(&[&a, &b]);
    assert!(verify_genesis(&known, &genesis.sign(&a.node(0))).is_ok());
    let found = |found| GroupError::Signatures { found, needed: 1 };
    for stranger in [b.node(0), a.node(1), key(9), a.root] {
        let refused = verify_genesis(&known, &genesis.sign(&stranger));
        assert_eq!(refused.unwrap_err(), found(0));
    }
    let unknown = verify_genesis(&chains(&[&b]), &genesis.sign(&key(101)));
    assert_eq!(unknown.unwrap_err(), found(0));
    let mut clerk = Agency::bare(3);
    clerk.certify(0, Capabilities(3));
    let own = group_genesis("Réseau", 1, &[member(&clerk, Role::Owner)]);
    let refused = verify_genesis(&chains(&[&clerk]), &own.sign(&clerk.node(0)));
    assert_eq!(refused.unwrap_err(), found(0));
}

#[test]
fn a_genesis_with_bad_content_is_refused() {
    let [a, b] = agencies();
    let owner = member(&a, Role::Owner);
    let reader = member(&b, Role::Reader);
    let crowd = || {
        (0..=limits::MEMBERS).map(|i| Member {
            agency: AgencyId([u8::try_from(i % 251).unwrap(); 32]),
            role: Role::Owner,
        })
    };
    let threshold = |threshold, owners| GroupError::Threshold { threshold, owners };
    for (name, count, members, error) in [
        ("own", 1, vec![owner], GroupError::Field("name")),
        (" ", 1, vec![owner], GroupError::Field("name")),
        ("a\u{202e}b", 1, vec![owner], GroupError::Field("name")),
        ("a\nb", 1, vec![owner], GroupError::Field("name")),
        ("n", 1, vec![], GroupError::Members),
        ("n", 1, vec![reader], GroupError::Members),
        ("n", 1, vec![owner, owner], GroupError::Members),
        ("n", 0, vec![owner, reader], threshold(0, 1)),
        ("n", 2, vec![owner, reader], threshold(2, 1)),
        (
            "n",
            1,
            vec![owner, member(&b, Role::Owner)],
            threshold(1, 2),
        ),
        ("n", 200, crowd().collect(), GroupError::TooMany("members")),
    ] {
        let bytes = group_genesis(name, count, &members).sign(&a.node(0));
        let refused = verify_genesis(&chains(&[&a, &b]), &bytes);
        assert_eq!(refused.unwrap_err(), error, "{name:?}");
    }
    let long = "é".repeat(limits::NAME_BYTES / 2 + 1);
    let mut genesis = group_genesis(&long, 1, &[owner]);
    assert_eq!(GroupChain::begins(&genesis), Err(GroupError::Field("name")));
    genesis = group_genesis("n", 1, &[owner]);
    if let GroupBody::Genesis(content) = &mut genesis.body {
        content.tlp = "PINK".into();
    }
    let refused = GroupChain::begins(&genesis);
    assert_eq!(refused, Err(GroupError::Field("TLP label")));
}

#[test]
fn only_an_owner_may_sign_what_follows() {
    let [a, b, c] = agencies();
    let chain = group_of(&a, &[(&b, Role::Curator)]);
    let all = [&a, &b, &c];
    let add = || GroupBody::Add(member(&c, Role::Reader));
    let none = GroupError::Signatures {
        found: 0,
        needed: 1,
    };
    assert_eq!(refused(&chain, add(), &all, &[&b]), none);
    assert_eq!(refused(&chain, add(), &all, &[&c]), none);
    assert_eq!(refused(&chain, add(), &all, &[]), none);
    // A signature over other bytes.
    let mut bytes = chain.next(add()).sign(&a.node(0));
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    assert_eq!(
        verify_next(&chain, &chains(&all), &bytes).unwrap_err(),
        none
    );
    assert_eq!(then(&chain, &a, add()).role(&c.id()), Some(Role::Reader));
}

/// Case 2.
#[test]
fn wrong_heights_forks_and_other_groups_are_refused() {
    let [a, b, c] = agencies();
    let chain = group_of(&a, &[(&b, Role::Reader)]);
    let other = group_of(&a, &[(&c, Role::Reader)]);
    let one = then(&chain, &a, GroupBody::Add(member(&c, Role::Reader)));
    let verify = |statement: &GroupStatement| {
        verify_next(&one, &chains(&[&a]), &statement.sign(&a.node(0))).unwrap_err()
    };
    let remove = || GroupBody::Remove(b.id(), vec![]);
    let height = |found| GroupError::Height { found, expected: 2 };
    assert_eq!(verify(&chain.next(remove())), height(1));
    let mut far = one.next(remove());
    far.height = 3;
    assert_eq!(verify(&far), height(3));
    assert_eq!(verify(&other.next(remove())), GroupError::OtherChain);
    let mut fork = one.next(remove());
    fork.previous = Some(chain.head());
    assert_eq!(verify(&fork), GroupError::Fork(2));
    let genesis = group_genesis("n", 1, &[member(&a, Role::Owner)]);
    assert_eq!(verify(&one.next(genesis.body)), GroupError::Genesis);
    let own = GroupChain::own(a.id());
    let bytes = own.next(remove()).sign(&a.node(0));
    let refused = verify_next(&own, &chains(&[&a]), &bytes);
    assert_eq!(refused.unwrap_err(), GroupError::OtherChain);
}

#[test]
fn a_threshold_counts_owners_and_not_signatures() {
    let [mut a, b, c] = agencies();
    a.certify(1, Capabilities(3));
    let owners = [&a, &b, &c].map(|agency| member(agency, Role::Owner));
    let genesis = group_genesis("n", 2, &owners).sign(&a.node(0));
    let all = [&a, &b, &c];
    let chain = verify_genesis(&chains(&all), &genesis)
        .unwrap()
        .into_inner()
        .chain;
    let fourth = Agency::new(4);
    let add = || GroupBody::Add(member(&fourth, Role::Reader));
    let one = GroupError::Signatures {
        found: 1,
        needed: 2,
    };
    assert_eq!(refused(&chain, add(), &all, &[&a]), one);
    assert_eq!(refused(&chain, add(), &all, &[&a, &a]), one);
    assert_eq!(refused(&chain, add(), &all, &[&a, &fourth]), one);
    let two_nodes_of_one = signed_by(&chain.next(add()), &[&a.node(0), &a.node(1)]);
    let refused = verify_next(&chain, &chains(&all), &two_nodes_of_one);
    assert_eq!(refused.unwrap_err(), one);
    for pair in [[&a, &b], [&b, &c], [&c, &a]] {
        let bytes = signed_by(&chain.next(add()), &[&pair[0].node(0), &pair[1].node(0)]);
        assert!(verify_next(&chain, &chains(&all), &bytes).is_ok());
    }
}

#[test]
fn the_threshold_stays_a_majority_that_can_be_met() {
    let [a, b, c] = agencies();
    let chain = group_of(&a, &[(&b, Role::Reader)]);
    assert_eq!(chain.threshold(), 1);
    let two = then(&chain, &a, GroupBody::Add(member(&c, Role::Owner)));
    assert_eq!((two.owners(), two.threshold()), (2, 2));
    let all = [&a, &b, &c];
    let low = GroupError::Threshold {
        threshold: 1,
        owners: 2,
    };
    assert_eq!(
        refused(&two, GroupBody::SetThreshold(1), &all, &[&a, &c]),
        low
    );
    let nodes = [a.node(0), c.node(0)];
    let leave = two.next(GroupBody::Remove(c.id(), vec![]));
    let bytes = signed_by(&leave, &nodes.iter().collect::<Vec<_>>());
    let alone = verify_next(&two, &chains(&all), &bytes)
        .unwrap()
        .into_inner()
        .chain;
    assert_eq!((alone.owners(), alone.threshold()), (1, 1));
}

#[test]
fn members_are_added_once_and_the_last_owner_stays() {
    let [a, b, c] = agencies();
    let chain = group_of(&a, &[(&b, Role::Reader)]);
    let refuse = |body| refused(&chain, body, &[&a, &b, &c], &[&a]);
    let again = GroupBody::Add(member(&b, Role::Owner));
    assert_eq!(refuse(again), GroupError::AlreadyMember);
    let stranger = GroupBody::Remove(c.id(), vec![]);
    assert_eq!(refuse(stranger), GroupError::NotMember);
    let stranger = GroupBody::SetRole(member(&c, Role::Reader), vec![]);
    assert_eq!(refuse(stranger), GroupError::NotMember);
    let last = GroupBody::Remove(a.id(), vec![]);
    assert_eq!(refuse(last), GroupError::Members);
    let last = GroupBody::SetRole(member(&a, Role::Curator), vec![]);
    assert_eq!(refuse(last), GroupError::Members);
    let raised = GroupBody::SetRole(member(&b, Role::Curator), vec![]);
    assert_eq!(then(&chain, &a, raised).role(&b.id()), Some(Role::Curator));
    let gone = then(&chain, &a, GroupBody::Remove(b.id(), vec![]));
    assert_eq!(gone.role(&b.id()), None);
    assert!(gone.agencies().any(|agency| *agency == b.id()));
    assert_eq!(chain.role(&b.id()), Some(Role::Reader));
}

#[test]
fn an_entry_is_judged_by_the_role_at_the_height_that_it_cites() {
    let [a, b] = agencies();
    let chain = group_of(&a, &[(&b, Role::Reader)]);
    let raised = GroupBody::SetRole(member(&b, Role::Contributor), vec![]);
    let chain = then(&chain, &a, raised);
    let log = writer(&b, 0);
    let at = |chain: &GroupChain, seq, cited| {
        let LogHead { seq, hash } = entry(seq);
        chain.standing(&b.id(), &log, (seq, &hash), cited)
    };
    assert_eq!(at(&chain, 1, 0), Standing::NotContributor);
    assert_eq!(at(&chain, 1, 1), Standing::Valid);
    assert_eq!(at(&chain, 1, 2), Standing::NotContributor, "not known yet");
    assert_eq!(at(&chain, 1, u32::MAX), Standing::NotContributor);
    let nobody = AgencyId([0; 32]);
    let hash = EntryHash([1; 32]);
    assert_eq!(
        chain.standing(&nobody, &log, (1, &hash), 1),
        Standing::NotContributor
    );
}

/// Case 5.
#[test]
fn a_removal_ends_logs_at_their_cuts() {
    let [a, b] = agencies();
    let chain = group_of(&a, &[(&b, Role::Contributor)]);
    let (log, other) = (writer(&b, 0), writer(&b, 1));
    let remove = GroupBody::Remove(b.id(), vec![cut(log, entry(5))]);
    let gone = then(&chain, &a, remove);
    let judge = |chain: &GroupChain, log, seq, cited| {
        let LogHead { seq, hash } = entry(seq);
        chain.standing(&b.id(), &log, (seq, &hash), cited)
    };
    assert_eq!(judge(&gone, log, 4, 0), Standing::Valid);
    assert_eq!(judge(&gone, log, 5, 0), Standing::Valid);
    assert_eq!(judge(&gone, log, 6, 0), Standing::BeyondCut);
    assert_eq!(judge(&gone, log, 6, 1), Standing::NotContributor);
    assert_eq!(judge(&gone, other, 1, 0), Standing::BeyondCut);
    let forged = EntryHash([0xee; 32]);
    assert_eq!(
        gone.standing(&b.id(), &log, (5, &forged), 0),
        Standing::Forked
    );
    // Others are not concerned, and a later return does not bring the cut entries back.
    let hash = entry(9).hash;
    let owner = gone.standing(&a.id(), &writer(&a, 0), (9, &hash), 0);
    assert_eq!(owner, Standing::Valid);
    let back = then(&gone, &a, GroupBody::Add(member(&b, Role::Contributor)));
    assert_eq!(judge(&back, log, 5, 0), Standing::Valid);
    assert_eq!(judge(&back, log, 6, 0), Standing::BeyondCut);
    assert_eq!(judge(&back, log, 7, 1), Standing::NotContributor);
    assert_eq!(judge(&back, log, 8, 2), Standing::Valid);
    assert_eq!(judge(&back, other, 1, 2), Standing::Valid);
}

#[test]
fn a_demotion_to_reader_ends_logs_and_one_to_contributor_does_not() {
    let [a, b] = agencies();
    let chain = group_of(&a, &[(&b, Role::Curator)]);
    let log = writer(&b, 0);
    let hash = entry(6).hash;
    let lower = GroupBody::SetRole(member(&b, Role::Contributor), vec![]);
    let lower = then(&chain, &a, lower);
    assert_eq!(
        lower.standing(&b.id(), &log, (6, &hash), 0),
        Standing::Valid
    );
    let cuts = vec![cut(log, entry(5))];
    let reader = GroupBody::SetRole(member(&b, Role::Reader), cuts);
    let reader = then(&lower, &a, reader);
    assert_eq!(
        reader.standing(&b.id(), &log, (6, &hash), 1),
        Standing::BeyondCut
    );
    let hash = entry(5).hash;
    assert_eq!(
        reader.standing(&b.id(), &log, (5, &hash), 1),
        Standing::Valid
    );
}

/// Case 7.
#[test]
fn what_a_node_stands_for_does_not_depend_on_when_it_learnt_of_the_removal() {
    let [a, b] = agencies();
    let chain = group_of(&a, &[(&b, Role::Contributor)]);
    let mut pen = Pen::new(b.node(0), chain.id());
    let entries = pen.write(6);
    let head = entries[3].header.hash();
    let cuts = vec![cut(pen.writer(), LogHead { seq: 4, hash: head })];
    let gone = then(&chain, &a, GroupBody::Remove(b.id(), cuts));
    let valid = |entry: &&crate::log::Entry| {
        let (header, hash) = (&entry.header, entry.header.hash());
        let at = (header.seq, &hash);
        gone.standing(&b.id(), &header.writer, at, header.height) == Standing::Valid
    };
    let seqs = |e: &crate::log::Entry| e.header.seq;
    let left: Vec<u64> = entries.iter().filter(valid).map(seqs).collect();
    assert_eq!(left, [1, 2, 3, 4]);
}

#[test]
fn statements_have_bounds() {
    let [a, b] = agencies();
    let chain = group_of(&a, &[(&b, Role::Contributor)]);
    let cuts = vec![cut(writer(&b, 0), entry(1)); 1_000];
    let large = chain.next(GroupBody::Remove(b.id(), cuts)).sign(&a.node(0));
    assert!(large.len() > limits::STATEMENT_BYTES);
    assert!(matches!(
        verify_next(&chain, &chains(&[&a]), &large),
        Err(GroupError::Wire(_))
    ));
    let node = a.node(0);
    let many = vec![&node; limits::SIGNATURES + 1];
    let statement = chain.next(GroupBody::SetThreshold(1));
    assert!(matches!(
        verify_next(&chain, &chains(&[&a]), &signed_by(&statement, &many)),
        Err(GroupError::Wire(_))
    ));
    let mut trailing = statement.sign(&node);
    assert!(verify_next(&chain, &chains(&[&a]), &trailing).is_ok());
    trailing.push(0);
    assert!(verify_next(&chain, &chains(&[&a]), &trailing).is_err());
}

/// An owner moves the right to govern to another node: a node that joins later, and knows the
/// agency's chain only as it is now, must still be able to verify what was signed before.
#[test]
fn a_statement_stays_valid_when_its_signer_no_longer_governs() {
    let mut a = Agency::new(1);
    let genesis = group_genesis("n", 1, &[member(&a, Role::Owner)]).sign(&a.node(0));
    let chain = verify_genesis(&chains(&[&a]), &genesis)
        .unwrap()
        .into_inner()
        .chain;
    let (node, group) = (a.node(0).public(), chain.id());
    let cut = crate::identity::SealedCut::of_chain(&group, &node, 0, chain.head());
    a.say(crate::identity::AgencyBody::RevokeNode(node, vec![cut]));
    a.certify(1, Capabilities::ALL);
    let late = chain.next(GroupBody::SetThreshold(1)).sign(&a.node(0));
    assert!(
        verify_next(&chain, &chains(&[&a]), &late).is_err(),
        "beyond the cut"
    );
    assert!(verify_genesis(&chains(&[&a]), &genesis).is_ok());
}
