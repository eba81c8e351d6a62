//! Nothing leaves its group: no frame to an agency outside of a group has that group's id, its name
//! or a word of its texts, packed or not.

use diwan_core::id::{AgencyId, GroupId};
use diwan_core::sync::Message;
use diwan_core::wire;

use crate::sim::model::Model;

/// A frame's bytes as somebody who unpacks it reads them.
fn plain_bytes(frame: &[u8]) -> Vec<u8> {
    let mut bytes = frame.to_vec();
    if let Ok(Message::Entries(ranges)) = Message::from_frame(frame) {
        bytes.extend(wire::encode(&ranges));
    }
    bytes
}

/// The group whose former member is told by a frame that it was removed: the chain as far as the
/// statement that removes it, and nothing behind.
fn told_removal(frame: &[u8], to: &AgencyId, model: &Model) -> Option<GroupId> {
    let Ok(Message::Group(chain)) = Message::from_frame(frame) else {
        return None;
    };
    let count = u32::try_from(chain.statements.len()).ok()?;
    let before = chain.from.checked_add(count)?.checked_sub(2)?;
    let group = model.groups.get(&chain.group)?;
    group.role(to, before).map(|_| chain.group)
}

/// The groups of which a frame says something to an agency that is not in them, as far as the
/// sender can know: at the height of the group's chain that it has.
pub fn leaked(
    frame: &[u8],
    to: &AgencyId,
    sender_height: impl Fn(&GroupId) -> Option<u32>,
    model: &Model,
) -> Vec<GroupId> {
    let bytes = &plain_bytes(frame);
    let removal = told_removal(frame, to, model);
    let outside = model.groups.iter().filter(|(id, group)| {
        let height = sender_height(id);
        removal != Some(**id) && height.is_none_or(|height| group.role(to, height).is_none())
    });
    let found = outside
        .filter(|(id, group)| holds(bytes, id.as_bytes()) || holds(bytes, group.token.as_bytes()));
    found.map(|(id, _)| *id).collect()
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    let Some(first) = needle.first() else {
        return false;
    };
    let mut from = 0;
    while let Some(rest) = bytes.get(from..) {
        let Some(at) = rest.iter().position(|byte| byte == first) else {
            return false;
        };
        if rest.get(at..).is_some_and(|rest| rest.starts_with(needle)) {
            return true;
        }
        from += at + 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::model::GroupModel;
    use diwan_core::group::Role;
    use diwan_core::id::{Incarnation, NodeKey, Writer};
    use diwan_core::log::{Range, RangeEntry};
    use std::collections::BTreeMap;

    const MEMBER: AgencyId = AgencyId([1; 32]);
    const LEFT: AgencyId = AgencyId([2; 32]);
    const STRANGER: AgencyId = AgencyId([3; 32]);
    const GROUP: GroupId = GroupId([7; 32]);

    fn model() -> Model {
        let both = BTreeMap::from([(MEMBER, Role::Owner), (LEFT, Role::Contributor)]);
        let one = BTreeMap::from([(MEMBER, Role::Owner)]);
        let group = GroupModel {
            token: "tk-1234".to_owned(),
            owner: Some(0),
            members: vec![both, one],
            endings: Vec::new(),
        };
        Model {
            groups: BTreeMap::from([(GROUP, group)]),
            ..Model::default()
        }
    }

    fn told(bytes: &[u8], to: &AgencyId, height: Option<u32>) -> bool {
        !leaked(bytes, to, |_| height, &model()).is_empty()
    }

    #[test]
    fn what_goes_to_a_stranger_or_to_one_who_left_is_found() {
        let id = [&[5, 7, 7][..], &GROUP.0].concat();
        for bytes in [id.as_slice(), b"a tk-1234 b"] {
            assert!(told(bytes, &STRANGER, Some(0)));
            assert!(told(bytes, &LEFT, Some(1)));
            assert!(told(bytes, &MEMBER, None), "the sender cannot have it");
            assert!(!told(bytes, &LEFT, Some(0)), "the sender does not know yet");
            assert!(!told(bytes, &MEMBER, Some(1)));
        }
        assert!(!told(b"tk-123", &STRANGER, Some(0)));
    }

    #[test]
    fn a_former_member_may_learn_that_it_is_one_and_nothing_behind() {
        let frame = |statements: usize| {
            let chain = diwan_core::sync::GroupStatements {
                group: GROUP,
                from: 1,
                statements: vec![GROUP.0.to_vec().into(); statements],
            };
            Message::Group(chain).to_frame().unwrap()
        };
        assert!(!told(&frame(1), &LEFT, Some(1)));
        assert!(told(&frame(2), &LEFT, Some(1)));
        assert!(told(&frame(1), &STRANGER, Some(1)));
    }

    #[test]
    fn what_is_packed_is_read() {
        let entry = RangeEntry {
            kind: 1,
            record: None,
            height: 0,
            wall_ms: 0,
            salt: [0; 16].into(),
            payload: b"tk-1234 tk-1234 tk-1234 tk-1234 tk-1234".repeat(20),
            erased: None,
            packed: Default::default(),
        };
        let writer = Writer {
            node: NodeKey([1; 32]),
            incarnation: Incarnation(1),
        };
        let range = Range {
            group: GroupId([9; 32]),
            writer,
            first: 1,
            entries: vec![entry],
            signature: [0; 64],
            previous: diwan_core::id::EntryHash([0; 32]),
        };
        let frame = Message::Entries(vec![range]).to_frame().unwrap();
        assert!(told(&frame, &STRANGER, Some(0)));
    }
}
