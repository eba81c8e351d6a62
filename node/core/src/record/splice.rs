//! From an edited text to the smallest splices, so that edits of different places merge.
//!
//! Lines are compared first, then the characters of lines that changed; a block that was rewritten
//! as a whole is replaced as a whole, because comparing it letter by letter costs the square of its
//! length and says nothing.

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// Characters of a changed block up to which its letters are compared.
const LETTERS_COMPARED: usize = 4_000;

/// One change of a text; positions count characters (Unicode scalar values).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Splice {
    pub(super) at: usize,
    pub(super) delete: usize,
    pub(super) insert: String,
}

impl Splice {
    /// Characters that it deletes and inserts.
    pub(super) fn cost(&self) -> usize {
        self.delete + self.insert.chars().count()
    }

    /// Cuts it into splices of at most `chars`, to be applied in this order.
    pub(super) fn cut(self, chars: usize) -> Vec<Splice> {
        let chars = chars.max(1);
        let mut pieces = Vec::new();
        let mut left = self.delete;
        while left > chars {
            pieces.push(Splice {
                at: self.at,
                delete: chars,
                insert: String::new(),
            });
            left -= chars;
        }
        let mut at = self.at;
        let mut insert: String = self
            .insert
            .chars()
            .take(chars.saturating_sub(left))
            .collect();
        let mut rest = self.insert.chars().skip(insert.chars().count()).peekable();
        let inserted = insert.chars().count();
        pieces.push(Splice {
            at,
            delete: left,
            insert: std::mem::take(&mut insert),
        });
        at += inserted;
        while rest.peek().is_some() {
            let insert: String = rest.by_ref().take(chars).collect();
            let inserted = insert.chars().count();
            pieces.push(Splice {
                at,
                delete: 0,
                insert,
            });
            at += inserted;
        }
        pieces
    }
}

/// A part of a text that was edited, as a reader compares two versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// In both.
    Kept(String),
    /// In the older one only.
    Deleted(String),
    /// In the newer one only.
    Inserted(String),
}

/// What of a text was kept, deleted and inserted, in its order and character by character.
#[must_use]
pub fn pieces(old: &str, new: &str) -> Vec<Piece> {
    let mut letters = old.chars();
    let mut take = |count: usize| letters.by_ref().take(count).collect::<String>();
    let (mut at, mut pieces) = (0, Vec::new());
    for splice in splices(old, new).into_iter().rev() {
        pieces.push(Piece::Kept(take(splice.at.saturating_sub(at))));
        pieces.push(Piece::Deleted(take(splice.delete)));
        pieces.push(Piece::Inserted(splice.insert));
        at = splice.at + splice.delete;
    }
    pieces.push(Piece::Kept(letters.collect()));
    pieces.retain(|piece| match piece {
        Piece::Kept(text) | Piece::Deleted(text) | Piece::Inserted(text) => !text.is_empty(),
    });
    pieces
}

/// The splices that turn `old` into `new`, last place first, so that none moves another.
pub(super) fn splices(old: &str, new: &str) -> Vec<Splice> {
    let old_lines: Vec<&str> = old.split_inclusive('\n').collect();
    let new_lines: Vec<&str> = new.split_inclusive('\n').collect();
    let mut found = Vec::new();
    let mut at = 0;
    for op in capture_diff_slices(Algorithm::Myers, &old_lines, &new_lines) {
        let (tag, old_range, new_range) = op.as_tag_tuple();
        let old_block = old_lines.get(old_range).unwrap_or_default().concat();
        if tag != similar::DiffTag::Equal {
            let new_block = new_lines.get(new_range).unwrap_or_default().concat();
            block_splices(at, &old_block, &new_block, &mut found);
        }
        at += old_block.chars().count();
    }
    found.reverse();
    found
}

fn block_splices(at: usize, old: &str, new: &str, found: &mut Vec<Splice>) {
    let old_letters: Vec<char> = old.chars().collect();
    let new_letters: Vec<char> = new.chars().collect();
    if old_letters.len().max(new_letters.len()) > LETTERS_COMPARED {
        found.push(Splice {
            at,
            delete: old_letters.len(),
            insert: new.to_owned(),
        });
        return;
    }
    for op in capture_diff_slices(Algorithm::Myers, &old_letters, &new_letters) {
        let (old_range, new_range) = match op {
            DiffOp::Equal { .. } => continue,
            other => (other.old_range(), other.new_range()),
        };
        found.push(Splice {
            at: at + old_range.start,
            delete: old_range.len(),
            insert: new_letters
                .get(new_range)
                .unwrap_or_default()
                .iter()
                .collect(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn apply(text: &str, splices: impl IntoIterator<Item = Splice>) -> String {
        let mut letters: Vec<char> = text.chars().collect();
        for splice in splices {
            letters.splice(splice.at..splice.at + splice.delete, splice.insert.chars());
        }
        letters.into_iter().collect()
    }

    #[test]
    fn an_edit_of_one_word_touches_that_word_only() {
        let old = "first line\nsecond line\nthird line\n";
        let found = splices(old, "first line\nsecond phrase\nthird line\n");
        assert!(found.iter().all(|s| (18..22).contains(&s.at)), "{found:?}");
    }

    #[test]
    fn pieces_say_what_was_kept_deleted_and_inserted() {
        let found = pieces("Saisie d’un téléphone", "Saisie de l’appareil");
        assert_eq!(found[0], Piece::Kept("Saisie d".to_owned()));
        assert!(pieces("a", "a") == [Piece::Kept("a".to_owned())]);
        assert!(pieces("", "").is_empty());
    }

    proptest! {
        #[test]
        fn the_kept_and_the_deleted_are_the_old_text_and_the_kept_and_the_inserted_the_new(
            old in "(ab\n|[a-dء-ي ]{0,6}\n){0,20}", new in "(ab\n|[a-dء-ي ]{0,6}\n){0,20}",
        ) {
            let (mut before, mut after) = (String::new(), String::new());
            for piece in pieces(&old, &new) {
                match piece {
                    Piece::Kept(text) => {
                        before += &text;
                        after += &text;
                    }
                    Piece::Deleted(text) => before += &text,
                    Piece::Inserted(text) => after += &text,
                }
            }
            prop_assert_eq!((before, after), (old, new));
        }

        #[test]
        fn splices_turn_the_old_text_into_the_new(
            old in "(ab\n|[a-dء-ي ]{0,6}\n){0,20}", new in "(ab\n|[a-dء-ي ]{0,6}\n){0,20}",
        ) {
            prop_assert_eq!(apply(&old, splices(&old, &new)), new);
        }

        #[test]
        fn cutting_keeps_the_effect_and_the_bound(
            old in "[a-d\n]{0,60}", new in "[a-d\n]{0,60}", chars in 1..20usize,
        ) {
            let pieces: Vec<_> =
                splices(&old, &new).into_iter().flat_map(|s| s.cut(chars)).collect();
            prop_assert!(pieces.iter().all(|piece| piece.cost() <= chars));
            prop_assert_eq!(apply(&old, pieces), new);
        }
    }
}
