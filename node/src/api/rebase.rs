//! Two changes of one older state, both made: of a text, of a set. For what has no history in common, as a
//! draft and the record that was published of it; inside a record the CRDT merges.

use std::collections::BTreeSet;

use diwan_core::record::{Piece, pieces};

/// A set with what `mine` added to `then`, without what it took out.
pub(super) fn rebased_set(
    then: &BTreeSet<String>,
    mine: &BTreeSet<String>,
    theirs: &BTreeSet<String>,
) -> BTreeSet<String> {
    let stays = |item: &&String| !then.contains(*item) || mine.contains(*item);
    let added = mine.difference(then);
    theirs.iter().filter(stays).chain(added).cloned().collect()
}

/// A text with both changes of an older one: `mine` and `theirs`. What either took out is gone, what either
/// put in is there.
pub(super) fn rebased_text(then: &str, mine: &str, theirs: &str) -> String {
    let length = then.chars().count();
    let (mine, theirs) = (
        Script::of(then, mine, length),
        Script::of(then, theirs, length),
    );
    let mut text = String::new();
    let inserted = mine.inserted.iter().zip(&theirs.inserted);
    let kept = mine.kept.iter().zip(&theirs.kept);
    let mut chars = then.chars().zip(kept);
    for (mine, theirs) in inserted {
        text.push_str(theirs);
        if mine != theirs {
            text.push_str(mine);
        }
        if let Some((c, (true, true))) = chars.next() {
            text.push(c);
        }
    }
    text
}

/// How a text came from another: which of its characters were kept, and what was put in before each of them
/// and at the end.
struct Script {
    kept: Vec<bool>,
    inserted: Vec<String>,
}

impl Script {
    fn of(then: &str, now: &str, length: usize) -> Self {
        let mut kept = Vec::with_capacity(length);
        let mut inserted = vec![String::new(); length + 1];
        for piece in pieces(then, now) {
            match piece {
                Piece::Kept(text) => kept.extend(text.chars().map(|_| true)),
                Piece::Deleted(text) => kept.extend(text.chars().map(|_| false)),
                Piece::Inserted(text) => {
                    if let Some(place) = inserted.get_mut(kept.len()) {
                        place.push_str(&text);
                    }
                }
            }
        }
        Self { kept, inserted }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_changes_are_in_the_text() {
        let then = "Un.\n\nDeux.\n";
        let both = rebased_text(then, "Un, revu.\n\nDeux.\n", "Un.\n\nDeux.\n\nTrois.\n");
        assert_eq!(both, "Un, revu.\n\nDeux.\n\nTrois.\n");
        assert_eq!(
            rebased_text("حجز هاتف", "حجز", "حجز هاتف محمول"),
            "حجز محمول"
        );
    }

    proptest! {
        #[test]
        fn where_one_changed_nothing_the_other_is_taken(then in "\\PC{0,40}", other in "\\PC{0,40}") {
            prop_assert_eq!(&rebased_text(&then, &other, &then), &other);
            prop_assert_eq!(&rebased_text(&then, &then, &other), &other);
            prop_assert_eq!(&rebased_text(&then, &other, &other), &other);
        }
    }
}
