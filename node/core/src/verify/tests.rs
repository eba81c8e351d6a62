use super::*;
use crate::group::{GroupBody, GroupChain, Role};
use crate::id::{EntryHash, GroupId, Incarnation, Me, RecordId, Writer};
use crate::identity::Capabilities;
use crate::limits;
use crate::log::{Entry, Frontier, LogHead, Range, RangeError};
use crate::replica::{LogState, NotTaken, Replica};
use crate::testing::{Agency, Pen, group_of, key, member, then};
use crate::trust::{TrustEntry, Verification};
use proptest::prelude::*;

/// A group of two: an owner, and a contributor with a pen.
struct Table {
    owner: Agency,
    scribe: Agency,
    group: GroupChain,
    pen: Pen,
}

fn table() -> Table {
    let (owner, scribe) = (Agency::new(1), Agency::new(2));
    let group = group_of(&owner, &[(&scribe, Role::Contributor)]);
    let pen = Pen::new(scribe.node(0), group.id());
    Table {
        owner,
        scribe,
        group,
        pen,
    }
}

impl Table {
    fn judge(
        &self,
        range: Range,
        head: Option<(&LogHead, u32)>,
    ) -> Result<Verified<Vec<Entry>>, Refusal> {
        let context = RangeContext {
            group: &self.group,
            agency: &self.scribe.chain,
            head,
            end: None,
        };
        super::range(context, range)
    }

    /// The owner's node, which follows the group.
    fn replica(&self) -> Replica {
        let me = Me {
            agency: self.owner.id(),
            node: self.owner.node(0).public(),
            incarnation: Incarnation(1),
        };
        let mut replica = Replica::new(me, &self.owner.verified());
        replica.take_agency(&self.scribe.verified()).unwrap();
        take_group(&mut replica, &self.group);
        replica
    }

    fn receipt(&self, seq: u64, hash: u8) -> Receipt {
        let mut frontier = Frontier::default();
        let hash = EntryHash([hash; 32]);
        frontier.advance_log(self.pen.writer(), LogHead { seq, hash });
        Receipt {
            group: self.group.id(),
            node: self.scribe.node(0).public(),
            wall_ms: 7,
            frontier,
        }
    }
}

fn take_group(replica: &mut Replica, group: &GroupChain) {
    let bytes: Vec<Vec<u8>> = group.statements_from(0).cloned().collect();
    let mut step = group_genesis(replica.agencies(), &bytes[0]).unwrap();
    for bytes in &bytes[1..] {
        step = group_statement(&step.chain, replica.agencies(), bytes).unwrap();
    }
    replica.take_group_step(&step).unwrap();
}

fn head_of(entries: &[Entry]) -> LogHead {
    let header = &entries.last().unwrap().header;
    LogHead {
        seq: header.seq,
        hash: header.hash(),
    }
}

#[test]
fn a_range_verifies_behind_its_head_and_not_behind_another() {
    let mut table = table();
    let (first, second) = (table.pen.write(3), table.pen.write(3));
    let range = |entries: &[Entry]| Range::of(entries, None).unwrap();
    assert_eq!(*table.judge(range(&first), None).unwrap(), first);
    let head = head_of(&first);
    let two = table.judge(range(&second), Some((&head, 0)));
    assert_eq!(*two.unwrap(), second);
    let gap = Refusal::Range(RangeError::Gap {
        found: 4,
        expected: 1,
    });
    assert_eq!(table.judge(range(&second), None), Err(gap.clone()));
    assert!(gap.is_innocent());
    let fork = LogHead {
        hash: EntryHash([9; 32]),
        ..head
    };
    let refused = table.judge(range(&second), Some((&fork, 0)));
    let other = Refusal::Range(RangeError::OtherHead);
    assert_eq!(refused, Err(other.clone()));
    assert!(other.is_innocent(), "the relay need not know of the fork");
}

/// Case 3.
#[test]
fn what_is_known_already_is_left_out() {
    let mut table = table();
    let entries = table.pen.write(6);
    let range = || Range::of(&entries, None).unwrap();
    for known in 1..=6 {
        let head = head_of(&entries[..known]);
        let new = table.judge(range(), Some((&head, 0))).unwrap();
        assert_eq!(new.iter().map(|e| e.header.seq).collect::<Vec<_>>(), {
            (known as u64 + 1..=6).collect::<Vec<_>>()
        });
        assert_eq!(*new, entries[known..]);
    }
}

#[test]
fn own_entries_verify_as_any_others_and_are_signed_often_enough_to_be_served() {
    let table = table();
    let (key, zero) = (table.scribe.node(0), EntryHash([0; 32]));
    let me = Me {
        agency: table.scribe.id(),
        node: key.public(),
        incarnation: Incarnation(1),
    };
    let draft = |i: u16| OwnEntry {
        kind: match i % 3 {
            1 => OwnKind::Change(RecordId([7; 32])),
            _ => OwnKind::Genesis,
        },
        payload: crate::log::Payload::new([3; 16], vec![1; 1 + usize::from(i % 7) * 20_000]),
    };
    let head = LogHead { seq: 0, hash: zero };
    let drafts = (0..600).map(draft).collect();
    let own = own_entries((&key, &me), table.group.id(), head, (0, 5), drafts);
    let mut known: Option<LogHead> = None;
    for stretch in own.chunk_by(|entry, _| entry.signature.is_none()) {
        let range = Range::of(stretch, None).unwrap();
        assert!(crate::wire::encode(&range).len() < limits::FRAME_BYTES);
        let verified = table.judge(range, known.as_ref().map(|head| (head, 0)));
        assert_eq!(*verified.unwrap(), *stretch);
        known = Some(head_of(stretch));
    }
    assert_eq!(known.unwrap().seq, 600);
}

/// Case 1.
#[test]
fn a_range_of_another_group_writer_or_key_is_refused() {
    let mut table = table();
    let other = group_of(&table.scribe, &[(&table.owner, Role::Reader)]);
    let range = table.pen.range(2);
    let context = RangeContext {
        group: &other,
        agency: &table.scribe.chain,
        head: None,
        end: None,
    };
    assert_eq!(
        super::range(context, range.clone()),
        Err(Refusal::NotMember)
    );
    let moved = Range {
        group: other.id(),
        ..range.clone()
    };
    assert_eq!(super::range(context, moved), Err(Refusal::Signature));
    let mut renamed = range.clone();
    renamed.writer.incarnation = Incarnation(2);
    assert_eq!(table.judge(renamed, None), Err(Refusal::Signature));
    let mut stranger = range;
    stranger.writer.node = key(9).public();
    assert_eq!(table.judge(stranger, None), Err(Refusal::NotCertified));
    let mut thief = Pen::new(key(9), table.group.id());
    let mut stolen = thief.range(2);
    stolen.writer = table.pen.writer();
    assert_eq!(table.judge(stolen, None), Err(Refusal::Signature));
}

#[test]
fn a_node_without_the_right_to_write_is_refused() {
    let mut table = table();
    table.scribe = Agency::bare(2);
    table.scribe.certify(0, Capabilities(5));
    let range = table.pen.range(1);
    assert_eq!(table.judge(range, None), Err(Refusal::NotCertified));
}

#[test]
fn every_altered_part_of_a_range_breaks_its_signature() {
    let altered = |change: &dyn Fn(&mut Range)| {
        let mut table = table();
        let mut range = table.pen.range(4);
        change(&mut range);
        table.judge(range, None)
    };
    assert!(altered(&|_| {}).is_ok());
    let changes: [&dyn Fn(&mut Range); 9] = [
        &|r| r.entries[1].payload[0] ^= 1,
        &|r| r.entries[1].payload.clear(),
        &|r| r.entries[2].salt[0] ^= 1,
        &|r| r.entries[3].wall_ms += 1,
        &|r| r.entries.swap(0, 1),
        &|r| drop(r.entries.remove(1)),
        &|r| r.entries.push(r.entries[3].clone()),
        &|r| {
            r.entries[1].kind = 2;
            r.entries[1].record = Some(RecordId([1; 32]));
        },
        &|r| r.signature[63] ^= 1,
    ];
    for (at, change) in changes.iter().enumerate() {
        assert_eq!(altered(*change), Err(Refusal::Signature), "change {at}");
    }
    // Heights are checked before the signature: above the chain, or falling.
    assert_eq!(
        altered(&|r| r.entries[3].height = 1),
        Err(Refusal::UnknownHeight)
    );
    assert_eq!(
        altered(&|r| r.entries[0].height = 1),
        Err(Refusal::HeightFell)
    );
    assert_eq!(
        altered(&|r| r.entries[2].kind = 9),
        Err(Refusal::Range(RangeError::Kind(9)))
    );
}

/// Case 6.
#[test]
fn the_height_that_entries_cite_is_known_and_never_falls() {
    let mut table = table();
    let third = Agency::new(3);
    let add = GroupBody::Add(member(&third, Role::Reader));
    table.group = then(&table.group, &table.owner, add);
    table.pen.height = 1;
    let new = table.pen.write(2);
    table.pen.height = 0;
    let old = table.pen.range(2);
    let head = head_of(&new);
    assert!(table.judge(Range::of(&new, None).unwrap(), None).is_ok());
    let fell = table.judge(old, Some((&head, 1)));
    assert_eq!(fell, Err(Refusal::HeightFell));
    assert!(!Refusal::HeightFell.is_innocent());
    let mut ahead = Pen::new(table.scribe.node(0), table.group.id());
    ahead.height = 2;
    let unknown = table.judge(ahead.range(1), None);
    assert_eq!(unknown, Err(Refusal::UnknownHeight));
    assert!(Refusal::UnknownHeight.is_innocent());
}

#[test]
fn too_many_entries_in_one_range_are_refused() {
    let mut table = table();
    let mut range = table.pen.range(1);
    range.entries = vec![range.entries[0].clone(); limits::BATCH_ENTRIES + 1];
    let count = RangeError::Count(limits::BATCH_ENTRIES + 1);
    assert_eq!(table.judge(range, None), Err(Refusal::Range(count)));
}

#[test]
fn a_replica_takes_entries_of_its_groups_members_only() {
    let mut table = table();
    let mut replica = table.replica();
    let range = table.pen.range(3);
    let entries = replica.verify_range(range.clone()).unwrap();
    replica.take_entries(&entries);
    let id = table.group.id();
    assert_eq!(replica.group(&id).unwrap().frontier().entries(), 3);
    assert_eq!(*replica.verify_range(range.clone()).unwrap(), []);
    let unknown = Range {
        group: GroupId([5; 32]),
        ..range
    };
    assert_eq!(replica.verify_range(unknown), Err(Refusal::NotMember));
    let third = Agency::new(3);
    let mut outside = Pen::new(third.node(0), id);
    let refused = replica.verify_range(outside.range(1));
    assert_eq!(refused, Err(Refusal::NotMember));
    replica.take_agency(&third.verified()).unwrap();
    let refused = replica.verify_range(outside.range(1));
    assert_eq!(refused, Err(Refusal::NotMember));
}

#[test]
fn a_former_members_entries_still_travel() {
    let mut table = table();
    let mut replica = table.replica();
    let remove = GroupBody::Remove(table.scribe.id(), vec![]);
    take_group(&mut replica, &then(&table.group, &table.owner, remove));
    assert!(replica.verify_range(table.pen.range(2)).is_ok());
    assert!(
        replica
            .shared(&table.group.id(), &table.scribe.id())
            .is_none()
    );
}

#[test]
fn a_node_has_a_bounded_number_of_logs() {
    let table = table();
    let mut replica = table.replica();
    for incarnation in 0..=limits::INCARNATIONS_PER_NODE as u64 {
        let mut pen = Pen::new(table.scribe.node(0), table.group.id());
        pen.incarnation = Incarnation(incarnation);
        let entries = replica.verify_range(pen.range(1));
        if incarnation < limits::INCARNATIONS_PER_NODE as u64 {
            replica.take_entries(&entries.unwrap());
        } else {
            assert_eq!(entries, Err(Refusal::NotCertified));
        }
    }
    // The logs that are there go on.
    let mut pen = Pen::new(table.scribe.node(0), table.group.id());
    pen.incarnation = Incarnation(3);
    assert_eq!(replica.verify_range(pen.range(2)).unwrap().len(), 1);
}

#[test]
fn a_log_never_goes_back() {
    let mut table = table();
    let mut replica = table.replica();
    let entries = table.pen.write(5);
    let late = replica
        .verify_range(Range::of(&entries, None).unwrap())
        .unwrap();
    replica.take_entries(&late);
    let id = table.group.id();
    let head = head_of(&entries[..2]);
    replica.advance(&id, table.pen.writer(), LogState { head, height: 0 });
    let frontier = replica.group(&id).unwrap().frontier();
    assert_eq!(frontier.seq(&table.pen.writer()), 5);
}

#[test]
fn a_receipt_is_signed_by_the_node_that_it_speaks_for() {
    let table = table();
    let own = table.receipt(3, 1);
    let signed = receipt(&own.sign(&table.scribe.node(0))).unwrap();
    assert_eq!(signed.receipt, own);
    let foreign = receipt(&own.sign(&table.owner.node(0)));
    assert_eq!(foreign.unwrap_err(), ReceiptError::Signature);
    let bytes = own.sign(&table.scribe.node(0));
    let mut twice: crate::wire::Signed = crate::wire::decode(&bytes, bytes.len()).unwrap();
    twice.signatures.push(twice.signatures[0].clone());
    let twice = receipt(&crate::wire::encode(&twice));
    assert_eq!(twice.unwrap_err(), ReceiptError::Signature);
    let mut many = own;
    for incarnation in 0..=limits::LOGS_PER_GROUP as u64 {
        let log = Writer {
            incarnation: Incarnation(incarnation),
            ..table.pen.writer()
        };
        let hash = EntryHash([1; 32]);
        many.frontier.advance_log(log, LogHead { seq: 1, hash });
    }
    let many = receipt(&many.sign(&table.scribe.node(0)));
    assert_eq!(many.unwrap_err(), ReceiptError::TooMany);
}

#[test]
fn receipts_never_fall_and_come_from_members_only() {
    let table = table();
    let mut replica = table.replica();
    let mut take = |receipt_: &Receipt| {
        let bytes = receipt_.sign(&table.scribe.node(0));
        replica.take_receipt(&receipt(&bytes).unwrap())
    };
    assert!(take(&table.receipt(3, 1)));
    assert!(!take(&table.receipt(3, 1)));
    assert!(!take(&table.receipt(2, 1)));
    assert!(take(&table.receipt(4, 1)));
    let mut elsewhere = table.receipt(9, 1);
    elsewhere.group = GroupId([4; 32]);
    assert!(!take(&elsewhere));
    let third = Agency::new(3);
    let mut outside = table.receipt(9, 1);
    outside.node = third.node(0).public();
    let signed = receipt(&outside.sign(&third.node(0))).unwrap();
    assert!(!replica.take_receipt(&signed));
    replica.take_agency(&third.verified()).unwrap();
    assert!(!replica.take_receipt(&signed));
}

#[test]
fn of_two_receipts_that_go_equally_far_every_node_keeps_the_same() {
    let table = table();
    let sign = |hash| {
        let bytes = table.receipt(3, hash).sign(&table.scribe.node(0));
        receipt(&bytes).unwrap()
    };
    let kept = |order: [u8; 2]| {
        let mut replica = table.replica();
        for hash in order {
            replica.take_receipt(&sign(hash));
        }
        replica.state_digest(&table.group.id())
    };
    assert_eq!(kept([1, 2]), kept([2, 1]));
}

#[test]
fn a_former_members_receipt_goes_with_it() {
    let table = table();
    let mut replica = table.replica();
    let bytes = table.receipt(3, 1).sign(&table.scribe.node(0));
    assert!(replica.take_receipt(&receipt(&bytes).unwrap()));
    let remove = GroupBody::Remove(table.scribe.id(), vec![]);
    take_group(&mut replica, &then(&table.group, &table.owner, remove));
    assert!(
        replica
            .group(&table.group.id())
            .unwrap()
            .receipts
            .is_empty()
    );
    assert!(!replica.take_receipt(&receipt(&bytes).unwrap()));
}

#[test]
fn a_node_key_stays_with_the_agency_that_had_it_first() {
    let table = table();
    let mut replica = table.replica();
    let mut thief = Agency::new(3);
    let node = table.scribe.node(0).public();
    thief.say(crate::identity::AgencyBody::CertifyNode(
        node,
        Capabilities::SYNC,
    ));
    let taken = replica.take_agency(&thief.verified());
    assert_eq!(taken, Err(NotTaken::NodeTaken));
    assert_eq!(replica.agency_of(&node), Some(table.scribe.id()));
    assert!(replica.agency(&thief.id()).is_none());
}

#[test]
fn a_group_is_for_us_where_a_pinned_owner_names_us() {
    let table = table();
    let me = Me {
        agency: table.scribe.id(),
        node: table.scribe.node(0).public(),
        incarnation: Incarnation(1),
    };
    let mut replica = Replica::new(me, &table.scribe.verified());
    replica.take_agency(&table.owner.verified()).unwrap();
    assert!(!replica.is_for_us(&table.group), "the owner is not pinned");
    let verification = Verification {
        at_ms: 1,
        by_uid: 0,
    };
    let pinned = TrustEntry::pinned(verification);
    replica.trust_mut().set(table.owner.id(), pinned);
    assert!(replica.is_for_us(&table.group));
    assert!(replica.may_talk_to(&table.owner.node(0).public()));
    let remove = GroupBody::Remove(table.scribe.id(), vec![]);
    let without = then(&table.group, &table.owner, remove);
    assert!(!replica.is_for_us(&without));
    let stranger = Agency::new(3);
    let theirs = group_of(
        &stranger,
        &[(&table.scribe, Role::Owner), (&table.owner, Role::Reader)],
    );
    assert!(replica.is_for_us(&theirs), "this agency owns it");
    let theirs = group_of(
        &stranger,
        &[(&table.scribe, Role::Reader), (&table.owner, Role::Curator)],
    );
    assert!(
        !replica.is_for_us(&theirs),
        "the pinned one does not own it"
    );
}

/// Entries that were valid when they came must reach a node that learns of the agency afterwards.
#[test]
fn entries_stay_valid_when_their_writer_may_no_longer_write() {
    let mut table = table();
    let range = table.pen.range(3);
    let node = table.scribe.node(0).public();
    table
        .scribe
        .say(crate::identity::AgencyBody::RevokeNode(node, Vec::new()));
    assert!(table.judge(range, None).is_ok());
}

/// A log that was forked by its writer must not part two honest nodes that hold one side each.
#[test]
fn a_forked_log_is_told_from_a_forged_one() {
    let mut table = table();
    let mut other = Pen::new(table.scribe.node(0), table.group.id());
    other.ink = 1;
    let here = table.pen.write(3);
    other.write(3);
    let head = head_of(&here);
    let refused = table.judge(other.range(2), Some((&head, 0))).unwrap_err();
    assert!(refused.is_innocent(), "{refused}");
}

proptest! {
    #[test]
    fn any_bytes_are_judged_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let table = table();
        let known = crate::testing::chains(&[&table.owner]);
        prop_assert!(receipt(&bytes).is_err());
        prop_assert!(agency_statement(None, &bytes).is_err());
        prop_assert!(group_genesis(&known, &bytes).is_err());
        prop_assert!(group_statement(&table.group, &known, &bytes).is_err());
    }

    #[test]
    fn a_range_with_a_changed_byte_is_never_taken(
        at in any::<prop::sample::Index>(), by in 1..=255u8,
    ) {
        let mut table = table();
        let range = table.pen.range(3);
        let mut bytes = crate::wire::encode(&range);
        let at = at.index(bytes.len());
        bytes[at] ^= by;
        if let Ok(changed) = crate::wire::decode::<Range>(&bytes, bytes.len()) {
            prop_assert!(changed == range || table.judge(changed, None).map_or(true, |e| e.is_empty()));
        }
    }

    #[test]
    fn a_receipt_with_a_changed_byte_is_refused(
        at in any::<prop::sample::Index>(), by in 1..=255u8,
    ) {
        let table = table();
        let mut bytes = table.receipt(3, 1).sign(&table.scribe.node(0));
        let at = at.index(bytes.len());
        bytes[at] ^= by;
        prop_assert!(receipt(&bytes).is_err());
    }
}
