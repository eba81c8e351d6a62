//! Ranges of entries, receipts, and proofs of forks.

use super::*;
use crate::group::{GroupBody, GroupChain, Role};
use crate::id::EntryHash;
use crate::identity::Capabilities;
use crate::log::{Entry, Frontier, LogHead, Range};
use crate::testing::{Pen, cut, group_of, then};
use crate::verify::{Branch, Proof, Receipt};
use crate::wire;

fn head(entries: &[Entry]) -> LogHead {
    let header = &entries.last().unwrap().header;
    LogHead {
        seq: header.seq,
        hash: header.hash(),
    }
}

fn group_field(group: &GroupChain) -> (&'static str, String) {
    ("group", statements(group.statements_from(0).cloned()))
}

/// What is known of the log: none, or its newest entry with the height that it cites.
fn head_field(head: Option<LogHead>, height: u32) -> (&'static str, String) {
    let text = head.map_or("null".to_owned(), |head| {
        let (seq, hash) = (head.seq, hex(head.hash.0));
        format!("{{\"seq\": {seq}, \"hash\": {hash}, \"height\": {height}}}")
    });
    ("head", text)
}

#[test]
fn ranges() {
    let (owner, scribe, reader) = (Agency::new(1), Agency::new(2), Agency::new(3));
    let mut second = Agency::new(4);
    second.certify(1, Capabilities::SYNC);
    let group = group_of(
        &owner,
        &[(&scribe, Role::Contributor), (&second, Role::Contributor)],
    );
    let group = then(
        &group,
        &owner,
        GroupBody::Add(crate::testing::member(&reader, Role::Reader)),
    );
    let known = agencies(&[&owner, &scribe, &reader, &second]);
    let fields = |group: &GroupChain, head: Option<(LogHead, u32)>, range: &Range| {
        let (at, height) = (
            head.map(|(head, _)| head),
            head.map_or(0, |(_, height)| height),
        );
        vec![
            known.clone(),
            group_field(group),
            head_field(at, height),
            ("range", hex(wire::encode(range))),
        ]
    };
    let mut pen = Pen::new(scribe.node(0), group.id());
    let (first, next) = (pen.write(2), pen.write(2));
    let range = |entries: &[Entry]| Range::of(entries, None).unwrap();
    let behind = Some((head(&first), 0));
    let fresh = |range: &Range| fields(&group, None, range);

    let mut payload = range(&first);
    payload.entries[0].payload = b"another payload".to_vec();
    let mut time = range(&first);
    time.entries[1].wall_ms += 1;
    let mut signature = range(&first);
    signature.signature[0] ^= 1;
    let mut in_anothers_name = range(&first);
    in_anothers_name.writer.node = second.node(0).public();
    let mut other_incarnation = range(&first);
    other_incarnation.writer.incarnation.0 += 1;
    let mut renumbered = range(&next);
    renumbered.first = 1;
    renumbered.previous = EntryHash([0; 32]);
    let mut elsewhere = Pen::new(scribe.node(0), crate::id::GroupId([8; 32]));
    let mut replayed = elsewhere.range(2);
    let foreign = replayed.clone();
    replayed.group = group.id();
    let mut not_writing = Pen::new(second.node(1), group.id());
    let mut stranger = Pen::new(Agency::new(9).node(0), group.id());
    let mut ahead = Pen::new(scribe.node(0), group.id());
    ahead.height = 9;
    let mut falling = Pen::new(scribe.node(0), group.id());
    falling.height = 1;
    let high = falling.write(1);
    falling.height = 0;
    let low = falling.write(1);
    let mut fork = Pen::new(scribe.node(0), group.id());
    fork.ink = 1;
    let other_side = fork.write(2);
    let removed = then(
        &group,
        &owner,
        GroupBody::Remove(scribe.id(), vec![cut(pen.writer(), head(&first))]),
    );
    let bad_signature = "bad-signature";
    let mut vectors = vec![
        accepted("the first entries of a log", fresh(&range(&first))),
        accepted(
            "entries behind the head",
            fields(&group, behind, &range(&next)),
        ),
        accepted(
            "entries that are known already",
            fields(&group, behind, &range(&first)),
        ),
        accepted(
            "a former member's entries up to its cut",
            fields(&removed, None, &range(&first)),
        ),
        refused("another payload", 15, fresh(&payload), bad_signature),
        refused("another time", 15, fresh(&time), bad_signature),
        refused("another signature", 15, fresh(&signature), bad_signature),
        refused(
            "in another writer's name",
            15,
            fresh(&in_anothers_name),
            bad_signature,
        ),
        refused(
            "in another incarnation",
            15,
            fresh(&other_incarnation),
            bad_signature,
        ),
        refused(
            "entries from further on as the first",
            3,
            fresh(&renumbered),
            bad_signature,
        ),
        refused(
            "entries of one group offered in another",
            1,
            fresh(&replayed),
            bad_signature,
        ),
        refused(
            "entries of a group that is unknown",
            1,
            fresh(&foreign),
            "not-a-member",
        ),
        refused(
            "a gap",
            11,
            fresh(&range(&next)),
            "bad-range: the range begins at 3 where 1 follows",
        ),
        refused(
            "another side of the log, of the same length",
            8,
            fields(&group, behind, &range(&other_side)),
            "bad-range: the range begins behind another entry than the head here",
        ),
        refused(
            "by a node that may not write",
            21,
            fresh(&not_writing.range(1)),
            "not-certified",
        ),
        refused("by nobody", 21, fresh(&stranger.range(1)), "not-a-member"),
        refused(
            "a height that nobody has",
            6,
            fresh(&ahead.range(1)),
            "unknown-height",
        ),
        refused(
            "a height below that of the entry before",
            6,
            fields(&group, Some((head(&high), 1)), &range(&low)),
            "height-fell",
        ),
        refused(
            "another entry where the cut is",
            5,
            fields(&removed, None, &range(&other_side)),
            "other-branch",
        ),
    ];
    let mut many = Pen::new(scribe.node(0), group.id());
    let mut many = many.range(1);
    many.entries = Vec::new();
    vectors.push(refused(
        "no entries",
        34,
        fresh(&many),
        "bad-range: a range of 0 entries",
    ));
    committed(
        "ranges.json",
        "Entries that are offered to a node of the first agency, which follows the group. Agencies, the group's statements and what is known of the log come before.",
        &vectors,
    );
}

#[test]
fn receipts() {
    let (owner, scribe) = (Agency::new(1), Agency::new(2));
    let group = group_of(&owner, &[(&scribe, Role::Contributor)]);
    let mut frontier = Frontier::default();
    let pen = Pen::new(scribe.node(0), group.id());
    frontier.advance_log(
        pen.writer(),
        LogHead {
            seq: 3,
            hash: EntryHash([7; 32]),
        },
    );
    let receipt = Receipt {
        group: group.id(),
        node: scribe.node(0).public(),
        wall_ms: 7,
        frontier,
    };
    let with = |bytes: Vec<u8>| vec![("receipt", hex(bytes))];
    let good = receipt.sign(&scribe.node(0));
    let mut twice: wire::Signed = wire::decode(&good, usize::MAX).unwrap();
    twice.signatures.push(twice.signatures[0].clone());
    let mut altered: wire::Signed = wire::decode(&good, usize::MAX).unwrap();
    *altered.body.last_mut().unwrap() ^= 1;
    let mut longer = good.clone();
    longer.push(0);
    let not_signed = "not signed by its node";
    let vectors = [
        accepted("signed by the node that it speaks for", with(good)),
        refused(
            "signed by another node",
            0,
            with(receipt.sign(&owner.node(0))),
            not_signed,
        ),
        refused(
            "signed by the agency's root",
            0,
            with(receipt.sign(&scribe.root)),
            not_signed,
        ),
        refused("two signatures", 0, with(wire::encode(&twice)), not_signed),
        refused("another hash", 0, with(wire::encode(&altered)), not_signed),
        refused(
            "a byte follows the end",
            34,
            with(longer),
            "1 bytes follow the end",
        ),
    ];
    committed(
        "receipts.json",
        "A node's word that it has stored entries.",
        &vectors,
    );
}

#[test]
fn proofs() {
    let (owner, scribe) = (Agency::new(1), Agency::new(2));
    let group = group_of(&owner, &[(&scribe, Role::Contributor)]);
    let known = [agencies(&[&owner, &scribe]), group_field(&group)];
    let with = |proof: &Proof| [known.to_vec(), vec![("proof", hex(proof.to_bytes()))]].concat();
    let write = |agency: &Agency, ink, count| {
        let mut pen = Pen::new(agency.node(0), group.id());
        pen.ink = ink;
        Branch::of(&pen.write(count)).unwrap()
    };
    let (one, other) = (write(&scribe, 0, 1), write(&scribe, 1, 1));
    let by_owner = write(&owner, 1, 1);
    let mut forged = Pen::new(owner.node(0), group.id());
    let mut forged = forged.write(1);
    forged[0].header.writer = Pen::new(scribe.node(0), group.id()).writer();
    forged[0].signature = Some(
        owner
            .node(0)
            .sign(wire::Domain::Entry, &forged[0].header.to_bytes()),
    );
    let forged = Branch::of(&forged).unwrap();
    let later = |ink| {
        let mut pen = Pen::new(scribe.node(0), group.id());
        pen.ink = ink;
        pen.write(1);
        Branch::of(&pen.write(1)).unwrap()
    };
    let own = GroupChain::next;
    let statement = |role| {
        own(
            &group,
            GroupBody::SetRole(crate::testing::member(&scribe, role), Vec::new()),
        )
    };
    let signed = |role| statement(role).sign(&owner.node(0));
    let vectors = [
        accepted(
            "two entries at one place",
            with(&Proof::of_log(one.clone(), other.clone())),
        ),
        accepted(
            "two statements of a group at one height",
            with(&Proof::of_group(
                signed(Role::Reader),
                signed(Role::Curator),
            )),
        ),
        refused(
            "one entry twice",
            8,
            with(&Proof::of_log(one.clone(), one.clone())),
            "the parts do not belong together",
        ),
        refused(
            "entries of two writers",
            8,
            with(&Proof::of_log(one.clone(), by_owner)),
            "the parts do not belong together",
        ),
        refused(
            "one side is forged",
            8,
            with(&Proof::of_log(one.clone(), forged)),
            "not signed by whom it speaks of",
        ),
        refused(
            "sides that begin at different places",
            8,
            with(&Proof::of_log(one, later(1))),
            "the parts do not belong together",
        ),
        refused(
            "sides with different entries before",
            8,
            with(&Proof::of_log(later(0), later(1))),
            "the parts do not belong together",
        ),
        refused(
            "one statement twice",
            20,
            with(&Proof::of_group(signed(Role::Reader), signed(Role::Reader))),
            "the two are one",
        ),
        refused(
            "one statement is by no owner",
            20,
            with(&Proof::of_group(
                signed(Role::Reader),
                statement(Role::Curator).sign(&scribe.node(0)),
            )),
            "not signed by whom it speaks of",
        ),
    ];
    committed(
        "proofs.json",
        "A proof that somebody signed two things of which only one may be.",
        &vectors,
    );
}
